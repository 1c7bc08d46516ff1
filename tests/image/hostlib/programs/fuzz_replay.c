/*
 * Runs fuzz.c over a kept corpus and over changed copies of it, the same each time: CORPUS CHANGED_COPIES. The corpus is
 * one file of inputs, each behind its size (16 bits, little-endian).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 65536
#define INPUTS_MAX 10000

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct input {
    uint8_t *data;
    uint16_t size;
} inputs[INPUTS_MAX];
static uint64_t chance = 1;

static uint32_t draw(uint32_t limit)
{
    chance = chance * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(chance >> 33) % limit;
}

static uint32_t read_corpus(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint32_t count = 0;
    uint16_t size;
    if (!file) {
        perror(path);
        exit(2);
    }
    for (; count < INPUTS_MAX && fread(&size, 2, 1, file) == 1; count++) {
        inputs[count] = (struct input){malloc(size), size};
        if (fread(inputs[count].data, 1, size, file) != size) {
            fprintf(stderr, "%s: ends in input %u\n", path, count);
            exit(2);
        }
    }
    fclose(file);
    return count;
}

/* The head of one input before the tail of another, with a few bytes changed. */
static size_t change(uint8_t *to, const struct input *a, const struct input *b)
{
    size_t head = draw(a->size + 1u), tail = draw(b->size + 1u), size = head + tail;
    memcpy(to, a->data, head);
    memcpy(to + head, b->data + b->size - tail, tail);
    for (uint32_t changes = draw(4); size && changes; changes--)
        to[draw((uint32_t)size)] = draw(2) ? (uint8_t)draw(256) : (uint8_t)(to[draw((uint32_t)size)] ^ 1u << draw(8));
    return size;
}

int main(int argc, char **argv)
{
    static uint8_t changed[2 * INPUT_MAX];
    if (argc != 3) {
        fprintf(stderr, "usage: %s CORPUS CHANGED_COPIES\n", argv[0]);
        return 2;
    }
    uint32_t count = read_corpus(argv[1]), copies = (uint32_t)atoi(argv[2]);
    LLVMFuzzerInitialize(&argc, &argv);
    for (uint32_t i = 0; i < count; i++)
        LLVMFuzzerTestOneInput(inputs[i].data, inputs[i].size);
    for (uint32_t i = 0; count && i < copies; i++)
        LLVMFuzzerTestOneInput(changed, change(changed, &inputs[draw(count)], &inputs[draw(count)]));
    printf("%u inputs and %u changed copies\n", count, copies);
    return count ? 0 : 1;
}

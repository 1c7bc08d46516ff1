#include "verifier.h"

#include <stdlib.h>
#include <sys/random.h>
#include <rte_common.h>

#include "flow.h"
#include "ip.h"

#define BLOCK 16
#define SMALLEST_WINDOW 1024u
#define LARGEST_WINDOW (1u << 24)

uint64_t signature_secret;
struct verifier *verifiers[ALL_FLOWS];
uint16_t installed_flows[ALL_FLOWS];
uint32_t verifiers_installed, verifier_trial;

static struct verifier *retired;

bool verifier_setup(void)
{
	return getrandom(&signature_secret, sizeof(signature_secret), 0) == sizeof(signature_secret) &&
	       getrandom(&verifier_trial, sizeof(verifier_trial), 0) == sizeof(verifier_trial);
}

void verifier_begin_trial(void) { verifier_trial += (uint32_t)MIX_A; /* odd: none repeats before 2^32 trials */ }

void verifier_install(struct verifier *verifier, uint32_t tx_port, uint64_t now)
{
	verifier_retire(verifier->flow);
	verifier->tx_port = (uint8_t)tx_port;
	verifier->trial = verifier_trial;
	verifier->begin = now;
	verifiers[verifier->flow] = verifier;
	installed_flows[verifiers_installed++] = (uint16_t)verifier->flow;
}

void verifier_retire(uint32_t flow)
{
	if (verifiers[flow] == NULL)
		return;
	verifiers[flow]->next = retired;
	retired = verifiers[flow];
	verifiers[flow] = NULL;
	uint32_t place = 0;
	while (installed_flows[place] != flow)
		place++;
	installed_flows[place] = installed_flows[--verifiers_installed];
}

void verifier_free(struct verifier *verifier)
{
	if (verifier == NULL)
		return;
	free(verifier->window.seen);
	free(verifier->expected);
	free(verifier->mask);
	free(verifier);
}

void verifier_free_retired(void)
{
	while (retired != NULL) {
		struct verifier *next = retired->next;
		verifier_free(retired);
		retired = next;
	}
}

/* Note what of the frame is its identity and thus not compared; false where that cannot be verified. */
static bool find_identity(struct verifier *verifier, const struct field_program *program, uint32_t ip)
{
	struct identity *identity = &verifier->identity;
	identity->addresses = (uint16_t)(ip + 12);
	identity->end = (uint16_t)(ip + 20);
	memset(verifier->mask + ip + 10, 0, 2 + 8); /* checksum and addresses */
	for (uint32_t i = 0; i < program->actions; i++) {
		const struct action_spec *write = &program->action[i];
		if (write->kind == ACTION_FIX_IPV4 || write->kind == ACTION_FINISH_IPV4)
			continue;
		if (write->kind != ACTION_WRITE && write->kind != ACTION_WRITE_MASKED)
			return false;
		uint32_t end = (uint32_t)write->offset + write->size;
		if (write->offset < ip + 12 || end > verifier->length - SIGNATURE_BYTES)
			return false;
		if (end <= ip + 20)
			continue;
		if (identity->fields == MAX_IDENTITY_FIELDS)
			return false;
		memset(verifier->mask + write->offset, 0, write->size);
		identity->field[identity->fields].offset = write->offset;
		identity->field[identity->fields++].size = write->size;
		identity->end = (uint16_t)RTE_MAX(end, identity->end);
	}
	return true;
}

static bool expect(struct verifier *verifier, const struct verify_spec *how, const uint8_t *frame,
		   const struct field_program *program)
{
	uint32_t content = verifier->length - SIGNATURE_BYTES;
	struct ip_place found = ip_find(frame, verifier->length);
	uint32_t ip = found.offset;
	if (found.version != 4 || ip + IPV4_BYTES > content || frame[ip + 8] <= how->hops)
		return false;
	memcpy(verifier->expected, frame, content);
	memcpy(verifier->expected, how->dst, 6);
	memcpy(verifier->expected + 6, how->src, 6);
	verifier->expected[ip + 8] = (uint8_t)(frame[ip + 8] - how->hops);
	memset(verifier->mask, 0xff, content);
	return find_identity(verifier, program, ip);
}

struct verifier *verifier_new(const struct stream_spec *spec, const struct verify_spec *how, const uint8_t *frame,
			      const struct field_program *program, uint64_t frames)
{
	struct verifier *verifier = calloc(1, sizeof(*verifier));
	if (verifier == NULL)
		return NULL;
	verifier->flow = spec->flow;
	verifier->generation = spec->generation;
	verifier->length = spec->length;
	verifier->compared = RTE_ALIGN_CEIL(spec->length - SIGNATURE_BYTES, BLOCK);
	verifier->rx_port = how->rx_port;
	timetable_begin(&verifier->timetable);
	struct window *window = &verifier->window;
	window->size = frames == 0 ? LARGEST_WINDOW : SMALLEST_WINDOW;
	while (window->size < frames && window->size < LARGEST_WINDOW)
		window->size *= 2;
	verifier->expected = calloc(1, verifier->compared);
	verifier->mask = calloc(1, verifier->compared);
	window->seen = malloc(window->size / 8);
	if (verifier->expected != NULL && verifier->mask != NULL && window->seen != NULL && how->rx_port < MAX_PORTS &&
	    expect(verifier, how, frame, program)) {
		memset(window->seen, 0, window->size / 8); /* touched now, so that no trial meets a page fault */
		return verifier;
	}
	verifier_free(verifier);
	return NULL;
}

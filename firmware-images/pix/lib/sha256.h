/* SHA-256 (FIPS 180-4). */
#ifndef PIX_SHA256_H
#define PIX_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* Digest of size bytes as 64 hexadecimal digits and a zero. */
void sha256_hex(const uint8_t *from, size_t size, char hex[65]);

#endif

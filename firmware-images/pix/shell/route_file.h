/*
 * The route file: text that the boot service sent beside the image (boot/route_file.S), one route a line,
 *
 *     PREFIX/LEN via A.B.C.D
 *
 * with blank lines and comments from # to the end of a line.
 */
#ifndef PIX_ROUTE_FILE_H
#define PIX_ROUTE_FILE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the machine was given one. */
bool route_file_present(void);
/* Its lines, counted the first time. */
uint32_t route_file_lines(void);
/* Its SHA-256 in hexadecimal, computed the first time. */
const char *route_file_sha256(void);

/*
 * What came of working through the file: `wrong` is null when all went well, otherwise it says what is wrong in `line`
 * (counted from 1; 0 where it is not about a line).
 */
struct route_file_result {
    const char *wrong;
    uint32_t line;
    uint32_t routes; /* that were added, or withdrawn and announced again */
};

/* Adds the first `count` routes of the file. When one is wrong, those before it are removed again: all or nothing. */
struct route_file_result route_file_load(uint32_t count);

/*
 * Withdraws a route of the file and announces it again at once, `count` times, for one route after the other from where
 * the last churn ended. A route that is not in the table is wrong.
 */
struct route_file_result route_file_churn(uint32_t count);

#endif

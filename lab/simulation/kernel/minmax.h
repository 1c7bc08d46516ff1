/* The larger and the smaller of two times. */
#ifndef PIXSIM_MINMAX_H
#define PIXSIM_MINMAX_H

#include <stdint.h>

static inline int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static inline int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

#endif

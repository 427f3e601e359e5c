/*
 * Time as deadlines of this program are measured.
 *
 * Owns: nothing. Must not know: what the time is for.
 */
#ifndef UMEM_CLI_CLOCK_H
#define UMEM_CLI_CLOCK_H

#include <stdint.h>

#include <uv.h>

/* Milliseconds of a monotonic clock. */
static inline uint64_t cli_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

#endif

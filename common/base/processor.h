/*
 * What the processor that we run on can do, beyond what the compiler assumes.
 *
 * Owns: nothing. Must not know: what it is used for. processor_posix.c and processor_win32.c keep this contract.
 */
#ifndef UM_PROCESSOR_H
#define UM_PROCESSOR_H

#include <stdbool.h>

/* Whether programs may use AVX2: the processor has it, and the system saves its registers. Costs a few instructions. */
bool um_processor_has_avx2(void);

/* The same of AVX-512 with its byte instructions: F, BW and VBMI. */
bool um_processor_has_avx512(void);

#endif

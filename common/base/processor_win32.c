#include <windows.h>
#if defined(__x86_64__) || (defined(_M_X64) && !defined(_M_ARM64EC))
#define UM_IS_X64
#include <intrin.h>
#endif

#include "base/processor.h"

/* The system reads it from memory that it shares with every process. Before version 2004 Windows 10 does not know this feature's
 * number, and answers no. */
bool um_processor_has_avx2(void)
{
    return IsProcessorFeaturePresent(PF_AVX2_INSTRUCTIONS_AVAILABLE) != 0;
}

/* The system says whether it saves the registers, and the processor which instructions it has. It is asked once: where it is a virtual
 * one, asking takes microseconds. */
bool um_processor_has_avx512(void)
{
#ifdef UM_IS_X64
    enum { EBX = 1, ECX = 2, FEATURES = 7, HAS_BW = 1 << 30, HAS_VBMI = 1 << 1 };
    static volatile LONG known; /* 0: not asked yet; 1: no; 2: yes */

    if (known == 0) {
        int registers[4];
        bool has = IsProcessorFeaturePresent(PF_AVX512F_INSTRUCTIONS_AVAILABLE) != 0;

        __cpuidex(registers, FEATURES, 0);
        has = has && (registers[EBX] & HAS_BW) != 0 && (registers[ECX] & HAS_VBMI) != 0;
        known = has ? 2 : 1;
    }
    return known == 2;
#else
    return false;
#endif
}

#include <windows.h>

#include "base/processor.h"

/* The system reads it from memory that it shares with every process. Before version 2004 Windows 10 does not know this feature's
 * number, and answers no. */
bool um_processor_has_avx2(void)
{
    return IsProcessorFeaturePresent(PF_AVX2_INSTRUCTIONS_AVAILABLE) != 0;
}

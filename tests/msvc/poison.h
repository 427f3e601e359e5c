/* Read before every source by cmake/analyze-msvc, with Microsoft's headers: what clang takes at any time and Microsoft's compiler does
 * not is an error from here on. (mingw-w64's headers are full of it.) */

/* Those of instructions, which need it. */
#include <intrin.h>

#pragma GCC poison __attribute__ __asm__ __extension__ __typeof__ __int128 __auto_type
#pragma GCC poison _Complex _Atomic
#pragma GCC poison __builtin_expect __builtin_unreachable __builtin_constant_p \
    __builtin_types_compatible_p __builtin_choose_expr
#pragma GCC poison __builtin_add_overflow __builtin_sub_overflow __builtin_mul_overflow
#pragma GCC poison __builtin_clz __builtin_clzl __builtin_clzll __builtin_ctz __builtin_ctzl __builtin_ctzll
#pragma GCC poison __builtin_popcount __builtin_popcountll __builtin_bswap16 __builtin_bswap32 \
    __builtin_bswap64
#pragma GCC poison __builtin_prefetch __builtin_cpu_supports __builtin_memcpy __builtin_alloca __builtin_trap
#pragma GCC poison __sync_synchronize __sync_fetch_and_add __sync_bool_compare_and_swap \
    __sync_val_compare_and_swap
#pragma GCC poison __atomic_load_n __atomic_store_n __atomic_fetch_add __atomic_exchange_n \
    __atomic_compare_exchange_n

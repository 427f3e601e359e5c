#include "failing_libuv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <uv.h>

#include "failing_malloc.h"

void fault_replace_libuv(void)
{
    assert_int_equal(uv_replace_allocator(um_fault_malloc, um_fault_realloc, um_fault_calloc, um_fault_free),
                     0);
}

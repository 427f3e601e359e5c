#include "uv_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void uv_ok(umem_uv *client, int code)
{
    if (code != UMEM_OK)
        print_error("%s\n", umem_uv_last_error(client)->message);
    assert_int_equal(code, UMEM_OK);
}

void expect_failure(const struct umem_failure *failure, int code)
{
    if (failure->code != code)
        print_error("%s: %s\n", failure->name, failure->message);
    assert_int_equal(failure->code, code);
    assert_int_equal(failure->message[0] == '\0', code == UMEM_OK);
}

/* What the process does without on Windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <windows.h>

#include <cmocka.h>

#include "daemon/daemon_process.h"

static void no_box_waits_for_a_click(void **state)
{
    const UINT always = SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX;

    (void)state;
    SetErrorMode(0);
    um_process_harden(true);
    assert_int_equal(GetErrorMode() & (always | SEM_NOGPFAULTERRORBOX), always);
    um_process_harden(false);
    assert_int_equal(GetErrorMode() & (always | SEM_NOGPFAULTERRORBOX), always | SEM_NOGPFAULTERRORBOX);
}

/* Once it is on, the system allows neither turning it off nor reading it; but requesting it again succeeds where it is
 * known. */
static void damage_to_a_heap_ends_the_process(void **state)
{
    (void)state;
    um_process_prepare();
    assert_true(HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_box_waits_for_a_click),
        cmocka_unit_test(damage_to_a_heap_ends_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

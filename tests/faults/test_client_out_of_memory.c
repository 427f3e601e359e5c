/*
 * The client library where its program's memory runs out, against a daemon that has enough: each allocation of a long
 * sequence of calls fails once, alone and with all behind it. The call fails with out_of_memory; then it succeeds when
 * it is called again, on the same connection or, where that was closed, on a new one; and nothing is leaked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_fault_steps.h"
#include "daemon_fixture.h"
#include "failing_malloc.h"

static unsigned long injected;
static unsigned long reconnected;

/* A step that failed in the middle may have reached the daemon; on a new connection, locks and watches have ended. */
static bool is_fine_again(int code, bool is_anew)
{
    if (code == UMEM_OK)
        return true;
    return is_anew && (code == UMEM_E_DENIED || code == UMEM_E_NAME_TAKEN || code == UMEM_E_UNKNOWN_HANDLE ||
                       code == UMEM_E_BAD_ARGUMENT);
}

/* Makes the client and connects it. What fails is done again with memory. */
static void enter(struct plot *plot, const struct daemon *daemon)
{
    const struct umem_options options = {.pipe = daemon->pipe};

    plot->client = umem_client_new(&options);
    if (plot->client == NULL) {
        assert_int_equal(umem_connect(NULL), UMEM_E_OUT_OF_MEMORY);
        fault_disarm();
        plot->client = umem_client_new(&options);
        assert_non_null(plot->client);
    }
    if (umem_connect(plot->client) != UMEM_OK) {
        assert_int_equal(umem_last_error(plot->client)->code, UMEM_E_OUT_OF_MEMORY);
        assert_false(umem_is_connected(plot->client));
        fault_disarm();
        assert_int_equal(umem_connect(plot->client), UMEM_OK);
    }
}

static void take(struct plot *plot, const struct step *step, unsigned long nth, bool *is_anew)
{
    int code = step->act(plot);

    if (is_fine_again(code, *is_anew))
        return;
    if (code != UMEM_E_OUT_OF_MEMORY)
        fail_msg("%s at allocation %lu: %s, %s", step->name, nth, umem_error_name(code),
                 umem_last_error(plot->client)->message);
    fault_disarm();
    if (!umem_is_connected(plot->client)) {
        *is_anew = true;
        reconnected++;
        assert_int_equal(umem_connect(plot->client), UMEM_OK);
    }
    code = step->act(plot);
    if (!is_fine_again(code, *is_anew))
        fail_msg("%s, again after allocation %lu: %s, %s", step->name, nth, umem_error_name(code),
                 umem_last_error(plot->client)->message);
}

/* Leaves no heap for the next. */
static void clean_up(const struct daemon *daemon)
{
    const struct umem_options options = {.pipe = daemon->pipe};
    umem_client *client = umem_client_new(&options);
    umem_handle heap;

    assert_int_equal(umem_connect(client), UMEM_OK);
    if (umem_heap_lookup(client, "h", &heap) == UMEM_OK)
        assert_int_equal(umem_heap_destroy(client, heap, NULL, NULL), UMEM_OK);
    umem_client_free(client);
}

static bool talk(const struct daemon *daemon, unsigned long nth, bool and_all_after)
{
    static struct plot plot;
    bool is_anew = false;
    long live = fault_live();
    unsigned long failed;

    plot.heap = 0;
    fault_arm(nth, and_all_after);
    enter(&plot, daemon);
    for (const struct step *step = client_steps; step->name != NULL; step++)
        take(&plot, step, nth, &is_anew);
    umem_client_free(plot.client);
    failed = fault_disarm();
    injected += failed != 0;
    if (is_anew)
        clean_up(daemon);
    if (fault_live() != live)
        fail_msg("allocation %lu: %ld pieces of memory were leaked", nth, fault_live() - live);
    return failed != 0;
}

static void test_a_long_talk(void **state)
{
    for (int and_all_after = 0; and_all_after <= 1; and_all_after++) {
        unsigned long nth = 1;

        while (talk(*state, nth, and_all_after != 0))
            nth++;
    }
    print_message("%lu failures injected, %lu new connections\n", injected, reconnected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_long_talk, daemon_setup, daemon_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

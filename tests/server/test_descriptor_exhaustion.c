/* Descriptors that run out: no client is dropped without a word, and when there are some again, the next one is served. The
 * clients of this test take as many as the server's ends, since both are in this process. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "server_fixture.h"

enum {
    ALLOWED = 160,  /* descriptors that this process may have */
    KEPT_BACK = 64, /* of these, so many are for other uses than clients */
    LINE_CAPACITY = 1024
};

static void allow(rlim_t count)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count;
    if (limit.rlim_max > ALLOWED)
        limit.rlim_max = ALLOWED;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static unsigned long long limit_of(struct wire_client *client, const char *name)
{
    static char line[4096];
    char key[64];
    const char *at;

    wire_send(client, "{\"method\":\"server.info\"}\n");
    client_take_line(client, line, sizeof line);
    snprintf(key, sizeof key, "\"%s\":", name);
    at = strstr(line, key);
    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

/* The soft limit is raised to the hard one, and sessions and shared heaps divide what is not kept back. */
static void limits_follow_the_system(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit;
    struct wire_client *client;

    allow(100);
    fixture_start_server(fixture);
    assert_int_equal(fixture->warnings, 0); /* no higher limit was configured */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, ALLOWED);
    client = client_open(fixture, 0, true);
    assert_int_equal(limit_of(client, "shared_heaps"), (ALLOWED - KEPT_BACK) / 4);
    assert_int_equal(limit_of(client, "sessions"), ALLOWED - KEPT_BACK - (ALLOWED - KEPT_BACK) / 4);
}

static void a_higher_limit_is_warned_about(void **state)
{
    struct fixture *fixture = *state;

    allow(ALLOWED);
    fixture->limits_are_set = true;
    fixture_start_server(fixture);
    assert_int_equal(fixture->warnings, 2); /* sessions, and shared heaps */
}

/* Takes all descriptors but a few, as another part of the process could. */
static int take_descriptors(int *taken, int capacity, int left)
{
    int count = 0;

    while (count < capacity) {
        int fd = open("/dev/null", O_RDONLY);

        assert_true(fd >= 0);
        if (fd + left >= ALLOWED) {
            close(fd);
            break;
        }
        taken[count++] = fd;
    }
    return count;
}

static void clients_are_refused_without_descriptors(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    int taken[ALLOWED];
    int count;
    char line[LINE_CAPACITY];

    allow(ALLOWED);
    fixture_start_server(fixture);
    fixture->warnings = 0;
    client_ping(client_open(fixture, 0, true));
    count = take_descriptors(taken, ALLOWED, 14);
    /* More of them than there are descriptors left. */
    for (unsigned i = 1; i < 40; i++) {
        client = client_open(fixture, 1, true);
        client_take_line(client, line, sizeof line);
        assert_non_null(strstr(line, "limit_exceeded"));
        assert_non_null(strstr(line, "no descriptors"));
        client_expect_close(client);
        wire_close(client);
        while (!client->is_closed)
            fixture_run_once(fixture);
    }
    assert_int_equal(fixture->warnings, 1);
    client_ping(&fixture->clients[0]);
    while (count > 0)
        close(taken[--count]);
    client_ping(client_open(fixture, 1, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(limits_follow_the_system, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_higher_limit_is_warned_about, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(clients_are_refused_without_descriptors, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

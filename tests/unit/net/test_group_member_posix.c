/* Who is in a group, by the system's lists and by a socket. Only root is on every system; the numbers are nobody's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/listener/group_member.h"

enum { NOBODYS = 61077 };

static void by_the_lists(void **state)
{
    (void)state;
    assert_true(um_group_member_is_listed(0, 0));
    assert_false(um_group_member_is_listed(0, NOBODYS));
    assert_false(um_group_member_is_listed(NOBODYS, NOBODYS));
    assert_false(um_group_member_is_listed(NOBODYS, 0));
}

static void by_a_socket(void **state)
{
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_true(um_group_member_is_peer(pair[0], NOBODYS, NOBODYS, NOBODYS));
    assert_false(um_group_member_is_peer(pair[0], getuid(), getgid(), NOBODYS));
    close(pair[0]);
    close(pair[1]);
}

/* Where the system does not tell, its lists do. */
static void without_a_socket(void **state)
{
    (void)state;
    assert_true(um_group_member_is_peer(-1, 0, NOBODYS, 0));
    assert_false(um_group_member_is_peer(-1, 0, NOBODYS, NOBODYS + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_lists),
        cmocka_unit_test(by_a_socket),
        cmocka_unit_test(without_a_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

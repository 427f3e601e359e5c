/* umem's output through its buffer: in order, whole, and with the first failure remembered. The system's part is the
 * test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/output/output.h"
#include "cli/system/file_io.h"
#include "cli/system/subprocess.h"

enum { WRITTEN_SIZE = 1 << 20 };

static char written[WRITTEN_SIZE];
static size_t written_size;
static unsigned writes;
static int error; /* what the next write fails with; 0: it does not */

int cli_write_file(int file, const void *bytes, size_t size)
{
    assert_int_equal(file, CLI_OUTPUT);
    if (size == 0)
        return 0;
    writes++;
    if (error != 0)
        return error;
    assert_true(size <= sizeof written - written_size);
    memcpy(written + written_size, bytes, size);
    written_size += size;
    return 0;
}

int cli_start_thread(void (*run)(void *context), void *context)
{
    (void)run;
    (void)context;
    return UV_EAGAIN;
}

bool cli_wait_for_broken_pipe(void)
{
    return false;
}

void cli_exit_broken_pipe(int status)
{
    (void)status;
}

/* Other than text is what was written since the last call. */
static void expect_written(const char *bytes, size_t size)
{
    assert_int_equal(written_size, size);
    assert_memory_equal(written, bytes, size);
    written_size = 0;
    writes = 0;
}

static void test_in_order(void **state)
{
    (void)state;
    cli_print("a");
    cli_print_char('b');
    cli_print_line("c");
    assert_int_equal(cli_printf("%s %d", "d", 5), 3);
    cli_print_bytes("\0e", 2);
    assert_int_equal(writes, 0);
    assert_int_equal(cli_flush(), 0);
    assert_int_equal(writes, 1);
    expect_written("abc\nd 5\0e", 9);
    assert_int_equal(cli_flush(), 0);
    assert_int_equal(writes, 0);
}

/* More than the buffer holds, and what is longer than a line on the stack. */
static void test_long_texts(void **state)
{
    enum { SIZE = 200003 };
    char *bytes = malloc(SIZE + 1);

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)('a' + i % 23);
    bytes[SIZE] = '\0';
    cli_print("x");
    cli_print_bytes(bytes, SIZE);
    assert_int_equal(cli_flush(), 0);
    assert_int_equal(written[0], 'x');
    assert_int_equal(written_size, SIZE + 1);
    assert_memory_equal(written + 1, bytes, SIZE);
    written_size = 0;
    for (size_t size = 508; size < 516; size++) {
        assert_int_equal(cli_printf("%.*s|", (int)size, bytes), size + 1);
        assert_int_equal(cli_flush(), 0);
        assert_int_equal(written[size], '|');
        expect_written(written, size + 1);
    }
    assert_int_equal(cli_printf("%s", bytes), SIZE);
    assert_int_equal(cli_flush(), 0);
    expect_written(bytes, SIZE);
    free(bytes);
}

/* The last of all tests: a failure stays, and nothing is written any more. */
static void test_failure(void **state)
{
    (void)state;
    error = UV_ENOSPC;
    cli_print("a");
    assert_int_equal(cli_flush(), UV_ENOSPC);
    error = UV_EIO;
    cli_print("b");
    assert_int_equal(cli_flush(), UV_ENOSPC);
    error = 0;
    cli_print("c");
    assert_int_equal(cli_flush(), UV_ENOSPC);
    assert_int_equal(written_size, 0);
    assert_int_equal(writes, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the library's writes look like to a daemon: a pipe as a daemon makes it, read here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <uv.h>

#include "lib/connection/transport.h"
#include "test_process.h"
#include "umem_errors.h"

enum {
    TOTAL = 8 << 20,     /* bytes that are written */
    QUOTA = 65536,       /* bytes that the pipe keeps before it makes a writer wait */
    WRITE_MAX = 1 << 20, /* of one WriteFile */
    READ_SIZE = 1 << 16
};

struct writer {
    char pipe[128];
    int code;
};

static void write_all(void *context)
{
    struct writer *writer = context;
    struct um_transport *transport;
    struct um_reason reason;
    char *bytes = calloc(TOTAL, 1);
    struct um_slice slices[] = {{"head", 4}, {bytes, TOTAL}};

    writer->code = um_transport_open(writer->pipe, "", 0, UM_NO_DEADLINE, &transport, &reason);
    if (writer->code != UMEM_OK)
        return;
    writer->code = um_transport_write(transport, slices, 2, UM_NO_DEADLINE, &reason);
    um_transport_close(transport);
    free(bytes);
}

/* However much is to be written, the system has no more than one piece of it to keep. */
static void test_large_writes_go_in_pieces(void **state)
{
    static char space[READ_SIZE];
    struct writer writer = {.code = UMEM_OK};
    uv_thread_t thread;
    HANDLE pipe;
    DWORD most = 0;
    DWORD waiting;
    DWORD size = 0;
    size_t total = 0;

    (void)state;
    pipe_name_make(writer.pipe, sizeof writer.pipe);
    pipe = CreateNamedPipeA(writer.pipe, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE | PIPE_WAIT, 1, QUOTA, QUOTA, 0,
                            NULL);
    assert_ptr_not_equal(pipe, INVALID_HANDLE_VALUE);
    assert_int_equal(uv_thread_create(&thread, write_all, &writer), 0);
    assert_true(ConnectNamedPipe(pipe, NULL) || GetLastError() == ERROR_PIPE_CONNECTED);
    /* Reading a byte waits for the first write; what else it brought is there by then. */
    while (total < TOTAL + 4 && ReadFile(pipe, space, total == 0 ? 1 : READ_SIZE, &size, NULL)) {
        total += size;
        if (PeekNamedPipe(pipe, NULL, 0, NULL, &waiting, NULL) && waiting > most)
            most = waiting;
    }
    assert_int_equal(total, TOTAL + 4);
    CloseHandle(pipe);
    assert_int_equal(uv_thread_join(&thread), 0);
    assert_int_equal(writer.code, UMEM_OK);
    assert_in_range(most, READ_SIZE, WRITE_MAX + QUOTA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_writes_go_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

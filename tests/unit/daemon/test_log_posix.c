/* A log file that accepts no lines: the daemon does not wait for it, and lost lines are counted. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fcntl.h>

#include <cmocka.h>

#include "daemon/log.h"

enum { LINES = 20000, TEXT_SIZE = 4 << 20, TRIES = 30000 };

static char path[64];
static char text[TEXT_SIZE];
static char reason[256];

static int set_up(void **state)
{
    (void)state;
    strcpy(path, "/tmp/umem-test-XXXXXX");
    assert_non_null(mkdtemp(path));
    strcat(path, "/log");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    *strrchr(path, '/') = '\0';
    return rmdir(path);
}

static bool open_file_log(struct um_log **log)
{
    const struct um_log_options options = {.target = UM_LOG_TO_FILE, .path = path, .level = UM_LOG_INFO};

    return um_log_open(log, &options, reason, sizeof reason);
}

static unsigned long long count(const char *part)
{
    unsigned long long found = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        found++;
    return found;
}

/* The sum of the lost lines that the log reports. */
static unsigned long long lost(void)
{
    static const char mark[] = " lines of this log were lost";
    unsigned long long sum = 0;

    for (const char *at = strstr(text, mark); at != NULL; at = strstr(at + 1, mark)) {
        const char *digits = at;

        while (digits[-1] != ' ')
            digits--;
        sum += strtoull(digits, NULL, 10);
    }
    return sum;
}

/* Reads what comes until it holds the part. */
static void read_until(int fd, const char *part)
{
    size_t size = strlen(text);

    for (int tries = 0; tries < TRIES && strstr(text, part) == NULL; tries++) {
        ssize_t got = read(fd, text + size, sizeof text - 1 - size);

        if (got > 0)
            size += (size_t)got;
        else
            usleep(1000);
        text[size] = '\0';
    }
    assert_non_null(strstr(text, part));
}

static void a_pipe_that_is_not_read(void **state)
{
    struct um_log *log = NULL;
    int reader;

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    /* Without a reader, the error is reported at once. */
    assert_false(open_file_log(&log));
    reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(open_file_log(&log));
    for (int i = 0; i < LINES; i++)
        um_log_write(log, UM_LOG_INFO, "line");
    /* A reader takes the lines that fitted. All others are counted as lost. */
    text[0] = '\0';
    read_until(reader, " were lost");
    um_log_write(log, UM_LOG_INFO, "last");
    read_until(reader, "last\n");
    assert_true(lost() > 0);
    assert_int_equal(count(" info line\n") + lost(), LINES);
    um_log_close(log);
    close(reader);
}

/* Closing the log waits for a moment only. */
static void a_pipe_without_a_reader(void **state)
{
    struct um_log *log = NULL;
    int reader;

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(open_file_log(&log));
    for (int i = 0; i < LINES; i++)
        um_log_write(log, UM_LOG_INFO, "line");
    um_log_close(log);
    close(reader);
}

static void wait_for_size(off_t size)
{
    struct stat facts = {0};

    for (int tries = 0; tries < TRIES && facts.st_size < size; tries++) {
        assert_int_equal(stat(path, &facts), 0);
        usleep(1000);
    }
    assert_true(facts.st_size >= size);
}

/* A line that was cut off by a full disk (its place is taken by a limit of file sizes) is no part of the next one. */
static void a_disk_that_is_full_for_a_while(void **state)
{
    enum { CAPACITY = 100 };
    struct rlimit limit;
    struct um_log *log = NULL;
    FILE *file;

    (void)state;
    signal(SIGXFSZ, SIG_IGN); /* as um_process_prepare() does */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_true(open_file_log(&log));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){CAPACITY, limit.rlim_max}), 0);
    for (int i = 0; i < LINES / 100; i++)
        um_log_write(log, UM_LOG_INFO, "line");
    wait_for_size(CAPACITY);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    um_log_write(log, UM_LOG_INFO, "space again");
    um_log_close(log);
    log = NULL;
    file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    /* Lines that came while the last of them were still refused are in there, too. */
    assert_true(lost() > 0);
    assert_int_equal(count(" info line\n") + lost(), LINES / 100);
    assert_non_null(strstr(text, " lines of this log were lost: file too large\n"));
    assert_non_null(strstr(text, " info space again\n"));
}

/* ---- syslog ---- */

static void open_receiver(int *fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    *fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_true(*fd >= 0);
    assert_int_equal(bind(*fd, (const struct sockaddr *)&address, sizeof address), 0);
}

/* Receives a message, and compares it but for its time. */
static void expect_message(int fd, const char *priority, const char *end)
{
    ssize_t got = recv(fd, text, sizeof text - 1, 0);
    char name[64];

    assert_true(got > 0);
    text[got] = '\0';
    snprintf(name, sizeof name, " umemd[%ld]: %s", (long)getpid(), end);
    assert_memory_equal(text, priority, strlen(priority));
    assert_true((size_t)got == strlen(priority) + 15 + strlen(name));
    assert_string_equal(text + strlen(priority) + 15, name);
}

/* A system log that is started anew gets what comes then; what was lost meanwhile is counted. */
static void the_system_log(void **state)
{
    struct um_log *log = NULL;
    struct um_log_options options = {.target = UM_LOG_TO_SYSTEM, .path = path, .level = UM_LOG_DEBUG};
    int receiver;

    (void)state;
    assert_false(um_log_open(&log, &options, reason, sizeof reason));
    assert_non_null(strstr(reason, path));
    open_receiver(&receiver);
    assert_true(um_log_open(&log, &options, reason, sizeof reason));
    um_log_write(log, UM_LOG_ERROR, "two\nlines %%s");
    expect_message(receiver, "<27>", "two\\u000alines %s");
    um_log_write(log, UM_LOG_WARNING, "w");
    expect_message(receiver, "<28>", "w");
    um_log_write(log, UM_LOG_INFO, "i");
    expect_message(receiver, "<30>", "i");
    um_log_write(log, UM_LOG_DEBUG, "d");
    expect_message(receiver, "<31>", "d");
    close(receiver);
    assert_int_equal(unlink(path), 0);
    for (int i = 0; i < LINES / 1000; i++)
        um_log_write(log, UM_LOG_INFO, "line");
    open_receiver(&receiver);
    um_log_write(log, UM_LOG_INFO, "last");
    /* How many of them come too late for the new one is the system's affair. */
    text[0] = '\0';
    while (strstr(text, ": last\n") == NULL) {
        size_t size = strlen(text);
        ssize_t got = recv(receiver, text + size, sizeof text - 2 - size, 0);

        assert_true(got > 0);
        strcpy(text + size + got, "\n");
    }
    assert_int_equal(count(": line\n") + lost(), LINES / 1000);
    um_log_close(log);
    close(receiver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pipe_that_is_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pipe_without_a_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_system_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_that_is_full_for_a_while, set_up, tear_down),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("log_posix", tests, NULL, NULL);
}

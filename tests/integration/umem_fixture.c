#include "umem_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ARGS_MAXIMUM = 24 };

struct process command;

static const char *args[ARGS_MAXIMUM + 1];

static void put_args(const struct daemon *daemon, const char *const *words)
{
    size_t count = 0;

    args[count++] = UMEM;
    if (daemon != NULL) {
        args[count++] = "--pipe";
        args[count++] = daemon->pipe;
    }
    while (*words != NULL) {
        assert_true(count < ARGS_MAXIMUM);
        args[count++] = *words++;
    }
    args[count] = NULL;
}

int umem(const struct daemon *daemon, const char *input, const char *const *words)
{
    put_args(daemon, words);
    return process_run(&command, args, input);
}

void umem_start(const struct daemon *daemon, const char *input, const char *const *words)
{
    put_args(daemon, words);
    assert_int_equal(process_start(&command, args, input), 0);
}

void umem_start_as(const struct daemon *daemon, const struct process_options *options,
                   const char *const *words)
{
    put_args(daemon, words);
    assert_int_equal(process_start_as(&command, args, options), 0);
}

static void expect_in(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        print_error("\"%s\" is not in:\n%s\n%s\n", part, command.output, command.errors);
    assert_non_null(strstr(text, part));
}

void expect_output(const char *part)
{
    expect_in(command.output, part);
}

void expect_errors(const char *part)
{
    expect_in(command.errors, part);
}

void expect_whole_output(const char *text)
{
    if (strcmp(command.output, text) != 0)
        print_error("%s\n", command.errors);
    assert_string_equal(command.output, text);
}

/* How umem reads its command line, and what it prints about itself: usage, help, errors, the man page, completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "fake_daemon.h"
#include "umem_fixture.h"
#include "umem_version.h"

/* Only what is asked for is in colours where no terminal is; JSON never is. */
static void test_colors(void **state)
{
    const struct daemon *daemon = *state;

    assert_int_equal(umem(daemon, NULL, WORDS("alloc", "4", "--name", "shown")), 0);
    assert_int_equal(umem(daemon, NULL, WORDS("ls")), 0);
    assert_null(strchr(command.output, '\033'));
    assert_int_equal(umem(daemon, NULL, WORDS("ls", "--color", "auto")), 0);
    assert_null(strchr(command.output, '\033'));
    assert_int_equal(umem(daemon, NULL, WORDS("ls", "--color", "always", "-o", "name,size")), 0);
    expect_whole_output("\033[1mNAME\033[0m   \033[1mSIZE\033[0m\nshown     4\n");
    assert_int_equal(umem(daemon, NULL, WORDS("--color=always", "--color=never", "ls")), 0);
    assert_null(strchr(command.output, '\033'));
    assert_int_equal(umem(daemon, NULL, WORDS("ls", "--json", "--color=always")), 0);
    assert_null(strchr(command.output, '\033'));
    assert_int_equal(umem(NULL, NULL, WORDS("help", "ping", "--color", "always")), 0);
    expect_output("\033[1mUsage:\033[0m umem ping\n");

    assert_int_equal(umem(daemon, NULL, WORDS("read", "nobody")), 1);
    assert_null(strchr(command.errors, '\033'));
    assert_int_equal(umem(daemon, NULL, WORDS("read", "nobody", "--color=always")), 1);
    assert_int_equal(strncmp(command.errors, "\033[1;31mumem:\033[0m ", 17), 0);
    assert_int_equal(umem(daemon, NULL, WORDS("read", "nobody", "--color=always", "--json")), 1);
    assert_null(strchr(command.errors, '\033'));
    /* Before the option is reached. */
    assert_int_equal(umem(NULL, NULL, WORDS("--nonsense", "--color", "always")), 2);
    expect_errors("\033[1;31mumem:\033[0m there is no option --nonsense");
    assert_int_equal(umem(NULL, NULL, WORDS("ping", "--color", "sometimes")), 2);
    expect_errors("--color is auto, always or never, not \"sometimes\"");
    assert_int_equal(umem(daemon, "ping --color never\n", WORDS("batch")), 2);
    expect_errors("--color is an option of umem batch");
}

static void test_wrong_usage(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("frobnicate")), 2);
    expect_errors("umem help lists the verbs");
    assert_int_equal(umem(*state, NULL, WORDS("aloc", "4")), 2);
    expect_errors("did you mean \"alloc\"?");
    assert_int_equal(umem(*state, NULL, WORDS("heap", "craete")), 2);
    expect_errors("did you mean \"heap create\"?");
    assert_int_equal(umem(*state, NULL, WORDS("heap")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("ls", "--hepa", "x")), 2);
    expect_errors("did you mean --heap?");
    /* An option that exists, but not for this verb. */
    assert_int_equal(umem(*state, NULL, WORDS("ls", "--hex")), 2);
    expect_errors("ls takes no --hex; usage: umem ls ");
    assert_int_equal(umem(*state, NULL, WORDS("endpoint", "--timeout", "1")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("ls", "--json=yes")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("ls", "--heap")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("stats", "word")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("resize", "x")), 2);
    expect_errors("usage: umem resize BLOCK SIZE");
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "4Q")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "-4")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "8192T")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("ping", "--timeout", "soon")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("ping", "--timeout", "4294967296")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("ping", "--timeout", "4294967295")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "0x10K")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("read", "x", "--offset", "5x")), 2);
    expect_errors("--offset \"5x\" is not a size");
    assert_int_equal(umem(*state, NULL, WORDS("write", "x", "y", "--offset", "-1")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("dump", "x", "--size", "many")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("watch", "--count", "some")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("watch", "--offset", "5x")), 2);
    assert_int_equal(umem(NULL, NULL, WORDS("ping", "--pipe", "")), 2);
    expect_errors("--pipe is empty");
    assert_int_equal(umem(*state, NULL, WORDS("change", "x", "--lifetime", "session")), 2);
    expect_errors("would be freed as this command ends");
    assert_int_equal(umem(*state, NULL, WORDS("set", "x", "0", "1e999", "--type", "f64")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("set", "x", "0", "-1e999", "--type", "f64")), 2);
    /* Windows gives no program anything but Unicode. */
    if (strcmp(BACKEND, "posix") == 0)
        assert_int_equal(umem(*state, NULL, WORDS("alloc", "4", "--name", "\xff")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("find", "x", "zz", "--hex")), 2);
    /* Nothing of all that was done. */
    assert_int_equal(umem(*state, NULL, WORDS("ls", "--json")), 0);
    expect_whole_output("[]\n");
}

static void test_where_options_stand(void **state)
{
    const struct daemon *daemon = *state;

    assert_int_equal(umem(NULL, NULL, WORDS("alloc", "--name", "first", "0x10", "--pipe", daemon->pipe)), 0);
    assert_int_equal(umem(daemon, NULL, WORDS("--json", "alloc", "2K", "--name=-dash")), 0);
    expect_output("\"size\":2048");
    assert_int_equal(umem(daemon, NULL, WORDS("write", "--", "-dash", "--name")), 0);
    assert_int_equal(umem(daemon, NULL, WORDS("read", "--size", "6", "--", "-dash")), 0);
    expect_whole_output("--name");
}

static void test_help(void **state)
{
    const struct daemon nowhere = {.pipe = "umem-test-nobody-listens-here"};

    (void)state;
    assert_int_equal(umem(&nowhere, NULL, WORDS("help")), 0);
    expect_output("  alloc [SIZE]");
    expect_output("Exit status:");
    expect_output("  --help, -h  ");
    assert_int_equal(umem(NULL, NULL, WORDS("--help")), 0);
    expect_output("  alloc [SIZE]");
    assert_int_equal(umem(NULL, NULL, WORDS("-h", "write")), 0);
    expect_output("Usage: umem write BLOCK [DATA]");
    assert_int_equal(umem(NULL, NULL, WORDS("heap", "create", "--help", "whatever")), 0);
    expect_output("--maximum-size SIZE");
    assert_int_equal(umem(NULL, NULL, WORDS("help", "heap", "info")), 0);
    expect_output("Usage: umem heap info HEAP");
    assert_int_equal(umem(NULL, NULL, WORDS("help", "heap")), 0);
    expect_output("Usage: umem heap destroy HEAP");
    assert_int_equal(umem(NULL, NULL, WORDS("help", "nothing")), 2);
    assert_int_equal(umem(NULL, NULL, WORDS("--version")), 0);
    expect_output(UMEM_VERSION);
    /* Methods are described by the daemon. */
    assert_int_equal(umem(&nowhere, NULL, WORDS("help", "block.write")), 3);
    expect_errors("must run");
}

/* Each verb has a page of its own. */
static void test_help_of_all_verbs(void **state)
{
    static char verbs[PROCESS_OUTPUT_SIZE];
    char usage[64];

    (void)state;
    assert_int_equal(umem(NULL, NULL, WORDS("--complete", "umem ", " ")), 0);
    snprintf(verbs, sizeof verbs, "%s", command.output);
    for (const char *verb = strtok(verbs, "\n"); verb != NULL; verb = strtok(NULL, "\n")) {
        snprintf(usage, sizeof usage, "Usage: umem %s", verb);
        assert_int_equal(umem(NULL, NULL, WORDS("help", verb)), 0);
        expect_output(usage);
    }
}

static void test_help_on_methods(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("help", "block.write")), 0);
    expect_output("encoding         string: base64, hex, utf8, raw, = \"base64\"");
    expect_output("out_of_range");
    expect_output("offset           integer, = 0\n");
    assert_int_equal(umem(*state, NULL, WORDS("help", "methods")), 0);
    expect_output("heap.create");
    assert_int_equal(umem(*state, NULL, WORDS("help", "block.nothing")), 2);
}

/* ---- every page of help fits a terminal ---- */

static void expect_narrow(const char *page)
{
    for (const char *line = page; *line != '\0'; line += strcspn(line, "\n") + (strchr(line, '\n') != NULL)) {
        if (strcspn(line, "\n") > 80)
            print_error("%.*s\n", (int)strcspn(line, "\n"), line);
        assert_true(strcspn(line, "\n") <= 80);
    }
}

/* Looks at the help on each of the words that are offered for a line. Returns how many there are. */
static int look_at_each(const struct daemon *daemon, const char *line)
{
    static char words[PROCESS_OUTPUT_SIZE];
    int count = 0;

    assert_int_equal(umem(NULL, NULL, WORDS("--complete", line, " ")), 0);
    memcpy(words, command.output, sizeof words);
    for (char *word = strtok(words, "\n"); word != NULL; word = strtok(NULL, "\n"), count++) {
        /* One name has a character that a shell would take for its own. */
        assert_int_equal(umem(daemon, NULL, WORDS("help", word + (word[0] == '\\'))), 0);
        expect_narrow(command.output);
    }
    return count;
}

static void test_help_is_narrow(void **state)
{
    static struct process umemd;
    const char *const help[] = {UMEMD, "--help", NULL};
    const struct daemon *daemon = *state;
    char line[256];

    assert_int_equal(process_run(&umemd, help, NULL), 0);
    expect_narrow(umemd.output);
    assert_int_equal(umem(NULL, NULL, WORDS("help")), 0);
    expect_narrow(command.output);
    assert_int_equal(umem(daemon, NULL, WORDS("help", "methods")), 0);
    expect_narrow(command.output);
    assert_int_equal(umem(daemon, NULL, WORDS("stats")), 0);
    expect_narrow(command.output);
    /* Values stand below each other. */
    for (char *at = strtok(command.output, "\n"); at != NULL; at = strtok(NULL, "\n"))
        assert_int_equal(strrchr(at, ' ') - at, strlen("refusals.unsent_total_bytes"));
    /* The pages are the same on every system, and a program takes its time to start under Wine. */
    if (strcmp(BACKEND, "win32") == 0)
        return;
    assert_true(look_at_each(daemon, "umem help ") > 30);
    snprintf(line, sizeof line, "umem --pipe '%s' call ", daemon->pipe);
    assert_true(look_at_each(daemon, line) > 35);
}

static void test_no_daemon(void **state)
{
    struct daemon nowhere = {.pipe = ""};

    (void)state;
    pipe_name_make(nowhere.pipe, sizeof nowhere.pipe);
    assert_int_equal(umem(&nowhere, NULL, WORDS("ping")), 3);
    expect_errors(nowhere.pipe);
    expect_errors("start a daemon with: umem spawn --pipe");
    assert_int_equal(umem(&nowhere, "", WORDS("call", "-")), 3);
    assert_int_equal(umem(&nowhere, NULL, WORDS("watch")), 3);
    assert_int_equal(umem(&nowhere, NULL, WORDS("--json", "ping")), 3);
    expect_errors("{\"error\":{\"code\":-33001,\"name\":\"not_connected\",");
    expect_errors("\"status\":3}\n");
    assert_int_equal(umem(&nowhere, NULL, WORDS("endpoint")), 0);
    expect_output(nowhere.pipe);
    pipe_name_remove(nowhere.pipe);
    if (strcmp(BACKEND, "posix") == 0) {
        assert_int_equal(umem(NULL, NULL, WORDS("ping", "--pipe", ".")), 3);
        expect_errors("it is a directory, not a socket");
    }
}

static void test_a_lost_connection(void **state)
{
    static const struct fake_step steps[] = {
        {.text = NULL, .hang_up = 1}, {.text = NULL, .hang_up = 1}, {.text = "nonsense\n"}};
    struct fake_daemon fake;
    struct daemon daemon;

    (void)state;
    fake_daemon_start(&fake, steps, 3);
    snprintf(daemon.pipe, sizeof daemon.pipe, "%s", fake.pipe);
    assert_int_equal(umem(&daemon, NULL, WORDS("ping")), 5);
    expect_errors(fake.pipe);
    /* A verb that answers a question has the same status for it. */
    assert_int_equal(umem(&daemon, NULL, WORDS("cmp", "a", "b")), 5);
    assert_int_equal(umem(&daemon, NULL, WORDS("ping")), 5);
    assert_int_equal(umem(&daemon, NULL, WORDS("ping", "--timeout", "10")), 5);
    expect_errors("--timeout");
    fake_daemon_stop(&fake);
}

/* A daemon that has the pipe and does not answer: the timeout holds once, however many tries it takes. */
static void test_a_silent_daemon(void **state)
{
    enum { STEPS = 20 };
    static const struct fake_step steps[STEPS] = {{.text = NULL}};
    struct fake_daemon fake;
    struct daemon daemon;

    (void)state;
    fake_daemon_start(&fake, steps, STEPS);
    snprintf(daemon.pipe, sizeof daemon.pipe, "%s", fake.pipe);
    assert_int_equal(umem(&daemon, NULL, WORDS("spawn", "--timeout", "400")), 5);
    fake_daemon_stop(&fake);
    assert_in_range(fake.next, 1, 2);
}

/* Results without what they should have end in an error, too. */
static void test_results_without_members(void **state)
{
    static const struct fake_step steps[] = {
        {.text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"},
        {.text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"blocks\":[{}]}}\n"},
        {.text = "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n"}};
    struct fake_daemon fake;
    struct daemon daemon;

    (void)state;
    fake_daemon_start(&fake, steps, sizeof steps / sizeof steps[0]);
    snprintf(daemon.pipe, sizeof daemon.pipe, "%s", fake.pipe);
    assert_int_equal(umem(&daemon, NULL, WORDS("alloc", "--file", UMEM)), 5);
    expect_errors("names no block");
    assert_int_equal(umem(&daemon, NULL, WORDS("orphans", "--free")), 2);
    fake_daemon_stop(&fake);
}

/* The text for every error of the daemon, to the letter, and the status. */
static void test_errors(void **state)
{
    static const struct {
        int code;
        const char *message;
        const char *expected;
        int status;
        int status_of_cmp; /* which has numbers for its own answers */
    } cases[] = {
        {-32602, "m", "umem: invalid_params: m\n", 1, 4},
        {-32601, "m", "umem: method_not_found: m; umem help methods lists them\n", 1, 4},
        {-32001, "m", "umem: unknown_handle: m; umem ls and umem heap ls list what there is\n", 1, 4},
        {-32002, "m", "umem: stale_handle: m; umem ls and umem heap ls list what there is\n", 1, 4},
        {-32003, "m", "umem: out_of_range: m\n", 1, 4},
        {-32005, "m", "umem: limit_exceeded: m; umem info shows the limits, umemd --help how to set them\n",
         1, 4},
        /* The daemon's message already names a remedy. */
        {-32005, "m; free some", "umem: limit_exceeded: m; free some\n", 1, 4},
        {-32012, "m", "umem: timeout: m\n", 1, 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char answer[256];
        const struct fake_step steps[] = {{.text = answer}, {.text = answer}};
        struct fake_daemon fake;
        struct daemon daemon;

        snprintf(answer, sizeof answer,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":%d,\"message\":\"%s\"}}\n", cases[i].code,
                 cases[i].message);
        fake_daemon_start(&fake, steps, 2);
        snprintf(daemon.pipe, sizeof daemon.pipe, "%s", fake.pipe);
        assert_int_equal(umem(&daemon, NULL, WORDS("free", "7")), cases[i].status);
        assert_string_equal(command.errors, cases[i].expected);
        assert_int_equal(umem(&daemon, NULL, WORDS("cmp", "a", "b")), cases[i].status_of_cmp);
        assert_string_equal(command.errors, cases[i].expected);
        fake_daemon_stop(&fake);
    }
}

/* Standard error holds one JSON text, which has these strings in it, whatever they hold. */
static void expect_json_error(int status, const char *name, const char *part)
{
    cJSON *whole = cJSON_Parse(command.errors);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(whole, "error");
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(error, "message");

    if (whole == NULL)
        print_error("%s\n", command.errors);
    assert_non_null(whole);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(whole, "status")->valueint, status);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(error, "name")->valuestring, name);
    assert_true(cJSON_IsString(message));
    if (strstr(message->valuestring, part) == NULL)
        print_error("%s is not in: %s\n", part, message->valuestring);
    assert_non_null(strstr(message->valuestring, part));
    cJSON_Delete(whole);
}

static void test_escapes_in_json(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("free", "a\"b\\c\n\td", "--json")), 1);
    expect_json_error(1, "unknown_handle", "\"a\"b\\c\n\td\"");
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "4\"\\", "--json")), 2);
    expect_json_error(2, "usage", "\"4\"\\\" is not a size");
    assert_int_equal(umem(*state, NULL, WORDS("stats", "a\"b", "--json")), 2);
    expect_json_error(2, "usage", "stats does not take the word \"a\"b\"");
    assert_int_equal(umem(*state, NULL, WORDS("write", "7", "--file", "no\"such", "--json")), 1);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "--file", "no\"such", "--json")), 6);
    expect_json_error(6, "failed", "no\"such cannot be opened");
    assert_int_equal(umem(NULL, NULL, WORDS("ping", "--pipe", "no\"body", "--json")), 3);
    expect_json_error(3, "not_connected", "no\"body");
}

static void test_errors_as_json(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("free", "nobody", "--json")), 1);
    expect_whole_output("");
    expect_errors("{\"error\":{\"code\":-32001,\"name\":\"unknown_handle\",\"message\":");
    expect_errors("\"data\":{\"name\":\"unknown_handle\",");
    expect_errors("\"status\":1}\n");
    assert_int_equal(umem(*state, NULL, WORDS("call", "no.method", "--json")), 1);
    expect_errors("\"name\":\"method_not_found\"");
    /* Even where the mistake stands before --json. */
    assert_int_equal(umem(*state, NULL, WORDS("--nonsense", "ls", "--json")), 2);
    expect_errors("{\"error\":{\"name\":\"usage\",");
}

/* A short name is a pipe's on Windows, and a file's elsewhere. */
static void test_endpoint(void **state)
{
    (void)state;
    assert_int_equal(umem(NULL, NULL, WORDS("endpoint", "--pipe", "short-name")), 0);
    if (strcmp(BACKEND, "win32") == 0)
        expect_whole_output("\\\\.\\pipe\\short-name\n");
    else
        expect_output("/short-name\n");
    assert_int_equal(umem(NULL, NULL, WORDS("endpoint", "--pipe", "short-name", "--json")), 0);
    expect_output("{\"pipe\":\"");
}

/* The committed page and script are what the program prints. */
static void expect_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    static char text[PROCESS_OUTPUT_SIZE];
    size_t size;

    assert_non_null(file);
    size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    assert_true(size < sizeof text - 1);
    assert_string_equal(command.output, text);
}

static void test_man_page(void **state)
{
    (void)state;
    assert_int_equal(umem(NULL, NULL, WORDS("--print-man")), 0);
    expect_file(CLI_SOURCE "/umem.1");
}

/* As bash has them. */
#define BREAKS " \t\n\"'><=;|&(:"

/* What is offered for a line on the daemon's pipe, which stands behind the verb. */
static void expect_offered(const struct daemon *daemon, const char *verb, const char *rest,
                           const char *offered)
{
    char line[512];

    snprintf(line, sizeof line, "umem %s --pipe '%s' %s", verb, daemon->pipe, rest);
    assert_int_equal(umem(NULL, NULL, WORDS("--complete", line, BREAKS)), 0);
    expect_whole_output(offered);
    assert_string_equal(command.errors, "");
}

static void test_completion(void **state)
{
    assert_int_equal(umem(NULL, NULL, WORDS("completion", "bash")), 0);
    expect_file(CLI_SOURCE "/umem.bash");
    assert_int_equal(umem(NULL, NULL, WORDS("completion", "nosuchshell")), 2);
    assert_int_equal(umem(NULL, NULL, WORDS("--complete", "umem re", BREAKS)), 0);
    expect_whole_output("resize\nread\nrelease\nreload\nreport\nrecord\nreplay\n");
    assert_int_equal(umem(NULL, NULL, WORDS("--complete", "umem heap c", BREAKS)), 0);
    expect_whole_output("create\ncompact\n");
    assert_int_equal(umem(NULL, NULL, WORDS("--complete", "umem ls --o", BREAKS)), 0);
    expect_whole_output("--orphaned\n");
    assert_int_equal(umem(NULL, NULL, WORDS("--complete", "umem get x 0 --type=f", BREAKS)), 0);
    expect_whole_output("f32\nf64\n");
    /* A shell that breaks words nowhere else replaces all of it. */
    assert_int_equal(umem(NULL, NULL, WORDS("--complete", "umem get x 0 --type=f", " ")), 0);
    expect_whole_output("--type=f32\n--type=f64\n");
    assert_int_equal(umem(NULL, NULL, WORDS("--complete", "umem hold x -- re", BREAKS)), 0);
    expect_whole_output("");
    assert_int_equal(umem(NULL, NULL, WORDS("--complete", "", BREAKS)), 0);
    expect_output("alloc\n");
    expect_offered(*state, "ls", "--heap=", "process\n");
    expect_offered(*state, "ls", "--heap ", "process\n");
    expect_offered(*state, "ls", "--heap=\"pro", "process\n");
    /* The kind of the word decides the completions. */
    expect_offered(*state, "call", "server.p", "server.ping\n");
    expect_offered(*state, "alloc", "--lifetime ", "server\nsession\n");
    expect_offered(*state, "alloc", "--flags no", "no_serialize\n");
    expect_offered(*state, "get", "--t", "--timeout\n--type\n");
    assert_int_equal(umem(NULL, NULL, WORDS("--complete", "umem completion ", BREAKS)), 0);
    expect_whole_output("bash\nzsh\nfish\npowershell\n");
    assert_int_equal(umem(NULL, NULL, WORDS("--complete", "umem help al", BREAKS)), 0);
    expect_whole_output("alloc\n");
    /* A block's name only where a block may stand. */
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "1", "--name", "gamma")), 0);
    expect_offered(*state, "copy", "gamma g", "gamma\n");
    expect_offered(*state, "resize", "gamma g", "");
    /* Without a daemon there are no completions, and no error. */
    assert_int_equal(umem(NULL, NULL, WORDS("--complete", "umem --pipe nobody-here read ", BREAKS)), 0);
    expect_whole_output("");
    assert_string_equal(command.errors, "");
}

/* Names as they may be, behind what the shell takes for something else. */
static void test_completion_of_any_name(void **state)
{
    static const char *const names[] = {"gamma ray", "user:1", "user:2", "a=b=c", "it's", "\"q\"", "$x"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(umem(*state, NULL, WORDS("alloc", "1", "--name", names[i])), 0);
    expect_offered(*state, "read", "g", "gamma\\ ray\n");
    expect_offered(*state, "read", "gamma\\ r", "gamma\\ ray\n");
    expect_offered(*state, "read", "\"gamma r", "gamma ray\n");
    expect_offered(*state, "read", "'g", "gamma ray\n");
    expect_offered(*state, "read", "user:", "1\n2\n");
    expect_offered(*state, "read", "us", "user:1\nuser:2\n");
    expect_offered(*state, "read", "'user:", "user:1\nuser:2\n");
    expect_offered(*state, "read", ":user:", "1\n2\n");
    expect_offered(*state, "read", "a=b=", "c\n");
    expect_offered(*state, "read", "a=", "b=c\n");
    expect_offered(*state, "heap validate", "--block=user:", "1\n2\n");
    expect_offered(*state, "read", "it", "it\\'s\n");
    expect_offered(*state, "read", "'it", "it'\\''s\n");
    expect_offered(*state, "read", "\"it", "it's\n");
    expect_offered(*state, "read", "\\\"", "\\\"q\\\"\n");
    expect_offered(*state, "read", "'$", "$x\n");
    expect_offered(*state, "read", "\"\\$", "\\$x\n");
    expect_offered(*state, "copy", "'gamma ray' 'user:1", "user:1\n");
}

/* However many blocks there are without a name. */
static void test_completion_past_many_blocks(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle block;

    for (int i = 0; i < 2500; i++)
        assert_int_equal(umem_block_alloc(client, 1, NULL, &block), UMEM_OK);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "1", "--name", "behind")), 0);
    expect_offered(*state, "read", "be", "behind\n");
    umem_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_colors, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_wrong_usage, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_where_options_stand, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_help),
        cmocka_unit_test_setup_teardown(test_help_on_methods, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_help_is_narrow, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_no_daemon),
        cmocka_unit_test(test_a_lost_connection),
        cmocka_unit_test(test_a_silent_daemon),
        cmocka_unit_test(test_results_without_members),
        cmocka_unit_test(test_errors),
        cmocka_unit_test_setup_teardown(test_escapes_in_json, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_errors_as_json, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_help_of_all_verbs),
        cmocka_unit_test(test_endpoint),
        cmocka_unit_test(test_man_page),
        cmocka_unit_test_setup_teardown(test_completion, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_completion_of_any_name, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_completion_past_many_blocks, daemon_setup, daemon_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

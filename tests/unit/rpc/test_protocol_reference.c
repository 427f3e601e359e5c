/* protocol.md: its reference is that of the command table, to the letter, and its examples are what the engine
 * answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"
#include "rpc/schema/reference.h"

static char *read_all(FILE *file)
{
    enum { LIMIT = 1 << 20 };
    char *text = calloc(1, LIMIT);

    assert_non_null(text);
    assert_in_range(fread(text, 1, LIMIT - 1, file), 1, LIMIT - 2);
    return text;
}

static char *read_protocol_md(void)
{
    FILE *document = fopen(PROTOCOL_MD, "rb");
    char *text;

    assert_non_null(document);
    text = read_all(document);
    fclose(document);
    return text;
}

static void test_protocol_md_has_the_table(void **state)
{
    static const char begin_mark[] = "<!-- reference: umemd --print-protocol -->\n";
    static const char end_mark[] = "\n<!-- end of reference -->\n";
    FILE *printed = tmpfile();
    char *text = read_protocol_md();
    char *wanted;
    char *part;
    char *end;

    (void)state;
    assert_non_null(printed);
    assert_int_equal(um_reference_write(printed), 0);
    rewind(printed);
    wanted = read_all(printed);
    part = strstr(text, begin_mark);
    assert_non_null(part);
    part += sizeof begin_mark - 1;
    end = strstr(part, end_mark);
    assert_non_null(end);
    *end = '\0';
    if (strcmp(part, wanted) != 0)
        print_error("protocol.md differs from the table: put there what umemd --print-protocol prints\n");
    assert_string_equal(part, wanted);
    free(text);
    free(wanted);
    fclose(printed);
}

/* ---- examples ---- */

enum { LINE_SIZE = 1024, HANDLE_DIGITS_MAXIMUM = 14 /* of a fresh daemon's, see "Handles" */ };

/* Takes a line of the text, without its end. */
static bool next_line(const char **text, char *line)
{
    size_t size = strcspn(*text, "\n");

    if (**text == '\0')
        return false;
    assert_true(size < LINE_SIZE);
    memcpy(line, *text, size);
    line[size] = '\0';
    *text += size + ((*text)[size] != '\0');
    return true;
}

/* Puts a 0 in the place of each handle and address, which are others each time. */
static void mask_numbers(char *answer)
{
    static const char *const names[] = {"\"heap\":", "\"block\":", "\"address\":"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (char *place = strstr(answer, names[i]); place != NULL; place = strstr(place, names[i])) {
            size_t digits;

            place += strlen(names[i]);
            digits = strspn(place, "0123456789");
            assert_in_range(digits, 1, i == 2 ? 16 : HANDLE_DIGITS_MAXIMUM);
            memmove(place + 1, place + digits, strlen(place + digits) + 1);
            *place = '0';
        }
    }
}

static void test_the_worked_session(void **state)
{
    struct fixture *fixture = *state;
    char *text = read_protocol_md();
    const char *rest = strstr(text, "\n## A worked session\n");
    char line[LINE_SIZE];
    char *answer = NULL;
    char *end;
    int answers = 0;

    assert_non_null(rest);
    end = strstr(rest + 1, "\n## ");
    assert_non_null(end);
    *end = '\0';
    while (next_line(&rest, line)) {
        if (strncmp(line, "    -> ", 7) == 0) {
            assert_null(answer);
            answer = fixture_text(&fixture->session, line + 7, strlen(line + 7));
        } else if (strncmp(line, "    <- ", 7) == 0) {
            assert_non_null(answer);
            mask_numbers(answer);
            mask_numbers(line + 7);
            assert_memory_equal(answer, line + 7, strlen(line + 7));
            assert_string_equal(answer + strlen(line + 7), "\n");
            free(answer);
            answer = NULL;
            answers++;
        }
    }
    assert_null(answer);
    assert_int_equal(answers, 6);
    free(text);
}

/* Content-Length of an example is the size of the JSON text below it. */
static void test_lengths_in_examples(void **state)
{
    char *text = read_protocol_md();
    const char *rest = text;
    char line[LINE_SIZE];
    unsigned long size = 0;
    int examples = 0;

    (void)state;
    while (next_line(&rest, line)) {
        const char *length = strstr(line, "Content-Length: ");
        const char *json = strchr(line, '{');

        if (length != NULL && strncmp(line, "    ", 4) == 0) {
            size = strtoul(length + strlen("Content-Length: "), NULL, 10);
        } else if (size != 0 && json != NULL) {
            assert_int_equal(strrchr(json, '}') + 1 - json, size);
            size = 0;
            examples++;
        }
    }
    assert_int_equal(examples, 3);
    free(text);
}

/* The documents that send_message what the daemon's memory is bounded by name the same figures. */
static void test_both_documents_have_one_bound(void **state)
{
    static const char *const parts[][2] = {
        {"| for requests that are being served, and the one that exceeds a limit: 10 x `message_bytes` + 4 x "
         "`batch_bytes` + 64 MiB |",
         "\n10 times message_bytes, 4 times batch_bytes, 64 MiB,\n"},
        {"| 128 KiB for each of `sessions` |", "\n128 KiB for each of sessions,"},
        {"| 10 KiB for each of `waits_total`, 1 KiB for each of `watches_total`, 96 bytes for each of "
         "`holds` |",
         " 10 KiB for each of waits_total,\n1 KiB for each of watches_total and 96 bytes for each of "
         "holds,\n"},
    };
    FILE *page = fopen(UMEMD_8, "rb");
    char *protocol = read_protocol_md();
    char *manual;

    (void)state;
    assert_non_null(page);
    manual = read_all(page);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        assert_non_null(strstr(protocol, parts[i][0]));
        assert_non_null(strstr(manual, parts[i][1]));
    }
    free(protocol);
    free(manual);
    fclose(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protocol_md_has_the_table),
        cmocka_unit_test_setup_teardown(test_the_worked_session, fixture_setup, fixture_teardown),
        cmocka_unit_test(test_lengths_in_examples),
        cmocka_unit_test(test_both_documents_have_one_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

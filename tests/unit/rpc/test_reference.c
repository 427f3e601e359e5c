/* The reference part of protocol.md is what the command table says, to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reference.h"

static char *read_all(FILE *file)
{
    enum { LIMIT = 1 << 20 };
    char *text = calloc(1, LIMIT);

    assert_non_null(text);
    assert_in_range(fread(text, 1, LIMIT - 1, file), 1, LIMIT - 2);
    return text;
}

static void test_protocol_md_has_the_table(void **state)
{
    static const char begin_mark[] = "<!-- reference: umemd --print-protocol -->\n";
    static const char end_mark[] = "\n<!-- end of reference -->\n";
    FILE *document = fopen(PROTOCOL_MD, "rb");
    FILE *printed = tmpfile();
    char *text;
    char *wanted;
    char *part;
    char *end;

    (void)state;
    assert_non_null(document);
    assert_non_null(printed);
    assert_int_equal(um_reference_write(printed), 0);
    rewind(printed);
    text = read_all(document);
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
    fclose(document);
    fclose(printed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protocol_md_has_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

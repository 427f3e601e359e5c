/* Every method answers at least once, with a result and with every error that it declares. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "method_examples.h"
#include "rpc/schema/table.h"
#include "umem_errors.h"

/*
 * Each row makes one method answer in one way. A method without a row of code 0, and an error that a method declares
 * without a row or a rule that makes it, fail the test: it reports that a new method lacks its examples (see
 * method_examples.c).
 */

/* Errors that only come when the system's memory runs out, which no test can make it do. */
static const struct {
    const char *method; /* NULL: any */
    int code;
} out_of_reach[] = {
    {NULL, UMEM_E_INTERNAL_ERROR},
    {"heap.create", UMEM_E_NO_MEMORY},
    {"block.change", UMEM_E_NO_MEMORY},
    {"block.hold", UMEM_E_NO_MEMORY},
    {"block.release", UMEM_E_NO_MEMORY},
    /* Only with durable heaps: unit.store.durable. */
    {"block.free", UMEM_E_NO_MEMORY},
    {"block.change", UMEM_E_CORRUPTED},
    {"heap.destroy", UMEM_E_NO_MEMORY},
    {"heap.destroy", UMEM_E_CORRUPTED},
    {"heap.create", UMEM_E_CORRUPTED},
    {"block.change", UMEM_E_DENIED},
};

/* ---- one example ---- */

enum { PARAMS_SIZE = 512 };

/* Writes an example's params with the numbers in the place of the words. */
static void write_params(const char *params, const struct numbers *numbers, char *text)
{
    const struct {
        const char *word;
        uint64_t number;
    } words[] = {{"$address", numbers->address},
                 {"$watch", numbers->watch},
                 {"$stale_block", numbers->stale_block},
                 {"$stale_heap", numbers->stale_heap}};

    *text = '\0';
    while (*params != '\0') {
        size_t size = strlen(text);
        size_t i = 0;

        while (i < 4 && strncmp(params, words[i].word, strlen(words[i].word)) != 0)
            i++;
        assert_true(size + 32 < PARAMS_SIZE);
        if (i < 4)
            snprintf(text + size, 32, "%llu", (ULL)words[i].number);
        else
            snprintf(text + size, 2, "%c", *params);
        params += i < 4 ? strlen(words[i].word) : 1;
    }
}

static void check_answer_of(const struct example *example, const char *params, const cJSON *answer)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
    int code = error != NULL ? (int)member(error, "code")->valuedouble : 0;

    if (code != example->code)
        fail_msg("%s %s answers %s instead of %s", example->method, params, umem_error_name(code),
                 umem_error_name(example->code));
}

static const cJSON *call_example(struct fixture *fixture, const struct example *example, const char *params)
{
    struct um_session *session = &fixture->session;
    const cJSON *answer;

    if (example->how == IN_A_BATCH) {
        answer = call(session, "[" MESSAGE_OF("1", "%s", "%s") "]", example->method, params);
        return cJSON_GetArrayItem(answer, 0);
    }
    if (example->how == ALONE)
        return call(session, MESSAGE_OF("1", "%s", "%s"), example->method, params);
    if (example->how == UNWRITTEN) {
        send_message(session, MESSAGE_OF("1", "%s", "%s"), example->method, params);
        um_session_fail_changes(session);
        return take(session);
    }
    send_message(session, MESSAGE_OF("1", "%s", "%s"), example->method, params);
    expect_no_message(session);
    if (example->how == TIMES_OUT)
        set_time(fixture, 1000);
    else if (example->how == SYNCED)
        end_sync(fixture);
    else
        send_message(session, "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":[1]}");
    return take(session);
}

/* In a world of its own, so that no example changes another's. */
static void run(const struct example *example)
{
    struct numbers numbers;
    struct fixture *fixture;
    char params[PARAMS_SIZE];
    void *state;

    fixture_setup(&state);
    fixture = state;
    prepare_all(fixture, &numbers);
    write_params(example->params, &numbers, params);
    if (example->prepare != NULL)
        example->prepare(fixture);
    check_answer_of(example, params, call_example(fixture, example, params));
    if (example->repair != NULL)
        example->repair(fixture);
    fixture_teardown(&state);
}

/* ---- rules that make an example fail as any method may ---- */

/* Runs an example with one parameter in the place of what it has there, or beside it. */
static void run_with(const struct example *example, const char *name, const char *value, int code)
{
    char params[PARAMS_SIZE];
    struct example changed = *example;
    const char *at = strchr(example->params, '{') + 1;
    char key[64];
    size_t size;

    /* Examples are flat: a member ends at the next comma or at the end. */
    snprintf(key, sizeof key, "\"%s\":", name);
    snprintf(params, sizeof params, "{\"%s\":%s", name, value);
    while (*at != '}') {
        size = strcspn(at, ",}");
        if (strncmp(at, key, strlen(key)) != 0)
            snprintf(params + strlen(params), sizeof params - strlen(params), ",%.*s", (int)size, at);
        at += size;
        at += *at == ',';
    }
    strcat(params, "}");
    changed.params = params;
    changed.code = code;
    if (code != 0 && changed.how == SYNCED)
        changed.how = ALONE; /* it fails before it waits */
    run(&changed);
}

/* The handle that makes this error. NULL: none does. */
static const char *bad_handle(int code, const char *unknown, const char *stale, const char *locked)
{
    if (code == UMEM_E_UNKNOWN_HANDLE)
        return unknown;
    if (code == UMEM_E_STALE_HANDLE)
        return stale;
    return code == UMEM_E_LOCKED ? locked : NULL;
}

/* Makes the error of an example's parameters in every way that there is. Returns whether there is one. */
static bool run_rule(const struct um_method *method, const struct example *example, int code)
{
    bool names_heap = strstr(example->params, "heap") != NULL;
    bool is_made = code == UMEM_E_INVALID_PARAMS;

    if (is_made)
        run_with(example, "no_such_parameter", "1", code);
    for (size_t i = 0; i < method->param_count; i++) {
        const struct um_param *param = &method->params[i];
        const char *value = NULL;

        if (param->type == UM_OFFSET && code == UMEM_E_OUT_OF_RANGE && !names_heap)
            value = "9007199254740991";
        else if (param->type == UM_BLOCK && !names_heap)
            value = bad_handle(code, "1", "$stale_block", "\"shut\"");
        else if (param->type == UM_HEAP && strstr(example->params, "block") == NULL)
            value = bad_handle(code, "\"nobody\"", "$stale_heap", "\"locked\"");
        if (value == NULL)
            continue;
        run_with(example, param->name, value, code);
        is_made = true;
    }
    return is_made;
}

static bool is_out_of_reach(const struct um_method *method, int code)
{
    for (size_t i = 0; i < sizeof out_of_reach / sizeof out_of_reach[0]; i++) {
        const char *name = out_of_reach[i].method;

        if (out_of_reach[i].code == code && (name == NULL || strcmp(name, method->name) == 0))
            return true;
    }
    return false;
}

/* Runs all examples of a method with this code. Returns whether there are any. */
static bool run_examples(const struct um_method *method, int code)
{
    bool is_made = false;

    for (size_t i = 0; examples[i].method != NULL; i++) {
        if (strcmp(examples[i].method, method->name) != 0)
            continue;
        if (examples[i].code == code) {
            run(&examples[i]);
            is_made = true;
        }
        if (code != 0 && examples[i].code == 0)
            is_made |= run_rule(method, &examples[i], code);
    }
    return is_made;
}

static void check_method(const struct um_method *method)
{
    static const int codes[] = {
#define CODE(identifier, code, name, text) (code),
        UMEM_WIRE_ERRORS(CODE)
#undef CODE
    };

    if (!run_examples(method, 0))
        fail_msg("%s has no example: add one to method_examples.c", method->name);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (um_method_declares(method, codes[i]) && !is_out_of_reach(method, codes[i]) &&
            !run_examples(method, codes[i]))
            fail_msg("%s declares %s, which no example makes: add one to method_examples.c, or take it away",
                     method->name, umem_error_name(codes[i]));
    }
}

static void test_every_method_and_outcome(void **state)
{
    (void)state;
    for (size_t i = 0; um_table_at(i) != NULL; i++)
        check_method(um_table_at(i));
}

/* An example of what a method does not declare shows nothing. */
static void test_every_example_is_of_use(void **state)
{
    (void)state;
    for (size_t i = 0; examples[i].method != NULL; i++) {
        const struct um_method *method = um_table_find(examples[i].method, strlen(examples[i].method));

        assert_non_null(method);
        assert_true(examples[i].code == 0 || um_method_declares(method, examples[i].code));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_method_and_outcome),
        cmocka_unit_test(test_every_example_is_of_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

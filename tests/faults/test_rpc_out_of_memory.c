/*
 * The engine where memory runs out: each allocation of each example and of each scenario fails once, alone and with all
 * behind it. A request is answered with its result, or with an error that the method declares and then nothing has
 * changed, or the connection ends behind a whole message. Nothing is leaked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "answer_schema.h"
#include "failing_malloc.h"
#include "method_examples.h"
#include "rpc_fault_harness.h"
#include "rpc_fault_scenarios.h"
#include "store_dump.h"
#include "umem_errors.h"

static unsigned long injected; /* failures, in all examples and scenarios */
static unsigned long cut;      /* of these, such as have ended a connection */

/* ---- examples: one request ---- */

enum { TEXT_SIZE = 1024 };

static const struct example *current;
static struct numbers numbers;

static void prepare_example(struct harness *harness)
{
    prepare_all(harness->fixture, &numbers);
    if (current->prepare != NULL)
        current->prepare(harness->fixture);
}

/* The example's params with the numbers in the place of the words. */
static void write_message(const struct example *example, char *text)
{
    const struct {
        const char *word;
        uint64_t number;
    } words[] = {{"$address", numbers.address},
                 {"$watch", numbers.watch},
                 {"$stale_block", numbers.stale_block},
                 {"$stale_heap", numbers.stale_heap}};
    const char *at = example->params;
    bool is_batch = example->how == IN_A_BATCH;
    size_t size = (size_t)snprintf(
        text, TEXT_SIZE, "%s{\"id\":1,\"method\":\"%s\",\"params\":", is_batch ? "[" : "", example->method);

    while (*at != '\0') {
        size_t i = 0;

        while (i < 4 && strncmp(at, words[i].word, strlen(words[i].word)) != 0)
            i++;
        size += (size_t)(i < 4 ? snprintf(text + size, 32, "%llu", (ULL)words[i].number)
                               : snprintf(text + size, 2, "%c", *at));
        at += i < 4 ? strlen(words[i].word) : 1;
        assert_true(size + 40 < TEXT_SIZE);
    }
    strcpy(text + size, is_batch ? "}]" : "}");
}

static const char cancel[] = "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":[1]}";

static void act(struct harness *harness, const struct example *example, const char *message)
{
    harness_send(harness, LINES, message, 0);
    if (example->how == TIMES_OUT)
        harness_set_time(harness, 1000);
    else if (example->how == CANCELLED)
        harness_send(harness, LINES, cancel, 0);
    else if (example->how == SYNCED)
        harness_end_sync(harness);
}

/* The error of an answer, or 0. */
static int code_of(const cJSON *answer)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");

    return error != NULL ? (int)member(error, "code")->valuedouble : 0;
}

/* What was answered, notifications left out: 0 or the error; 1: nothing. */
static int take_code(struct harness *harness)
{
    const cJSON *message;
    int code = 1;

    for (message = harness_take(harness, LINES); message != NULL; message = harness_take(harness, LINES)) {
        if (cJSON_HasObjectItem(message, "method"))
            continue;
        assert_int_equal(code, 1);
        code = code_of(cJSON_IsArray(message) ? message->child : message);
    }
    return code;
}

/* How the store is to be. */
struct states {
    char *before;
    char *after;
    char *before_cut; /* and where the connection has ended */
    char *after_cut;
};

static char *state_when(const struct example *example, bool acts, bool is_cut)
{
    char message[TEXT_SIZE];
    struct harness harness;
    char *state;

    harness_open(&harness, prepare_example);
    write_message(example, message);
    if (acts) {
        harness_expect_answer(&harness, LINES, message);
        act(&harness, example, message);
        assert_int_equal(take_code(&harness), example->code);
    }
    if (example->repair != NULL)
        example->repair(harness.fixture);
    if (is_cut)
        harness_disconnect(&harness, LINES);
    state = state_of(harness.fixture->store, false);
    harness_close(&harness);
    return state;
}

/* Also checks that everything succeeds where nothing fails. */
static void find_states(const struct example *example, struct states *states)
{
    states->before = state_when(example, false, false);
    states->after = state_when(example, true, false);
    states->before_cut = state_when(example, false, true);
    states->after_cut = state_when(example, true, true);
}

static void free_states(struct states *states)
{
    free(states->before);
    free(states->after);
    free(states->before_cut);
    free(states->after_cut);
}

/* What is wrong with a code (1: no answer) and the state that belongs to it; NULL: nothing. */
static const char *judge(const struct example *example, const struct states *states, bool is_cut, int code,
                         const char *state)
{
    bool is_before = strcmp(state, is_cut ? states->before_cut : states->before) == 0;
    bool is_after = strcmp(state, is_cut ? states->after_cut : states->after) == 0;

    if (is_cut)
        return is_before || is_after ? NULL : "the connection ended with the work half done";
    if (code == 1)
        return "there is no answer";
    if (code == example->code)
        return is_after ? NULL : "it was answered as ever, but the state is another";
    if (code != UMEM_E_NO_MEMORY && code != UMEM_E_INTERNAL_ERROR)
        return "the error has nothing to do with memory";
    return is_before ? NULL : "it failed, and has changed something";
}

static bool run_with(const struct example *example, unsigned long nth, bool and_all_after,
                     const struct states *states)
{
    char message[TEXT_SIZE];
    struct harness harness;
    unsigned long failed;
    const char *wrong;
    char *state;
    int code;

    harness_open(&harness, prepare_example);
    write_message(example, message);
    harness_expect_answer(&harness, LINES, message);
    fault_arm(nth, and_all_after);
    act(&harness, example, message);
    failed = fault_disarm();
    injected += failed != 0;
    cut += harness.side[LINES].is_cut;
    assert_true(failed != 0 || !harness.side[LINES].is_cut);
    code = take_code(&harness);
    if (example->repair != NULL)
        example->repair(harness.fixture);
    state = state_of(harness.fixture->store, false);
    wrong = judge(example, states, harness.side[LINES].is_cut, code, state);
    if (wrong != NULL)
        fail_msg("%s at allocation %lu: %s: answer %d, state\n%s", message, nth, wrong, code, state);
    free(state);
    harness_close(&harness);
    return failed != 0;
}

static void test_every_example(void **state)
{
    (void)state;
    for (size_t i = 0; examples[i].method != NULL; i++) {
        long live = fault_live();
        struct states states;

        current = &examples[i];
        find_states(current, &states);
        for (int and_all_after = 0; and_all_after <= 1; and_all_after++) {
            unsigned long nth = 1;

            while (run_with(current, nth, and_all_after != 0, &states))
                nth++;
        }
        free_states(&states);
        if (fault_live() != live)
            fail_msg("%s %s: %ld pieces of memory were leaked", current->method, current->params,
                     fault_live() - live);
    }
    print_message("%lu failures injected, %lu connections ended\n", injected, cut);
}

/* ---- scenarios: requests of two clients, one after the other ---- */

/* A message that there was no memory to read is answered, too, but under no id. */
static bool is_for_unread(const cJSON *message)
{
    return cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(message, "id")) &&
           code_of(message) == UMEM_E_INTERNAL_ERROR;
}

/* Requests that are neither answered nor waiting where nothing fails: those of batches that are refused as a whole. */
static size_t refused[HARNESS_PEERS];

static void check_side(struct harness *harness, const struct scenario *scenario, enum harness_peer peer,
                       unsigned long nth)
{
    const struct um_session *session = harness->side[peer].session;
    const cJSON *message;
    size_t missing;
    size_t unread = 0;

    for (message = harness_take(harness, peer); message != NULL; message = harness_take(harness, peer))
        unread += is_for_unread(message);
    missing = answers_missing(session);
    answers_forget_session(session);
    if (harness->side[peer].is_cut)
        return;
    missing -= (size_t)session->pending_count;
    if (nth == 0)
        refused[peer] = missing;
    else if (unread == 0 ? missing != refused[peer] : missing < refused[peer])
        fail_msg("%s at allocation %lu: %zu requests were not answered, %zu could not be read",
                 scenario->name, nth, missing, unread);
}

/* With `nth` 0, nothing fails. */
static bool run_scenario(const struct scenario *scenario, unsigned long nth, bool and_all_after)
{
    struct harness harness;
    unsigned long failed;

    harness_open(&harness, scenario->prepare);
    for (const struct line *line = scenario->lines; line->message != NULL; line++)
        harness_expect_answer(&harness, line->peer, line->message);
    fault_arm(nth, and_all_after && nth != 0);
    for (const struct line *line = scenario->lines; line->message != NULL; line++)
        harness_send(&harness, line->peer, line->message, line->payload_size);
    harness_set_time(&harness, 100000);
    failed = fault_disarm();
    injected += failed != 0;
    for (int i = 0; i < HARNESS_PEERS; i++) {
        cut += harness.side[i].is_cut;
        check_side(&harness, scenario, (enum harness_peer)i, nth);
    }
    harness_close(&harness);
    return failed != 0;
}

static void test_every_scenario(void **state)
{
    (void)state;
    injected = 0;
    cut = 0;
    for (size_t i = 0; scenarios[i].name != NULL; i++) {
        long live = fault_live();

        run_scenario(&scenarios[i], 0, false);
        for (int and_all_after = 0; and_all_after <= 1; and_all_after++) {
            unsigned long nth = 1;

            while (run_scenario(&scenarios[i], nth, and_all_after != 0))
                nth++;
        }
        if (fault_live() != live)
            fail_msg("%s: %ld pieces of memory were leaked", scenarios[i].name, fault_live() - live);
    }
    print_message("%lu failures injected, %lu connections ended\n", injected, cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_example),
        cmocka_unit_test(test_every_scenario),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

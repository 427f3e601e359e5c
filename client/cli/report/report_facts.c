#include "cli/report/report_facts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cJSON.h>

#include "cli/output/fail.h"
#include "cli/output/json_view.h"
#include "cli/request/lists.h"
#include "cli/request/method_call.h"

/* ---- heaps ---- */

static void leave_out_heap(struct cli_report_facts *facts, const struct umem_heap_info *heap)
{
    facts->other_heap_count++;
    facts->other_heaps.blocks += heap->blocks;
    facts->other_heaps.bytes += heap->bytes;
}

/* Keeps the largest ones in order; of those that are alike, the first. */
static int keep_heap(const struct umem_heap_info *heap, void *context)
{
    struct cli_report_facts *facts = context;
    size_t at = facts->heap_count;

    facts->shared_heap_count += heap->kind == UMEM_HEAP_SHARED;
    while (at != 0 && facts->heaps[at - 1].bytes < heap->bytes)
        at--;
    if (at == CLI_REPORT_HEAPS) {
        leave_out_heap(facts, heap);
        return 0;
    }
    if (facts->heap_count == CLI_REPORT_HEAPS)
        leave_out_heap(facts, &facts->heaps[--facts->heap_count]);
    memmove(&facts->heaps[at + 1], &facts->heaps[at], (facts->heap_count - at) * sizeof *heap);
    facts->heaps[at] = *heap;
    facts->heap_count++;
    return 0;
}

static void choose_maps(struct cli_report_facts *facts)
{
    for (size_t i = 0; i < facts->heap_count && facts->map_count < CLI_MAPS_MAXIMUM; i++) {
        if (facts->heaps[i].kind == UMEM_HEAP_SHARED)
            facts->maps[facts->map_count++].info = &facts->heaps[i];
    }
}

static int gather_heaps(struct cli *cli, struct cli_report_facts *facts)
{
    if (umem_heap_list(cli->client, keep_heap, facts) != UMEM_OK)
        return cli_fail_call(cli);
    choose_maps(facts);
    return CLI_OK;
}

/* ---- sessions ---- */

static uint64_t member_uint(const cJSON *object, const char *path)
{
    char number[CLI_NUMBER_SIZE];

    return strtoull(cli_member(object, path, number), NULL, 10);
}

static void leave_out_session(struct cli_report_facts *facts, const struct cli_session_facts *session)
{
    facts->other_session_count++;
    facts->other_sessions.blocks += session->blocks;
    facts->other_sessions.bytes += session->bytes;
}

static int keep_session(struct cli *cli, const cJSON *entry, void *context)
{
    struct cli_report_facts *facts = context;
    char number[CLI_NUMBER_SIZE];
    struct cli_session_facts session = {
        .session = member_uint(entry, "session"),
        .pid = member_uint(entry, "pid"),
        .opened = (int64_t)member_uint(entry, "opened"),
        .blocks = member_uint(entry, "blocks"),
        .bytes = member_uint(entry, "bytes"),
        .queued_bytes = member_uint(entry, "queued_bytes"),
    };
    size_t at = facts->session_count;

    (void)cli;
    snprintf(session.program, sizeof session.program, "%s", cli_member(entry, "program", number));
    snprintf(session.user, sizeof session.user, "%s", cli_member(entry, "user", number));
    while (at != 0 && facts->sessions[at - 1].bytes < session.bytes)
        at--;
    if (at == CLI_REPORT_SESSIONS) {
        leave_out_session(facts, &session);
        return CLI_OK;
    }
    if (facts->session_count == CLI_REPORT_SESSIONS)
        leave_out_session(facts, &facts->sessions[--facts->session_count]);
    memmove(&facts->sessions[at + 1], &facts->sessions[at], (facts->session_count - at) * sizeof session);
    facts->sessions[at] = session;
    facts->session_count++;
    return CLI_OK;
}

static int gather_sessions(struct cli *cli, struct cli_report_facts *facts)
{
    static const struct cli_list list = {
        .method = "session.list", .member = "sessions", .visit = keep_session};

    return cli_visit_list(cli, &list, facts);
}

/* ---- blocks ---- */

static void count_orphan(struct cli_program_sum *program, const struct umem_block_info *block)
{
    if (program->orphans.blocks == 0 || block->created < program->oldest_orphan)
        program->oldest_orphan = block->created;
    cli_count_block(&program->orphans, block->size);
}

static int count_block(const struct umem_block_info *block, void *context)
{
    struct cli_report_facts *facts = context;
    struct cli_program_sum *program = cli_find_program(&facts->programs, block->owner.program);

    cli_count_block(&program->heaps[CLI_ALL_HEAPS], block->size);
    for (size_t i = 0; i < facts->map_count; i++) {
        if (facts->maps[i].info->heap == block->heap)
            cli_count_block(&program->heaps[i], block->size);
    }
    if (block->orphaned)
        count_orphan(program, block);
    cli_count_block(&facts->sums[CLI_BY_AGE][cli_age_group(facts->taken - block->created)], block->size);
    cli_count_block(&facts->sums[CLI_BY_SIZE][cli_size_group(block->size)], block->size);
    return 0;
}

/* Which program is whose group is only known in the end. */
static void sum_programs(struct cli_report_facts *facts)
{
    struct cli_block_sum *sums = facts->sums[CLI_BY_PROGRAM];

    cli_group_programs(&facts->programs, CLI_ALL_HEAPS, &facts->program_groups);
    sums[CLI_OTHER_PROGRAMS] = facts->programs.others.heaps[CLI_ALL_HEAPS];
    for (int i = 0; i < facts->programs.count; i++) {
        const struct cli_program_sum *program = &facts->programs.sums[i];
        struct cli_block_sum *sum = &sums[cli_program_group(&facts->program_groups, program)];

        sum->blocks += program->heaps[CLI_ALL_HEAPS].blocks;
        sum->bytes += program->heaps[CLI_ALL_HEAPS].bytes;
    }
}

static int gather_blocks(struct cli *cli, struct cli_report_facts *facts)
{
    const struct umem_block_filter all = {0};

    if (umem_block_list(cli->client, &all, count_block, facts) != UMEM_OK)
        return cli_fail_call(cli);
    sum_programs(facts);
    return CLI_OK;
}

/* ---- pictures ---- */

/* A picture that is being made. */
struct picture {
    struct cli *cli;
    struct cli_report_facts *facts;
    struct cli_mapped_heap *heap;
    bool has_base;
    uint64_t base; /* where the heap's memory begins in the daemon */
};

static void give_reason(struct picture *picture)
{
    snprintf(picture->heap->reason, sizeof picture->heap->reason, "%s",
             umem_last_error(picture->cli->client)->message);
}

/* Where one block lies in the shared memory tells where that begins: so all others need not be asked for. A block that is gone by now
 * tells nothing. Returns 0 to go on with the list. */
static int find_base(struct picture *picture, const struct umem_block_info *block)
{
    umem_client *client = picture->cli->client;
    char number[CLI_NUMBER_SIZE];
    char params[CLI_NUMBER_SIZE + 2];
    char *text = NULL;
    cJSON *location;
    int code;

    snprintf(params, sizeof params, "[%llu]", (unsigned long long)block->block);
    code = umem_call(client, "block.map", params, &text);
    if (code == UMEM_E_STALE_HANDLE)
        return 0;
    if (code != UMEM_OK) {
        give_reason(picture);
        return 1;
    }
    location = cJSON_Parse(text);
    umem_free_text(text);
    if (location == NULL) {
        snprintf(picture->heap->reason, sizeof picture->heap->reason, "memory is used up");
        return 1;
    }
    picture->base = block->address - strtoull(cli_member(location, "offset", number), NULL, 10);
    picture->has_base = true;
    cJSON_Delete(location);
    return 0;
}

static int draw_block(const struct umem_block_info *block, void *context)
{
    struct picture *picture = context;
    const struct umem_heap_info *heap = picture->heap->info;
    uint64_t offset;
    int groups[CLI_GROUPINGS];

    if (!picture->has_base && find_base(picture, block) != 0)
        return 1;
    offset = block->address - picture->base;
    if (!picture->has_base || offset > heap->reserved || block->size > heap->reserved - offset)
        return 0;
    groups[CLI_BY_AGE] = cli_age_group(picture->facts->taken - block->created);
    groups[CLI_BY_PROGRAM] = cli_program_group(
        &picture->heap->programs, cli_find_program(&picture->facts->programs, block->owner.program));
    groups[CLI_BY_SIZE] = cli_size_group(block->size);
    cli_map_add(&picture->heap->map, offset, block->size, groups);
    return 0;
}

/* The blocks of the heap are listed once more, now that it is known which programs have groups. */
static int draw_heap(struct cli *cli, struct cli_report_facts *facts, int number)
{
    struct picture picture = {.cli = cli, .facts = facts, .heap = &facts->maps[number]};
    const struct umem_block_filter filter = {.heap = picture.heap->info->heap};
    int result;

    cli_map_begin(&picture.heap->map);
    cli_group_programs(&facts->programs, number, &picture.heap->programs);
    result = umem_block_list(cli->client, &filter, draw_block, &picture);
    if (result >= 0)
        return CLI_OK;
    /* It may be gone by now. */
    if (!umem_is_connected(cli->client))
        return cli_fail_call(cli);
    give_reason(&picture);
    return CLI_OK;
}

/* ---- all of it ---- */

static int gather_server(struct cli *cli, struct cli_report_facts *facts)
{
    int status = cli_call(cli, "server.info", NULL, &facts->info);

    if (status == CLI_OK)
        status = cli_call(cli, "server.stats", NULL, &facts->stats);
    return status;
}

static int keep_method(struct cli *cli, const cJSON *entry, void *context)
{
    cJSON *copy = cJSON_Duplicate(entry, true);

    (void)cli;
    return copy != NULL && cJSON_AddItemToArray(context, copy) ? CLI_OK : cli_fail_memory();
}

/* An older daemon does not count calls. */
static int gather_methods(struct cli *cli, struct cli_report_facts *facts)
{
    static const struct cli_list list = {
        .method = "server.methods", .member = "methods", .visit = keep_method};

    if (umem_call(cli->client, list.method, NULL, NULL) == UMEM_E_METHOD_NOT_FOUND)
        return CLI_OK;
    facts->methods = cJSON_CreateArray();
    return facts->methods != NULL ? cli_visit_list(cli, &list, facts->methods) : cli_fail_memory();
}

int cli_gather_facts(struct cli *cli, struct cli_report_facts **made)
{
    struct cli_report_facts *facts = calloc(1, sizeof *facts);
    int status;

    *made = facts;
    if (facts == NULL)
        return cli_fail_memory();
    facts->taken = (int64_t)time(NULL);
    status = gather_server(cli, facts);
    if (status == CLI_OK)
        status = gather_methods(cli, facts);
    if (status == CLI_OK)
        status = gather_sessions(cli, facts);
    if (status == CLI_OK)
        status = gather_heaps(cli, facts);
    if (status == CLI_OK)
        status = gather_blocks(cli, facts);
    for (size_t i = 0; i < facts->map_count && status == CLI_OK; i++)
        status = draw_heap(cli, facts, (int)i);
    return status;
}

void cli_free_facts(struct cli_report_facts *facts)
{
    if (facts == NULL)
        return;
    cJSON_Delete(facts->info);
    cJSON_Delete(facts->stats);
    cJSON_Delete(facts->methods);
    free(facts);
}

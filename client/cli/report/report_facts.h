/*
 * What a report is made of, as the daemon says it.
 *
 * Owns: the facts. Must not know: how they are shown.
 *
 * Everything is bounded, however much the daemon has: of heaps and sessions the largest are kept, blocks are only counted. They are
 * asked for one after another while other programs go on, so that sums may differ a little from each other.
 */
#ifndef UMEM_CLI_REPORT_FACTS_H
#define UMEM_CLI_REPORT_FACTS_H

#include "cli/report/heap_map.h"
#include "cli/report/program_sums.h"
#include "cli/table/verb.h"

struct cJSON;

enum { CLI_REPORT_HEAPS = 100, CLI_REPORT_SESSIONS = 100, CLI_REASON_SIZE = 256 };

/* A session as session.list tells of it. */
struct cli_session_facts {
    uint64_t session;
    uint64_t pid;
    char program[UMEM_NAME_SIZE];
    char user[UMEM_NAME_SIZE];
    int64_t opened; /* seconds since 1970-01-01 UTC */
    uint64_t blocks;
    uint64_t bytes;
    uint64_t queued_bytes; /* of answers that it has not taken yet */
};

/* A heap that there is a picture of. */
struct cli_mapped_heap {
    const struct umem_heap_info *info;
    struct cli_heap_map map;
    struct cli_program_groups programs;
    char reason[CLI_REASON_SIZE]; /* why there is no picture; "": there is one */
};

struct cli_report_facts {
    struct cJSON *info;  /* of server.info */
    struct cJSON *stats; /* of server.stats */
    struct cJSON
        *methods;  /* an array of the entries of server.methods; NULL: the daemon has no such method */
    int64_t taken; /* seconds since 1970-01-01 UTC */

    struct umem_heap_info heaps[CLI_REPORT_HEAPS]; /* by their bytes, the largest first */
    size_t heap_count;
    struct cli_block_sum other_heaps; /* that are not in `heaps` */
    uint64_t other_heap_count;

    struct cli_session_facts sessions[CLI_REPORT_SESSIONS]; /* by their bytes, the largest first */
    size_t session_count;
    struct cli_block_sum other_sessions;
    uint64_t other_session_count;

    struct cli_block_sum sums[CLI_GROUPINGS][CLI_GROUPS]; /* of all blocks */
    struct cli_program_groups program_groups;             /* of these sums */
    struct cli_programs programs;

    struct cli_mapped_heap maps[CLI_MAPS_MAXIMUM]; /* the largest shared heaps */
    size_t map_count;
    uint64_t shared_heap_count;
};

/* Asks the daemon. Returns an exit status; a failure has been reported. *facts is to be freed, also then. */
int cli_gather_facts(struct cli *cli, struct cli_report_facts **facts);

/* NULL is fine. */
void cli_free_facts(struct cli_report_facts *facts);

#endif

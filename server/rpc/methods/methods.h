/*
 * What all files of methods include: what a handler works with, what work counts for, and the parameters of pages.
 *
 * Owns: nothing. Must not know: how calls arrive.
 */
#ifndef UM_METHODS_H
#define UM_METHODS_H

#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/call/engine_state.h"
#include "rpc/engine/job.h"
#include "rpc/schema/table.h"
#include "rpc/schema/words.h"

/* A method gets a block's memory from um_call_bytes() and um_job_bytes(), which bound how much of it one turn works on, or copies what
 * one message carries with um_call_put() and um_call_take(). This makes anything else an error of the compiler. */
#define um_block_bytes um_block_bytes_is_not_for_methods

/* What one listing looks at: a page may be short where little fits, but it never takes long. */
enum {
    UM_LIST_BUDGET = 4096, /* slots of heaps or blocks */
    UM_LIST_COST =
        64 *
        1024, /* bytes of blocks that a page counts for in a batch and in a turn, that it looks for entries */
    UM_LISTED_COST = 2048 /* and each entry that it finds */
};

/* What else counts as bytes of blocks that are touched, as it takes as long. */
enum {
    UM_SHARED_HEAP_COST = 64 * 1024, /* making a shared heap */
    UM_REPORT_COST = 16 * 1024,      /* an answer of some fifty numbers */
    UM_DISCOVER_COST = 512 * 1024,   /* the OpenRPC document */
    UM_HOLD_COST = 512               /* ending one hold */
};

#define UM_PAGE_DETAIL \
    "A page may hold fewer entries than `limit`, even none: only a `next` of null is the end. What is " \
    "made or ends between two pages may be listed or not."
#define UM_ENCODING_DOC "How data is written"
#define UM_PAGE_PARAMS \
    {.name = "after", \
     .type = UM_UINT, \
     .doc = "Where to continue: `next` of the page before; 0 for the first page."}, \
    { \
        .name = "limit", .type = UM_UINT, .minimum = 1, .maximum = 1000, .fallback = 1000, \
        .doc = "Most entries in the answer." \
    }

#endif

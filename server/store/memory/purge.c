#include "store/memory/purge.h"

#include <stddef.h>

#include "base/steps.h"

enum {
    TICKS_AT_ONCE = 512, /* sources that are asked in one go; each may be a cache miss or two */
    RUNS_AT_ONCE = 64    /* sources of which pieces are returned in one go, however small these are */
};

static struct um_link pending = {&pending, &pending}; /* list of um_purge_source.in_pending */
static struct um_link listed = {&listed, &listed};    /* list of um_purge_source.in_listed */
static struct um_link due = {&due, &due}; /* likewise: those that have not had this period's tick */
static struct um_link watchers = {&watchers, &watchers}; /* list of um_purge_watcher.in_watchers */
static uint64_t charged;                                 /* bytes, by the run() that is at work */

static void set_flags(void)
{
    for (struct um_link *link = watchers.next; link != &watchers; link = link->next)
        *UM_LIST_ITEM(link, struct um_purge_watcher, in_watchers)->flag = true;
}

static bool is_in_list(const struct um_link *link)
{
    return link->next != NULL && !um_list_is_empty(link);
}

/* ---- sources with free memory ---- */

void um_purge_set_listed(struct um_purge_source *source, bool is_listed)
{
    if (is_listed == is_in_list(&source->in_listed))
        return;
    if (is_listed)
        um_list_append(&listed, &source->in_listed);
    else
        um_list_remove(&source->in_listed);
}

bool um_purge_is_listed(void)
{
    return !um_list_is_empty(&listed) || !um_list_is_empty(&due);
}

static struct um_purge_source *take_listed(struct um_link *list)
{
    struct um_link *link = um_list_take(list);

    UM_STEP();
    um_list_append(&listed, link);
    return UM_LIST_ITEM(link, struct um_purge_source, in_listed);
}

static void tick_some(void)
{
    for (unsigned left = TICKS_AT_ONCE; left != 0 && !um_list_is_empty(&due); left--) {
        struct um_purge_source *source = take_listed(&due);

        source->tick(source);
    }
}

/* Where the sources are so many that some have not had the tick before, the period is longer for all. */
void um_purge_tick(void)
{
    if (um_list_is_empty(&due) && !um_list_is_empty(&listed)) {
        um_list_append(&listed, &due);
        um_list_remove(&listed);
    }
    tick_some();
    if (!um_list_is_empty(&due))
        set_flags();
}

/* After the first tick, the period in which memory has to be free begins anew; with the second it is over. */
void um_purge_expedite(void)
{
    unsigned left = 0;

    for (const struct um_link *link = listed.next; link != &listed && left < RUNS_AT_ONCE; link = link->next)
        left++;
    for (; left != 0 && !um_list_is_empty(&listed); left--) {
        struct um_purge_source *source = take_listed(&listed);

        source->tick(source);
        if (is_in_list(&source->in_listed))
            source->tick(source);
    }
}

/* ---- sources with memory to return ---- */

void um_purge_set_pending(struct um_purge_source *source, bool is_pending)
{
    if (is_pending == is_in_list(&source->in_pending))
        return;
    if (!is_pending) {
        um_list_remove(&source->in_pending);
        return;
    }
    if (um_list_is_empty(&pending))
        set_flags();
    um_list_append(&pending, &source->in_pending);
}

bool um_purge_is_pending(void)
{
    return !um_list_is_empty(&pending) || !um_list_is_empty(&due);
}

void um_purge_charge(uint64_t bytes)
{
    charged += bytes;
}

void um_purge_run(void)
{
    uint64_t returned = 0;

    tick_some();
    for (unsigned left = RUNS_AT_ONCE; left != 0 && returned < UM_PURGE_PIECE && !um_list_is_empty(&pending);
         left--) {
        struct um_link *link = um_list_take(&pending);
        struct um_purge_source *source = UM_LIST_ITEM(link, struct um_purge_source, in_pending);

        um_list_append(&pending, link);
        UM_STEP();
        charged = 0;
        um_purge_set_pending(source, source->run(source));
        returned += charged != 0 ? charged : UM_PURGE_PIECE;
    }
}

void um_purge_watch(struct um_purge_watcher *watcher, bool *flag)
{
    watcher->flag = flag;
    um_list_append(&watchers, &watcher->in_watchers);
}

void um_purge_unwatch(struct um_purge_watcher *watcher)
{
    um_list_remove(&watcher->in_watchers);
}

#include "store/memory/purge.h"

#include <stddef.h>

static struct um_link pending = {&pending, &pending};    /* list of um_purge_source.in_pending */
static struct um_link listed = {&listed, &listed};       /* list of um_purge_source.in_listed */
static struct um_link watchers = {&watchers, &watchers}; /* list of um_purge_watcher.in_watchers */

static void set_flags(void)
{
    for (struct um_link *link = watchers.next; link != &watchers; link = link->next)
        *UM_LIST_ITEM(link, struct um_purge_watcher, in_watchers)->flag = true;
}

void um_purge_set_pending(struct um_purge_source *source, bool is_pending)
{
    bool is_listed = source->in_pending.next != NULL && !um_list_is_empty(&source->in_pending);

    if (is_pending == is_listed)
        return;
    if (!is_pending) {
        um_list_remove(&source->in_pending);
        return;
    }
    if (um_list_is_empty(&pending))
        set_flags();
    um_list_append(&pending, &source->in_pending);
}

void um_purge_set_listed(struct um_purge_source *source, bool is_listed)
{
    bool was_listed = source->in_listed.next != NULL && !um_list_is_empty(&source->in_listed);

    if (is_listed == was_listed)
        return;
    if (is_listed)
        um_list_append(&listed, &source->in_listed);
    else
        um_list_remove(&source->in_listed);
}

bool um_purge_is_listed(void)
{
    return !um_list_is_empty(&listed);
}

void um_purge_tick(void)
{
    size_t count = 0;

    for (const struct um_link *link = listed.next; link != &listed; link = link->next)
        count++;
    for (; count != 0 && !um_list_is_empty(&listed); count--) {
        struct um_link *link = um_list_take(&listed);
        struct um_purge_source *source = UM_LIST_ITEM(link, struct um_purge_source, in_listed);

        um_list_append(&listed, link);
        source->tick(source);
    }
}

bool um_purge_is_pending(void)
{
    return !um_list_is_empty(&pending);
}

void um_purge_run(void)
{
    size_t count = 0;

    for (const struct um_link *link = pending.next; link != &pending; link = link->next)
        count++;
    for (; count != 0 && !um_list_is_empty(&pending); count--) {
        struct um_link *link = um_list_take(&pending);
        struct um_purge_source *source = UM_LIST_ITEM(link, struct um_purge_source, in_pending);

        um_list_append(&pending, link);
        um_purge_set_pending(source, source->run(source));
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

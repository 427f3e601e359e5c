#include "net/budget.h"

void um_budget_init(struct um_budget *budget)
{
    um_list_init(&budget->waiting);
    um_list_init(&budget->begun);
    budget->deadline_ms = UINT64_MAX;
}

void um_budget_init_group(struct um_budget_group *group)
{
    *group = (struct um_budget_group){.gathered = 0};
    um_list_init(&group->in_waiting);
    um_list_init(&group->waiting);
}

void um_budget_remove_group(struct um_budget_group *group)
{
    um_list_remove(&group->in_waiting);
}

void um_budget_init_entry(struct um_budget_entry *entry, struct um_budget_group *group)
{
    *entry = (struct um_budget_entry){.group = group};
    um_list_init(&entry->in_waiting);
    um_list_init(&entry->in_begun);
}

/* ---- the sums ---- */

static void count(uint64_t *sum, uint64_t *peak, uint64_t change)
{
    *sum += change;
    if (*sum > *peak)
        *peak = *sum;
}

static void recount(struct um_budget *budget, struct um_budget_entry *entry, uint64_t gathered,
                    uint64_t unsent)
{
    struct um_traffic *traffic = budget->traffic;

    count(&traffic->gathered_bytes, &traffic->peak_gathered_bytes, gathered - entry->gathered);
    entry->group->gathered += gathered - entry->gathered;
    entry->gathered = gathered;
    count(&traffic->unsent_bytes, &traffic->peak_unsent_bytes, unsent - entry->unsent);
    entry->group->unsent += unsent - entry->unsent;
    entry->unsent = unsent;
    /* No group has more than all together. */
    budget->is_scarce = traffic->gathered_bytes >= budget->gathered_limit - traffic->gathered_bytes ||
                        traffic->gathered_bytes > budget->gathered_limit;
}

bool um_budget_has_quota(const struct um_budget *budget, const struct um_budget_group *group)
{
    uint64_t limit = budget->gathered_limit;
    uint64_t used = budget->traffic->gathered_bytes;

    return used < limit && group->gathered < limit - used;
}

/* One at a time: when it has been read from, and there is quota still, it is the next one's turn. */
static void wake_next(struct um_budget *budget)
{
    const struct um_link *groups = &budget->waiting;

    for (struct um_link *link = groups->next; link != groups; link = link->next) {
        struct um_budget_group *group = UM_LIST_ITEM(link, struct um_budget_group, in_waiting);
        struct um_budget_entry *first = UM_LIST_ITEM(group->waiting.next, struct um_budget_entry, in_waiting);

        if (um_budget_has_quota(budget, group) || (link == groups->next && !first->is_favoured)) {
            budget->wake(first);
            return;
        }
    }
}

/* ---- the lists ---- */

/* After each change of a list. */
static void note_lists(struct um_budget *budget, struct um_budget_entry *entry)
{
    struct um_link *first = budget->begun.next;

    entry->is_listed = !um_list_is_empty(&entry->in_begun) || !um_list_is_empty(&entry->in_waiting);
    budget->deadline_ms =
        um_list_is_empty(&budget->begun)
            ? UINT64_MAX
            : UM_LIST_ITEM(first, struct um_budget_entry, in_begun)->begun_ms + budget->message_ms;
}

static void stop_clock(struct um_budget *budget, struct um_budget_entry *entry)
{
    um_list_remove(&entry->in_begun);
    note_lists(budget, entry);
}

static void start_clock(struct um_budget *budget, struct um_budget_entry *entry, uint64_t now_ms)
{
    entry->begun = ++budget->begun_messages;
    entry->begun_ms = now_ms;
    entry->has_waited = false;
    um_list_remove(&entry->in_begun);
    um_list_append(&budget->begun, &entry->in_begun);
    note_lists(budget, entry);
}

/* Whose message began first comes first: there may have been quota for a moment, and others have used it up. */
static void join_queue(struct um_budget *budget, struct um_budget_entry *entry)
{
    struct um_budget_group *group = entry->group;
    struct um_link *next = &group->waiting;

    if (!um_list_is_empty(&entry->in_waiting))
        return;
    if (um_list_is_empty(&group->waiting))
        um_list_append(&budget->waiting, &group->in_waiting);
    while (next->prev != &group->waiting &&
           UM_LIST_ITEM(next->prev, struct um_budget_entry, in_waiting)->begun > entry->begun)
        next = next->prev;
    um_list_append(next, &entry->in_waiting);
    note_lists(budget, entry);
}

/* Where it was favoured, the next group's turn comes. */
static void leave_queue(struct um_budget *budget, struct um_budget_entry *entry)
{
    struct um_budget_group *group = entry->group;

    um_list_remove(&entry->in_waiting);
    if (entry->is_favoured || um_list_is_empty(&group->waiting))
        um_list_remove(&group->in_waiting);
    if (entry->is_favoured && !um_list_is_empty(&group->waiting))
        um_list_append(&budget->waiting, &group->in_waiting);
    entry->is_favoured = false;
    note_lists(budget, entry);
}

/* ---- connections ---- */

void um_budget_update(struct um_budget *budget, struct um_budget_entry *entry,
                      const struct um_budget_usage *usage, uint64_t now_ms)
{
    recount(budget, entry, usage->gathered, usage->unsent);
    if (entry->gathered <= UM_BUDGET_MINIMUM || !usage->wants_bytes)
        leave_queue(budget, entry);
    if (!usage->is_in_message)
        stop_clock(budget, entry);
    else if (usage->has_served || um_list_is_empty(&entry->in_begun))
        start_clock(budget, entry, now_ms);
    wake_next(budget);
}

void um_budget_withdraw(struct um_budget *budget, struct um_budget_entry *entry)
{
    if (entry->group == NULL)
        return;
    stop_clock(budget, entry);
    leave_queue(budget, entry);
}

void um_budget_forget(struct um_budget *budget, struct um_budget_entry *entry)
{
    if (entry->group == NULL)
        return;
    um_budget_withdraw(budget, entry);
    recount(budget, entry, 0, 0);
    wake_next(budget);
    entry->group = NULL;
}

uint64_t um_budget_read_limit(struct um_budget *budget, struct um_budget_entry *entry,
                              struct um_budget_read read)
{
    bool has_quota = um_budget_has_quota(budget, entry->group);

    if (entry->gathered <= UM_BUDGET_MINIMUM || read.is_exempt || has_quota) {
        leave_queue(budget, entry);
        return has_quota || read.is_exempt ? UINT64_MAX : UM_BUDGET_MINIMUM;
    }
    join_queue(budget, entry);
    entry->is_favoured = !read.is_long && budget->waiting.next == &entry->group->in_waiting &&
                         entry->group->waiting.next == &entry->in_waiting;
    entry->has_waited = entry->has_waited || !entry->is_favoured;
    if (!entry->is_favoured)
        return 0;
    /* Where a message ends is not known before. Of what comes behind it no more is read than may be kept when its turn is over. */
    return read.has_end ? UINT64_MAX : UM_BUDGET_MINIMUM;
}

/* ---- time ---- */

struct um_budget_entry *um_budget_expired(const struct um_budget *budget, uint64_t now_ms)
{
    return budget->deadline_ms <= now_ms ? UM_LIST_ITEM(budget->begun.next, struct um_budget_entry, in_begun)
                                         : NULL;
}

enum um_budget_verdict um_budget_judge(struct um_budget *budget, struct um_budget_entry *entry,
                                       bool is_reading, uint64_t now_ms)
{
    enum um_budget_verdict verdict = UM_BUDGET_RESTARTED;

    if (is_reading && !entry->has_waited)
        verdict = UM_BUDGET_STALLED;
    else if (!is_reading && !um_list_is_empty(&entry->in_waiting))
        verdict = UM_BUDGET_NO_QUOTA;
    if (verdict == UM_BUDGET_RESTARTED)
        start_clock(budget, entry, now_ms);
    else
        stop_clock(budget, entry);
    return verdict;
}

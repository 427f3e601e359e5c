#include "net/scheduler.h"

#include <stddef.h>

void um_scheduler_init(struct um_scheduler *scheduler)
{
    um_list_init(&scheduler->active);
}

void um_scheduler_add_group(struct um_scheduler *scheduler, struct um_scheduler_group *group)
{
    *group = (struct um_scheduler_group){.scheduler = scheduler};
    um_list_init(&group->in_active);
    um_list_init(&group->ready);
}

void um_scheduler_remove_group(struct um_scheduler_group *group)
{
    um_list_remove(&group->in_active);
    if (group->scheduler->running == group)
        group->scheduler->running = NULL;
}

/* ---- what runs ---- */

static void activate(struct um_scheduler_group *group)
{
    if (um_list_is_empty(&group->in_active))
        um_list_append(&group->scheduler->active, &group->in_active);
}

void um_scheduler_enqueue(struct um_scheduled *item)
{
    if (um_list_is_empty(&item->in_ready)) {
        um_list_append(&item->group->ready, &item->in_ready);
        item->queued_turn = item->group->scheduler->turn;
    }
    activate(item->group);
    item->group->scheduler->wake(item->group->scheduler);
}

/* Moves all members of a list before those of another. */
static void move_all(struct um_link *from, struct um_link *to)
{
    if (um_list_is_empty(from))
        return;
    from->prev->next = to->next;
    to->next->prev = from->prev;
    to->next = from->next;
    from->next->prev = to;
    um_list_init(from);
}

/* Those that become ready again meanwhile wait for the next turn. */
static void run_group(struct um_scheduler_group *group)
{
    struct um_scheduler *scheduler = group->scheduler;
    struct um_link now;

    um_list_init(&now);
    move_all(&group->ready, &now);
    scheduler->running = group;
    while (!um_list_is_empty(&now) && um_scheduler_has_share(group, 0, 0)) {
        struct um_scheduled *item = UM_LIST_ITEM(um_list_take(&now), struct um_scheduled, in_ready);

        um_scheduler_charge(group, 0, UM_COST_VISIT);
        item->was_run = true;
        scheduler->run(item);
    }
    /* Where its last connection has gone, the group has too. */
    if (scheduler->running == NULL)
        return;
    scheduler->running = NULL;
    move_all(&now, &group->ready);
    if (!um_list_is_empty(&group->ready))
        activate(group);
}

void um_scheduler_run(struct um_scheduler *scheduler)
{
    struct um_link now;

    scheduler->messages_limit = UM_SCHEDULER_TURN_SHARES * scheduler->share_messages;
    scheduler->work_limit = UM_SCHEDULER_TURN_SHARES * scheduler->share_work;
    /* However much was done while the loop polled, there is a share for connections that waited. */
    if (scheduler->work_limit < scheduler->work + scheduler->share_work)
        scheduler->work_limit = scheduler->work + scheduler->share_work;
    um_list_init(&now);
    move_all(&scheduler->active, &now);
    while (!um_list_is_empty(&now) && scheduler->messages < scheduler->messages_limit &&
           scheduler->work < scheduler->work_limit)
        run_group(UM_LIST_ITEM(um_list_take(&now), struct um_scheduler_group, in_active));
    move_all(&now, &scheduler->active);
}

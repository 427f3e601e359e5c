#include "net/connection_group.h"

#include <stdlib.h>
#include <string.h>

bool um_connection_groups_init(struct um_connection_groups *groups, struct um_scheduler *scheduler)
{
    groups->scheduler = scheduler;
    um_list_init(&groups->all);
    return um_index_init(&groups->by_pid);
}

void um_connection_groups_deinit(struct um_connection_groups *groups)
{
    um_index_deinit(&groups->by_pid);
}

/* Process ids are small and dense. */
static uint64_t hash_of(int64_t pid)
{
    uint64_t mixed = (uint64_t)pid * 0x9e3779b97f4a7c15u;

    return mixed ^ mixed >> 32;
}

static bool has_pid(const struct um_index_node *node, const void *key)
{
    return UM_LIST_ITEM(node, const struct um_connection_group, in_index)->pid == *(const int64_t *)key;
}

static struct um_connection_group *find_group(const struct um_connection_groups *groups, int64_t pid)
{
    struct um_index_node *node =
        pid != 0 ? um_index_find(&groups->by_pid, hash_of(pid), has_pid, &pid) : NULL;

    return node != NULL ? UM_LIST_ITEM(node, struct um_connection_group, in_index) : NULL;
}

static struct um_connection_group *new_group(struct um_connection_groups *groups, int64_t pid,
                                             const char *program)
{
    struct um_connection_group *made = calloc(1, sizeof *made);

    if (made == NULL)
        return NULL;
    made->groups = groups;
    made->pid = pid;
    strncpy(made->program, program, sizeof made->program - 1);
    um_scheduler_add_group(groups->scheduler, &made->turn);
    um_budget_init_group(&made->budget);
    um_list_append(&groups->all, &made->in_all);
    made->in_index.hash = hash_of(pid);
    if (pid != 0)
        um_index_insert(&groups->by_pid, &made->in_index);
    return made;
}

struct um_connection_group *um_connection_groups_join(struct um_connection_groups *groups, int64_t pid,
                                                      const char *program)
{
    struct um_connection_group *group = find_group(groups, pid);

    if (group == NULL)
        group = new_group(groups, pid, program);
    if (group != NULL)
        group->members++;
    return group;
}

void um_connection_groups_leave(struct um_connection_group *group)
{
    if (--group->members != 0)
        return;
    if (group->pid != 0)
        um_index_remove(&group->groups->by_pid, &group->in_index);
    um_list_remove(&group->in_all);
    um_scheduler_remove_group(&group->turn);
    um_budget_remove_group(&group->budget);
    free(group);
}

const struct um_connection_group *um_connection_groups_largest(const struct um_connection_groups *groups)
{
    const struct um_connection_group *largest = NULL;

    for (const struct um_link *link = groups->all.next; link != &groups->all; link = link->next) {
        const struct um_connection_group *group =
            UM_LIST_ITEM(link, const struct um_connection_group, in_all);

        if (group->pid != 0 && group->open_sessions > (largest != NULL ? largest->open_sessions : 0))
            largest = group;
    }
    return largest;
}

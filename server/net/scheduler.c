#include "net/scheduler.h"

#include <stdlib.h>
#include <string.h>

#include "net/connection.h"
#include "net/server_core.h"

bool um_scheduler_init(struct um_server *server)
{
    um_list_init(&server->turn.all);
    um_list_init(&server->turn.active);
    return um_index_init(&server->turn.groups);
}

void um_scheduler_deinit(struct um_server *server)
{
    um_index_deinit(&server->turn.groups);
}

/* ---- who belongs together ---- */

/* Process ids are small and dense. */
static uint64_t hash_of(int64_t pid)
{
    uint64_t mixed = (uint64_t)pid * 0x9e3779b97f4a7c15u;

    return mixed ^ mixed >> 32;
}

static bool is_pid(const struct um_index_node *node, const void *key)
{
    return UM_LIST_ITEM(node, const struct um_connection_group, in_index)->pid == *(const int64_t *)key;
}

static struct um_connection_group *find(const struct um_server *server, int64_t pid)
{
    struct um_index_node *node =
        pid != 0 ? um_index_find(&server->turn.groups, hash_of(pid), is_pid, &pid) : NULL;

    return node != NULL ? UM_LIST_ITEM(node, struct um_connection_group, in_index) : NULL;
}

static struct um_connection_group *make(struct um_server *server, int64_t pid, const char *program)
{
    struct um_connection_group *made = calloc(1, sizeof *made);

    if (made == NULL)
        return NULL;
    made->server = server;
    made->pid = pid;
    strncpy(made->program, program, sizeof made->program - 1);
    um_list_init(&made->in_active);
    um_list_init(&made->due);
    um_list_init(&made->in_waiting);
    um_list_init(&made->waiting);
    um_list_append(&server->turn.all, &made->in_all);
    made->in_index.hash = hash_of(pid);
    if (pid != 0)
        um_index_insert(&server->turn.groups, &made->in_index);
    return made;
}

bool um_scheduler_join(struct um_connection *session, int64_t pid, const char *program)
{
    struct um_connection_group *group = find(session->server, pid);

    if (group == NULL)
        group = make(session->server, pid, program);
    if (group == NULL)
        return false;
    group->members++;
    session->group = group;
    return true;
}

static void release(struct um_connection_group *group)
{
    if (--group->members != 0)
        return;
    if (group->pid != 0)
        um_index_remove(&group->server->turn.groups, &group->in_index);
    um_list_remove(&group->in_all);
    um_list_remove(&group->in_active);
    um_list_remove(&group->in_waiting);
    free(group);
}

void um_scheduler_leave(struct um_connection *session)
{
    if (session->group == NULL)
        return;
    um_list_remove(&session->due);
    release(session->group);
    session->group = NULL;
}

const struct um_connection_group *um_scheduler_largest_group(const struct um_server *server)
{
    const struct um_connection_group *largest = NULL;

    for (const struct um_link *link = server->turn.all.next; link != &server->turn.all; link = link->next) {
        const struct um_connection_group *group =
            UM_LIST_ITEM(link, const struct um_connection_group, in_all);

        if (group->pid != 0 && group->open_sessions > (largest != NULL ? largest->open_sessions : 0))
            largest = group;
    }
    return largest;
}

/* ---- shares ---- */

/* Lets a part of the turn do so many shares of work. */
static void allow(struct um_server *server, uint64_t shares)
{
    server->turn.messages_limit = shares * server->limits.turn_requests;
    server->turn.work_limit = shares * server->limits.turn_bytes;
}

void um_scheduler_begin_turn(struct um_server *server)
{
    server->turn.number++;
    server->turn.messages = 0;
    server->turn.work = 0;
    allow(server, UM_SCHEDULER_POLL_SHARES);
}

/* A new turn: what the group took too much is made up for by a share for each turn that has passed. */
static void renew(struct um_connection_group *group)
{
    uint64_t share = group->server->limits.turn_bytes;
    uint64_t turns = group->server->turn.number - group->turn;

    group->work = group->work / share >= turns ? group->work - turns * share : 0;
    group->messages = 0;
    group->turn = group->server->turn.number;
}

static uint64_t minimum(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

static uint64_t rest(uint64_t limit, uint64_t used)
{
    return used < limit ? limit - used : 0;
}

struct um_scheduler_share um_scheduler_share(struct um_connection_group *group)
{
    const struct um_scheduler *turn = &group->server->turn;
    const struct um_limits *limits = &group->server->limits;

    if (group->turn != turn->number)
        renew(group);
    return (struct um_scheduler_share){
        .messages =
            minimum(rest(limits->turn_requests, group->messages), rest(turn->messages_limit, turn->messages)),
        .work = minimum(rest(limits->turn_bytes, group->work), rest(turn->work_limit, turn->work)),
    };
}

bool um_scheduler_has_share(struct um_connection_group *group)
{
    struct um_scheduler_share left = um_scheduler_share(group);

    return left.messages != 0 && left.work != 0;
}

static bool is_turn_over(const struct um_scheduler *turn)
{
    return turn->messages >= turn->messages_limit || turn->work >= turn->work_limit;
}

void um_scheduler_charge(struct um_connection_group *group, uint64_t messages, uint64_t work)
{
    struct um_scheduler *turn = &group->server->turn;

    if (group->turn != turn->number)
        renew(group);
    group->messages += messages;
    group->work += work;
    turn->messages += messages;
    turn->work += work;
}

/* ---- who goes on ---- */

void um_scheduler_enqueue(struct um_connection *session)
{
    struct um_connection_group *group = session->group;

    if (um_list_is_empty(&session->due))
        um_list_append(&group->due, &session->due);
    if (um_list_is_empty(&group->in_active))
        um_list_append(&group->server->turn.active, &group->in_active);
    um_server_request_turn(group->server);
}

bool um_scheduler_may_run(struct um_connection *session)
{
    struct um_connection_group *group = session->group;
    bool is_next = session->is_called || um_list_is_empty(&group->due);

    session->is_called = false;
    return is_next && um_scheduler_has_share(group);
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

/* Those that become due again meanwhile wait for the next turn. */
static void serve(struct um_connection_group *group)
{
    struct um_link now;

    group->members++; /* its last session may end here */
    um_list_init(&now);
    move_all(&group->due, &now);
    while (!um_list_is_empty(&now) && um_scheduler_has_share(group)) {
        struct um_connection *session = UM_LIST_ITEM(um_list_take(&now), struct um_connection, due);

        um_scheduler_charge(group, 0, UM_COST_VISIT);
        session->is_called = true;
        um_connection_run(session);
    }
    move_all(&now, &group->due);
    if (!um_list_is_empty(&group->due) && um_list_is_empty(&group->in_active))
        um_list_append(&group->server->turn.active, &group->in_active);
    release(group);
}

void um_scheduler_run(struct um_server *server)
{
    struct um_scheduler *turn = &server->turn;
    struct um_link now;

    allow(server, UM_SCHEDULER_TURN_SHARES);
    /* However much was done while the loop polled, there is a share for those who waited. */
    if (turn->work_limit < turn->work + server->limits.turn_bytes)
        turn->work_limit = turn->work + server->limits.turn_bytes;
    um_list_init(&now);
    move_all(&turn->active, &now);
    while (!um_list_is_empty(&now) && !is_turn_over(turn))
        serve(UM_LIST_ITEM(um_list_take(&now), struct um_connection_group, in_active));
    move_all(&now, &turn->active);
}

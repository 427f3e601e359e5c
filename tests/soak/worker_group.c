#include "worker_group.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KILL_ONE_IN = 3, KILL_MS = 1500, HANG_MS = 3600000, REST_TRIES = 120000, LEFT_MAX = 4096 };

/* ---- what the dead leave ---- */

struct left {
    struct soak *soak;
    uint64_t session;
    umem_handle commons;
    umem_handle handles[LEFT_MAX];
    bool is_named[LEFT_MAX];
    unsigned count;
};

static int note_block(const struct umem_block_info *block, void *context)
{
    struct left *left = context;

    if (block->lifetime == UMEM_LIFETIME_SESSION)
        FAIL(left->soak, "session %llu has ended, and its block %llu has not",
             (unsigned long long)left->session, (unsigned long long)block->block);
    /* These are common to all members. */
    if (block->heap == left->commons || left->count == LEFT_MAX)
        return 0;
    if (block->holders != 0 || block->orphaned != (block->name[0] == '\0'))
        FAIL(left->soak, "session %llu has ended, and its block %llu has %u holders and is %san orphan",
             (unsigned long long)left->session, (unsigned long long)block->block, block->holders,
             block->orphaned ? "" : "not ");
    left->is_named[left->count] = block->name[0] != '\0';
    left->handles[left->count++] = block->block;
    return 0;
}

static int note_heap(const struct umem_heap_info *heap, void *context)
{
    struct left *left = context;

    if (heap->owner.session != left->session || left->count == LEFT_MAX)
        return 0;
    if (heap->lifetime == UMEM_LIFETIME_SESSION || heap->locked)
        FAIL(left->soak, "session %llu has ended, and its heap %llu has not, or is locked",
             (unsigned long long)left->session, (unsigned long long)heap->heap);
    left->handles[left->count++] = heap->heap;
    return 0;
}

/* Waits for the end of a session whose process has ended. */
static void await_end(struct soak *soak, uint64_t session)
{
    for (int i = 0; i < REST_TRIES; i++) {
        if (!soak_session_is_open(soak, session))
            return;
        soak_pause();
    }
    FAIL(soak, "the process of session %llu is gone, and the session does not end",
         (unsigned long long)session);
}

static void clean_up_after(struct group *group, uint64_t session)
{
    static struct left left;
    struct soak *soak = &group->soak;
    struct umem_block_filter filter = {.session = session};

    left.soak = soak;
    left.session = session;
    left.count = 0;
    EXPECT(soak, UMEM_OK, umem_heap_lookup(soak->client, "commons", &left.commons));
    EXPECT(soak, UMEM_OK, umem_block_list(soak->client, &filter, note_block, &left));
    for (unsigned i = 0; i < left.count; i++) {
        EXPECT(soak, left.is_named[i] ? UMEM_E_DENIED : UMEM_OK,
               umem_block_free_orphan(soak->client, left.handles[i]));
        EXPECT(soak, left.is_named[i] ? UMEM_OK : UMEM_E_STALE_HANDLE,
               umem_block_free(soak->client, left.handles[i]));
        group->counts->orphans++;
    }
    left.count = 0;
    EXPECT(soak, UMEM_OK, umem_heap_list(soak->client, note_heap, &left));
    for (unsigned i = 0; i < left.count; i++) {
        EXPECT(soak, UMEM_OK, umem_heap_destroy(soak->client, left.handles[i], NULL, NULL));
        group->counts->heaps++;
    }
}

/* ---- processes ---- */

static void end_group(struct group *group)
{
    if (group->role->close != NULL)
        group->role->close(&group->soak);
    group->ended(group->context);
}

static void on_member_end(struct member *member)
{
    struct group *group = member->group;
    unsigned long long session;
    bool has_left = sscanf(member->text, "session %llu\n", &session) == 1;

    if (has_left)
        await_end(&group->soak, session);
    group->running--;
    /* First the others learn that the group ends: what is cleaned up then is no concern of theirs. */
    if (group->role->left != NULL)
        group->role->left(&group->soak);
    if (has_left)
        clean_up_after(group, session);
    if (group->running == 0)
        end_group(group);
}

static void on_closed(uv_handle_t *handle)
{
    struct member *member = handle->data;

    if (--member->handles == 0)
        on_member_end(member);
}

static void on_exit_of_member(uv_process_t *process, int64_t status, int signal_number)
{
    struct member *member = process->data;
    struct group *group = member->group;
    unsigned index = (unsigned)(member - group->members);

    /* It may have ended by itself before. */
    if (member->is_killed && signal_number == 0 && status == 0)
        member->is_killed = false;
    if (signal_number != 0 ? !member->is_killed || signal_number != SIGKILL : status != 0)
        FAIL(&group->soak, "%s.%u ended with status %lld, signal %d", group->soak.name, index,
             (long long)status, signal_number);
    group->counts->killed += member->is_killed;
    uv_close((uv_handle_t *)process, on_closed);
    uv_close((uv_handle_t *)&member->timer, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct member *member = handle->data;

    (void)suggested;
    *buf = uv_buf_init(member->text + member->text_size,
                       (unsigned)(sizeof member->text - 1 - member->text_size));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct member *member = stream->data;

    (void)buf;
    if (size < 0)
        uv_close((uv_handle_t *)stream, on_closed);
    else
        member->text_size += (size_t)size;
}

static void on_hang(uv_timer_t *timer)
{
    struct member *member = timer->data;

    FAIL(&member->group->soak, "%s.%u, process %d, hangs", member->group->soak.name,
         (unsigned)(member - member->group->members), (int)member->process.pid);
}

static void on_kill(uv_timer_t *timer)
{
    struct member *member = timer->data;

    if (uv_process_kill(&member->process, SIGKILL) == 0)
        member->is_killed = true;
    uv_timer_start(timer, on_hang, HANG_MS, 0);
}

static void start_member(struct group *group, unsigned index)
{
    struct member *member = &group->members[index];
    struct soak *soak = &group->soak;
    char seed[24];
    char steps[24];
    char number[24];
    char *arguments[] = {(char *)(uintptr_t)group->program,
                         (char *)(uintptr_t) "--worker",
                         (char *)(uintptr_t)group->role->name,
                         seed,
                         (char *)(uintptr_t)soak->pipe,
                         steps,
                         soak->name,
                         number,
                         NULL};
    uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE},
                                     {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE},
                                     {.flags = UV_INHERIT_FD, .data.fd = 2}};
    uv_process_options_t options = {0};
    int code;

    snprintf(seed, sizeof seed, "%llu", (unsigned long long)soak_random(soak));
    snprintf(steps, sizeof steps, "%u", group->role->steps * group->percent / 100 + 1);
    snprintf(number, sizeof number, "%u", index);
    *member = (struct member){.group = group, .handles = 3};
    uv_pipe_init(group->loop, &member->out, 0);
    uv_timer_init(group->loop, &member->timer);
    member->process.data = member->out.data = member->timer.data = member;
    stdio[1].data.stream = (uv_stream_t *)&member->out;
    options.file = group->program;
    options.args = arguments;
    options.stdio = stdio;
    options.stdio_count = 3;
    options.exit_cb = on_exit_of_member;
    code = uv_spawn(group->loop, &member->process, &options);
    if (code != 0)
        FAIL(soak, "cannot start a worker: %s", uv_strerror(code));
    uv_read_start((uv_stream_t *)&member->out, on_alloc, on_read);
    group->running++;
    group->counts->processes++;
    if (group->role->may_be_killed && soak_chance(soak, KILL_ONE_IN))
        uv_timer_start(&member->timer, on_kill, soak_below(soak, KILL_MS), 0);
    else
        uv_timer_start(&member->timer, on_hang, HANG_MS, 0);
}

void group_start(struct group *group)
{
    group->running = 0;
    group->counts->groups++;
    if (group->role->open != NULL)
        group->role->open(&group->soak);
    for (unsigned i = 0; i < group->role->members; i++)
        start_member(group, i);
}

void group_kill(struct group *group)
{
    for (unsigned i = 0; i < MEMBERS_MAX; i++) {
        if (group->members[i].handles != 0 && uv_is_active((uv_handle_t *)&group->members[i].process))
            uv_process_kill(&group->members[i].process, SIGKILL);
    }
}

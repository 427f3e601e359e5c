/* A state directory is opened, or only looked at: which heaps are there, which files are whose, and in which order they come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/records/durable_handles.h"
#include "store/records/restore.h"
#include "store/records/state_sync.h"

enum {
    LISTED_SLOTS = 65536 /* a damaged heap is listed in one of these, whatever its file's name says */
};

/* One reading of a directory. */
struct reading {
    struct um_state *state;
    struct um_heap_files list;
    /* What is done with each heap; false: that is the end, and `why` tells why. */
    bool (*use)(struct reading *reading, struct um_heap_file *row, struct um_recovery *recovery);
    uint64_t seed; /* random bits, where the journal of handles is made */
    char *why;     /* a sentence, for the caller */
    size_t capacity;
};

/* ---- heaps that cannot be used ---- */

static void *lost_alloc(void *memory, uint64_t size, uint32_t alignment)
{
    (void)memory;
    (void)size;
    (void)alignment;
    return NULL;
}

static bool lost_validate(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    (void)memory;
    (void)address;
    (void)size;
    (void)alignment;
    return false;
}

static bool lost_compact_step(void *memory, uint64_t *largest_free)
{
    (void)memory;
    *largest_free = 0;
    return false;
}

static void lost_get_stats(void *memory, struct um_heap_memory_stats *stats)
{
    (void)memory;
    *stats = (struct um_heap_memory_stats){.corrupted = true};
}

static const struct um_heap_ops lost_ops = {
    .validates_whole = true,
    .alloc = lost_alloc,
    .validate = lost_validate,
    .compact_step = lost_compact_step,
    .get_stats = lost_get_stats,
};

/* A record that says that the heap is there. It has no owner, no memory and no blocks. When those that can be used are there: the name of
 * a file that was copied or renamed may be no handle, or have another heap's slot. Then there is only what was reported. */
static void add_lost(struct um_store *store, uint64_t handle)
{
    struct um_heap *heap = NULL;

    if (um_handle_slot(handle) < LISTED_SLOTS || um_handle_slot(handle) < store->heaps.used)
        heap = um_slots_restore(&store->heaps, handle);
    if (heap == NULL)
        return;
    (void)um_slots_raise_floor(&store->heaps,
                               handle); /* its own generation says the same while it is there */
    heap->ops = &lost_ops;
    heap->kind = UM_HEAP_SHARED;
    heap->lifetime = UM_LIFETIME_SERVER;
    heap->alignment = UM_ALIGNMENT_MINIMUM;
    heap->is_durable = true;
    heap->is_lost = true;
    um_list_init(&heap->accounts);
    um_list_init(&heap->in_owner);
    um_list_init(&heap->in_locks);
    store->stats.heaps++;
}
/* Which handles of all kinds must not be given out. */
static bool raise_floors(struct um_store *store, const struct um_replay *replay)
{
    for (size_t i = 0; i < replay->blocks.count; i++) {
        uint64_t handle = um_replay_block_at(replay, i)->handle;
        struct um_slots *slots = (handle & 3) == UM_HANDLE_HEAP ? &store->heaps : &store->blocks;

        if (!um_slots_raise_floor(slots, handle))
            return false;
    }
    return true;
}

/* ---- the journal of handles ---- */

static bool has_handles_file(const struct um_heap_files *list)
{
    return list->count != 0 && list->row[0].heap == 0;
}

static enum um_file_status make_handles(struct um_state *state, uint64_t seed)
{
    const struct um_journal_header header = {
        .id = {seed, ~seed}, .key = seed, .place = um_hash_mix(seed) | 1};

    state->is_new = true;
    return um_journal_create(&state->handles, state->files, &header, NULL);
}

static bool open_handles(const struct reading *reading, struct um_recovery *recovery)
{
    struct um_state *state = reading->state;
    enum um_file_status status = UM_FILE_OK;

    if (recovery->kind == UM_RECOVERY_CORRUPTED || recovery->kind == UM_RECOVERY_FAILED) {
        um_recovery_explain(recovery, state->path, reading->why, reading->capacity);
        return false;
    }
    if (recovery->kind == UM_RECOVERY_UNFINISHED) {
        status = make_handles(state, reading->seed);
    } else {
        if (!raise_floors(state->store, &recovery->replay)) {
            snprintf(reading->why, reading->capacity, "no memory");
            return false;
        }
        status = um_journal_continue(&state->handles, state->files, recovery->number, recovery->file,
                                     &recovery->summary, recovery->summary.end);
        if (status == UM_FILE_OK)
            recovery->file = NULL;
    }
    if (status != UM_FILE_OK)
        snprintf(reading->why, reading->capacity, "the journal of handles in %s cannot be written: %s",
                 state->path, um_file_status_text(status));
    return status == UM_FILE_OK;
}

/* ---- one reading ---- */

/* Whether a heap was only begun: it has no blocks, and either the file for them was not made, or who made it was not written, which is what
 * the first answer about it waits for. */
static bool is_begun_only(const struct um_recovery *recovery)
{
    const struct um_replay *replay = &recovery->replay;
    size_t place;

    return recovery->kind == UM_RECOVERY_HEAP && recovery->heap != 0 && replay->blocks.count == 0 &&
           (!recovery->has_bytes || !um_replay_find_owner(replay, replay->heap.owner, &place));
}

static void judge_begun(const struct um_state *state, struct um_recovery *recovery)
{
    if (!is_begun_only(recovery))
        return;
    state->files->ops->close(recovery->file);
    recovery->file = NULL;
    recovery->kind = UM_RECOVERY_UNFINISHED;
}

/* Whether a journal of which nothing is left was on the disk once: the heap's bytes say so. */
static bool has_mark(const struct um_state *state, const struct um_recovery *recovery)
{
    const struct um_files_ops *ops = state->files->ops;
    unsigned char mark[sizeof UM_DURABLE_MARK];
    char name[UM_JOURNAL_NAME_CAPACITY];
    struct um_file *file;
    uint64_t size;
    bool found;

    um_journal_name(name, recovery->heap, 0);
    if (!recovery->has_bytes || ops->open(state->files, name, &file) != UM_FILE_OK)
        return false;
    found = ops->get_size(file, &size) == UM_FILE_OK && size >= UM_DURABLE_TRAILER_SIZE &&
            ops->read(file, size - UM_DURABLE_TRAILER_SIZE + UM_JOURNAL_HEADER_SIZE, mark, sizeof mark) ==
                UM_FILE_OK &&
            memcmp(mark, UM_DURABLE_MARK, sizeof mark) == 0;
    ops->close(file);
    return found;
}

/* A journal of which nothing is left, though it was on the disk, was cut. */
static void judge_empty(const struct um_state *state, struct um_recovery *recovery)
{
    if (recovery->kind != UM_RECOVERY_UNFINISHED || recovery->replay.is_destroyed ||
        !has_mark(state, recovery))
        return;
    recovery->kind = UM_RECOVERY_CORRUPTED;
    recovery->verdict = UM_JOURNAL_EMPTY;
}

/* Where the journal of handles is a new one (a power failure took the former, or somebody), this directory is that of the first heap. */
static void adopt_place(struct um_state *state, const struct um_recovery *recovery)
{
    uint64_t place = recovery->summary.header.place;
    struct um_journal *handles = &state->handles;

    if (place == 0 || !state->is_new)
        return;
    state->is_new = false;
    if (handles->current.file == NULL) {
        handles->header.place = place; /* the directory is only looked at */
        return;
    }
    um_journal_set_place(handles, place);
    (void)state->files->ops->sync(
        handles->current.file); /* else the next start takes all heaps for foreign */
}

/* Whether a heap waits for others: it was made elsewhere, or one that was made later has its slot. Those come first. */
static bool is_later(struct reading *reading, const struct um_recovery *recovery, size_t next)
{
    const struct um_heap_files *list = &reading->list;

    if (recovery->kind != UM_RECOVERY_HEAP || recovery->heap == 0)
        return false;
    for (; next < list->count; next++) {
        if (um_handle_slot(list->row[next].heap) == um_handle_slot(recovery->heap))
            return true;
    }
    adopt_place(reading->state, recovery);
    return um_restore_is_foreign(reading->state, recovery);
}

/* Reads all heaps of the list that come first, or those that come later. */
static bool read_heaps(struct reading *reading, bool later)
{
    struct um_files *files = reading->state->files;
    struct um_heap_files *list = &reading->list;
    bool done = true;

    for (size_t at = 0; at < list->count && done;) {
        struct um_heap_file *row = &list->row[at];
        struct um_recovery recovery;

        if (later && !row->is_later) {
            at++;
            continue;
        }
        um_recovery_init(&recovery, files, list, &at);
        judge_begun(reading->state, &recovery);
        judge_empty(reading->state, &recovery);
        if (later)
            adopt_place(reading->state, &recovery);
        row->is_later = !later && is_later(reading, &recovery, at);
        if (!row->is_later)
            done = reading->use(reading, row, &recovery);
        um_recovery_deinit(&recovery, files);
    }
    return done;
}

/* Reports what is wrong with a heap's files, if that is so. */
static void report_damage(const struct um_state *state, const struct um_recovery *recovery)
{
    char text[UM_STATE_TEXT_CAPACITY];

    if (recovery->kind != UM_RECOVERY_CORRUPTED && recovery->kind != UM_RECOVERY_FAILED)
        return;
    um_recovery_explain(recovery, state->path, text, sizeof text);
    um_state_report(state, text);
}

/* ---- opening ---- */

/* Keeps the handles of a heap that was destroyed elsewhere than in its journal. On a full disk its bytes make space for that. */
static bool save_handles(struct um_state *state, const struct um_recovery *recovery)
{
    if (um_state_save_handles(state))
        return true;
    return recovery->replay.is_destroyed && recovery->file != NULL &&
           state->files->ops->sync(recovery->file) == UM_FILE_OK &&
           um_journal_remove(state->files, recovery->heap, 0) == UM_FILE_OK && um_state_save_handles(state);
}

/* Removes what is left of a heap that was destroyed or only begun, when its handles are kept elsewhere. Where there is no space for that, the
 * files stay, and say the same at the next start. */
static bool remove_unfinished(struct um_state *state, const struct um_recovery *recovery,
                              const struct um_heap_files *list)
{
    char text[UM_STATE_TEXT_CAPACITY];

    if (!um_slots_raise_floor(&state->store->heaps, recovery->heap) ||
        !raise_floors(state->store, &recovery->replay))
        return false;
    if (save_handles(state, recovery))
        return um_recovery_tidy(recovery, state->files, list) == UM_FILE_OK;
    snprintf(text, sizeof text,
             "the files of heap %llu in %s, which was destroyed, cannot be removed before handles.*.journal "
             "can be "
             "written anew; make space, and start umemd again",
             (unsigned long long)recovery->heap, state->path);
    um_state_report(state, text);
    return state->handles.state == UM_JOURNAL_OPEN;
}

/* The handle of a heap that cannot be used; 0: it can. The journal knows it better than its name does. */
static uint64_t lost_handle(const struct um_recovery *recovery)
{
    uint64_t own = recovery->summary.header.heap;

    if (recovery->kind != UM_RECOVERY_CORRUPTED && recovery->kind != UM_RECOVERY_FAILED)
        return 0;
    return own != 0 ? own : recovery->heap;
}

static bool open_one(struct reading *reading, struct um_heap_file *row, struct um_recovery *recovery)
{
    struct um_state *state = reading->state;
    bool done = true;

    snprintf(reading->why, reading->capacity, "no memory, or the files in %s cannot be written", state->path);
    if (recovery->heap == 0) {
        if (recovery->kind == UM_RECOVERY_UNFINISHED)
            (void)um_recovery_tidy(recovery, state->files, &reading->list);
        done = open_handles(reading, recovery);
    } else if (recovery->kind == UM_RECOVERY_HEAP) {
        done = um_recovery_tidy(recovery, state->files, &reading->list) == UM_FILE_OK &&
               um_restore_heap(state, recovery);
    } else if (recovery->kind == UM_RECOVERY_UNFINISHED) {
        done = remove_unfinished(state, recovery, &reading->list);
    } else {
        report_damage(state, recovery);
    }
    row->lost = lost_handle(recovery);
    return done;
}

static struct um_state *new_state(struct um_store *store, const struct um_state_options *options)
{
    struct um_state *state = calloc(1, sizeof *state);

    if (state == NULL)
        return NULL;
    state->path = malloc(strlen(options->path) + 1);
    if (state->path == NULL) {
        free(state);
        return NULL;
    }
    strcpy(state->path, options->path);
    state->store = store;
    state->files = options->files;
    state->chance = options->seed;
    um_list_init(&state->all);
    um_list_init(&state->ended);
    um_list_init(&state->uncommitted);
    um_list_init(&state->unsynced);
    um_list_init(&state->failed);
    um_list_init(&state->failing);
    state->is_always = options->is_always;
    state->context = options->context;
    state->report = options->report;
    return state;
}

/* What was found out of two journals is in one of them on the disk before the other changes: else it might come back. */
static void sync_given_up(struct um_state *state)
{
    if (!um_list_is_empty(&state->uncommitted))
        um_store_sync_all(state->store);
}

/* Reads all that is there. */
static bool open_all(struct um_state *state, uint64_t seed, char *why, size_t capacity)
{
    struct reading reading = {
        .state = state, .use = open_one, .seed = seed, .why = why, .capacity = capacity};
    struct um_heap_files *list = &reading.list;
    enum um_file_status status = um_heap_files_init(list, state->files);
    bool done;

    if (status == UM_FILE_OK && !has_handles_file(list))
        status = make_handles(state, seed);
    if (status != UM_FILE_OK)
        snprintf(why, capacity, "the state directory %s cannot be used: %s", state->path,
                 um_file_status_text(status));
    done = status == UM_FILE_OK && read_heaps(&reading, false) && read_heaps(&reading, true);
    for (size_t i = 0; i < list->count && done; i++) {
        if (list->row[i].lost != 0)
            add_lost(state->store, list->row[i].lost);
    }
    um_heap_files_deinit(list);
    um_slots_end_restoring(&state->store->heaps);
    um_slots_end_restoring(&state->store->blocks);
    if (done)
        sync_given_up(state);
    return done;
}

/* Options with the files of their directory, which is opened where they have none. */
static int find_files(struct um_state_options *options, bool makes, struct um_state_directory **directory,
                      char *why, size_t capacity)
{
    int code;

    *directory = NULL;
    if (options->files != NULL)
        return UMEM_OK;
    code = um_state_directory_open(options->path, makes, directory, why, capacity);
    if (code != UMEM_OK)
        return code;
    options->files = um_state_directory_files(*directory);
    options->path = um_state_directory_path(*directory);
    return UMEM_OK;
}

int um_store_open_state(struct um_store *store, const struct um_state_options *options, char *why,
                        size_t capacity)
{
    struct um_state_options found = *options;
    struct um_state_directory *directory;
    int code = find_files(&found, true, &directory, why, capacity);

    if (code != UMEM_OK)
        return code;
    store->state = new_state(store, &found);
    if (store->state == NULL) {
        um_state_directory_close(directory);
        snprintf(why, capacity, "no memory");
        return UMEM_E_NO_MEMORY;
    }
    store->state->directory = directory;
    um_slots_allow_former(&store->heaps);
    um_slots_allow_former(&store->blocks);
    return open_all(store->state, found.seed, why, capacity) ? UMEM_OK : UMEM_E_INTERNAL_ERROR;
}

/* ---- looking at it only ---- */

/* Whether the journal of handles can be used, without which no heap can: UMEM_E_DENIED where not. */
static int try_handles(struct um_files *files, const char *path, char *why, size_t capacity)
{
    struct um_heap_files list;
    struct um_recovery recovery;
    enum um_file_status status = um_heap_files_init(&list, files);
    int code = UMEM_OK;
    size_t at = 0;

    if (status != UM_FILE_OK) {
        snprintf(why, capacity, "the state directory %s cannot be used: %s", path,
                 um_file_status_text(status));
        code = UMEM_E_DENIED;
    } else if (has_handles_file(&list)) {
        um_recovery_init(&recovery, files, &list, &at);
        if (recovery.kind == UM_RECOVERY_CORRUPTED || recovery.kind == UM_RECOVERY_FAILED) {
            um_recovery_explain(&recovery, path, why, capacity);
            code = UMEM_E_DENIED;
        }
        um_recovery_deinit(&recovery, files);
    }
    um_heap_files_deinit(&list);
    return code;
}

int um_state_try(const char *path, int64_t *holder, char *why, size_t capacity)
{
    struct um_state_directory *directory = NULL;
    int code = um_state_directory_open(path, true, &directory, why, capacity);

    if (code == UMEM_OK)
        code = try_handles(um_state_directory_files(directory), um_state_directory_path(directory), why,
                           capacity);
    um_state_directory_close(directory);
    if (code == UMEM_E_NAME_TAKEN)
        *holder = um_state_directory_holder(path);
    return code;
}

/* The heap that can be used, and has this one's slot; 0: none has. */
static um_handle find_used(const struct um_heap_files *list, um_handle heap)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->row[i].is_used && um_handle_slot(list->row[i].heap) == um_handle_slot(heap))
            return list->row[i].heap;
    }
    return 0;
}

/* Finds whether the heap can be used; what is wrong is reported. */
static bool examine_one(struct reading *reading, struct um_heap_file *row, struct um_recovery *recovery)
{
    struct um_state *state = reading->state;

    bool is_there = recovery->kind == UM_RECOVERY_HEAP;

    report_damage(state, recovery);
    if (recovery->heap == 0) {
        state->is_new = !is_there;
        state->handles.header = recovery->summary.header;
    } else {
        row->is_used = is_there && um_restore_try(state, recovery, find_used(&reading->list, recovery->heap));
    }
    return true;
}

static int examine_all(const struct um_state_options *options, size_t *heaps, char *why, size_t capacity)
{
    struct um_state state = {
        .files = options->files,
        .path = (char *)(uintptr_t)options->path,
        .context = options->context,
        .report = options->report,
    };
    struct reading reading = {.state = &state, .use = examine_one};
    struct um_heap_files *list = &reading.list;
    enum um_file_status status = um_heap_files_init(list, options->files);

    if (status == UM_FILE_OK) {
        state.is_new = !has_handles_file(list);
        (void)(read_heaps(&reading, false) && read_heaps(&reading, true));
    }
    for (size_t i = 0; i < list->count; i++)
        *heaps += list->row[i].is_used;
    um_heap_files_deinit(list);
    if (status != UM_FILE_OK)
        snprintf(why, capacity, "the state directory %s cannot be read: %s", options->path,
                 um_file_status_text(status));
    return status == UM_FILE_OK ? UMEM_OK : UMEM_E_INTERNAL_ERROR;
}

int um_state_examine(const struct um_state_options *options, size_t *heaps, char *why, size_t capacity)
{
    struct um_state_options found = *options;
    struct um_state_directory *directory;
    int code = find_files(&found, false, &directory, why, capacity);

    *heaps = 0;
    if (code == UMEM_OK)
        code = examine_all(&found, heaps, why, capacity);
    um_state_directory_close(directory);
    return code;
}

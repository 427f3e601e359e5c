#include "store/journal/journal_recovery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "umem_errors.h"

/* ---- the list ---- */

static void add_name(void *context, const char *name)
{
    struct um_heap_files *list = context;
    struct um_heap_file entry = {.lost = 0};

    if (!um_journal_parse_name(name, &entry.heap, &entry.number))
        return;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        struct um_heap_file *row = realloc(list->row, capacity * sizeof *row);

        if (row == NULL) {
            list->failed = true;
            return;
        }
        list->row = row;
        list->capacity = capacity;
    }
    list->row[list->count++] = entry;
}

static int compare(const void *left, const void *right)
{
    const struct um_heap_file *a = left;
    const struct um_heap_file *b = right;

    if (a->heap != b->heap)
        return a->heap < b->heap ? -1 : 1;
    return (a->number < b->number) - (a->number > b->number);
}

enum um_file_status um_heap_files_init(struct um_heap_files *list, struct um_files *files)
{
    enum um_file_status status;

    *list = (struct um_heap_files){.row = NULL};
    status = files->ops->list(files, add_name, list);
    if (status == UM_FILE_OK && list->failed)
        status = UM_FILE_NO_MEMORY;
    if (status == UM_FILE_OK && list->count != 0)
        qsort(list->row, list->count, sizeof *list->row, compare);
    return status;
}

void um_heap_files_deinit(struct um_heap_files *list)
{
    free(list->row);
    *list = (struct um_heap_files){.row = NULL};
}

/* ---- one journal ---- */

static void forget(struct um_recovery *recovery, struct um_files *files)
{
    um_replay_deinit(&recovery->replay);
    if (recovery->file != NULL)
        files->ops->close(recovery->file);
    free(recovery->bytes);
    recovery->file = NULL;
    recovery->bytes = NULL;
}

static enum um_file_status read_all(struct um_recovery *recovery, struct um_files *files)
{
    char name[UM_JOURNAL_NAME_CAPACITY];
    enum um_file_status status;

    um_journal_name(name, recovery->heap, recovery->number);
    status = files->ops->open(files, name, &recovery->file);
    if (status == UM_FILE_OK)
        status = files->ops->get_size(recovery->file, &recovery->size);
    if (status != UM_FILE_OK)
        return status;
    if (recovery->size > SIZE_MAX / 2)
        return UM_FILE_NO_MEMORY;
    recovery->bytes = malloc((size_t)recovery->size + 1);
    if (recovery->bytes == NULL)
        return UM_FILE_NO_MEMORY;
    return files->ops->read(recovery->file, 0, recovery->bytes, (size_t)recovery->size);
}

static const char renamed[] = "the handle of another heap: the file was renamed";

/* What one journal is: a heap, damaged, or one that is not complete, and does not count. */
static enum um_recovery_kind judge(struct um_recovery *recovery, struct um_files *files)
{
    int code;

    recovery->what = NULL;
    recovery->status = read_all(recovery, files);
    if (recovery->status != UM_FILE_OK)
        return UM_RECOVERY_FAILED;
    recovery->verdict = um_journal_examine(recovery->bytes, recovery->size, &recovery->summary);
    recovery->at = recovery->summary.at;
    recovery->what = recovery->summary.what;
    if (recovery->verdict == UM_JOURNAL_EMPTY)
        return UM_RECOVERY_UNFINISHED;
    if (!um_journal_is_usable(recovery->verdict))
        return UM_RECOVERY_CORRUPTED;
    code = um_replay_init(&recovery->replay, recovery->bytes, &recovery->summary);
    if (code == UMEM_E_NO_MEMORY) {
        recovery->status = UM_FILE_NO_MEMORY;
        return UM_RECOVERY_FAILED;
    }
    recovery->what = recovery->replay.what;
    recovery->at = recovery->replay.at;
    if (code == UMEM_OK && recovery->summary.header.heap != recovery->heap) {
        recovery->what = renamed;
        recovery->at = 0;
        code = UMEM_E_CORRUPTED;
    }
    if (code != UMEM_OK) {
        recovery->verdict = UM_JOURNAL_DAMAGED;
        return UM_RECOVERY_CORRUPTED;
    }
    if (!recovery->replay.is_complete || recovery->replay.is_destroyed)
        return UM_RECOVERY_UNFINISHED;
    return UM_RECOVERY_HEAP;
}

/* A heap's blocks may lie in its bytes, or have been lost: without a journal that says so, they are not thrown away. */
void um_recovery_init(struct um_recovery *recovery, struct um_files *files, const struct um_heap_files *list,
                      size_t *at)
{
    uint64_t heap = list->row[*at].heap;

    *recovery =
        (struct um_recovery){.kind = UM_RECOVERY_UNFINISHED, .heap = heap, .number = list->row[*at].number};
    if (recovery->number == 0) {
        recovery->kind = UM_RECOVERY_CORRUPTED;
        recovery->verdict = UM_JOURNAL_DAMAGED;
        recovery->what = "its journal is missing";
    }
    for (size_t i = *at; i < list->count && list->row[i].heap == heap; i++)
        recovery->has_bytes |= list->row[i].number == 0;
    for (; *at < list->count && list->row[*at].heap == heap; ++*at) {
        if (recovery->kind != UM_RECOVERY_UNFINISHED || recovery->replay.is_destroyed ||
            list->row[*at].number == 0)
            continue;
        forget(recovery, files);
        recovery->number = list->row[*at].number;
        recovery->kind = judge(recovery, files);
        if (recovery->kind != UM_RECOVERY_HEAP && !recovery->replay.is_destroyed)
            forget(recovery, files);
    }
}

void um_recovery_deinit(struct um_recovery *recovery, struct um_files *files)
{
    forget(recovery, files);
}

enum um_file_status um_recovery_tidy(const struct um_recovery *recovery, struct um_files *files,
                                     const struct um_heap_files *list)
{
    bool keeps = recovery->kind == UM_RECOVERY_HEAP;

    if (!keeps && recovery->kind != UM_RECOVERY_UNFINISHED)
        return UM_FILE_OK;
    /* The bytes first, the latest journal last: if this is interrupted, what is left still says that it is unfinished. */
    for (size_t i = list->count; i != 0; i--) {
        const struct um_heap_file *entry = &list->row[i - 1];
        enum um_file_status status;

        if (entry->heap != recovery->heap ||
            (keeps && (entry->number == recovery->number || entry->number == 0)))
            continue;
        status = um_journal_remove(files, entry->heap, entry->number);
        if (status != UM_FILE_OK && status != UM_FILE_NOT_THERE)
            return status;
    }
    return UM_FILE_OK;
}

void um_recovery_explain(const struct um_recovery *recovery, const char *directory, char *text,
                         size_t capacity)
{
    char name[UM_JOURNAL_NAME_CAPACITY];
    /* Without the journal of handles, a new one is begun. */
    const char *otherwise =
        recovery->heap != 0
            ? "move the heap's files elsewhere"
            : "move it elsewhere (handles of blocks that are gone may be given out again then)";

    um_journal_name(name, recovery->heap, recovery->number);
    if (recovery->kind == UM_RECOVERY_FAILED) {
        snprintf(text, capacity, "%s/%s cannot be read: %s; mend that, and start umemd again", directory,
                 name, um_file_status_text(recovery->status));
        return;
    }
    if (recovery->what == renamed) {
        char right[UM_JOURNAL_NAME_CAPACITY];

        um_journal_name(right, recovery->summary.header.heap, recovery->number);
        snprintf(
            text, capacity,
            "%s/%s was renamed or copied: it is %s; give both of the heap's files their names back, or move "
            "them elsewhere",
            directory, name, right);
        return;
    }
    switch (recovery->verdict) {
    case UM_JOURNAL_FOREIGN:
        snprintf(text, capacity, "%s/%s is no journal of umemd's; put the right file back, or %s", directory,
                 name, otherwise);
        break;
    case UM_JOURNAL_NEWER:
        snprintf(text, capacity,
                 "%s/%s has format %" PRIu32 ", and this umemd reads formats up to %d; start a newer umemd",
                 directory, name, recovery->summary.version, UM_JOURNAL_VERSION);
        break;
    case UM_JOURNAL_CUT:
    case UM_JOURNAL_EMPTY:
        snprintf(text, capacity,
                 "%s/%s ends at byte %" PRIu64 ", and was longer; put a whole copy back, or %s", directory,
                 name, recovery->at, otherwise);
        break;
    case UM_JOURNAL_WHOLE:
    case UM_JOURNAL_TORN:
    case UM_JOURNAL_DAMAGED:
        snprintf(text, capacity, "%s/%s is damaged at byte %" PRIu64 ": %s; put a copy back, or %s",
                 directory, name, recovery->at, recovery->what != NULL ? recovery->what : "the heap's bytes",
                 otherwise);
        break;
    }
}

/*
 * What a state directory holds: which heaps, and which file of each counts.
 *
 * Owns: what was read, until it is freed. Must not know: the store's records, what clients see of it. It changes nothing in the
 * directory but by um_recovery_tidy().
 */
#ifndef UM_STORE_JOURNAL_RECOVERY_H
#define UM_STORE_JOURNAL_RECOVERY_H

#include "store/journal/journal.h"
#include "store/journal/journal_replay.h"

/* One file of a heap. */
struct um_heap_file {
    uint64_t heap;   /* its handle */
    uint32_t number; /* of a journal; 0: the heap's bytes */
    /* Set by whoever uses the list, of a heap's first file: */
    uint64_t lost; /* the handle of the heap, which cannot be used; 0: it can, or is none */
    bool is_used;  /* the heap can be used */
    bool is_later; /* it comes when those that were made here are there */
};

/* The files of all heaps, those of one heap together, the latest journal first, its bytes last. */
struct um_heap_files {
    struct um_heap_file *row;
    size_t count;
    size_t capacity;
    bool failed; /* no memory */
};

/* Lists them; other names are passed over. um_heap_files_deinit() in any case. */
enum um_file_status um_heap_files_init(struct um_heap_files *list, struct um_files *files);
void um_heap_files_deinit(struct um_heap_files *list);

enum um_recovery_kind {
    UM_RECOVERY_HEAP, /* it is there */
    UM_RECOVERY_UNFINISHED, /* it was being made, or removed, and is not there: um_recovery_tidy() removes the files */
    UM_RECOVERY_CORRUPTED, /* its files are damaged, and are left alone */
    UM_RECOVERY_FAILED     /* it could not be read */
};

struct um_recovery {
    enum um_recovery_kind kind;
    uint64_t heap;                   /* handle */
    bool has_bytes;                  /* the file of its bytes is there */
    uint32_t number;                 /* of the journal that counts, or that is damaged; 0: none */
    enum um_journal_verdict verdict; /* of that */
    enum um_file_status status;      /* FAILED */
    uint64_t at;                     /* CORRUPTED: where, in bytes from the journal's start */
    const char *what;                /* CORRUPTED: static, what is wrong there; NULL: `verdict` says it all */
    struct um_file *file;            /* HEAP: open; whoever takes it sets it to NULL */
    unsigned char *bytes;            /* HEAP: what the file holds, to which texts in `replay` point */
    uint64_t size;                   /* bytes */
    struct um_journal_summary summary;
    struct um_replay replay; /* HEAP, and UNFINISHED where it says that the heap was destroyed */
};

/* Reads the heap whose files begin at list->row[*at], and moves *at behind them. um_recovery_deinit() in any case. */
void um_recovery_init(struct um_recovery *recovery, struct um_files *files, const struct um_heap_files *list,
                      size_t *at);
void um_recovery_deinit(struct um_recovery *recovery, struct um_files *files);

/* Removes what does not count any more: all but the journal that does and the bytes; of an unfinished heap, everything.
 * Nothing of a corrupted one. */
enum um_file_status um_recovery_tidy(const struct um_recovery *recovery, struct um_files *files,
                                     const struct um_heap_files *list);

/* Writes what is wrong with a corrupted or failed heap: file, place, and what to do. `directory` is the path. */
void um_recovery_explain(const struct um_recovery *recovery, const char *directory, char *text,
                         size_t capacity);

#endif

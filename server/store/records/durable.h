/*
 * Durable heaps: what they have besides a shared heap's memory, which is a journal of their records in a state directory. This is what all
 * parts of that share: the records, commits, and what a failure is.
 *
 * Owns: what was noted and not committed, and memory that waits for that. Must not know: what the directory is, threads, when answers go
 * out.
 *
 * A change is noted when it has been made (durable_notes.h): space for the note was reserved before. um_store_commit() writes all notes, before answers tell
 * of the changes. Memory that is freed is not handed out again before the note of that is written: until then, the block would come back
 * where the process is killed.
 *
 * With um_state_options.is_always the notes are written by the next sync instead, when the bytes they are about are on the disk: else a record might
 * outlive a power failure that its bytes did not. Memory that is freed waits for the end of that sync.
 *
 * For the store itself: state.h is what others see of it.
 */
#ifndef UM_STORE_DURABLE_H
#define UM_STORE_DURABLE_H

#include <assert.h>

#include "store/journal/journal.h"
#include "store/journal/state_directory.h"
#include "store/records/records.h"
#include "store/records/state.h"
#include "store/records/state_sync.h"

enum {
    UM_DURABLE_CHANGES_LIMIT = 512, /* that wait for a commit, where that can be done at once */
    UM_DURABLE_CHANGES_SPARE = 4,   /* as many as one call makes, after um_durable_check() */
    UM_STATE_PATH_CAPACITY = 4096,
    UM_STATE_TEXT_CAPACITY = UM_STATE_PATH_CAPACITY + 512, /* bytes: a path and a sentence */
    UM_DURABLE_TRAILER_SIZE =
        4096 /* bytes behind the heap's own in the file of bytes, which say whose it is */
};

/* Behind the header in the trailer, once the heap's journal is on the disk: then a journal of which nothing is left was cut. */
#define UM_DURABLE_MARK "journal"

enum um_durable_change_kind {
    UM_DURABLE_ALLOC,  /* a block was allocated */
    UM_DURABLE_FREE,   /* a block was freed: its record, memory and name are kept */
    UM_DURABLE_PLACE,  /* a block was resized or moved */
    UM_DURABLE_RECORD, /* a block has another name, lifetime or owner */
    UM_DURABLE_MEMORY  /* memory is in no block any more, and is kept */
};

/* A change that is not committed yet: what is to be done when it is, and what if it cannot be, to undo it. */
struct um_durable_change {
    enum um_durable_change_kind kind;
    bool was_released; /* RECORD: um_block_extra.maker_released */
    bool was_renamed;  /* RECORD: `name` is what it had */
    um_handle handle;  /* ALLOC, PLACE, RECORD: of the block; FREE: of one that has taken its name, or 0 */
    struct um_block *block;     /* FREE: its record */
    void *address;              /* FREE, MEMORY: to be freed, NULL: it is a pin's; PLACE: where it was */
    uint64_t size;              /* bytes; MEMORY: of that; PLACE: that it had */
    struct um_account *account; /* RECORD: that it belonged to */
    struct um_name *name;       /* RECORD: in no table; NULL: none */
};

/* A heap's part in a sync. */
struct um_durable_sync {
    struct um_journal_sync journal;
    struct um_heap *heap; /* whose bytes are synced, and whose memory is kept meanwhile; NULL: they are not */
    struct um_file *bytes;
    enum um_file_status bytes_status;
    uint64_t flushes; /* um_durable.flushes that end with it */
    size_t changes;   /* of um_durable.changes: so many are committed at its end */
};

/* What a durable heap has besides. */
struct um_durable {
    struct um_state *state;
    struct um_heap *heap; /* NULL once it is destroyed */
    struct um_journal journal;
    struct um_link in_all;         /* place in um_state.all, or in .ended */
    struct um_link in_uncommitted; /* place in um_state.uncommitted */
    struct um_journal_entry entry; /* of the heap, without texts */
    struct um_link in_unsynced;    /* place in um_state.unsynced */
    struct um_link in_syncing;     /* place in um_store_sync.heaps */
    struct um_durable_sync sync;   /* while it is there */
    struct um_file *bytes;         /* the file of bytes */
    uint64_t flushes;              /* that um_heap_flush() was called for */
    uint64_t flushed;              /* so many of them have ended */
    bool bytes_unsynced;           /* the next sync is to have the bytes on the disk, too */
    bool names_unsynced;           /* likewise the names of its files */
    bool bytes_failed;             /* the journal has failed because the file of bytes has */
    bool is_failure_told;          /* the journal has failed, and that was counted and reported */
    uint64_t epoch;                /* which of its files the current one is */
    uint64_t next_epoch;           /* likewise the latest that was begun */
    uint32_t cursor; /* while the journal is written anew: blocks in slots before it are in the new file */
    bool is_marked;  /* UM_DURABLE_MARK is in the file of bytes */
    bool is_new;     /* nothing of it was ever committed */
    struct um_link in_failing; /* place in um_state.failing */
    struct um_durable_change
        *changes; /* malloc; those that are not committed, in the order in which they were made */
    size_t change_count;
    size_t change_capacity;
    size_t freed_count; /* of `changes`: FREE and MEMORY */
};

/* What a store has besides that has durable heaps. */
struct um_state {
    struct um_store *store;
    struct um_files *files;
    struct um_state_directory *directory; /* whose files they are, where it is ours to close; else NULL */
    char *path;                           /* of the directory */
    uint64_t chance;                      /* for keys and ids */
    struct um_link all;                   /* list of um_durable.in_all */
    struct um_link ended;                 /* list of um_durable.in_all: destroyed, files to be removed */
    struct um_link uncommitted;           /* list of um_durable.in_uncommitted */
    struct um_link
        failed; /* list of um_durable.in_all: destroyed, but that could not be written: files stay */
    struct um_link failing;  /* list of um_durable.in_failing: what was changed is to be undone */
    struct um_link unsynced; /* list of um_durable.in_unsynced: something of it may not be on the disk */
    bool is_new;             /* its journal of handles was made at this start */
    bool is_always;          /* changes are on the disk before answers tell of them */
    uint64_t rounds_wanted;  /* um_store_want_sync() was answered with this, at last; */
    uint64_t rounds_begun;   /* so many syncs of UM_SYNC_HEAPS have begun, */
    uint64_t rounds_ended;   /* and so many have ended */
    bool was_round;          /* the last sync was one of these: others come first */
    void *context;           /* handed to `report` */
    void (*report)(void *context, const char *text); /* as in struct um_state_options */
    struct um_journal handles;                       /* which handles must not be given out again */
    struct um_journal_former formers[UM_FORMERS];    /* until the next sync */
    struct um_durable *compacting;                   /* whose journal is written anew; NULL: none is */
    bool has_work;                                   /* some journal may want to be written anew */
    bool is_complete;                                /* that one waits for its sync */
    bool is_syncing;                   /* between um_store_sync_begin() and um_store_sync_end() */
    char text[UM_STATE_TEXT_CAPACITY]; /* of the last fault */
};

/* Writes the path of a heap's file. */
void um_state_path(const struct um_state *state, uint64_t heap, uint32_t number, char *path, size_t capacity);

/* Whether a journal is to be written anew: um_state_work(). */
static inline bool um_state_has_work(const struct um_state *state)
{
    return state->compacting != NULL ? !state->is_complete : state->has_work;
}

/* Tells whoever wants to know that a heap cannot be used: a sentence. */
static inline void um_state_report(const struct um_state *state, const char *text)
{
    if (state->report != NULL)
        state->report(state->context, text);
}

/* A random number, for keys and ids. */
uint64_t um_state_draw(struct um_state *state);

/* ---- failures ---- */

/* The facts of a journal that has failed: UMEM_E_CORRUPTED. */
int um_durable_explain_failure(const struct um_durable *durable, struct um_fault *fault);

/* Says in the facts of a failure that the disk has no space for a block's bytes. */
void um_durable_explain_space(struct um_durable *durable, struct um_fault *fault);

/* Whether the journal goes on. Where it has failed, that is counted and reported once, and um_store_commit() or the end of the sync undoes
 * what was changed. */
bool um_durable_goes_on(struct um_durable *durable);

/* ---- commits ---- */

/* Something was added to the journal that an answer may tell of. */
void um_durable_note_uncommitted(struct um_durable *durable);

/* Something is not on the disk. */
void um_durable_note_unsynced(struct um_durable *durable);

/* Bytes of a block were written: nothing is written of that, but they may have to be on the disk before an answer. */
void um_durable_note_bytes(struct um_durable *durable);

/* The journal may want to be written anew. */
void um_durable_note_work(struct um_durable *durable);

/* Writes what was noted, and frees memory that waits for that. False: the journal has failed. */
bool um_durable_commit(struct um_durable *durable);

/* ---- changes that wait for a commit ---- */

/* Makes space for UM_DURABLE_CHANGES_SPARE more. False: no memory, or the journal has failed. */
bool um_durable_reserve_changes(struct um_durable *durable);

/* Keeps one for which there is space. */
UM_ALWAYS_INLINE void um_durable_keep(struct um_durable *durable, const struct um_durable_change *change)
{
    assert(durable->change_count < durable->change_capacity);
    durable->freed_count += change->kind == UM_DURABLE_FREE || change->kind == UM_DURABLE_MEMORY;
    durable->changes[durable->change_count++] = *change;
}

/* Frees memory that is in no block any more when the note of that is written. */
void um_durable_free_memory(struct um_durable *durable, void *address, uint64_t size);

/* The first `count` are committed: memory and records that are kept for them are free. */
void um_durable_end_changes(struct um_durable *durable, size_t count);

/* Frees the record and the name of a block that was freed. Its memory stays. */
void um_durable_end_block(struct um_store *store, struct um_block *block);

/* Has memory freed that waits for a commit, by committing now. Returns whether there was some. What waits for a sync goes on waiting. */
bool um_durable_release(struct um_durable *durable);

/* Whether there is some. */
bool um_durable_has_freed(const struct um_durable *durable);

#endif

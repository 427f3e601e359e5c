/*
 * The journal of one durable heap: entries are gathered, and written by one write for each commit.
 *
 * Owns: the journal's files. Must not know: what the entries are about, when commits and syncs are due, threads.
 *
 * Space is reserved before anything changes (um_journal_reserve()), so that a commit does not fail for want of it. Where a commit or a
 * sync fails all the same, the disk has failed: the journal takes no more entries, and what was committed before stands.
 * A failed sync is never tried again: the system may have dropped what it could not write.
 *
 * A journal that has grown is written anew (compacted): another file with a higher number is begun, its caller adds what there is
 * piece by piece, entries that come meanwhile go to both files, it is said to be complete, and when it is on the disk, the old one is
 * removed. At every moment one of the files is whole; the complete one with the highest number counts.
 */
#ifndef UM_STORE_JOURNAL_H
#define UM_STORE_JOURNAL_H

#include "store/journal/journal_format.h"
#include "store/journal/journal_names.h"
#include "store/journal/state_files.h"

enum {
    UM_JOURNAL_RESERVED = 262144, /* bytes by which a file is extended */
    UM_JOURNAL_SLACK = 16384      /* bytes that only what makes space may take */
};

/* One file that is appended to. */
struct um_journal_log {
    struct um_file *file; /* NULL: there is none */
    uint32_t number;      /* of the file, in its name */
    uint64_t key;         /* of the checks */
    struct um_buf batch;  /* what is to be written; begins with space for a batch's head. Empty: nothing */
    struct um_buf full;   /* batches before it that wait for a sync which takes them (um_journal.holds) */
    uint64_t end;         /* bytes: where the next batch goes, behind those */
    uint64_t batches;     /* before the next one */
    uint64_t reserved;    /* bytes that the file has */
    uint64_t synced_end;  /* bytes that are on the disk */
    uint64_t synced_size; /* bytes that the file has on the disk */
};

enum um_journal_compaction {
    UM_JOURNAL_NOT_COMPACTING,
    UM_JOURNAL_COMPACTING, /* what is added goes to both files; it may be given up */
    UM_JOURNAL_COMPLETING  /* likewise, and both count: one must not come to say less than the other */
};

enum um_journal_state {
    UM_JOURNAL_OPEN,
    UM_JOURNAL_FAILED /* the disk failed, or memory ran out where that cannot be: no more entries */
};

struct um_journal {
    struct um_files *files;
    struct um_journal_header header; /* but for the key */
    struct um_journal_log current;
    struct um_journal_log next; /* that is being written anew; no file: none is */
    enum um_journal_compaction compaction;
    uint64_t compacted_size; /* bytes that `current` had when it was begun: what the entries alone take */
    enum um_journal_state state;
    enum um_file_status failure; /* FAILED: why */
    bool is_syncing;             /* either file is: between the two calls that begin and end it */
    bool holds;                  /* set by the owner: a batch that is full is written by a sync, too */
};

/* Makes a new heap's journal, with `heap` as its first entry (NULL: that of handles). header->key is random, as those of later calls. Where it fails there is
 * no journal, and no file. */
enum um_file_status um_journal_create(struct um_journal *journal, struct um_files *files,
                                      const struct um_journal_header *header,
                                      const struct um_journal_entry *heap);

/* Continues a journal that was examined: `file` is open, and the journal's from then on where it succeeds. What a power failure has
 * torn at its end is made zero. `needed_size`: bytes that what is there takes in a journal that is written anew. */
enum um_file_status um_journal_continue(struct um_journal *journal, struct um_files *files, uint32_t number,
                                        struct um_file *file, const struct um_journal_summary *summary,
                                        uint64_t needed_size);

/* Has it say which state directory it is of. Where that cannot be written, it is so after the next start. */
void um_journal_set_place(struct um_journal *journal, uint64_t place);

/* Closes the files; what was not committed is lost. No sync may be at work. */
void um_journal_close(struct um_journal *journal);

/* Removes the closed journal's file. */
enum um_file_status um_journal_remove(struct um_files *files, uint64_t heap, uint32_t number);

/* ---- entries ---- */

/* Makes sure that entries of so many bytes can be added and committed. `is_freeing`: they make space, and may take the slack.
 * UM_FILE_NO_SPACE and so on: nothing has changed; or why the journal has failed. */
enum um_file_status um_journal_reserve(struct um_journal *journal, size_t size, bool is_freeing);

/* Adds an entry for which space was reserved. What is reserved in one call and added together is committed together. `to_next`: also to
 * the file that is being written anew, if one is. */
void um_journal_add(struct um_journal *journal, const struct um_journal_entry *entry, bool to_next);

/* Adds it to that file only, if one is being written. */
void um_journal_add_to_next(struct um_journal *journal, const struct um_journal_entry *entry);

/* Whether there is something to commit. */
static inline bool um_journal_is_uncommitted(const struct um_journal *journal)
{
    return journal->current.full.size != 0 || journal->current.batch.size != 0 ||
           journal->next.full.size != 0 || journal->next.batch.size != 0;
}

/* Writes what was added. From then on it outlives the process. False: the journal has failed. */
bool um_journal_commit(struct um_journal *journal);

/* Writes only what was added to the file that is being written anew, if one is. */
void um_journal_commit_next(struct um_journal *journal);

/* ---- the disk ---- */

/* Whether something that was added or committed is not on the disk yet, and no sync is at work. */
bool um_journal_wants_sync(const struct um_journal *journal);

/* A sync: begin, run (on any thread), end. In between the journal is used as before, but not closed, and no compaction begins or
 * ends. `takes_batch`: what was added and not committed is written by the run; nothing of it is in the file before. */
struct um_journal_sync {
    struct um_file *file;
    const struct um_files_ops *ops;
    struct um_buf batch;        /* to be written first; empty: nothing is */
    uint64_t at;                /* bytes: where it goes */
    uint64_t end;               /* bytes that are on the disk afterwards */
    uint64_t size;              /* bytes that the file has then */
    bool is_synced;             /* all of it is on the disk already */
    enum um_file_status status; /* set to a failure before the run: it does nothing */
};
void um_journal_sync_begin(struct um_journal *journal, struct um_journal_sync *sync, bool takes_batch);
void um_journal_sync_run(struct um_journal_sync *sync);

/* False: the journal has failed. That is also the way to have it fail where a file that belongs to it could not be synced. */
bool um_journal_sync_end(struct um_journal *journal, struct um_journal_sync *sync);

/* ---- writing it anew ---- */

/* Whether it has grown so much since it was begun that this is worth the work. */
bool um_journal_wants_compaction(const struct um_journal *journal);

/* Begins. The caller adds everything with um_journal_compact_add(), the heap's entry first, in pieces: each ends with
 * um_journal_commit_next(). */
enum um_file_status um_journal_compact_begin(struct um_journal *journal, uint64_t key);

/* Adds an entry to the new file. Where it fails, the compaction is over, and the journal goes on as it was. */
enum um_file_status um_journal_compact_add(struct um_journal *journal, const struct um_journal_entry *entry);

static inline bool um_journal_is_compacting(const struct um_journal *journal)
{
    return journal->compaction == UM_JOURNAL_COMPACTING;
}

/* All is added: the new file is complete, and `sync` is begun for it, as by um_journal_sync_begin(). The names must be synced with it.
 * Fails as um_journal_compact_add(), or with the journal. No other sync may be at work. */
enum um_file_status um_journal_compact_complete(struct um_journal *journal, struct um_journal_sync *sync,
                                                bool takes_batch);

/* A file that was replaced, to be removed: that takes as long as it is large. */
struct um_journal_former {
    struct um_file *file; /* NULL: there is none */
    char name[UM_JOURNAL_NAME_CAPACITY];
};

/* The new file is on the disk, its name too: the old one is `kept`, or where that is NULL, removed. False: the sync, and with it the journal,
 * has failed. */
bool um_journal_compact_end(struct um_journal *journal, struct um_journal_sync *sync,
                            struct um_journal_former *kept);

/* Closes and removes it. On any thread. */
void um_journal_former_remove(struct um_files *files, struct um_journal_former *former);

/* Gives a compaction up that is not complete. */
void um_journal_compact_cancel(struct um_journal *journal);

#endif

/*
 * The format of a journal: what a durable heap's records are on the disk. docs/state.md describes it byte by byte.
 *
 * Owns: nothing; bytes in, entries out, and the other way. Must not know: files, the store's records.
 *
 * A journal is a header and batches behind it. A batch is all that one commit wrote: it holds as a whole or not at all. Each says how
 * long it is, which one it is, and what the system had confirmed to be on the disk when it was written; the last is what
 * tells damage from a power failure, after which any part that was not confirmed may be missing.
 */
#ifndef UM_STORE_JOURNAL_FORMAT_H
#define UM_STORE_JOURNAL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    UM_JOURNAL_VERSION = 1,
    UM_JOURNAL_HEADER_SIZE = 64,          /* bytes */
    UM_JOURNAL_BATCH_HEAD = 32,           /* bytes before a batch's entries */
    UM_JOURNAL_BATCH_TAIL = 8,            /* bytes behind them: the check */
    UM_JOURNAL_BATCH_LIMIT = 1024 * 1024, /* bytes in a batch */
    UM_JOURNAL_ENTRY_LIMIT = 1024,        /* bytes in an entry: all texts are shorter than 256 bytes */
    UM_JOURNAL_TEXT_LIMIT = 255           /* bytes in a text */
};

/* The beginning of a journal. */
struct um_journal_header {
    uint64_t id[2]; /* random: which heap it is, also in the file of its bytes */
    uint64_t heap;  /* its handle */
    uint64_t key;   /* random: of the checks of this file's batches */
    uint64_t place; /* random: the state directory in which the heap was made; 0: not known */
};

enum um_journal_entry_type {
    UM_JOURNAL_HEAP = 1,  /* the heap: first in every journal, and only there */
    UM_JOURNAL_OWNER,     /* who made blocks; before the first entry that names it */
    UM_JOURNAL_BLOCK,     /* a block was allocated */
    UM_JOURNAL_FREE,      /* a block was freed */
    UM_JOURNAL_PLACE,     /* a block was resized, or moved */
    UM_JOURNAL_CHANGE,    /* a block has another name, lifetime or owner */
    UM_JOURNAL_COMPLETE,  /* all that was there when the file was begun has been written */
    UM_JOURNAL_DESTROYED, /* the heap was destroyed: its files are to be removed */
    UM_JOURNAL_CLOSED,    /* the daemon ended in order */
    UM_JOURNAL_SLOTS      /* in the journal of handles: those that must not be given out again */
};

/* An entry. Members that its type does not have are zero. */
struct um_journal_entry {
    enum um_journal_entry_type type;
    bool is_session;       /* BLOCK, CHANGE: it ends with the session that made it, and so with the daemon */
    uint32_t created;      /* BLOCK: seconds since 1970-01-01 UTC */
    uint32_t flags;        /* HEAP */
    uint32_t alignment;    /* HEAP: bytes */
    uint64_t handle;       /* HEAP, BLOCK, FREE, PLACE, CHANGE: whose */
    uint64_t owner;        /* HEAP, OWNER, BLOCK, CHANGE: the session's number */
    uint64_t offset;       /* BLOCK, PLACE: bytes from the start of the heap's file */
    uint64_t size;         /* BLOCK, PLACE: bytes */
    uint64_t initial_size; /* HEAP: bytes */
    uint64_t maximum_size; /* HEAP: bytes */
    uint64_t length;       /* HEAP: bytes of the file that may be in blocks */
    uint64_t pid;          /* OWNER */
    const char *name;      /* HEAP, BLOCK, CHANGE: without an end; OWNER: the program */
    const char *user;      /* OWNER: without an end */
    uint8_t name_size;     /* bytes; 0: none */
    uint8_t user_size;     /* bytes */
};

/* ---- writing ---- */

/* Writes a header. */
void um_journal_put_header(unsigned char bytes[UM_JOURNAL_HEADER_SIZE],
                           const struct um_journal_header *header);

/* Bytes that an entry takes. */
size_t um_journal_entry_size(const struct um_journal_entry *entry);

/* Writes an entry, of at most UM_JOURNAL_ENTRY_LIMIT bytes. Returns its size. */
size_t um_journal_put_entry(unsigned char *bytes, const struct um_journal_entry *entry);

/* What a batch says of itself. */
struct um_journal_batch {
    uint64_t number;      /* 1 for the first, then one more for each */
    uint64_t synced_end;  /* bytes from the file's start that were on the disk when it was written */
    uint64_t synced_size; /* bytes that the file had on the disk then */
};

/* Fills in head and tail of a batch, whose entries lie at bytes + UM_JOURNAL_BATCH_HEAD. `size` is that of the whole. */
void um_journal_seal_batch(unsigned char *bytes, size_t size, const struct um_journal_batch *batch,
                           uint64_t key);

/* ---- reading ---- */

/* What a file turns out to be. The first two can be used. */
enum um_journal_verdict {
    UM_JOURNAL_WHOLE,
    UM_JOURNAL_TORN,  /* what was written last is missing, as after a power failure: to be used up to `end` */
    UM_JOURNAL_EMPTY, /* nothing was ever written to it */
    UM_JOURNAL_FOREIGN, /* it is no journal */
    UM_JOURNAL_NEWER,   /* of a later version */
    UM_JOURNAL_CUT,     /* its end was cut off */
    UM_JOURNAL_DAMAGED  /* bytes that were on the disk have changed */
};

struct um_journal_summary {
    struct um_journal_header header;
    uint64_t end;     /* bytes up to the end of the last batch that is whole: where the next one goes */
    uint64_t batches; /* that are whole: the number of the last one */
    uint64_t at;      /* EMPTY and worse: where it is wrong, in bytes from the file's start */
    uint32_t version; /* NEWER */
    const char *what; /* DAMAGED: static, what is wrong there */
};

/* Looks at a whole file. It may hold anything. */
enum um_journal_verdict um_journal_examine(const unsigned char *bytes, uint64_t size,
                                           struct um_journal_summary *summary);

/* Whether such a file's entries may be used. */
static inline bool um_journal_is_usable(enum um_journal_verdict verdict)
{
    return verdict == UM_JOURNAL_WHOLE || verdict == UM_JOURNAL_TORN;
}

/* A walk over the entries of a file that was examined, up to summary.end. */
struct um_journal_walk {
    const unsigned char *bytes;
    uint64_t end;       /* of the last batch */
    uint64_t at;        /* the next entry, or the end of its batch's entries */
    uint64_t read_at;   /* the entry that was read last, or that is wrong */
    uint64_t batch_end; /* of the entries of the batch that it is in; 0: before the first */
};

void um_journal_walk_begin(struct um_journal_walk *walk, const unsigned char *bytes,
                           const struct um_journal_summary *summary);

/* Reads the next entry; its texts are the file's. Returns false at the end, or where an entry is not as it must be: then *what says
 * what is wrong, and walk->read_at where. */
bool um_journal_walk_next(struct um_journal_walk *walk, struct um_journal_entry *entry, const char **what);

#endif

/*
 * What the entries of a journal come to: a heap, its blocks and who made them.
 *
 * Owns: tables of that; texts stay in the file's bytes. Must not know: files, the store's records, whether blocks overlap.
 */
#ifndef UM_STORE_JOURNAL_REPLAY_H
#define UM_STORE_JOURNAL_REPLAY_H

#include "store/journal/journal_format.h"

/* A block, as the last entries about it say. */
struct um_replay_block {
    uint64_t handle;
    uint64_t offset;   /* bytes from the start of the heap's file */
    uint64_t size;     /* bytes */
    uint64_t owner;    /* the session's number */
    const char *name;  /* without an end */
    uint32_t created;  /* seconds since 1970-01-01 UTC */
    uint8_t name_size; /* bytes; 0: none */
    bool is_session;   /* it ended with the daemon */
    bool is_freed;     /* it is gone; its handle must not be given out again */
    bool is_replaced;  /* likewise, but the journal does not say so: for whoever restores the block */
    bool is_renamed;   /* its name is another's, which the journal does not say: likewise */
};

struct um_replay_owner {
    uint64_t id;
    uint64_t pid;
    const char *program;  /* without an end */
    const char *user;     /* without an end */
    uint8_t program_size; /* bytes */
    uint8_t user_size;    /* bytes */
};

/* Records that are found by their first member, a number of 64 bits. */
struct um_replay_table {
    unsigned char *records;
    size_t record_size; /* bytes */
    size_t count;
    size_t capacity;   /* records that there is memory for */
    uint32_t *index;   /* open addressing: 1 + the place of a record; 0: none */
    size_t index_size; /* a power of two, at least twice the records; 0: no index yet */
};

struct um_replay {
    struct um_journal_entry heap; /* the entry HEAP */
    struct um_replay_table
        blocks; /* of um_replay_block: all that there ever were in this journal. In the journal of handles, only
                                      `handle` of each counts: UM_JOURNAL_SLOTS */
    struct um_replay_table owners; /* of um_replay_owner */
    bool
        is_complete; /* all that was there when the file was begun is in it; if not, an older file is to be used */
    bool is_destroyed; /* the heap is gone, its files are to be removed */
    bool is_closed;    /* the daemon that wrote it ended in order */
    uint64_t at;       /* UMEM_E_CORRUPTED: where, in bytes from the file's start */
    const char *what;  /* UMEM_E_CORRUPTED: static, what is wrong there */
};

/* Reads what was examined and is usable. UMEM_E_NO_MEMORY; UMEM_E_CORRUPTED where an entry cannot be, or contradicts those before it.
 * um_replay_deinit() in any case. The bytes must stay as long as the texts are used. */
int um_replay_init(struct um_replay *replay, const unsigned char *bytes,
                   const struct um_journal_summary *summary);
void um_replay_deinit(struct um_replay *replay);

/* The records in the order in which they first came; `place` is below the table's count. */
static inline struct um_replay_block *um_replay_block_at(const struct um_replay *replay, size_t place)
{
    return (struct um_replay_block *)(void *)replay->blocks.records + place;
}
static inline const struct um_replay_owner *um_replay_owner_at(const struct um_replay *replay, size_t place)
{
    return (const struct um_replay_owner *)(const void *)replay->owners.records + place;
}

/* Sets *place to an owner's in the table; false: there is none with this number. */
bool um_replay_find_owner(const struct um_replay *replay, uint64_t id, size_t *place);

#endif

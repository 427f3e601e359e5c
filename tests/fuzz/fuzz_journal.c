/* The bytes of a journal: whatever they are, it is said what they are, and nothing is read beyond them. What is read is written
 * back the same. Input: a file; where its checks are wrong, they are made right, so that entries are reached. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "store/journal/journal_replay.h"
#include "umem_errors.h"

enum { HEAD = UM_JOURNAL_HEADER_SIZE, LIMIT = 64 * 1024, KEY = 5 };

/* Entries that are written again must be the bytes that were read. */
static void check_entries(const unsigned char *bytes, const struct um_journal_summary *summary)
{
    struct um_journal_walk walk;
    struct um_journal_entry entry;
    const char *what;

    um_journal_walk_begin(&walk, bytes, summary);
    while (um_journal_walk_next(&walk, &entry, &what)) {
        unsigned char again[UM_JOURNAL_ENTRY_LIMIT];
        size_t size = um_journal_entry_size(&entry);

        FUZZ_CHECK(size == walk.at - walk.read_at);
        FUZZ_CHECK(um_journal_put_entry(again, &entry) == size);
        FUZZ_CHECK(memcmp(again, bytes + walk.read_at, size) == 0);
    }
    FUZZ_CHECK(what != NULL || walk.at == walk.end);
}

static void check_blocks(const struct um_replay *replay)
{
    for (size_t i = 0; i < replay->blocks.count; i++) {
        const struct um_replay_block *block = um_replay_block_at(replay, i);

        FUZZ_CHECK(block->handle != 0 && block->offset % replay->heap.alignment == 0);
        FUZZ_CHECK(block->size <= replay->heap.length && block->offset < replay->heap.length);
        FUZZ_CHECK(block->offset <= replay->heap.length - block->size);
    }
}

static void examine(const unsigned char *bytes, size_t size)
{
    struct um_journal_summary summary;
    struct um_replay replay;
    enum um_journal_verdict verdict = um_journal_examine(bytes, size, &summary);
    int code;

    if (!um_journal_is_usable(verdict)) {
        FUZZ_CHECK(summary.at <= size);
        return;
    }
    FUZZ_CHECK(summary.end <= size && summary.batches != 0);
    check_entries(bytes, &summary);
    code = um_replay_init(&replay, bytes, &summary);
    if (code == UMEM_OK)
        check_blocks(&replay);
    else
        FUZZ_CHECK(replay.what != NULL && replay.at < summary.end);
    um_replay_deinit(&replay);
}

/* Puts a header before the input, and makes one batch of each piece of it: its size comes first, in two bytes. */
static size_t wrap(const uint8_t *data, size_t size, unsigned char *bytes)
{
    const struct um_journal_header header = {.heap = 5, .key = KEY};
    size_t end = HEAD;
    uint64_t number = 0;

    um_journal_put_header(bytes, &header);
    while (size >= 2) {
        const struct um_journal_batch batch = {++number, 0, 0};
        size_t entries = ((size_t)data[0] | (size_t)data[1] << 8) & ~(size_t)7;
        size_t whole;

        data += 2;
        size -= 2;
        if (entries > size)
            entries = size & ~(size_t)7;
        whole = UM_JOURNAL_BATCH_HEAD + entries + UM_JOURNAL_BATCH_TAIL;
        if (end + whole > LIMIT)
            break;
        memcpy(bytes + end + UM_JOURNAL_BATCH_HEAD, data, entries);
        um_journal_seal_batch(bytes + end, whole, &batch, KEY);
        end += whole;
        data += entries;
        size -= entries;
    }
    return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *bytes = malloc(LIMIT);
    size_t end;
    unsigned char *exact;

    FUZZ_CHECK(bytes != NULL);
    examine(data, size);
    end = wrap(data, size, bytes);
    exact = malloc(end); /* so that a byte read beyond is seen */
    FUZZ_CHECK(exact != NULL);
    memcpy(exact, bytes, end);
    examine(exact, end);
    free(exact);
    free(bytes);
    return 0;
}

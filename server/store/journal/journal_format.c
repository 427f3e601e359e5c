#include "store/journal/journal_format.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/word.h"

/* The first bytes of a file, and of a batch. */
static const char file_magic[8] = {'U', 'M', 'E', 'M', 'J', 'R', 'N', 'L'};
#define BATCH_MAGIC UINT32_C(0x54424D55) /* "UMBT" */

enum {
    LATER_BATCHES_LIMIT = 4096 /* beginnings of batches that are looked at behind one that is not whole */
};

/* ---- numbers, little-endian ---- */

/* Those of eight bytes are words. Without loops, so that compilers make one instruction of it. */
static void put4(unsigned char *bytes, uint32_t value)
{
    bytes[0] = (unsigned char)value;
    bytes[1] = (unsigned char)(value >> 8);
    bytes[2] = (unsigned char)(value >> 16);
    bytes[3] = (unsigned char)(value >> 24);
}

static uint32_t take2(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t take4(const unsigned char *bytes)
{
    return take2(bytes) | take2(bytes + 2) << 16;
}

static uint64_t check_of(const unsigned char *bytes, size_t size, uint64_t key)
{
    const uint64_t keys[2] = {key, UM_JOURNAL_VERSION};

    return um_hash_bytes(keys, bytes, size);
}

/* ---- the header ---- */

enum {
    AT_VERSION = 8,
    AT_ID = 16,
    AT_HEAP = 32,
    AT_KEY = 40,
    AT_PLACE = 48,
    AT_HEADER_CHECK = UM_JOURNAL_HEADER_SIZE - 8
};

void um_journal_put_header(unsigned char bytes[UM_JOURNAL_HEADER_SIZE],
                           const struct um_journal_header *header)
{
    memset(bytes, 0, UM_JOURNAL_HEADER_SIZE);
    memcpy(bytes, file_magic, sizeof file_magic);
    put4(bytes + AT_VERSION, UM_JOURNAL_VERSION);
    um_word_store(bytes + AT_ID, header->id[0]);
    um_word_store(bytes + AT_ID + 8, header->id[1]);
    um_word_store(bytes + AT_HEAP, header->heap);
    um_word_store(bytes + AT_KEY, header->key);
    um_word_store(bytes + AT_PLACE, header->place);
    um_word_store(bytes + AT_HEADER_CHECK, check_of(bytes, AT_HEADER_CHECK, 0));
}

static bool is_zero(const unsigned char *bytes, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static enum um_journal_verdict examine_header(const unsigned char *bytes, uint64_t size,
                                              struct um_journal_summary *summary)
{
    struct um_journal_header *header = &summary->header;
    uint64_t head = size < sizeof file_magic ? size : sizeof file_magic;

    if (is_zero(bytes, size < UM_JOURNAL_HEADER_SIZE ? size : UM_JOURNAL_HEADER_SIZE))
        return UM_JOURNAL_EMPTY;
    if (memcmp(bytes, file_magic, (size_t)head) != 0)
        return UM_JOURNAL_FOREIGN;
    summary->at = size;
    if (size < UM_JOURNAL_HEADER_SIZE)
        return UM_JOURNAL_CUT;
    summary->at = AT_VERSION;
    summary->version = take4(bytes + AT_VERSION);
    if (summary->version > UM_JOURNAL_VERSION)
        return UM_JOURNAL_NEWER;
    summary->at = 0;
    summary->what = "the header";
    if (um_word_load(bytes + AT_HEADER_CHECK) != check_of(bytes, AT_HEADER_CHECK, 0))
        return UM_JOURNAL_DAMAGED;
    header->id[0] = um_word_load(bytes + AT_ID);
    header->id[1] = um_word_load(bytes + AT_ID + 8);
    header->heap = um_word_load(bytes + AT_HEAP);
    header->key = um_word_load(bytes + AT_KEY);
    header->place = um_word_load(bytes + AT_PLACE);
    return UM_JOURNAL_WHOLE;
}

/* ---- batches ---- */

void um_journal_seal_batch(unsigned char *bytes, size_t size, const struct um_journal_batch *batch,
                           uint64_t key)
{
    assert(size % 8 == 0 && size <= UM_JOURNAL_BATCH_LIMIT);
    put4(bytes, BATCH_MAGIC);
    put4(bytes + 4, (uint32_t)size);
    um_word_store(bytes + 8, batch->number);
    um_word_store(bytes + 16, batch->synced_end);
    um_word_store(bytes + 24, batch->synced_size);
    um_word_store(bytes + size - UM_JOURNAL_BATCH_TAIL, check_of(bytes, size - UM_JOURNAL_BATCH_TAIL, key));
}

/* Reads a batch's head, if there is a whole batch. Returns its size, or 0. */
static uint64_t read_batch(const unsigned char *bytes, uint64_t left, uint64_t key,
                           struct um_journal_batch *batch)
{
    uint64_t size;

    if (left < UM_JOURNAL_BATCH_HEAD + UM_JOURNAL_BATCH_TAIL || take4(bytes) != BATCH_MAGIC)
        return 0;
    size = take4(bytes + 4);
    if (size < UM_JOURNAL_BATCH_HEAD + UM_JOURNAL_BATCH_TAIL || size > UM_JOURNAL_BATCH_LIMIT ||
        size % 8 != 0 || size > left)
        return 0;
    if (um_word_load(bytes + size - UM_JOURNAL_BATCH_TAIL) !=
        check_of(bytes, (size_t)size - UM_JOURNAL_BATCH_TAIL, key))
        return 0;
    batch->number = um_word_load(bytes + 8);
    batch->synced_end = um_word_load(bytes + 16);
    batch->synced_size = um_word_load(bytes + 24);
    return size;
}

/* Takes over what a batch says was on the disk, where that is more. */
static void note_synced(struct um_journal_batch *latest, const struct um_journal_batch *batch)
{
    if (batch->synced_end > latest->synced_end)
        latest->synced_end = batch->synced_end;
    if (batch->synced_size > latest->synced_size)
        latest->synced_size = batch->synced_size;
}

/* Looks for batches behind the last whole one: what the latest of them says was on the disk already. Batches are written at multiples
 * of eight. */
static void examine_rest(const unsigned char *bytes, uint64_t size, uint64_t key, uint64_t last,
                         struct um_journal_batch *latest, uint64_t end)
{
    unsigned seen = 0;

    for (uint64_t at = end; at + UM_JOURNAL_BATCH_HEAD <= size && seen < LATER_BATCHES_LIMIT; at += 8) {
        struct um_journal_batch batch;

        if (take4(bytes + at) != BATCH_MAGIC)
            continue;
        seen++;
        if (read_batch(bytes + at, size - at, key, &batch) == 0 || batch.number <= last)
            continue;
        note_synced(latest, &batch);
    }
}

enum um_journal_verdict um_journal_examine(const unsigned char *bytes, uint64_t size,
                                           struct um_journal_summary *summary)
{
    struct um_journal_batch latest = {0};
    enum um_journal_verdict verdict;
    uint64_t key;

    *summary = (struct um_journal_summary){.end = 0};
    verdict = examine_header(bytes, size, summary);
    if (verdict != UM_JOURNAL_WHOLE)
        return verdict;
    key = summary->header.key;
    summary->end = UM_JOURNAL_HEADER_SIZE;
    for (;;) {
        struct um_journal_batch batch;
        uint64_t batch_size = read_batch(bytes + summary->end, size - summary->end, key, &batch);

        if (batch_size == 0 || batch.number != summary->batches + 1)
            break;
        summary->end += batch_size;
        summary->batches = batch.number;
        note_synced(&latest, &batch);
    }
    summary->at = summary->end;
    summary->what = NULL;
    examine_rest(bytes, size, key, summary->batches, &latest, summary->end);
    if (latest.synced_size > size) {
        summary->at = size;
        return UM_JOURNAL_CUT;
    }
    if (latest.synced_end > summary->end) {
        summary->what = "a batch of records that was on the disk";
        return UM_JOURNAL_DAMAGED;
    }
    if (summary->batches == 0)
        return UM_JOURNAL_EMPTY;
    return is_zero(bytes + summary->end, size - summary->end) ? UM_JOURNAL_WHOLE : UM_JOURNAL_TORN;
}

/* ---- entries ---- */

/* Each begins with its size (2 bytes), its type (1), and 5 that depend on the type: is_session (1), and `created` or
 * `flags` (4). Then its numbers of 8 bytes, in the order of `fields`; then its texts, each with its size before it (1); then zeros up
 * to a multiple of eight. */
enum { ENTRY_HEAD = 8, FIELDS_LIMIT = 5 };

/* Which numbers and texts the types have. */
static const struct layout {
    size_t fields[FIELDS_LIMIT]; /* where they are in struct um_journal_entry */
    unsigned count;              /* of `fields` */
    unsigned texts;              /* that it has; a text that comes last is left out where it is empty */
    bool has_lifetime;
    bool has_created;
    bool has_flags;
} layouts[] = {
#define FIELD(member) offsetof(struct um_journal_entry, member)
    [UM_JOURNAL_HEAP] = {.fields = {FIELD(handle), FIELD(initial_size), FIELD(maximum_size), FIELD(length),
                                    FIELD(owner)},
                         .count = 5,
                         .texts = 1,
                         .has_flags = true},
    [UM_JOURNAL_OWNER] = {.fields = {FIELD(owner), FIELD(pid)}, .count = 2, .texts = 2},
    [UM_JOURNAL_BLOCK] = {.fields = {FIELD(handle), FIELD(offset), FIELD(size), FIELD(owner)},
                          .count = 4,
                          .texts = 1,
                          .has_lifetime = true,
                          .has_created = true},
    [UM_JOURNAL_FREE] = {.fields = {FIELD(handle)}, .count = 1, .texts = 0},
    [UM_JOURNAL_PLACE] = {.fields = {FIELD(handle), FIELD(offset), FIELD(size)}, .count = 3, .texts = 0},
    [UM_JOURNAL_CHANGE] = {.fields = {FIELD(handle), FIELD(owner)},
                           .count = 2,
                           .texts = 1,
                           .has_lifetime = true},
    [UM_JOURNAL_COMPLETE] = {.count = 0},
    [UM_JOURNAL_DESTROYED] = {.count = 0},
    [UM_JOURNAL_CLOSED] = {.count = 0},
    [UM_JOURNAL_SLOTS] = {.fields = {FIELD(handle)}, .count = 1, .texts = 0},
#undef FIELD
};

static const struct layout *layout_of(unsigned type)
{
    return type >= UM_JOURNAL_HEAP && type <= UM_JOURNAL_SLOTS ? &layouts[type] : NULL;
}

/* Bytes before the texts. */
static size_t size_without_texts(const struct layout *layout)
{
    return ENTRY_HEAD + 8 * (size_t)layout->count + (layout->has_flags ? 8 : 0); /* the alignment */
}

static size_t rounded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

size_t um_journal_entry_size(const struct um_journal_entry *entry)
{
    const struct layout *layout = layout_of(entry->type);
    size_t size = size_without_texts(layout);

    if (layout->texts == 2)
        size += 1 + (size_t)entry->name_size + 1 + entry->user_size;
    else if (layout->texts == 1 && entry->name_size != 0)
        size += 1 + (size_t)entry->name_size;
    return rounded(size);
}

/* Word by word, because most are short. */
static unsigned char *put_text(unsigned char *to, const char *text, uint8_t size)
{
    size_t left = size;

    *to++ = size;
    for (; left >= UM_WORD_SIZE; left -= UM_WORD_SIZE, to += UM_WORD_SIZE, text += UM_WORD_SIZE)
        um_word_store(to, um_word_load(text));
    for (; left != 0; left--)
        *to++ = (unsigned char)*text++;
    return to;
}

size_t um_journal_put_entry(unsigned char *bytes, const struct um_journal_entry *entry)
{
    const struct layout *layout = layout_of(entry->type);
    unsigned char *to = bytes + ENTRY_HEAD;
    size_t size;

    for (unsigned i = 0; i < layout->count; i++, to += 8)
        um_word_store(to, *(const uint64_t *)(const void *)((const char *)entry + layout->fields[i]));
    if (layout->has_flags) {
        um_word_store(to, entry->alignment);
        to += 8;
    }
    if (layout->texts == 2 || (layout->texts == 1 && entry->name_size != 0))
        to = put_text(to, entry->name, entry->name_size);
    if (layout->texts == 2)
        to = put_text(to, entry->user, entry->user_size);
    size = rounded((size_t)(to - bytes));
    while (to != bytes + size)
        *to++ = 0;
    /* Its size, its type, and whether it is a session's. */
    put4(bytes, (uint32_t)size | (uint32_t)entry->type << 16 |
                    (layout->has_lifetime && entry->is_session ? UINT32_C(1) << 24 : 0));
    put4(bytes + 4, layout->has_created ? entry->created : layout->has_flags ? entry->flags : 0);
    return size;
}

/* Takes a text from what is left of an entry. */
static bool take_text(const unsigned char **from, const unsigned char *end, const char **text, uint8_t *size)
{
    if (*from == end || (size_t)(end - *from) - 1 < **from)
        return false;
    *size = *(*from)++;
    *text = (const char *)*from;
    *from += *size;
    return memchr(*text, '\0', *size) == NULL;
}

static bool take_texts(const struct layout *layout, const unsigned char **from, const unsigned char *end,
                       struct um_journal_entry *entry)
{
    if (layout->texts == 0 || (layout->texts == 1 && *from == end))
        return true;
    if (!take_text(from, end, &entry->name, &entry->name_size))
        return false;
    if (layout->texts == 1)
        return entry->name_size != 0;
    return take_text(from, end, &entry->user, &entry->user_size);
}

/* Reads an entry of `size` bytes. Whatever has no meaning must be zero. */
static bool take_entry(const unsigned char *bytes, uint64_t size, struct um_journal_entry *entry)
{
    const struct layout *layout = layout_of(bytes[2]);
    const unsigned char *end = bytes + size;
    const unsigned char *from = bytes + ENTRY_HEAD;
    uint32_t value = take4(bytes + 4);

    *entry = (struct um_journal_entry){.name = "", .user = ""};
    if (layout == NULL)
        return false;
    entry->type = (enum um_journal_entry_type)bytes[2];
    if (size < size_without_texts(layout) || bytes[3] > (layout->has_lifetime ? 1 : 0) ||
        (value != 0 && !layout->has_created && !layout->has_flags))
        return false;
    entry->is_session = bytes[3] != 0;
    entry->created = layout->has_created ? value : 0;
    entry->flags = layout->has_flags ? value : 0;
    for (unsigned i = 0; i < layout->count; i++, from += 8)
        *(uint64_t *)(void *)((char *)entry + layout->fields[i]) = um_word_load(from);
    if (layout->has_flags) {
        if (um_word_load(from) > UINT32_MAX)
            return false;
        entry->alignment = (uint32_t)um_word_load(from);
        from += 8;
    }
    if (!take_texts(layout, &from, end, entry))
        return false;
    return (size_t)(end - from) < 8 && is_zero(from, (uint64_t)(end - from));
}

/* ---- the walk ---- */

void um_journal_walk_begin(struct um_journal_walk *walk, const unsigned char *bytes,
                           const struct um_journal_summary *summary)
{
    *walk = (struct um_journal_walk){.bytes = bytes, .end = summary->end, .at = UM_JOURNAL_HEADER_SIZE};
}

bool um_journal_walk_next(struct um_journal_walk *walk, struct um_journal_entry *entry, const char **what)
{
    uint64_t left;
    uint64_t size;

    *what = NULL;
    while (walk->at == walk->batch_end || walk->batch_end == 0) {
        if (walk->batch_end != 0)
            walk->at += UM_JOURNAL_BATCH_TAIL;
        if (walk->at == walk->end)
            return false;
        walk->batch_end = walk->at + take4(walk->bytes + walk->at + 4) - UM_JOURNAL_BATCH_TAIL;
        walk->at += UM_JOURNAL_BATCH_HEAD;
    }
    walk->read_at = walk->at;
    left = walk->batch_end - walk->at;
    *what = "an entry's size";
    if (left < ENTRY_HEAD)
        return false;
    size = take2(walk->bytes + walk->at);
    if (size < ENTRY_HEAD || size > left || size > UM_JOURNAL_ENTRY_LIMIT || size % 8 != 0)
        return false;
    *what = "an entry";
    if (!take_entry(walk->bytes + walk->at, size, entry))
        return false;
    *what = NULL;
    walk->at += size;
    return true;
}

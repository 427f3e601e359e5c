#include "cli/transfer/unanswered.h"

#include <stdlib.h>
#include <string.h>

#include "base/umem_errors.h"
#include "wire/json_read.h"
#include "wire/json_value.h"

enum { CAPACITY_FIRST = 64, CAPACITY_LIMIT = 1 << 20 };

/* What a message says of itself. */
struct envelope {
    const struct um_json *id;
    const struct um_json *method;
    bool is_error;
    bool is_ambiguous; /* it has a member twice: then it is not known which one counts */
};

static void set_once(const struct um_json **place, const struct um_json *value, struct envelope *envelope)
{
    envelope->is_ambiguous = envelope->is_ambiguous || *place != NULL;
    *place = value;
}

/* Reads a message that is an object. */
static bool read_envelope(struct cli_unanswered *requests, char *text, size_t size, struct envelope *envelope)
{
    struct um_json_check check;
    struct um_json *message;

    *envelope = (struct envelope){.is_error = false};
    um_arena_reset(&requests->arena);
    if (um_json_split(text, size, &requests->arena, &message, &check) != UMEM_OK ||
        !um_json_is(message, UM_JSON_OBJECT))
        return false;
    for (const struct um_json *member = message->child; member != NULL; member = member->next) {
        if (strcmp(member->key, "id") == 0)
            set_once(&envelope->id, member, envelope);
        else if (strcmp(member->key, "method") == 0)
            set_once(&envelope->method, member, envelope);
        else if (strcmp(member->key, "error") == 0)
            envelope->is_error = true;
    }
    return !envelope->is_ambiguous;
}

/* An id that comes back as it was written: *text, with the quotes of a string. */
static bool is_plain(const struct um_json *id, const char **text, size_t *size)
{
    if (id == NULL || id->kind == UM_JSON_NULL)
        return false;
    *text = um_json_text_of(id, size);
    if (*size >= CLI_REQUEST_ID_SIZE)
        return false;
    if (id->kind == UM_JSON_STRING) {
        for (size_t i = 0; i < id->size; i++) {
            if (id->text[i] == '\\' || (unsigned char)id->text[i] >= 0x7f)
                return false;
        }
        return true;
    }
    /* More digits may not be exact. */
    return *size < 16 && strspn(*text, "0123456789") >= *size;
}

static bool reserve_entry(struct cli_unanswered *requests)
{
    size_t capacity = requests->capacity != 0 ? 2 * requests->capacity : CAPACITY_FIRST;
    struct cli_unanswered_entry *entries;

    if (requests->first + requests->count < requests->capacity)
        return true;
    if (requests->first != 0) {
        memmove(requests->entries, requests->entries + requests->first,
                requests->count * sizeof *requests->entries);
        requests->first = 0;
        /* Moving pays only where much becomes free. */
        if (requests->count < requests->capacity / 2)
            return true;
    }
    if (capacity > CAPACITY_LIMIT)
        return requests->count < requests->capacity;
    entries = realloc(requests->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return requests->count < requests->capacity;
    requests->entries = entries;
    requests->capacity = capacity;
    return true;
}

void cli_unanswered_request(struct cli_unanswered *requests, char *text, size_t size)
{
    struct cli_unanswered_entry *entry;
    struct envelope envelope;
    const char *id;
    size_t id_size;

    if (!read_envelope(requests, text, size, &envelope) || !um_json_is(envelope.method, UM_JSON_STRING) ||
        !is_plain(envelope.id, &id, &id_size) || !reserve_entry(requests))
        return;
    entry = &requests->entries[requests->first + requests->count++];
    memcpy(entry->id, id, id_size);
    entry->id[id_size] = '\0';
    entry->may_wait =
        um_json_says(envelope.method, "block.wait") || um_json_says(envelope.method, "heap.lock");
    requests->waiting += entry->may_wait;
}

/* Removes an entry; those before it, few as a rule, move up. */
static void remove_entry(struct cli_unanswered *requests, size_t at)
{
    struct cli_unanswered_entry *first = &requests->entries[requests->first];

    requests->waiting -= first[at].may_wait;
    memmove(first + 1, first, at * sizeof *first);
    requests->first++;
    requests->count--;
}

void cli_unanswered_answer(struct cli_unanswered *requests, char *text, size_t size)
{
    struct envelope envelope;
    const char *id;
    size_t id_size;

    if (!read_envelope(requests, text, size, &envelope) || envelope.method != NULL || envelope.id == NULL)
        return;
    requests->refused += envelope.is_error && envelope.id->kind == UM_JSON_NULL;
    id = um_json_text_of(envelope.id, &id_size);
    for (size_t i = 0; i < requests->count; i++) {
        const char *known = requests->entries[requests->first + i].id;

        if (strlen(known) == id_size && memcmp(known, id, id_size) == 0) {
            remove_entry(requests, i);
            return;
        }
    }
}

size_t cli_unanswered_count(const struct cli_unanswered *requests)
{
    return requests->count > requests->refused ? requests->count - (size_t)requests->refused : 0;
}

void cli_unanswered_deinit(struct cli_unanswered *requests)
{
    free(requests->entries);
    um_arena_deinit(&requests->arena);
    *requests = (struct cli_unanswered){.entries = NULL};
}

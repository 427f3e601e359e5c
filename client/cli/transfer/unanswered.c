#include "cli/transfer/unanswered.h"

#include <stdlib.h>
#include <string.h>

#include "wire/json_end.h"
#include "wire/json_read.h"

enum { CAPACITY_FIRST = 64, CAPACITY_LIMIT = 1 << 20 };

/* A value's text in a message, which is JSON. `text` NULL: there is none. */
struct value {
    const char *text;
    size_t size;
};

/* What a message says of itself. */
struct envelope {
    struct value id;
    struct value method;
    bool is_error;
    bool is_ambiguous; /* it has a member twice: then it is not known which one counts */
};

static bool is_value(struct value value, const char *text)
{
    return value.size == strlen(text) && memcmp(value.text, text, value.size) == 0;
}

static bool is_string(struct value value)
{
    return value.size != 0 && value.text[0] == '"';
}

static char *skip_space(char *at, const char *end)
{
    while (at < end && strchr(" \t\r\n", *at) != NULL)
        at++;
    return at;
}

static char *skip_value(char *at, char *end)
{
    struct um_json_end state = {0};

    if (*at == '{' || *at == '[')
        return um_json_find_end(&state, at, end);
    if (*at == '"') {
        for (at++; *at != '"'; at++)
            at += *at == '\\';
        return at + 1;
    }
    while (at < end && strchr(",}] \t\r\n", *at) == NULL)
        at++;
    return at;
}

static struct value read_value(char **at, char *end)
{
    char *begin = *at;

    *at = skip_value(begin, end);
    return (struct value){begin, (size_t)(*at - begin)};
}

static void set_once(struct value *place, struct value value, struct envelope *envelope)
{
    envelope->is_ambiguous = envelope->is_ambiguous || place->text != NULL;
    *place = value;
}

/* Reads the members of a message, which must be an object. Its params and result are passed over: they may be large. */
static bool read_envelope(char *text, size_t size, struct envelope *envelope)
{
    struct um_json_check check;
    char *end = text + size;
    char *at;

    *envelope = (struct envelope){.is_error = false};
    if (!um_json_check(text, size, &check))
        return false;
    at = skip_space(text, end);
    if (*at != '{')
        return false;
    for (at = skip_space(at + 1, end); *at == '"'; at = skip_space(at, end)) {
        struct value key = read_value(&at, end);
        struct value value;

        /* Over the colon, and the comma that may be behind the value. */
        at = skip_space(skip_space(at, end) + 1, end);
        value = read_value(&at, end);
        at = skip_space(at, end);
        at += *at == ',';
        if (is_value(key, "\"id\""))
            set_once(&envelope->id, value, envelope);
        else if (is_value(key, "\"method\""))
            set_once(&envelope->method, value, envelope);
        else if (is_value(key, "\"error\""))
            envelope->is_error = true;
    }
    return !envelope->is_ambiguous;
}

/* An id that comes back as it was written. */
static bool is_plain(struct value id)
{
    if (id.text == NULL || id.size >= CLI_REQUEST_ID_SIZE || is_value(id, "null"))
        return false;
    if (is_string(id)) {
        for (size_t i = 0; i < id.size; i++) {
            if (id.text[i] == '\\' || (unsigned char)id.text[i] >= 0x7f)
                return false;
        }
        return true;
    }
    /* More digits may not be exact. */
    return id.size < 16 && strspn(id.text, "0123456789") == id.size;
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

    if (!read_envelope(text, size, &envelope) || !is_string(envelope.method) || !is_plain(envelope.id) ||
        !reserve_entry(requests))
        return;
    entry = &requests->entries[requests->first + requests->count++];
    memcpy(entry->id, envelope.id.text, envelope.id.size);
    entry->id[envelope.id.size] = '\0';
    entry->may_wait =
        is_value(envelope.method, "\"block.wait\"") || is_value(envelope.method, "\"heap.lock\"");
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

    if (!read_envelope(text, size, &envelope) || envelope.method.text != NULL || envelope.id.text == NULL)
        return;
    requests->refused += envelope.is_error && is_value(envelope.id, "null");
    for (size_t i = 0; i < requests->count; i++) {
        if (is_value(envelope.id, requests->entries[requests->first + i].id)) {
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
    *requests = (struct cli_unanswered){.entries = NULL};
}

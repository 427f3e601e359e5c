#include "cli/transfer/recording.h"

#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "base/umem_errors.h"
#include "umem_version.h"
#include "wire/json_read.h"
#include "wire/json_value.h"
#include "wire/json_write.h"

/* ---- writing ---- */

void cli_recording_begin(struct um_buf *out)
{
    um_json_begin_object(out);
    um_json_put_uint(out, "umem_recording", CLI_RECORDING_FORMAT);
    um_json_put_string(out, "version", UMEM_VERSION);
    um_json_end_object(out);
    um_buf_append_byte(out, '\n');
}

static void put_base64(struct um_buf *out, const char *key, const char *bytes, size_t size)
{
    char *space;

    um_json_key(out, key);
    space = um_json_begin_raw_string(out, um_base64_encoded_size(size));
    if (space != NULL)
        um_base64_encode(space, bytes, size);
    um_json_end_raw_string(out);
}

/* Line ends are only between the values of JSON, never within one. */
static void put_json(struct um_buf *out, const char *key, const char *text, size_t size)
{
    size_t begin;

    um_json_key(out, key);
    begin = out->size;
    um_json_raw(out, text, size);
    for (size_t i = begin; i < out->size; i++) {
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
    }
}

void cli_recording_put(struct um_buf *out, const struct cli_record *record)
{
    const bool is_client = record->kind == CLI_RECORD_CLIENT;

    um_json_begin_object(out);
    um_json_put_uint(out, "us", record->us);
    um_json_put_uint(out, "connection", record->connection);
    if (record->kind == CLI_RECORD_ENDED) {
        um_json_put_bool(out, "ended", true);
    } else if (record->is_json) {
        put_json(out, is_client ? "client" : "daemon", record->text, record->size);
    } else {
        put_base64(out, is_client ? "client_bytes" : "daemon_bytes", record->text, record->size);
    }
    if (record->payload_size != 0)
        put_base64(out, "payload", record->payload, record->payload_size);
    um_json_end_object(out);
    um_buf_append_byte(out, '\n');
}

/* ---- reading ---- */

/* Reads an object of which only what is directly in it is looked at. */
static const char *read_object(char *line, struct um_arena *arena, struct um_json **object)
{
    const size_t size = strlen(line);
    struct um_json_check check;

    um_arena_reset(arena);
    switch (um_json_split(line, size, arena, object, &check)) {
    case UMEM_OK:
        if (check.has_nul)
            um_json_restore_nul(line, size);
        return um_json_is(*object, UM_JSON_OBJECT) ? NULL : "it is no object";
    case UMEM_E_NO_MEMORY:
        return "memory is used up";
    default:
        return "it is no JSON";
    }
}

static const struct um_json *find(const struct um_json *object, const char *key)
{
    const struct um_json *member = object->child;

    while (member != NULL && strcmp(member->key, key) != 0)
        member = member->next;
    return member;
}

const char *cli_recording_read_first(char *line, struct um_arena *arena)
{
    struct um_json *object;
    const char *wrong = read_object(line, arena, &object);
    uint64_t format;

    if (wrong != NULL)
        return wrong;
    if (!um_json_is(find(object, "umem_recording"), UM_JSON_NUMBER) ||
        !um_json_to_uint64(find(object, "umem_recording"), &format))
        return "this is no recording of umem record";
    return format == CLI_RECORDING_FORMAT ? NULL : "the recording has a form that this umem does not know";
}

/* Decodes it where it is: bytes need less space than base64. */
static bool decode(const struct um_json *string, const char **bytes, size_t *size)
{
    size_t bad;

    if (!um_json_is(string, UM_JSON_STRING) ||
        !um_base64_decode((char *)(uintptr_t)string->text, string->text, string->size, size, &bad))
        return false;
    *bytes = string->text;
    return true;
}

/* One of the members that say what happened. */
static const char *read_event(const struct um_json *member, struct cli_record *record)
{
    const bool is_client = strncmp(member->key, "client", 6) == 0;

    if (record->kind != CLI_RECORD_ENDED || record->text != NULL)
        return "it has two messages";
    record->kind = is_client ? CLI_RECORD_CLIENT : CLI_RECORD_DAEMON;
    record->is_json = strlen(member->key) == 6;
    if (!record->is_json)
        return decode(member, &record->text, &record->size) ? NULL : "its bytes are no base64";
    if (member->kind != UM_JSON_OBJECT && member->kind != UM_JSON_ARRAY)
        return "its message is no object and no array";
    record->text = um_json_text_of(member, &record->size);
    return NULL;
}

const char *cli_recording_read(char *line, struct um_arena *arena, struct cli_record *record)
{
    struct um_json *object;
    const char *wrong = read_object(line, arena, &object);
    bool has_ended = false;

    *record = (struct cli_record){.kind = CLI_RECORD_ENDED};
    if (wrong != NULL)
        return wrong;
    if (!um_json_to_uint64(find(object, "us"), &record->us))
        return "it has no time (us)";
    if (!um_json_to_uint64(find(object, "connection"), &record->connection))
        return "it has no number of a connection";
    for (const struct um_json *member = object->child; member != NULL && wrong == NULL;
         member = member->next) {
        if (strcmp(member->key, "client") == 0 || strcmp(member->key, "daemon") == 0 ||
            strcmp(member->key, "client_bytes") == 0 || strcmp(member->key, "daemon_bytes") == 0)
            wrong = read_event(member, record);
        else if (strcmp(member->key, "payload") == 0)
            wrong =
                decode(member, &record->payload, &record->payload_size) ? NULL : "its payload is no base64";
        has_ended = has_ended || strcmp(member->key, "ended") == 0;
    }
    if (wrong == NULL && has_ended == (record->text != NULL))
        wrong = has_ended ? "it has a message and an end" : "it has no message";
    return wrong;
}

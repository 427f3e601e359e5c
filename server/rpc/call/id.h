/*
 * The id of a request: any string or number, which comes back as it was written.
 *
 * Owns: what may be an id, and when two are the same. Must not know: requests.
 */
#ifndef UM_ID_H
#define UM_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "wire/json_read.h"
#include "wire/json_write.h"

enum { UM_ID_SIZE_LIMIT = 1024 /* bytes in an id: calls that wait keep theirs */ };

enum um_id_kind { UM_ID_NONE, UM_ID_NULL, UM_ID_NUMBER, UM_ID_STRING };

/* A request's id. NONE is a notification's: nothing is answered. */
struct um_id {
    enum um_id_kind kind;
    size_t size;      /* bytes of text; NONE, NULL: 0 */
    const char *text; /* a string's characters, a number as it is written; lives as long as the message */
};

/* Reads an id. Returns false for what is no string, number or null, or is too long: *id is then UM_ID_NULL, as it is answered. */
static inline bool um_id_from_json(const struct um_json *json, struct um_id *id)
{
    if (json->kind == UM_JSON_NUMBER)
        *id = (struct um_id){UM_ID_NUMBER, um_json_number_size(json), json->text};
    else if (json->kind == UM_JSON_STRING && !json->has_nul)
        *id = (struct um_id){UM_ID_STRING, json->size, json->text};
    else
        *id = (struct um_id){.kind = UM_ID_NULL};
    if (id->size <= UM_ID_SIZE_LIMIT)
        return id->kind != UM_ID_NULL || json->kind == UM_JSON_NULL;
    *id = (struct um_id){.kind = UM_ID_NULL};
    return false;
}

/* Whether two were written alike; 1 and 1.0 were not. Nothing is like null or like none. */
static inline bool um_id_is(const struct um_id *left, const struct um_id *right)
{
    return left->kind == right->kind && left->kind >= UM_ID_NUMBER && left->size == right->size &&
           memcmp(left->text, right->text, left->size) == 0;
}

/* Bytes that it takes at most in an answer, without quotes. */
static inline size_t um_id_written_size(const struct um_id *id)
{
    return id->kind == UM_ID_STRING ? 6 * id->size : id->size;
}

/* Writes it as JSON behind a colon. */
static inline void um_id_write(struct um_buf *out, const struct um_id *id)
{
    if (id->kind == UM_ID_NUMBER) {
        char *space = um_buf_reserve(out, id->size);

        if (space == NULL)
            return;
        memcpy(space, id->text, id->size);
        out->size += id->size;
    } else if (id->kind == UM_ID_STRING) {
        um_json_string(out, id->text, id->size);
    } else {
        um_json_null(out);
    }
}

#endif

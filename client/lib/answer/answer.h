/*
 * One message from the daemon, taken apart: a result, an error, or a message that answers no request.
 *
 * Owns: nothing; what it points to lies in the text and in the arena. Must not know: connections, methods.
 * Pure. Nothing in the text is used before it has been checked: the program that wrote it may be broken or
 * hostile.
 *
 * A message is read once, from end to end; what is in its result stays text, because some callers want it as text and most results
 * are not looked at. um_answer_tree() reads it where one does.
 */
#ifndef UM_ANSWER_H
#define UM_ANSWER_H

#include "wire/json_read.h"

enum um_answer_kind { UM_ANSWER_RESULT, UM_ANSWER_ERROR, UM_ANSWER_NOTIFICATION };

struct um_answer {
    enum um_answer_kind kind;
    uint64_t id;                  /* which request it answers; 0: no request of ours has such an id */
    bool is_about_any;            /* an error whose id is null: the daemon could not read the request's */
    const struct um_json *method; /* UM_ANSWER_NOTIFICATION, as is the next: a string, as it is written */
    const struct um_json *params; /* NULL: there are none; text */
    const struct um_json *result; /* UM_ANSWER_RESULT; text */
    int code; /* UM_ANSWER_ERROR, as are the next two: -32768 to -32000, or UMEM_E_CANCELLED */
    const struct um_json *message; /* a string, as it is written */
    const struct um_json *data;    /* text of an object; NULL: there is none */
    struct um_arena *arena;        /* where values of it may be read to */
};

/* Checks a message of `size` bytes and splits it: *json is an object (um_answer_take() takes it), or an array, each of whose elements
 * um_answer_split() splits again. UMEM_E_BAD_ANSWER with *what, a static phrase; UMEM_E_OUT_OF_MEMORY. */
int um_answer_split(char *text, size_t size, struct um_arena *arena, struct um_json **json,
                    const char **what);

/* Takes an object apart. Returns NULL, or what is wrong, a static phrase; then *answer is as it was. */
const char *um_answer_take(const struct um_json *json, struct um_arena *arena, struct um_answer *answer);

/* Both for a message that is an object. */
int um_answer_read(char *text, size_t size, struct um_arena *arena, struct um_answer *answer,
                   const char **what);

/* Reads a value of the answer's (its result, its params) into a tree, which takes the text's place. NULL: it is too large, or there is
 * no memory. */
const struct um_json *um_answer_tree(const struct um_answer *answer, const struct um_json *value);

/* Whether it answers request `id`. An error without id is about whatever was sent last. */
bool um_answer_is_for(const struct um_answer *answer, uint64_t id);

#endif

/*
 * One message from the daemon, taken apart: a result, an error, or something that was not asked for.
 *
 * Owns: nothing; slices point into the text. Must not know: connections, methods. Pure. Nothing in the text is believed before
 * it has been checked: whoever wrote it may be broken or hostile.
 */
#ifndef UM_ANSWER_H
#define UM_ANSWER_H

#include "lib/answer/scan.h"

enum um_answer_kind { UM_ANSWER_RESULT, UM_ANSWER_ERROR, UM_ANSWER_NOTIFICATION };

struct um_answer {
    enum um_answer_kind kind;
    struct um_json_slice id;     /* as it was given; no text: a notification */
    struct um_json_slice method; /* UM_ANSWER_NOTIFICATION, as is the next: a string */
    struct um_json_slice params; /* no text: there are none */
    struct um_json_slice result; /* UM_ANSWER_RESULT; no text: there is no answer */
    int code; /* UM_ANSWER_ERROR, as are the next two: -32768 to -32000, or UMEM_E_CANCELLED */
    struct um_json_slice message; /* a string */
    struct um_json_slice data;    /* an object; no text: there is none */
};

/* Takes `size` bytes of text apart, which um_json_check() may change in place. UMEM_E_BAD_ANSWER with *what, a static phrase;
 * then *answer is as it was. */
int um_answer_read(char *text, size_t size, struct um_answer *answer, const char **what);

/* The two halves of it, for a batch, whose elements are answers. First the text is seen to be JSON, *json; then what is an answer
 * (or an array's element) is taken apart: NULL, or what is wrong, a static phrase. */
int um_answer_check(char *text, size_t size, struct um_json_slice *json, const char **what);
const char *um_answer_take(struct um_json_slice json, struct um_answer *answer);

/* Whether it answers request `id`. An error without id is about whatever was sent last. */
bool um_answer_is_for(const struct um_answer *answer, uint64_t id);

/* The id where it is one of ours, an integer; else 0. */
uint64_t um_answer_id(const struct um_answer *answer);

#endif

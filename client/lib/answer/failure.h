/*
 * Failures: what happened, in words and codes.
 *
 * Owns: the calling thread's last failure. Must not know: connections, methods.
 */
#ifndef UM_FAILURE_H
#define UM_FAILURE_H

#include <stdarg.h>

#include "base/attributes.h"
#include "lib/answer/answer.h"
#include "umem_client.h"

enum {
    UM_FAILURE_NAME_SIZE = 64,      /* bytes for an error's name, its end counted */
    UM_FAILURE_MESSAGE_SIZE = 1024, /* bytes for an error's message, its end counted */
    UM_FAILURE_DATA_SIZE = 4096 /* bytes for an error's facts, its end counted; larger ones are left out */
};

/* A failure with its texts. */
struct um_failure {
    int code;
    char name[UM_FAILURE_NAME_SIZE];
    char message[UM_FAILURE_MESSAGE_SIZE];
    char data[UM_FAILURE_DATA_SIZE];
};

/* Writes a failure of the library's own. `format` NULL: the code's own text. */
UM_PRINTF(3, 0)
void um_failure_write(struct um_failure *failure, int code, const char *format, va_list arguments);

/* Writes the error that the daemon answered with. */
void um_failure_write_answer(struct um_failure *failure, const struct um_answer *answer);

/* Makes this the calling thread's last failure, at that client. `failure` NULL: the code's own text, or UMEM_OK. Returns the
 * code. */
int um_failure_set(const umem_client *client, int code, const struct um_failure *failure);

/* The same, with a text of the library's own. */
UM_PRINTF(3, 4)
int um_failure_set_text(const umem_client *client, int code, const char *format, ...);

#endif

/*
 * Holds what the engine sends against the command table: a member, a type, a null or an error that is not
 * declared fails the test.
 *
 * Owns: a note of every request that is not answered yet, so that an answer that comes late is checked too.
 * Must not know: how messages are framed.
 */
#ifndef ANSWER_SCHEMA_H
#define ANSWER_SCHEMA_H

#include <stddef.h>

struct cJSON;
struct um_session;

/* Takes note of the requests in a message, single or a batch, that is about to be sent. What is no request is
 * passed over. */
void answers_note(const struct um_session *session, const char *message, size_t size);

/* Checks one message that a session was sent: an answer, a batch of them, or a notification. */
void answers_check(const struct um_session *session, const struct cJSON *message);

/* How many requests of a session are not answered yet. */
size_t answers_missing(const struct um_session *session);

/* Forgets all notes; or those of a session that has ended. */
void answers_forget(void);
void answers_forget_session(const struct um_session *session);

#endif

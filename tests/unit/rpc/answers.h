/*
 * Holds what the engine sends against the command table: a member, a type, a null or an error that is not
 * declared fails the test.
 *
 * Owns: a note of every request that is not answered yet, so that an answer that comes late is checked too.
 * Must not know: how messages are framed.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <stddef.h>

struct cJSON;
struct um_peer;

/* Takes note of the requests in a message, single or a batch, that is about to be sent. What is no request is
 * passed over. */
void answers_note(const struct um_peer *peer, const char *message, size_t size);

/* Checks one message that a peer was sent: an answer, a batch of them, or a notification. */
void answers_check(const struct um_peer *peer, const struct cJSON *message);

/* How many requests of a peer are not answered yet. */
size_t answers_missing(const struct um_peer *peer);

/* Forgets all notes; or those of a peer that is gone. */
void answers_forget(void);
void answers_forget_peer(const struct um_peer *peer);

#endif

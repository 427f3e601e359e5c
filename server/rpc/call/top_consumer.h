/*
 * The session that uses most of what a limit counts: what an operator wants to know when it is reached.
 *
 * Owns: nothing but what it found in this turn. Must not know: why it is wanted.
 */
#ifndef UM_TOP_CONSUMER_H
#define UM_TOP_CONSUMER_H

struct um_buf;
struct um_session;

/* Adds to the facts of an error about a limit that all sessions share, in an object that is open in `out`, the member "most": the
 * session that uses most of it, the first of them where several do. Adds nothing for a limit that is one session's own, or where no
 * open session uses any. `session` is charged for the search, which is done once a turn, so that errors stay cheap however many
 * come. */
void um_top_consumer_write(struct um_session *session, const char *limit, struct um_buf *out);

#endif

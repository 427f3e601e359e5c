/*
 * A client over the fake transport, and what tests of it say often.
 *
 * Owns: nothing; a test has its client. Must not know: what is tested.
 */
#ifndef TEST_FAKE_CLIENT_H
#define TEST_FAKE_CLIENT_H

#include "fake_transport.h"
#include "umem_client.h"

/* Begins anew (fake_begin()) with a client that is connected. timeout_ms and reconnect_ms: as in umem_options. */
umem_client *fake_connect(uint32_t timeout_ms, uint32_t reconnect_ms);

/* Frees it, and ends (fake_end()). */
void fake_disconnect(umem_client *client);

/* Scripts that the request of that id is answered by this result, a JSON text. */
void fake_answer_result(unsigned id, const char *result);

/* How often a text was written. */
unsigned fake_count_sent(const char *text);

#endif

#include "fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

umem_client *fake_connect(uint32_t timeout_ms, uint32_t reconnect_ms)
{
    const struct umem_options options = {
        .pipe = "nowhere", .timeout_ms = timeout_ms, .reconnect_ms = reconnect_ms};
    umem_client *client;

    fake_begin();
    client = umem_client_new(&options);
    assert_int_equal(umem_connect(client), UMEM_OK);
    return client;
}

void fake_disconnect(umem_client *client)
{
    umem_client_free(client);
    fake_end();
}

void fake_answer_result(unsigned id, const char *result)
{
    char line[1024];

    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":%s}\n", id, result);
    fake_answer_text(line, NULL, 0);
}

unsigned fake_count_sent(const char *text)
{
    unsigned count = 0;

    assert_true(fake.sent_size < FAKE_SENT_SIZE);
    fake.sent[fake.sent_size] = '\0';
    for (const char *at = strstr(fake.sent, text); at != NULL; at = strstr(at + 1, text))
        count++;
    return count;
}

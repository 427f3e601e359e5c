#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server_counters.h"

enum { LINE_CAPACITY = 4096 /* for an answer of server.stats */ };

unsigned long long number_in(const char *text, const char *name)
{
    char key[64];
    const char *at;

    snprintf(key, sizeof key, "\"%s\":", name);
    at = strstr(text, key);
    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

static const char *stats_of(struct wire_client *client)
{
    static char line[LINE_CAPACITY];

    wire_send(client, "{\"method\":\"server.stats\"}\n");
    client_take_line(client, line, sizeof line);
    return line;
}

unsigned long long stat_of(struct wire_client *client, const char *name)
{
    return number_in(stats_of(client), name);
}

unsigned long long refusals_of(struct wire_client *client, const char *limit)
{
    const char *refusals = strstr(stats_of(client), "\"refusals\":");

    assert_non_null(refusals);
    return number_in(refusals, limit);
}

void expect_limit(struct wire_client *client, const char *name, const char *limit)
{
    char line[LINE_CAPACITY];
    char text[64];

    client_take_line(client, line, sizeof line);
    snprintf(text, sizeof text, "\"name\":\"%s\"", name);
    if (strstr(line, text) == NULL)
        fail_msg("%s", line);
    snprintf(text, sizeof text, "\"limit\":\"%s\"", limit);
    if (strstr(line, text) == NULL)
        fail_msg("%s", line);
}

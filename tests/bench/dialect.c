#include "dialect.h"

#define UMEMD_CALLS umemd_append_step, umemd_append_batch, umemd_make, umemd_verify, umemd_drop
#define ECHO_CALLS NULL, NULL, NULL, NULL, NULL
#define OTHERS_CALLS others_make, others_verify, others_drop
#define REDIS_CALLS redis_append_step, redis_append_batch, OTHERS_CALLS

/* The columns of the results, in their order. */
const struct dialect dialects[DIALECTS] = {
    [UMEMD_LINES_BASE64] = {"umemd, lines, base64", SERVER_UMEMD, ENCODING_BASE64, false, NULL, NULL,
                            UMEMD_CALLS},
    [UMEMD_LINES_HEX] = {"umemd, lines, hex", SERVER_UMEMD, ENCODING_HEX, false, NULL, NULL, UMEMD_CALLS},
    [UMEMD_HEADERS_BASE64] = {"umemd, headers, base64", SERVER_UMEMD, ENCODING_BASE64, true, NULL, NULL,
                              UMEMD_CALLS},
    [UMEMD_HEADERS_RAW] = {"umemd, headers, raw", SERVER_UMEMD, ENCODING_RAW, true, NULL, NULL, UMEMD_CALLS},
    [ECHO_LINES] = {"bare libuv, bytes of lines, base64", SERVER_ECHO, ENCODING_BASE64, false, NULL,
                    &dialects[UMEMD_LINES_BASE64], ECHO_CALLS},
    [ECHO_RAW] = {"bare libuv, bytes of headers, raw", SERVER_ECHO, ENCODING_RAW, true, NULL,
                  &dialects[UMEMD_HEADERS_RAW], ECHO_CALLS},
    [REDIS] = {"Redis", SERVER_REDIS, ENCODING_RAW, false, NULL, NULL, REDIS_CALLS},
    [MEMCACHED] = {"memcached", SERVER_MEMCACHED, ENCODING_RAW, false, NULL, NULL, memcached_append_step,
                   memcached_append_batch, OTHERS_CALLS},
    [UMEMD_SHARED] = {"umemd, shared heap", SERVER_UMEMD, ENCODING_BASE64, false, "shared", NULL,
                      UMEMD_CALLS},
    [UMEMD_DURABLE] = {"umemd, durable heap", SERVER_UMEMD_STATE, ENCODING_BASE64, false, "durable", NULL,
                       UMEMD_CALLS},
    [UMEMD_ALWAYS] = {"umemd, durable heap, sync always", SERVER_UMEMD_ALWAYS, ENCODING_BASE64, false,
                      "durable", NULL, UMEMD_CALLS},
    [REDIS_EVERYSEC] = {"Redis, appendonly everysec", SERVER_REDIS_EVERYSEC, ENCODING_RAW, false, NULL, NULL,
                        REDIS_CALLS},
    [REDIS_ALWAYS] = {"Redis, appendonly always", SERVER_REDIS_ALWAYS, ENCODING_RAW, false, NULL, NULL,
                      REDIS_CALLS},
};

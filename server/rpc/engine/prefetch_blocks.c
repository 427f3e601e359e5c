/* Looking ahead: which blocks the messages that just came are about. Only for speed: a guess from the text, which nothing
 * depends on. Where there are millions of blocks, fetching a record and its bytes takes as long as the rest of a small call,
 * but fetching those of many calls at once takes hardly longer than one. */
#include <string.h>

#include "rpc/call/engine_state.h"

enum {
    LOOKED_AT_SIZE =
        16 *
        1024, /* bytes of the text; what comes later is only reached when other things were fetched since */
    BLOCKS_AT_ONCE = 128,
    DIGITS_MAXIMUM = 16 /* in a handle */
};

static um_handle handle_at(const char *text, const char *end)
{
    um_handle handle = 0;

    if (end - text > DIGITS_MAXIMUM)
        end = text + DIGITS_MAXIMUM;
    for (; text < end && *text >= '0' && *text <= '9'; text++)
        handle = handle * 10 + (um_handle)(*text - '0');
    return handle;
}

void um_rpc_prefetch(const struct um_rpc *rpc, const char *text, size_t size)
{
    static const char key[] = "\"block\"";
    const size_t key_size = sizeof key - 1;
    um_handle handles[BLOCKS_AT_ONCE];
    size_t count = 0;
    const char *end = text + (size < LOOKED_AT_SIZE ? size : LOOKED_AT_SIZE);
    const char *at = text;

    if (!um_store_is_large(rpc->store))
        return;
    while (count < BLOCKS_AT_ONCE && at < end) {
        const char *colon = memchr(at, ':', (size_t)(end - at));

        if (colon == NULL)
            break;
        at = colon + 1;
        if ((size_t)(colon - text) >= key_size && memcmp(colon - key_size, key, key_size) == 0)
            handles[count++] = handle_at(at, end);
    }
    um_store_prefetch(rpc->store, handles, count);
}

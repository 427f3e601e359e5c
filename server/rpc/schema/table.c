#include "rpc/schema/table.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"

static const struct um_method *const methods[] = {
#define METHOD_ADDRESS(symbol) &um_method_##symbol,
    UM_METHODS(METHOD_ADDRESS)
#undef METHOD_ADDRESS
};

const struct um_method *um_table_at(size_t index)
{
    return index < UM_METHOD_COUNT ? methods[index] : NULL;
}

/* A hash table of open addressing, so that a name is compared with one other or two. It is filled at the first look-up. */
enum { PLACE_COUNT = 256 };

static_assert(UM_METHOD_COUNT <= PLACE_COUNT / 2, "the table of methods needs more places");

static const struct um_method *places[PLACE_COUNT];
static size_t indices[PLACE_COUNT]; /* of these, in `methods` */
static bool is_filled;

/* The size and two bytes near the end tell the names apart; where some new one's do not, it takes the next place. */
UM_ALWAYS_INLINE size_t first_place(const char *name, size_t size)
{
    const unsigned char *end = (const unsigned char *)name + size;

    return size < 3 ? 0 : (size + 5 * (size_t)end[-2] + 29 * (size_t)end[-3]) % PLACE_COUNT;
}

static void fill(void)
{
    for (size_t i = 0; i < UM_METHOD_COUNT; i++) {
        size_t place = first_place(methods[i]->name, strlen(methods[i]->name));

        while (places[place] != NULL)
            place = (place + 1) % PLACE_COUNT;
        places[place] = methods[i];
        indices[place] = i;
    }
    is_filled = true;
}

const struct um_method *um_table_find(const char *name, size_t size)
{
    size_t place = first_place(name, size);

    if (!is_filled)
        fill();
    for (; places[place] != NULL; place = (place + 1) % PLACE_COUNT) {
        if (strcmp(places[place]->name, name) == 0)
            return places[place];
    }
    return NULL;
}

size_t um_table_place(const struct um_method *method)
{
    size_t place = method != NULL ? first_place(method->name, strlen(method->name)) : 0;

    if (!is_filled)
        fill();
    while (places[place] != NULL && places[place] != method)
        place = (place + 1) % PLACE_COUNT;
    return method != NULL && places[place] != NULL ? indices[place] : UM_METHOD_COUNT;
}

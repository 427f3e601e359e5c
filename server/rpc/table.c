#include "table.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "methods.h"

static const struct um_method *const methods[] = {
#define METHOD_ADDRESS(symbol) &um_method_##symbol,
    UM_METHODS(METHOD_ADDRESS)
#undef METHOD_ADDRESS
};

enum { METHOD_COUNT = sizeof methods / sizeof methods[0] };

const struct um_method *um_table_at(size_t index)
{
    return index < METHOD_COUNT ? methods[index] : NULL;
}

/* A hash table of open addressing, so that a name is compared with one other or two. It is filled when it is first asked. */
enum { PLACE_COUNT = 256 };

static_assert(METHOD_COUNT <= PLACE_COUNT / 2, "the table of methods needs more places");

static const struct um_method *places[PLACE_COUNT];
static bool is_filled;

static size_t first_place(const char *name)
{
    uint32_t hash = 0;

    for (; *name != '\0'; name++)
        hash = hash * 31 + (unsigned char)*name;
    return (hash ^ hash >> 8) % PLACE_COUNT;
}

static void fill(void)
{
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        size_t place = first_place(methods[i]->name);

        while (places[place] != NULL)
            place = (place + 1) % PLACE_COUNT;
        places[place] = methods[i];
    }
    is_filled = true;
}

const struct um_method *um_table_find(const char *name)
{
    size_t place = first_place(name);

    if (!is_filled)
        fill();
    for (; places[place] != NULL; place = (place + 1) % PLACE_COUNT) {
        if (strcmp(places[place]->name, name) == 0)
            return places[place];
    }
    return NULL;
}

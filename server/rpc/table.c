#include "table.h"

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

const struct um_method *um_table_find(const char *name)
{
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if (strcmp(methods[i]->name, name) == 0)
            return methods[i];
    }
    return NULL;
}

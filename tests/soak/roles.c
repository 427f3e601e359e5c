#include <stddef.h>
#include <string.h>

#include "role.h"

static const struct role *const roles[] = {
    &role_model, &role_commons, &role_counter, &role_handover, &role_lock,   &role_watch,
    &role_relay, &role_mapped,  &role_garbage, &role_stall,    &role_limits,
};

enum { ROLE_COUNT = sizeof roles / sizeof roles[0] };

const struct role *role_at(unsigned index)
{
    return index < ROLE_COUNT ? roles[index] : NULL;
}

const struct role *role_named(const char *name)
{
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        if (strcmp(roles[i]->name, name) == 0)
            return roles[i];
    }
    return NULL;
}

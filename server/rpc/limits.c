#include "limits.h"

#include <stddef.h>
#include <string.h>

static const struct um_limit_entry entries[] = {
#define LIMIT_ENTRY(name, fallback, minimum, maximum, doc) \
    {#name, doc, UINT64_C(fallback), UINT64_C(minimum), UINT64_C(maximum)},
    UM_LIMITS(LIMIT_ENTRY)
#undef LIMIT_ENTRY
};

static const size_t offsets[] = {
#define LIMIT_OFFSET(name, fallback, minimum, maximum, doc) offsetof(struct um_limits, name),
    UM_LIMITS(LIMIT_OFFSET)
#undef LIMIT_OFFSET
};

enum { ENTRY_COUNT = sizeof entries / sizeof entries[0] };

void um_limits_init(struct um_limits *limits)
{
    for (unsigned i = 0; i < ENTRY_COUNT; i++)
        memcpy((char *)limits + offsets[i], &entries[i].fallback, sizeof(uint64_t));
}

const struct um_limit_entry *um_limits_entry(unsigned index)
{
    return index < ENTRY_COUNT ? &entries[index] : NULL;
}

uint64_t um_limits_value(const struct um_limits *limits, unsigned index)
{
    uint64_t value;

    memcpy(&value, (const char *)limits + offsets[index], sizeof value);
    return value;
}

int um_limits_set(struct um_limits *limits, const char *name, uint64_t value,
                  const struct um_limit_entry **entry)
{
    *entry = NULL;
    for (unsigned i = 0; i < ENTRY_COUNT; i++) {
        if (strcmp(entries[i].name, name) != 0)
            continue;
        *entry = &entries[i];
        if (value < entries[i].minimum || value > entries[i].maximum)
            return UMEM_E_BAD_ARGUMENT;
        memcpy((char *)limits + offsets[i], &value, sizeof value);
        return UMEM_OK;
    }
    return UMEM_E_BAD_ARGUMENT;
}

#include "rpc/schema/server_limits.h"

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

void um_limits_init(struct um_limits *limits)
{
    for (int i = 0; i < UM_LIMIT_COUNT; i++)
        memcpy((char *)limits + offsets[i], &entries[i].fallback, sizeof(uint64_t));
}

const char *um_limits_fallback(const struct um_limit_entry *entry)
{
    return entry == &entries[UM_LIMIT_bytes] ? "75 % of the memory" : "as bytes";
}

enum um_limit um_limits_find(const char *name)
{
    int place = 0;

    while (place < UM_LIMIT_COUNT && strcmp(entries[place].name, name) != 0)
        place++;
    return (enum um_limit)place;
}

bool um_limits_may_change(unsigned index)
{
    switch ((enum um_limit)index) {
    case UM_LIMIT_message_bytes:
    case UM_LIMIT_payload_bytes:
    case UM_LIMIT_batch_requests:
    case UM_LIMIT_batch_bytes:
    case UM_LIMIT_unsent_bytes:
    case UM_LIMIT_waits:
        return false;
    default:
        return true;
    }
}

void um_limits_change(struct um_limits *limits, const struct um_limits *other)
{
    for (unsigned i = 0; i < UM_LIMIT_COUNT; i++) {
        if (um_limits_may_change(i))
            memcpy((char *)limits + offsets[i], (const char *)other + offsets[i], sizeof(uint64_t));
    }
}

const struct um_limit_entry *um_limits_entry(unsigned index)
{
    return index < UM_LIMIT_COUNT ? &entries[index] : NULL;
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
    enum um_limit place = um_limits_find(name);

    *entry = um_limits_entry((unsigned)place);
    if (*entry == NULL || value < (*entry)->minimum || value > (*entry)->maximum)
        return UMEM_E_BAD_ARGUMENT;
    memcpy((char *)limits + offsets[place], &value, sizeof value);
    return UMEM_OK;
}

#include "cli/report/block_groups.h"

#include <stddef.h>

/* A group's name, and the first value that is not in it any more. */
struct group {
    const char *label;
    uint64_t end;
};

static const struct group ages[] = {
    {"under 1 minute", 60},     {"under 10 minutes", 600},       {"under 1 hour", 3600},
    {"under 1 day", 24 * 3600}, {"under 1 week", 7 * 24 * 3600}, {"1 week and more", UINT64_MAX},
};

static const struct group sizes[] = {
    {"up to 64 B", 64 + 1},           {"up to 1 KiB", (1 << 10) + 1},
    {"up to 16 KiB", (16 << 10) + 1}, {"up to 256 KiB", (256 << 10) + 1},
    {"up to 4 MiB", (4 << 20) + 1},   {"over 4 MiB", UINT64_MAX},
};

enum { AGE_COUNT = sizeof ages / sizeof ages[0], SIZE_COUNT = sizeof sizes / sizeof sizes[0] };

_Static_assert((int)AGE_COUNT <= (int)CLI_GROUPS && (int)SIZE_COUNT <= (int)CLI_GROUPS,
               "every group has a place");

static int find_group(const struct group *groups, int count, uint64_t value)
{
    int group = 0;

    while (group < count - 1 && value >= groups[group].end)
        group++;
    return group;
}

int cli_age_group(int64_t age_seconds)
{
    return find_group(ages, AGE_COUNT, age_seconds > 0 ? (uint64_t)age_seconds : 0);
}

int cli_size_group(uint64_t size_bytes)
{
    return find_group(sizes, SIZE_COUNT, size_bytes);
}

const char *cli_age_label(int group)
{
    return group < AGE_COUNT ? ages[group].label : NULL;
}

const char *cli_size_label(int group)
{
    return group < SIZE_COUNT ? sizes[group].label : NULL;
}

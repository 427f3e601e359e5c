#include "store/journal/journal_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void um_journal_name(char name[UM_JOURNAL_NAME_CAPACITY], uint64_t heap, uint32_t number)
{
    if (heap == 0)
        snprintf(name, UM_JOURNAL_NAME_CAPACITY, "handles.%" PRIu32 ".journal", number);
    else if (number != 0)
        snprintf(name, UM_JOURNAL_NAME_CAPACITY, "heap-%" PRIu64 ".%" PRIu32 ".journal", heap, number);
    else
        snprintf(name, UM_JOURNAL_NAME_CAPACITY, "heap-%" PRIu64 ".bytes", heap);
}

/* Reads a decimal number as um_journal_name() writes it. */
static bool parse_number(const char **text, uint64_t limit, uint64_t *value)
{
    const char *at = *text;

    if (*at < '1' || *at > '9')
        return false;
    for (*value = 0; *at >= '0' && *at <= '9'; at++) {
        if (*value > (limit - (uint64_t)(*at - '0')) / 10)
            return false;
        *value = *value * 10 + (uint64_t)(*at - '0');
    }
    *text = at;
    return true;
}

bool um_journal_parse_name(const char *name, uint64_t *heap, uint32_t *number)
{
    static const char heap_prefix[] = "heap-";
    static const char handles_prefix[] = "handles";
    uint64_t found = 0;
    uint64_t which = 0;

    if (strncmp(name, heap_prefix, sizeof heap_prefix - 1) == 0) {
        name += sizeof heap_prefix - 1;
        if (!parse_number(&name, UINT64_MAX, &found))
            return false;
    } else if (strncmp(name, handles_prefix, sizeof handles_prefix - 1) == 0) {
        name += sizeof handles_prefix - 1;
    } else {
        return false;
    }
    if (found == 0 || strcmp(name, ".bytes") != 0) {
        if (*name++ != '.' || !parse_number(&name, UINT32_MAX, &which) || strcmp(name, ".journal") != 0)
            return false;
    }
    *heap = found;
    *number = (uint32_t)which;
    return true;
}

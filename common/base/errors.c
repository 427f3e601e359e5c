#include "umem_errors.h"

#include <stddef.h>

struct error_entry {
    int code;         /* the negative number */
    const char *name; /* stable name */
    const char *text; /* default text */
};

static const struct error_entry entries[] = {
#define ERROR_ENTRY(identifier, code, name, text) {code, name, text},
    UMEM_WIRE_ERRORS(ERROR_ENTRY) UMEM_LIBRARY_ERRORS(ERROR_ENTRY)
#undef ERROR_ENTRY
};

static const struct error_entry *find_entry(int code)
{
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (entries[i].code == code)
            return &entries[i];
    }
    return NULL;
}

const char *umem_error_name(int code)
{
    const struct error_entry *entry = find_entry(code);

    if (code == UMEM_OK)
        return "ok";
    return entry != NULL ? entry->name : "unknown";
}

const char *umem_error_text(int code)
{
    const struct error_entry *entry = find_entry(code);

    if (code == UMEM_OK)
        return "success";
    return entry != NULL ? entry->text : "unknown error";
}

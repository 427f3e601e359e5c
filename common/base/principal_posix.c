#include "base/principal.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "umem_errors.h"

enum {
    SPACE_FIRST = 1024,   /* bytes for an entry of the system's lists; it grows where that is too small */
    SPACE_LIMIT = 4 << 20 /* a group of some 100,000 members */
};

/* Looks a name up, with `space` for what the entry has. Returns 0, or an error number; *found tells whether there is one. */
typedef int look_up(const char *name, char *space, size_t size, bool *found, uint32_t *number);

static int look_up_user(const char *name, char *space, size_t size, bool *found, uint32_t *number)
{
    struct passwd entry;
    struct passwd *result = NULL;
    int error = getpwnam_r(name, &entry, space, size, &result);

    *found = result != NULL;
    if (*found)
        *number = (uint32_t)entry.pw_uid;
    return error;
}

static int look_up_group(const char *name, char *space, size_t size, bool *found, uint32_t *number)
{
    struct group entry;
    struct group *result = NULL;
    int error = getgrnam_r(name, &entry, space, size, &result);

    *found = result != NULL;
    if (*found)
        *number = (uint32_t)entry.gr_gid;
    return error;
}

/* With as much space as it takes. */
static int look_up_name(look_up *run, const char *name, bool *found, uint32_t *number)
{
    int error = ERANGE;

    *found = false;
    for (size_t size = SPACE_FIRST; error == ERANGE && size <= SPACE_LIMIT; size *= 4) {
        char *space = malloc(size);

        if (space == NULL)
            return ENOMEM;
        error = run(name, space, size, found, number);
        free(space);
    }
    return error;
}

/* Digits only, and not the number that stands for "none" (-1). */
static bool read_number(const char *text, uint32_t *number)
{
    unsigned long long value;
    char *end;

    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || value >= UINT32_MAX)
        return false;
    *number = (uint32_t)value;
    return true;
}

static int find(look_up *run, const char *kind, const char *text, struct um_principal *principal, char *why,
                size_t capacity)
{
    struct um_principal made = {.is_set = true};
    bool found;
    int error;

    if (text[0] == '\0' || strlen(text) >= sizeof made.name) {
        snprintf(why, capacity,
                 text[0] == '\0' ? "the name of the %s is empty" : "the name of the %s is too long", kind);
        return UMEM_E_BAD_ARGUMENT;
    }
    error = look_up_name(run, text, &found, &made.number);
    if (!found && !read_number(text, &made.number)) {
        /* Some systems say so where there is none. */
        if (error == 0 || error == ENOENT || error == ESRCH || error == EPERM || error == EBADF)
            snprintf(why, capacity, "there is no %s %s on this system", kind, text);
        else
            snprintf(why, capacity, "the %s %s cannot be looked up: %s", kind, text, strerror(error));
        return UMEM_E_BAD_ARGUMENT;
    }
    strcpy(made.name, text);
    *principal = made;
    return UMEM_OK;
}

int um_principal_find_user(const char *text, struct um_principal *principal, char *why, size_t capacity)
{
    return find(look_up_user, "user", text, principal, why, capacity);
}

int um_principal_find_group(const char *text, struct um_principal *principal, char *why, size_t capacity)
{
    return find(look_up_group, "group", text, principal, why, capacity);
}

bool um_principal_is_sid(void)
{
    return false;
}

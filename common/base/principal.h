/*
 * A user or group of the system: looked up by name or number, and compared.
 *
 * Owns: nothing. Must not know: what the user or group is let do.
 *
 * A name of POSIX systems counts before a number, as for chown: a user may be called 1000. On Windows a user or group is a SID, in the
 * form "S-1-5-...", or a name that the system knows, such as "DOMAIN\name" or "NT SERVICE\umemd".
 */
#ifndef UM_PRINCIPAL_H
#define UM_PRINCIPAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UM_PRINCIPAL_SID_SIZE = 68, /* SECURITY_MAX_SID_SIZE */ UM_PRINCIPAL_NAME_SIZE = 128 };

struct um_principal {
    bool is_set;                                          /* false: it is nobody */
    uint32_t number;                                      /* POSIX: of the user or the group */
    _Alignas(4) unsigned char sid[UM_PRINCIPAL_SID_SIZE]; /* Windows */
    char name[UM_PRINCIPAL_NAME_SIZE];                    /* as it was given; UTF-8 */
};

/* Whether users and groups are SIDs here, and not numbers of two kinds. */
bool um_principal_is_sid(void);

/* Looks up a user, or a group that the user who runs a daemon lets in. UMEM_E_BAD_ARGUMENT where there is none, it
 * cannot be let in, or the system does not tell: then `why` holds a sentence without a full stop, and *principal is as it was. The system's list of users may be on another machine: it may take long. */
int um_principal_find_user(const char *text, struct um_principal *principal, char *why, size_t capacity);
int um_principal_find_group(const char *text, struct um_principal *principal, char *why, size_t capacity);

#endif

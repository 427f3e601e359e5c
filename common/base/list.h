/*
 * Doubly linked lists whose links lie inside the members.
 *
 * Owns: nothing; a list is a head and links of the caller's. Must not know: what is listed.
 */
#ifndef UM_BASE_LIST_H
#define UM_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/steps.h"

/* A list's head, or a member's place in one list. An initialised link that is in no list points at itself. */
struct um_link {
    struct um_link *next;
    struct um_link *prev;
};

/* The struct of `type` whose `member` is this link. */
#define UM_LIST_ITEM(link, type, member) (UM_STEP(), (type *)(void *)((char *)(link)-offsetof(type, member)))

UM_ALWAYS_INLINE void um_list_init(struct um_link *link)
{
    link->next = link;
    link->prev = link;
}

UM_ALWAYS_INLINE bool um_list_is_empty(const struct um_link *head)
{
    return head->next == head;
}

UM_ALWAYS_INLINE void um_list_append(struct um_link *head, struct um_link *link)
{
    link->next = head;
    link->prev = head->prev;
    head->prev->next = link;
    head->prev = link;
}

/* Takes a member out of the list that it is in; does nothing to one that is in none. */
UM_ALWAYS_INLINE void um_list_remove(struct um_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    um_list_init(link);
}

/* Takes the first member out of a list that is not empty. A loop that frees members takes them by this, so that it shows
 * where it stands that it does not meet one twice. */
UM_ALWAYS_INLINE struct um_link *um_list_take(struct um_link *head)
{
    struct um_link *first = head->next;

    head->next = first->next;
    first->next->prev = head;
    um_list_init(first);
    return first;
}

#endif

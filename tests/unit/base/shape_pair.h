/*
 * Holds the reading of a text by the shape of another one beside um_json_read(), which must say the same of it.
 *
 * Owns: nothing that outlives a call. Must not know: what the texts are for.
 */
#ifndef UM_TEST_SHAPE_PAIR_H
#define UM_TEST_SHAPE_PAIR_H

#include <stddef.h>

enum shape_pair_result {
    SHAPE_PAIR_NO_EXAMPLE, /* no shape can be made of the example */
    SHAPE_PAIR_OTHER,      /* the text does not have the shape, and is unchanged */
    SHAPE_PAIR_READ        /* it has, and both trees are the same */
};

/* `fixed` are the names of members of the example's outermost object whose strings are a part of the shape; NULL: none. *wrong is what
 * differs from what must be; NULL: nothing. */
enum shape_pair_result shape_pair_check(const char *example, size_t example_size, const char *text,
                                        size_t size, const char *const fixed[2], const char **wrong);

#endif

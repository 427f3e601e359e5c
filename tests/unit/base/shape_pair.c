#include "shape_pair.h"

#include <stdlib.h>
#include <string.h>

#include "umem_errors.h"
#include "wire/json_read.h"
#include "wire/json_shape.h"

/* A text of its own memory, which ends where the text does, so that a sanitizer sees a byte too many. */
static char *copy_of(const char *text, size_t size)
{
    char *copy = malloc(size != 0 ? size : 1);

    if (copy == NULL)
        abort();
    memcpy(copy, text, size);
    return copy;
}

static const char *compare_scalars(const struct um_json *left, const struct um_json *right)
{
    if (left->kind == UM_JSON_NUMBER) {
        if (left->is_plain != right->is_plain || um_json_number_size(left) != um_json_number_size(right))
            return "how a number is written";
        if (memcmp(left->text, right->text, um_json_number_size(left)) != 0)
            return "a number's text";
        return left->is_plain && left->integer != right->integer ? "a number" : NULL;
    }
    if (left->kind != UM_JSON_STRING)
        return NULL;
    if (left->size != right->size || memcmp(left->text, right->text, left->size + 1) != 0)
        return "a string";
    return left->has_nul != right->has_nul || left->is_decoded != right->is_decoded ? "a string's marks"
                                                                                    : NULL;
}

/* What differs; NULL: nothing. */
static const char *compare(const struct um_json *left, const struct um_json *right)
{
    const char *wrong = NULL;

    if (left->kind != right->kind || (left->key == NULL) != (right->key == NULL))
        return "a kind";
    if (left->key != NULL && (left->key_size != right->key_size || strcmp(left->key, right->key) != 0))
        return "a name";
    if (left->kind != UM_JSON_ARRAY && left->kind != UM_JSON_OBJECT)
        return compare_scalars(left, right);
    if (left->size != right->size)
        return "how many values there are";
    left = left->child;
    right = right->child;
    for (; left != NULL && right != NULL && wrong == NULL; left = left->next, right = right->next)
        wrong = compare(left, right);
    return wrong == NULL && left != right ? "which value is the last" : wrong;
}

/* Both read a copy of the text. */
static enum shape_pair_result read_both(struct um_json_shape *shape, const char *text, size_t size,
                                        const char **wrong)
{
    struct um_arena arena = {.chunk = NULL};
    struct um_json_check check;
    struct um_json *json = NULL;
    char *by_shape = copy_of(text, size);
    char *in_full = copy_of(text, size);
    const struct um_json *read = um_json_shape_read(shape, by_shape, size);

    if (read == NULL)
        *wrong = memcmp(by_shape, text, size) != 0 ? "a text was changed that does not have the shape" : NULL;
    else if (um_json_read(in_full, size, &arena, &json, &check) != UMEM_OK)
        *wrong = "the text is not right";
    else if (check.values != shape->value_count)
        *wrong = "the number of values";
    else
        *wrong = compare(read, json);
    um_arena_deinit(&arena);
    free(in_full);
    free(by_shape);
    return read != NULL ? SHAPE_PAIR_READ : SHAPE_PAIR_OTHER;
}

enum shape_pair_result shape_pair_check(const char *example, size_t example_size, const char *text,
                                        size_t size, const char *const fixed[2], const char **wrong)
{
    enum shape_pair_result result = SHAPE_PAIR_NO_EXAMPLE;
    struct um_arena arena = {.chunk = NULL};
    struct um_json_check check;
    struct um_json *json = NULL;
    char *copy = copy_of(example, example_size);
    struct um_json_shape *shape = calloc(1, sizeof *shape);
    struct um_json_example learned = {.written = example, .text = copy, .size = example_size};

    if (shape == NULL)
        abort();
    *wrong = NULL;
    if (um_json_read(copy, example_size, &arena, &json, &check) == UMEM_OK) {
        learned.json = json;
        for (size_t i = 0; i < 2; i++)
            learned.fixed[i] = fixed[i] != NULL ? um_json_member_of(json, fixed[i]) : NULL;
        if (um_json_shape_learn(shape, &learned)) {
            /* What it keeps is its own. */
            um_arena_deinit(&arena);
            memset(copy, 'x', example_size);
            result = read_both(shape, text, size, wrong);
        }
    }
    um_arena_deinit(&arena);
    free(copy);
    free(shape);
    return result;
}

#include "wire/json_shape.h"

#include <string.h>

#include "base/word.h"
#include "wire/json_string.h"
#include "wire/json_write.h"

/* ---- a shape is made ---- */

struct learner {
    struct um_json_shape *shape;
    const struct um_json_example *example;
    size_t from; /* where in the text the bytes behind the last slot begin */
};

/* Bytes of the shape are those of the text without its slots: where `at` in the text, which is behind the last slot, goes. NULL: the
 * shape cannot hold it. */
static const char *place_of(const struct learner *learner, const char *at)
{
    const struct um_json_shape *shape = learner->shape;
    size_t place = shape->least_size + ((size_t)(at - learner->example->text) - learner->from);

    return place < UM_JSON_SHAPE_BYTES ? shape->read + place : NULL;
}

/* Copies the bytes up to `end`, which are no value. The next ones begin at `next`. */
static bool copy_bytes(struct learner *learner, size_t end, size_t next)
{
    struct um_json_shape *shape = learner->shape;
    size_t size = end - learner->from;

    if (size > UM_JSON_SHAPE_BYTES - shape->least_size)
        return false;
    memcpy(shape->written + shape->least_size, learner->example->written + learner->from, size);
    memcpy(shape->read + shape->least_size, learner->example->text + learner->from, size);
    shape->least_size += size;
    learner->from = next;
    return true;
}

static bool add_slot(struct learner *learner, struct um_json *json, size_t offset, size_t size)
{
    struct um_json_shape *shape = learner->shape;
    size_t before = offset - learner->from;

    shape->slots[shape->slot_count++] = (struct um_json_slot){json, before};
    shape->has_strings |= json->kind == UM_JSON_STRING;
    return copy_bytes(learner, offset, offset + size);
}

static bool is_fixed(const struct um_json_example *example, const struct um_json *json)
{
    for (size_t i = 0; i < UM_JSON_SHAPE_FIXED; i++) {
        if (example->fixed[i] == json)
            return true;
    }
    return false;
}

/* Copies a value that is none of a container. A string that is to be a slot must stand there as it was written, so that its end is
 * known. */
static bool learn_scalar(struct learner *learner, const struct um_json *from, struct um_json *to)
{
    const struct um_json_example *example = learner->example;
    size_t offset;

    if (from->kind != UM_JSON_NUMBER && from->kind != UM_JSON_STRING)
        return true;
    offset = (size_t)(from->text - example->text);
    if (from->kind == UM_JSON_NUMBER && from->is_plain)
        return add_slot(learner, to, offset, from->plain_size);
    if (from->kind == UM_JSON_NUMBER || is_fixed(example, from)) {
        to->text = place_of(learner, from->text);
        return to->text != NULL;
    }
    return memchr(example->written + offset, '\\', from->size) == NULL &&
           add_slot(learner, to, offset, from->size);
}

/* Copies a value with all that is in it. Its depth is bounded by the number of values. */
static struct um_json *learn_value(struct learner *learner, const struct um_json *from)
{
    struct um_json_shape *shape = learner->shape;
    struct um_json *to = &shape->values[shape->value_count];
    struct um_json **place = &to->child;

    if (shape->value_count == UM_JSON_SHAPE_VALUES)
        return NULL;
    shape->value_count++;
    *to = *from;
    to->next = NULL;
    if (from->key != NULL) {
        to->key = place_of(learner, from->key);
        if (to->key == NULL)
            return NULL;
    }
    if (from->kind != UM_JSON_ARRAY && from->kind != UM_JSON_OBJECT)
        return learn_scalar(learner, from, to) ? to : NULL;
    for (const struct um_json *child = from->child; child != NULL; child = child->next) {
        *place = learn_value(learner, child);
        if (*place == NULL)
            return NULL;
        place = &(*place)->next;
    }
    return to;
}

bool um_json_shape_learn(struct um_json_shape *shape, const struct um_json_example *example)
{
    struct learner learner = {.shape = shape, .example = example};

    shape->value_count = 0;
    shape->slot_count = 0;
    shape->has_strings = false;
    shape->least_size = 0;
    if (learn_value(&learner, example->json) != NULL && copy_bytes(&learner, example->size, example->size))
        return true;
    um_json_shape_forget(shape);
    return false;
}

void um_json_shape_forget(struct um_json_shape *shape)
{
    shape->value_count = 0;
}

/* ---- a text is read ---- */

/* Whether bytes of a text are those of its shape. A few of them are compared together with those before them, of which the text has at
 * least as many as the shape. */
UM_ALWAYS_INLINE bool is_same(const struct um_json_shape *shape, const char *at, const char *written,
                              size_t size)
{
    if (size >= UM_WORD_SIZE)
        return um_words_are_same(at, written, size);
    if (size != 0 && (size_t)(written - shape->written) + size >= UM_WORD_SIZE)
        return (um_word_load(at + size - UM_WORD_SIZE) ^ um_word_load(written + size - UM_WORD_SIZE)) >>
                   8 * (UM_WORD_SIZE - size) ==
               0;
    for (size_t i = 0; i < size; i++) {
        if (at[i] != written[i])
            return false;
    }
    return true;
}

/* Reads a row of digits. Returns what is behind it. The sum is right if there are not too many. Most rows are short. */
UM_ALWAYS_INLINE char *read_digits(char *at, const char *end, uint64_t *sum)
{
    uint64_t read = 0;

    while (end - at >= UM_WORD_SIZE && at[UM_WORD_SIZE - 1] >= '0' && um_word_is_digits(um_word_load(at))) {
        read = 100000000 * read + um_word_digits(um_word_load(at));
        at += UM_WORD_SIZE;
    }
    for (; at != end; at++) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';

        if (digit > 9)
            break;
        read = 10 * read + digit;
    }
    *sum = read;
    return at;
}

/* Reads an integer that is negative, long, or none. */
static char *read_rare_integer(char *start, const char *end, struct um_json *number)
{
    enum { DIGITS_LIMIT = 16 /* in 2^53 - 1 */ };
    char *digits = start + (start != end && *start == '-');
    uint64_t sum;
    char *at = read_digits(digits, end, &sum);

    if (at == digits || at - digits > DIGITS_LIMIT || (*digits == '0' && at != digits + 1) ||
        sum > (uint64_t)UM_JSON_INTEGER_MAX)
        return NULL;
    number->text = start;
    number->integer = digits != start ? -(int64_t)sum : (int64_t)sum;
    number->plain_size = (uint8_t)(at - start);
    return at;
}

/* Reads an integer. Returns what is behind it; NULL: it is no plain one. */
UM_ALWAYS_INLINE char *read_integer(char *start, const char *end, struct um_json *number)
{
    enum { DIGITS_SMALL = 15 /* so many are always within 2^53 - 1 */ };
    uint64_t sum;
    char *at = read_digits(start, end, &sum);
    size_t size = (size_t)(at - start);

    if (size - 1 >= DIGITS_SMALL || (*start == '0' && size != 1))
        return read_rare_integer(start, end, number);
    number->text = start;
    number->integer = (int64_t)sum;
    number->plain_size = (uint8_t)size;
    return at;
}

/* Reads a string from behind its quote. Returns where its other one may be; NULL: it is not plain. */
UM_ALWAYS_INLINE char *read_plain_string(char *start, const char *end, struct um_json *string)
{
    char *at = start;

    while (end - at >= 2 * UM_WORD_SIZE &&
           (um_json_mark_not_ascii(at) | um_json_mark_not_ascii(at + UM_WORD_SIZE)) == 0)
        at += 2 * UM_WORD_SIZE;
    for (; end - at >= UM_WORD_SIZE; at += UM_WORD_SIZE) {
        uint64_t marks = um_json_mark_not_ascii(at);

        if (marks == 0)
            continue;
        at += um_word_first(marks);
        break;
    }
    while (at != end && (signed char)*at >= ' ' && *at != '"' && *at != '\\')
        at++;
    string->text = start;
    string->size = (size_t)(at - start);
    return at;
}

/* What ends a string takes the place of its quote. */
UM_ALWAYS_INLINE void end_strings(const struct um_json_shape *shape)
{
    for (size_t i = 0; i < shape->slot_count; i++) {
        const struct um_json *json = shape->slots[i].json;

        if (json->kind == UM_JSON_STRING)
            ((char *)(uintptr_t)json->text)[json->size] = '\0';
    }
}

const struct um_json *um_json_shape_read(struct um_json_shape *shape, char *text, size_t size)
{
    const char *end = text + size;
    const char *written = shape->written;
    char *at = text;

    if (shape->value_count == 0 || size < shape->least_size || size > UM_JSON_SHAPE_TEXT)
        return NULL;
    for (size_t i = 0; i < shape->slot_count; i++) {
        const struct um_json_slot *slot = &shape->slots[i];

        if ((size_t)(end - at) < slot->before || !is_same(shape, at, written, slot->before))
            return NULL;
        at += slot->before;
        written += slot->before;
        at = slot->json->kind == UM_JSON_NUMBER ? read_integer(at, end, slot->json)
                                                : read_plain_string(at, end, slot->json);
        if (at == NULL)
            return NULL;
    }
    size = (size_t)(shape->written + shape->least_size - written);
    if ((size_t)(end - at) != size || !is_same(shape, at, written, size))
        return NULL;
    if (shape->has_strings)
        end_strings(shape);
    return &shape->values[0];
}

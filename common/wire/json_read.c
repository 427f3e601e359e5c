#include "wire/json_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/encoding.h"
#include "umem_errors.h"
#include "wire/json_end.h"
#include "wire/json_string.h"

#define INTEGER_MAX INT64_C(9007199254740991) /* 2^53 - 1 */

enum {
    EXACT_DIGITS = 18, /* so many decimal digits fit into 63 bits, whatever they are */
    SPACE_NEAR = 16,   /* bytes of space that are looked at one by one, before rows are */
    SPACE_ROW = 64
};

/* What comes next in the text. */
enum next { NEXT_VALUE, NEXT_END /* of a value that is whole: a comma, or the end of its container */ };

static const char too_early[] = "the text ends too early";

/* Functions that read take the place of the next byte and return the place behind what they have read, or NULL where it is not
 * right, so that the place stays in a register. Each of them is called from one place only: compilers make a single loop of
 * them. */
struct reader {
    struct um_json_source source;
    uint64_t
        objects; /* bit 0: the innermost container is an object, not an array; bit 1: the one around it, and so on */
    unsigned depth;         /* containers open */
    struct um_arena *arena; /* where the tree lies; NULL: the text is only checked */
    struct um_json outside; /* as if it were a container around the text's value */
    struct um_json *open; /* the innermost container, whose `next` is the one around it until it is closed */
    struct um_json **place;  /* the place of the next value of the innermost one */
    struct um_json unwanted; /* where a value is put that is only checked */
    struct um_json *begun;   /* the value in whose string or name the last step ended */
    bool is_named;           /* it has its name, if it is to have one */
    size_t values;           /* in the tree so far */
    size_t values_limit;     /* 0 where there is none */
    int code;                /* what is wrong, if something is */
    unsigned text_depth;     /* of um_json_split(), or 0: containers at this depth or deeper stay text */
    struct um_json
        *as_text; /* that container, while it is read; NULL: none. Both where strings are not unescaped */
    size_t limit_outside; /* values_limit, while it is read */
};

static char *refuse(struct reader *reader, char *at, const char *what)
{
    return um_json_refuse(&reader->source, at, what);
}

/* Whether the text continues with this byte. */
UM_ALWAYS_INLINE bool is_next(const struct reader *reader, const char *at, char byte)
{
    return at != reader->source.end && *at == byte;
}

/* What the digit at `at` says; above 9 where there is none. */
UM_ALWAYS_INLINE unsigned decimal_at(const struct reader *reader, const char *at)
{
    return at != reader->source.end ? (unsigned char)*at - (unsigned)'0' : 10;
}

UM_ALWAYS_INLINE bool is_space(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

UM_ALWAYS_INLINE unsigned char lesser(int left, int right)
{
    unsigned char a = (unsigned char)left;
    unsigned char b = (unsigned char)right;

    return a < b ? a : b;
}

/* Whether there is nothing else in so many bytes: of each, the least difference from a space is none. There is no way out of the loop and
 * no comparison in it, so that compilers look at many bytes at once. */
static bool is_all_space(const char *at)
{
    unsigned char others = 0;

    for (int i = 0; i < SPACE_ROW; i++)
        others |= lesser(lesser(at[i] ^ ' ', at[i] ^ '\n'), lesser(at[i] ^ '\r', at[i] ^ '\t'));
    return others == 0;
}

static char *skip_long_space(const struct reader *reader, char *at)
{
    while (reader->source.end - at >= SPACE_ROW && is_all_space(at))
        at += SPACE_ROW;
    while (at != reader->source.end && is_space(*at))
        at++;
    return at;
}

static char *skip_space(const struct reader *reader, char *at)
{
    char *end = reader->source.end;
    char *near = end - at > SPACE_NEAR ? at + SPACE_NEAR : end;

    while (at != near && is_space(*at))
        at++;
    return at != near || at == end ? at : skip_long_space(reader, at);
}

/* Passes over space before a byte that is to come. There mostly is none. */
UM_ALWAYS_INLINE char *skip_space_to(const struct reader *reader, char *at, char byte)
{
    return is_next(reader, at, byte) ? at : skip_space(reader, at);
}

/* ---- the tree ---- */

static struct um_json *cannot_add(struct reader *reader, int code)
{
    reader->code = code;
    return NULL;
}

/* Whether the next value is in no tree: there is none, or it lies in a container that stays text. */
static bool is_checked_only(const struct reader *reader)
{
    return !reader->source.unescapes && (reader->text_depth == 0 || reader->as_text != NULL);
}

/* A place for the next value. NULL where the tree cannot be made. */
UM_ALWAYS_INLINE struct um_json *add(struct reader *reader)
{
    struct um_json *json;

    if (reader->values == reader->values_limit)
        return is_checked_only(reader) ? &reader->unwanted : cannot_add(reader, UMEM_E_TOO_LARGE);
    json = um_arena_alloc(reader->arena, sizeof *json);
    if (json == NULL)
        return cannot_add(reader, UMEM_E_NO_MEMORY);
    *json = (struct um_json){.next = NULL};
    *reader->place = json;
    reader->place = &json->next;
    reader->open->size++;
    reader->values++;
    return json;
}

/* ---- numbers ---- */

/* Passes over digits. *integer is what they say, where they are at most EXACT_DIGITS. */
UM_ALWAYS_INLINE char *read_digits(const struct reader *reader, char *at, uint64_t *integer)
{
    uint64_t sum = 0;

    /* Most have up to three, which the last byte of a word tells; handles have up to sixteen. */
    while (reader->source.end - at >= UM_WORD_SIZE && at[UM_WORD_SIZE - 1] >= '0' &&
           at[UM_WORD_SIZE - 1] <= '9') {
        uint64_t word = um_word_load(at);

        if (!um_word_is_digits(word))
            break;
        sum = 100000000 * sum + um_word_digits(word);
        at += UM_WORD_SIZE;
    }
    for (unsigned next = decimal_at(reader, at); next <= 9; next = decimal_at(reader, ++at))
        sum = 10 * sum + next;
    *integer = sum;
    return at;
}

static char *skip_digits(const struct reader *reader, char *at)
{
    while (reader->source.end - at >= UM_WORD_SIZE && um_word_is_digits(um_word_load(at)))
        at += UM_WORD_SIZE;
    while (decimal_at(reader, at) <= 9)
        at++;
    return at;
}

/* Reads on where a number is more than a short row of digits, which ends at `at`: [ frac ] [ exp ]. */
static char *read_long_number(struct reader *reader, char *start, char *at, struct um_json *json)
{
    if (is_next(reader, at, '.')) {
        if (decimal_at(reader, ++at) > 9)
            return refuse(reader, start, "a number without digits after its point");
        at = skip_digits(reader, at);
    }
    if (is_next(reader, at, 'e') || is_next(reader, at, 'E')) {
        at++;
        if (is_next(reader, at, '+') || is_next(reader, at, '-'))
            at++;
        if (decimal_at(reader, at) > 9)
            return refuse(reader, start, "a number without digits in its exponent");
        at = skip_digits(reader, at);
    }
    json->size = (size_t)(at - start);
    json->is_plain = false;
    return at;
}

/* Whether a number continues behind its first digits: a point, or an e of either case. */
UM_ALWAYS_INLINE bool has_fraction(const struct reader *reader, const char *at)
{
    return at != reader->source.end && (*at == '.' || (*at | 0x20) == 'e');
}

/* number = [ minus ] int [ frac ] [ exp ], RFC 8259 section 6. Most are short rows of digits. */
static char *read_number(struct reader *reader, char *start, struct um_json *json)
{
    bool is_negative = *start == '-';
    char *digits = start + is_negative;
    uint64_t magnitude;
    char *at = read_digits(reader, digits, &magnitude);

    if (at == digits)
        return refuse(reader, start, "not a JSON value");
    if (*digits == '0' && at != digits + 1)
        return refuse(reader, start, "a number with a leading zero");
    json->kind = UM_JSON_NUMBER;
    json->text = start;
    if (at - digits > EXACT_DIGITS || magnitude > (uint64_t)INTEGER_MAX || has_fraction(reader, at))
        return read_long_number(reader, start, at, json);
    json->integer = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
    json->is_plain = true;
    json->plain_size = (uint8_t)(at - start);
    return at;
}

/* ---- values ---- */

UM_ALWAYS_INLINE void set_string(struct um_json *json, const struct um_json_string *string)
{
    json->kind = UM_JSON_STRING;
    json->text = string->text;
    json->size = string->size;
    json->has_nul = string->has_nul;
}

UM_ALWAYS_INLINE char *read_string(struct reader *reader, char *at, struct um_json *json)
{
    struct um_json_string string;

    at = um_json_read_string(&reader->source, at, &string);
    if (at == NULL) {
        reader->begun = json;
        reader->is_named = true;
        return NULL;
    }
    set_string(json, &string);
    return at;
}

static char *read_word(struct reader *reader, char *at, struct um_json *json)
{
    static const struct {
        char text[8];
        unsigned char size;
        enum um_json_kind kind;
    } words[] = {{"true", 4, UM_JSON_TRUE}, {"false", 5, UM_JSON_FALSE}, {"null", 4, UM_JSON_NULL}};
    size_t left = (size_t)(reader->source.end - at);

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (left < words[i].size || memcmp(at, words[i].text, words[i].size) != 0)
            continue;
        json->kind = words[i].kind;
        if (!reader->source.unescapes) {
            json->text = at;
            json->size = words[i].size;
        }
        return at + words[i].size;
    }
    return refuse(reader, at, "not a JSON value");
}

/* Enters a container of a tree, or one that stays text. */
UM_ALWAYS_INLINE void enter_tree(struct reader *reader, struct um_json *json)
{
    json->next = reader->open;
    reader->open = json;
    reader->place = &json->child;
}

UM_ALWAYS_INLINE void leave_tree(struct reader *reader)
{
    struct um_json *json = reader->open;

    reader->open = json->next;
    json->next = NULL;
    reader->place = &json->next;
}

/* Begins a container of a text that becomes no tree, or only its outermost one: what is in others is checked, and not counted. */
static void enter_text(struct reader *reader, struct um_json *json, char *start)
{
    if (reader->depth < reader->text_depth) {
        enter_tree(reader, json);
        return;
    }
    json->text = start;
    if (reader->depth != reader->text_depth)
        return;
    reader->as_text = json;
    reader->limit_outside = reader->values_limit;
    reader->values_limit = reader->values;
}

/* Leaves it before `at`. */
static void leave_text(struct reader *reader, const char *at)
{
    if (reader->depth < reader->text_depth) {
        leave_tree(reader);
    } else if (reader->depth == reader->text_depth) {
        reader->as_text->size = (size_t)(at - reader->as_text->text);
        reader->as_text = NULL;
        reader->values_limit = reader->limit_outside;
    }
}

/* Reads a container's beginning; all of it, where it is empty: *whole tells. */
static char *read_container(struct reader *reader, char *at, struct um_json *json, bool *whole)
{
    bool is_object = *at == '{';
    char *start = at;

    if (reader->depth == UM_JSON_DEPTH_LIMIT)
        return refuse(reader, at, "nested deeper than 64 levels");
    json->kind = is_object ? UM_JSON_OBJECT : UM_JSON_ARRAY;
    at = skip_space(reader, at + 1);
    *whole = is_next(reader, at, is_object ? '}' : ']');
    if (*whole) {
        if (!reader->source.unescapes && reader->depth >= reader->text_depth) {
            json->text = start;
            json->size = (size_t)(at + 1 - start);
        }
        return at + 1;
    }
    if (reader->source.unescapes)
        enter_tree(reader, json);
    else
        enter_text(reader, json, start);
    reader->objects = reader->objects << 1 | is_object;
    reader->depth++;
    return at;
}

/* Leaves the container that ends before `at`. */
UM_ALWAYS_INLINE void leave_container(struct reader *reader, const char *at)
{
    reader->objects >>= 1;
    reader->depth--;
    if (reader->source.unescapes)
        leave_tree(reader);
    else
        leave_text(reader, at);
}

UM_ALWAYS_INLINE void set_key(struct um_json *json, const struct um_json_string *key)
{
    json->key = key->text;
    json->key_size = (uint16_t)(key->size < UINT16_MAX ? key->size : UINT16_MAX);
}

/* Reads the colon behind a member's name. Most have no space around them. */
UM_ALWAYS_INLINE char *read_colon(struct reader *reader, char *at)
{
    at = skip_space_to(reader, at, ':');
    if (!is_next(reader, at, ':'))
        return refuse(reader, at, at == reader->source.end ? too_early : "a colon is wanted");
    return at + 1;
}

/* Reads a member's name and the colon behind it. */
UM_ALWAYS_INLINE char *read_key(struct reader *reader, char *at, struct um_json *json)
{
    struct um_json_string key;

    at = skip_space_to(reader, at, '"');
    if (!is_next(reader, at, '"'))
        return refuse(reader, at, at == reader->source.end ? too_early : "a member's name is wanted");
    at = um_json_read_string(&reader->source, at, &key);
    if (at == NULL) {
        reader->begun = json;
        reader->is_named = false;
        return NULL;
    }
    set_key(json, &key);
    return read_colon(reader, at);
}

/* Begins a value: its name, where it has one. */
static char *begin_value(struct reader *reader, char *at, struct um_json **json)
{
    *json = add(reader);
    if (*json == NULL) {
        reader->source.stop = at;
        return NULL;
    }
    return (reader->objects & 1) != 0 ? read_key(reader, at, *json) : at;
}

/* Reads a value; of a container that is not empty, its beginning: *whole tells. */
static char *read_value(struct reader *reader, char *at, struct um_json *json, bool *whole)
{
    *whole = true;
    if (at == reader->source.end || (unsigned char)*at <= ' ')
        at = skip_space(reader, at);
    if (at == reader->source.end)
        return refuse(reader, at, too_early);
    switch (*at) {
    case '"':
        return read_string(reader, at, json);
    case '{':
    case '[':
        return read_container(reader, at, json, whole);
    case 't':
    case 'f':
    case 'n':
        return read_word(reader, at, json);
    default:
        return read_number(reader, at, json);
    }
}

/* Reads what stands behind a whole value: ends of containers, until another value is to come, or the outermost has ended. */
UM_ALWAYS_INLINE char *end_values(struct reader *reader, char *at)
{
    while (reader->depth != 0) {
        at = skip_space_to(reader, at, ',');
        if (is_next(reader, at, ','))
            return at + 1;
        if (!is_next(reader, at, (reader->objects & 1) != 0 ? '}' : ']'))
            return refuse(reader, at,
                          at == reader->source.end ? too_early : "a comma or the container's end is wanted");
        at++;
        leave_container(reader, at);
    }
    return at;
}

/* Reads on as far as to the end of the text's value, or of the step. `json` is the next value, where its name was read already. NULL: the
 * text is wrong, or the step ended in a string. */
static char *read_values(struct reader *reader, char *at, struct um_json *json, enum next *next)
{
    bool whole = *next == NEXT_END;

    for (;;) {
        if (whole) {
            at = end_values(reader, at);
            if (at == NULL || reader->depth == 0)
                break;
        }
        if (at > reader->source.window && json == NULL) {
            *next = NEXT_VALUE;
            return at;
        }
        if (json == NULL)
            at = begin_value(reader, at, &json);
        if (at != NULL)
            at = read_value(reader, at, json, &whole);
        if (at == NULL)
            break;
        json = NULL;
    }
    *next = NEXT_END;
    return at;
}

/* Reads what stands behind the text's value. Returns whether it is right. */
UM_ALWAYS_INLINE bool end_of_text(struct reader *reader, char *at)
{
    at = skip_space(reader, at);
    if (at != reader->source.end && !reader->source.is_first) {
        refuse(reader, at, "text after the value");
        return false;
    }
    reader->source.check->size = (size_t)(at - reader->source.text);
    reader->source.check->bad_offset = reader->source.check->size;
    return true;
}

/* Reads one value and all that is in it. Returns whether it is right. */
UM_ALWAYS_INLINE bool read_text(struct reader *reader)
{
    enum next next = NEXT_VALUE;
    char *at = read_values(reader, reader->source.text, NULL, &next);

    return at != NULL && end_of_text(reader, at);
}

/* Finds where the first text ends, now that it is no JSON: from where reading stopped. Where bytes beyond ASCII were met, all up to the
 * source's end is known to be UTF-8, and what follows is not. It is not looked at again: a string that was unescaped may have left half a
 * character behind. */
static void end_first(struct reader *reader, char *end)
{
    struct um_json_source *source = &reader->source;
    char *utf8_end = source->is_utf8 ? source->end : NULL;
    struct um_json_end state = {.depth = reader->depth, .in_string = source->in_string};
    char *found = reader->depth != 0 ? um_json_find_end(&state, source->stop, end) : NULL;

    source->end = found != NULL ? found : end;
    source->check->size = (size_t)(source->end - source->text);
    source->is_first = false;
    if (utf8_end == NULL || source->end <= utf8_end)
        return;
    um_json_refuse(source, utf8_end, um_json_not_utf8);
    reader->code = UMEM_E_PARSE_ERROR;
}

/* One by one: most of it needs no value yet, and clearing all would take longer than reading a small text's values. */
UM_ALWAYS_INLINE void init(struct reader *reader, char *text, size_t size, struct um_json_check *check,
                           struct um_arena *arena)
{
    *check = (struct um_json_check){.what = NULL};
    reader->source.text = text;
    reader->source.end = text + size;
    reader->source.window = text + size;
    reader->source.check = check;
    reader->source.run = NULL;
    reader->source.run_end = NULL;
    reader->source.stop = NULL;
    reader->source.in_string = false;
    reader->source.is_utf8 = false;
    reader->source.unescapes = arena != NULL;
    reader->source.is_first = false;
    reader->source.is_paused = false;
    reader->arena = arena;
    reader->objects = 0;
    reader->depth = 0;
    reader->values = 0;
    reader->values_limit = arena != NULL ? UM_JSON_VALUES_LIMIT : 0;
    reader->code = UMEM_E_PARSE_ERROR;
    reader->outside.child = NULL;
    reader->outside.size = 0;
    reader->open = &reader->outside;
    reader->place = &reader->outside.child;
}

/* Reads a text into a tree. Bytes that are not UTF-8 go before all else that is wrong, also where
 * reading did not come to them. */
UM_ALWAYS_INLINE int read_whole(char *text, size_t size, bool is_first, struct um_arena *arena,
                                struct um_json **json, struct um_json_check *check)
{
    struct reader reader;
    bool good;

    init(&reader, text, size, check, arena);
    reader.source.is_first = is_first;
    good = read_text(&reader);
    check->values = reader.values;
    if (good) {
        *json = reader.outside.child;
        return UMEM_OK;
    }
    if (reader.source.is_first)
        end_first(&reader, text + size);
    if (!um_json_check_utf8(&reader.source))
        reader.code = UMEM_E_PARSE_ERROR;
    return reader.code;
}

/* ---- in steps ---- */

enum phase { PHASE_UTF8, PHASE_VALUES, PHASE_READ };

struct um_json_reader {
    struct reader reader;
    enum phase phase;
    char *at;       /* the next byte to be looked at */
    enum next next; /* what is there; not in a string */
};

struct um_json_reader *um_json_reader_new(char *text, size_t size, struct um_arena *arena,
                                          struct um_json_check *check)
{
    struct um_json_reader *steps = malloc(sizeof *steps);

    if (steps == NULL)
        return NULL;
    init(&steps->reader, text, size, check, arena);
    check->size = size;
    steps->phase = PHASE_UTF8;
    steps->at = text;
    steps->next = NEXT_VALUE;
    return steps;
}

void um_json_reader_skip(struct um_json_reader *steps, const struct um_json_run *run)
{
    struct um_json_source *source = &steps->reader.source;

    if (run->size == 0)
        return;
    source->run = source->text + run->at;
    source->run_end = source->run + run->size;
}

/* Looks whether the next bytes are UTF-8: all of it is looked at before the first value is read, so that bytes that are not go before
 * all else that is wrong. A character may lie across a step's end. */
static void look_at_utf8(struct um_json_reader *steps, size_t budget)
{
    enum { CHARACTER_SIZE = 4 };
    struct um_json_source *source = &steps->reader.source;
    bool is_known = source->run != NULL && steps->at >= source->run && steps->at < source->run_end;
    size_t left = (size_t)(source->end - (is_known ? source->run_end : steps->at));
    size_t size = left < budget + CHARACTER_SIZE ? left : budget + CHARACTER_SIZE;
    size_t valid;

    if (is_known)
        steps->at = source->run_end;
    valid = um_utf8_check(steps->at, size);
    steps->at += valid;
    if (valid != size && (size == left || size - valid >= CHARACTER_SIZE)) {
        um_json_refuse(source, steps->at, um_json_not_utf8);
        steps->phase = PHASE_READ;
    } else if (valid == left) {
        source->is_utf8 = true;
        steps->at = source->text;
        steps->phase = PHASE_VALUES;
    }
}

/* Continues in the string where the last step ended. Returns whether there is something behind it to be read
 * now. */
static bool resume_string(struct um_json_reader *steps, struct um_json **named)
{
    struct reader *reader = &steps->reader;
    struct um_json_string string;

    steps->at = um_json_resume_string(&reader->source, &string);
    *named = NULL;
    if (steps->at == NULL)
        return false;
    if (reader->is_named) {
        set_string(reader->begun, &string);
        steps->next = NEXT_END;
        return true;
    }
    set_key(reader->begun, &string);
    steps->at = read_colon(reader, steps->at);
    steps->next = NEXT_VALUE;
    *named = reader->begun;
    return steps->at != NULL;
}

/* Reads on to the end of the window. */
static void read_window(struct um_json_reader *steps)
{
    struct reader *reader = &steps->reader;
    struct um_json *named = NULL;
    bool goes_on = !reader->source.is_paused || resume_string(steps, &named);

    if (goes_on)
        steps->at = read_values(reader, steps->at, named, &steps->next);
    if (reader->source.is_paused)
        return;
    if (steps->at == NULL) {
        steps->phase = PHASE_READ;
    } else if (steps->next == NEXT_END) {
        if (end_of_text(reader, steps->at))
            reader->code = UMEM_OK;
        steps->phase = PHASE_READ;
    }
}

bool um_json_reader_step(struct um_json_reader *steps, size_t budget)
{
    struct um_json_source *source = &steps->reader.source;
    const char *at = source->is_paused ? source->progress.at : steps->at;

    switch (steps->phase) {
    case PHASE_UTF8:
        look_at_utf8(steps, budget);
        break;
    case PHASE_VALUES:
        source->window =
            (size_t)(source->end - at) > budget ? source->text + (at - source->text) + budget : source->end;
        read_window(steps);
        break;
    default:
        break;
    }
    source->check->values = steps->reader.values;
    return steps->phase != PHASE_READ;
}

int um_json_reader_end(struct um_json_reader *steps, struct um_json **json)
{
    int code = steps->reader.code;

    if (code == UMEM_OK)
        *json = steps->reader.outside.child;
    free(steps);
    return code;
}

void um_json_reader_free(struct um_json_reader *steps)
{
    free(steps);
}

/* ---- at once ---- */

bool um_json_check(char *text, size_t size, struct um_json_check *check)
{
    struct reader reader;

    init(&reader, text, size, check, NULL);
    reader.text_depth = 0;
    reader.as_text = NULL;
    if (read_text(&reader))
        return true;
    um_json_check_utf8(&reader.source);
    return false;
}

int um_json_read(char *text, size_t size, struct um_arena *arena, struct um_json **json,
                 struct um_json_check *check)
{
    return read_whole(text, size, false, arena, json, check);
}

/* Ends the names of the outermost members, which lie in the text as they stand there, with their quotes behind them. */
UM_ALWAYS_INLINE void end_names(const struct um_json *json)
{
    struct um_json *member = json->kind == UM_JSON_OBJECT ? json->child : NULL;

    for (; member != NULL; member = member->next) {
        if (member->key_size < UINT16_MAX)
            ((char *)(uintptr_t)member->key)[member->key_size] = '\0';
        else
            member->key = "";
    }
}

int um_json_split(char *text, size_t size, struct um_arena *arena, struct um_json **json,
                  struct um_json_check *check)
{
    struct reader reader;

    init(&reader, text, size, check, arena);
    reader.source.unescapes = false;
    reader.text_depth = 1;
    reader.as_text = NULL;
    if (!read_text(&reader))
        return um_json_check_utf8(&reader.source) ? reader.code : UMEM_E_PARSE_ERROR;
    end_names(reader.outside.child);
    check->values = reader.values;
    *json = reader.outside.child;
    return UMEM_OK;
}

bool um_json_unplain_integer_of(const struct um_json *json, int64_t *integer)
{
    double number;

    if (json->kind != UM_JSON_NUMBER)
        return false;
    number = um_json_double_of(json);
    if (!(fabs(number) <= (double)INTEGER_MAX) || floor(number) < number)
        return false;
    *integer = (int64_t)number;
    return true;
}

double um_json_double_of(const struct um_json *json)
{
    double number = 0;

    if (json->kind == UM_JSON_NUMBER)
        (void)um_decimal_read_double(json->text, um_json_number_size(json), &number);
    return number;
}

float um_json_float_of(const struct um_json *json)
{
    float number = 0;

    if (json->kind == UM_JSON_NUMBER)
        (void)um_decimal_read_float(json->text, um_json_number_size(json), &number);
    return number;
}

int um_json_read_first(char *text, size_t size, struct um_arena *arena, struct um_json **json,
                       struct um_json_check *check)
{
    return read_whole(text, size, true, arena, json, check);
}

const struct um_json *um_json_element_of(const struct um_json *json, size_t index)
{
    const struct um_json *element = um_json_is(json, UM_JSON_ARRAY) ? json->child : NULL;

    for (; element != NULL && index != 0; index--)
        element = element->next;
    return element;
}

char *um_json_text_of(const struct um_json *json, size_t *size)
{
    /* A string has its quotes around it, and all of it lies in the text that was split, which may be changed. */
    size_t quotes = json->kind == UM_JSON_STRING ? 1 : 0;

    *size = (json->kind == UM_JSON_NUMBER ? um_json_number_size(json) : json->size) + 2 * quotes;
    return (char *)(uintptr_t)(json->text - quotes);
}

const struct um_json *um_json_member_of(const struct um_json *json, const char *key)
{
    if (!um_json_is(json, UM_JSON_OBJECT))
        return NULL;
    for (const struct um_json *member = json->child; member != NULL; member = member->next) {
        if (strcmp(member->key, key) == 0)
            return member;
    }
    return NULL;
}

#include "lib/answer/answer.h"

#include <string.h>

#include "base/attributes.h"
#include "base/umem_errors.h"

/* The members that a message may have, and those of its error. */
enum { VERSION, ID, METHOD, PARAMS, RESULT, ERROR, CODE, MESSAGE, DATA, MEMBER_COUNT };

static const struct name {
    const char *text;
    size_t size;
} names[MEMBER_COUNT] = {{"jsonrpc", 7}, {"id", 2},   {"method", 6},  {"params", 6}, {"result", 6},
                         {"error", 5},   {"code", 4}, {"message", 7}, {"data", 4}};

UM_ALWAYS_INLINE bool is_named(const struct um_json *member, const struct name *name)
{
    return member->key_size == name->size && member->key[0] == name->text[0] &&
           memcmp(member->key, name->text, name->size) == 0;
}

/* Finds the members of an object that are known, the first of each name. Names are compared as they are
 * written, without decoding escapes: no daemon has a reason to escape them. */
static void find_members(const struct um_json *object, const struct um_json *found[MEMBER_COUNT])
{
    for (int i = 0; i < MEMBER_COUNT; i++)
        found[i] = NULL;
    if (!um_json_is(object, UM_JSON_OBJECT))
        return;
    for (const struct um_json *member = object->child; member != NULL; member = member->next) {
        int i = 0;

        while (i < MEMBER_COUNT && !is_named(member, &names[i]))
            i++;
        if (i < MEMBER_COUNT && found[i] == NULL)
            found[i] = member;
    }
}

/* An integer as JSON writes it: no exponent, no string of digits. */
UM_ALWAYS_INLINE bool is_integer(const struct um_json *json, int64_t *value)
{
    *value = um_json_is(json, UM_JSON_NUMBER) && json->is_plain ? json->integer : 0;
    return *value != 0;
}

/* Returns what is wrong with the error; NULL: nothing. */
static const char *take_error(const struct um_json *error, struct um_answer *answer)
{
    const struct um_json *found[MEMBER_COUNT];
    struct um_json_check check;
    struct um_json *members = NULL;
    int64_t code;
    size_t size;
    char *text = um_json_text_of(error, &size);

    /* It is JSON; memory that runs out leaves it without a code. */
    if (um_json_is(error, UM_JSON_OBJECT))
        (void)um_json_split(text, size, answer->arena, &members, &check);
    find_members(members, found);
    if (!is_integer(found[CODE], &code) || (code != UMEM_E_CANCELLED && (code < -32768 || code > -32000)))
        return "its error has no code of the protocol";
    if (!um_json_is(found[MESSAGE], UM_JSON_STRING))
        return "its error has no message";
    answer->kind = UM_ANSWER_ERROR;
    answer->code = (int)code;
    answer->message = found[MESSAGE];
    answer->data = um_json_is(found[DATA], UM_JSON_OBJECT) ? found[DATA] : NULL;
    return NULL;
}

UM_ALWAYS_INLINE const char *take_message(const struct um_json *json, struct um_answer *answer)
{
    const struct um_json *found[MEMBER_COUNT];
    int64_t id;

    find_members(json, found);
    if (!um_json_is(found[VERSION], UM_JSON_STRING) || found[VERSION]->size != 3 ||
        memcmp(found[VERSION]->text, "2.0", 3) != 0)
        return "it is not JSON-RPC 2.0";
    if (found[ID] == NULL && um_json_is(found[METHOD], UM_JSON_STRING)) {
        answer->kind = UM_ANSWER_NOTIFICATION;
        answer->method = found[METHOD];
        answer->params = found[PARAMS];
        return NULL;
    }
    if (found[ID] == NULL)
        return "it has no id";
    if ((found[RESULT] == NULL) == (found[ERROR] == NULL))
        return "it has neither result nor error, or both";
    answer->id = is_integer(found[ID], &id) && id > 0 ? (uint64_t)id : 0;
    answer->result = found[RESULT];
    answer->is_about_any = found[ERROR] != NULL && um_json_is(found[ID], UM_JSON_NULL);
    return found[ERROR] != NULL ? take_error(found[ERROR], answer) : NULL;
}

int um_answer_split(char *text, size_t size, struct um_arena *arena, struct um_json **json, const char **what)
{
    struct um_json_check check;
    int code = um_json_split(text, size, arena, json, &check);

    if (code == UMEM_OK)
        return UMEM_OK;
    *what = code == UMEM_E_TOO_LARGE ? "it has too many values" : check.what;
    return code == UMEM_E_NO_MEMORY ? UMEM_E_OUT_OF_MEMORY : UMEM_E_BAD_ANSWER;
}

const char *um_answer_take(const struct um_json *json, struct um_arena *arena, struct um_answer *answer)
{
    struct um_answer read = {.kind = UM_ANSWER_RESULT, .arena = arena};
    const char *wrong = take_message(json, &read);

    if (wrong == NULL)
        *answer = read;
    return wrong;
}

int um_answer_read(char *text, size_t size, struct um_arena *arena, struct um_answer *answer,
                   const char **what)
{
    struct um_json *json;
    const char *wrong;
    int code = um_answer_split(text, size, arena, &json, what);

    if (code != UMEM_OK)
        return code;
    wrong = um_answer_take(json, arena, answer);
    if (wrong != NULL)
        *what = wrong;
    return wrong == NULL ? UMEM_OK : UMEM_E_BAD_ANSWER;
}

const struct um_json *um_answer_tree(const struct um_answer *answer, const struct um_json *value)
{
    struct um_json_check check;
    struct um_json *tree;
    size_t size;
    char *text = um_json_text_of(value, &size);

    return um_json_read(text, size, answer->arena, &tree, &check) == UMEM_OK ? tree : NULL;
}

bool um_answer_is_for(const struct um_answer *answer, uint64_t id)
{
    return answer->is_about_any || (id != 0 && answer->id == id);
}

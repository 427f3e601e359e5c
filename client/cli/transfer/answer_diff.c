#include "cli/transfer/answer_diff.h"

#include <stdio.h>
#include <string.h>

#include <cJSON.h>

enum { PATH_SIZE = 160, VALUE_SIZE = 120 };

/* The least handle that a daemon gives out. A smaller number may be anything, and is nowhere replaced. */
static const double handle_least = 1 << 28;

struct comparison {
    struct cli_replay_handles *handles;
    char *what;
    bool *lacks_memory;
};

static bool is_one_of(const char *key, const char *const *list)
{
    while (*list != NULL && strcmp(*list, key) != 0)
        list++;
    return *list != NULL;
}

static const char *const handle_keys[] = {"block", "heap", "replaced", "next", NULL};

static const char *const changing_keys[] = {
    "address",      "session",      "sessions",     "pid",       "program",        "user",       "owner",
    "created",      "opened",       "started",      "last_used", "uptime_seconds", "reserved",   "committed",
    "free",         "free_ranges",  "largest_free", "calls",     "touched_bytes",  "peak_bytes", "path",
    "size_classes", "queued_bytes", "watch",        NULL};

/* A result with one of these members tells of the daemon at that moment. */
static const char *const moment_keys[] = {"uptime_seconds", "peak_sessions", "sessions", "methods", NULL};

/* A value in a sentence. */
static void describe(const cJSON *value, char text[VALUE_SIZE])
{
    if (value == NULL || !cJSON_PrintPreallocated((cJSON *)(uintptr_t)value, text, VALUE_SIZE - 1, false))
        snprintf(text, VALUE_SIZE, "%s", value == NULL ? "missing" : "another value, too long to be shown");
}

static bool report(const struct comparison *comparison, const char *path, const cJSON *recorded,
                   const cJSON *now)
{
    char before[VALUE_SIZE];
    char after[VALUE_SIZE];

    describe(recorded, before);
    describe(now, after);
    snprintf(comparison->what, CLI_DIFF_SIZE, "%s was %s, is %s", path, before, after);
    return true;
}

static void learn(const struct comparison *comparison, const cJSON *recorded, const cJSON *now)
{
    if (cJSON_IsNumber(recorded) && cJSON_IsNumber(now) && recorded->valuedouble >= handle_least &&
        now->valuedouble >= handle_least &&
        !cli_handles_add(comparison->handles, (uint64_t)recorded->valuedouble, (uint64_t)now->valuedouble))
        *comparison->lacks_memory = true;
}

static bool values_differ(const struct comparison *comparison, const char *path, const cJSON *recorded,
                          const cJSON *now);

/* The name of a shared memory object is new each time. */
static bool is_object_name(const cJSON *value)
{
    const char *text = cJSON_GetStringValue(value);

    return text != NULL && strstr(text, "umemd-") != NULL;
}

static bool members_differ(const struct comparison *comparison, const char *path, const cJSON *recorded,
                           const cJSON *now)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, recorded)
    {
        const cJSON *other = cJSON_GetObjectItemCaseSensitive(now, member->string);
        char inner[PATH_SIZE];

        if (is_one_of(member->string, handle_keys))
            learn(comparison, member, other);
        else if (!is_one_of(member->string, changing_keys) && !is_object_name(member)) {
            snprintf(inner, sizeof inner, "%s.%s", path, member->string);
            if (values_differ(comparison, inner, member, other))
                return true;
        }
    }
    return false;
}

static bool elements_differ(const struct comparison *comparison, const char *path, const cJSON *recorded,
                            const cJSON *now)
{
    const cJSON *other = now->child;
    const cJSON *element;
    char inner[PATH_SIZE];
    int place = 0;

    if (cJSON_GetArraySize(recorded) != cJSON_GetArraySize(now)) {
        snprintf(comparison->what, CLI_DIFF_SIZE, "%s had %d elements, has %d", path,
                 cJSON_GetArraySize(recorded), cJSON_GetArraySize(now));
        return true;
    }
    cJSON_ArrayForEach(element, recorded)
    {
        snprintf(inner, sizeof inner, "%s[%d]", path, place++);
        if (values_differ(comparison, inner, element, other))
            return true;
        other = other->next;
    }
    return false;
}

static bool values_differ(const struct comparison *comparison, const char *path, const cJSON *recorded,
                          const cJSON *now)
{
    if (now == NULL || ((recorded->type ^ now->type) & 0xFF) != 0)
        return report(comparison, path, recorded, now);
    if (cJSON_IsObject(recorded))
        return members_differ(comparison, path, recorded, now);
    if (cJSON_IsArray(recorded))
        return elements_differ(comparison, path, recorded, now);
    return !cJSON_Compare(recorded, now, true) && report(comparison, path, recorded, now);
}

static const char *error_name(const cJSON *answer)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(error, "data");
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, "name"));

    if (error == NULL)
        return "no error";
    return name != NULL ? name : "an error";
}

static bool tells_of_the_moment(const cJSON *result)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, result)
    {
        if (member->string != NULL && is_one_of(member->string, moment_keys))
            return true;
    }
    return false;
}

static bool answers_differ(const struct comparison *comparison, const char *path, const cJSON *recorded,
                           const cJSON *now)
{
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(recorded, "result");
    char inner[PATH_SIZE];

    if (strcmp(error_name(recorded), error_name(now)) != 0) {
        snprintf(comparison->what, CLI_DIFF_SIZE, "%serror was %.100s, is %.100s", path, error_name(recorded),
                 error_name(now));
        return true;
    }
    if (result == NULL || tells_of_the_moment(result))
        return false;
    snprintf(inner, sizeof inner, "%sresult", path);
    return values_differ(comparison, inner, result, cJSON_GetObjectItemCaseSensitive(now, "result"));
}

static bool batches_differ(const struct comparison *comparison, const cJSON *recorded, const cJSON *now)
{
    const cJSON *other = now->child;
    const cJSON *answer;
    char path[PATH_SIZE];
    int place = 0;

    if (cJSON_GetArraySize(recorded) != cJSON_GetArraySize(now)) {
        snprintf(comparison->what, CLI_DIFF_SIZE, "the batch had %d answers, has %d",
                 cJSON_GetArraySize(recorded), cJSON_GetArraySize(now));
        return true;
    }
    cJSON_ArrayForEach(answer, recorded)
    {
        snprintf(path, sizeof path, "[%d].", place++);
        if (answers_differ(comparison, path, answer, other))
            return true;
        other = other->next;
    }
    return false;
}

bool cli_answers_differ(const char *recorded, const char *now, struct cli_replay_handles *handles,
                        char what[CLI_DIFF_SIZE], bool *lacks_memory)
{
    const struct comparison comparison = {handles, what, lacks_memory};
    cJSON *before = cJSON_Parse(recorded);
    cJSON *after = cJSON_Parse(now);
    bool differ = false;

    if (before == NULL || after == NULL)
        *lacks_memory = true;
    else if (cJSON_IsArray(before) && cJSON_IsArray(after))
        differ = batches_differ(&comparison, before, after);
    else
        differ = answers_differ(&comparison, "", before, after);
    cJSON_Delete(before);
    cJSON_Delete(after);
    return differ;
}

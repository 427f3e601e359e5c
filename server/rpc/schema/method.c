#include "rpc/schema/method.h"

#include <string.h>

#include "umem_errors.h"

static bool has_param_of(const struct um_method *method, enum um_type type)
{
    for (size_t i = 0; i < method->param_count; i++) {
        if (method->params[i].type == type)
            return true;
    }
    return false;
}

static bool implied_by_params(const struct um_method *method, int code)
{
    bool handles = has_param_of(method, UM_HEAP) || has_param_of(method, UM_BLOCK);

    switch (code) {
    case UMEM_E_UNKNOWN_HANDLE:
    case UMEM_E_STALE_HANDLE:
        return handles;
    case UMEM_E_LOCKED:
        return handles && !method->ignores_lock;
    case UMEM_E_OUT_OF_RANGE:
        return method->ranges[0].block != 0;
    default:
        return false;
    }
}

bool um_method_declares(const struct um_method *method, int code)
{
    /* Unknown parameters can be sent to every method, and memory can run out in every answer. */
    if (code == UMEM_E_INVALID_PARAMS || code == UMEM_E_INTERNAL_ERROR)
        return true;
    if (implied_by_params(method, code))
        return true;
    for (size_t i = 0; i < UM_ERRORS_MAXIMUM && method->errors[i] != 0; i++) {
        if (method->errors[i] == code)
            return true;
    }
    return false;
}

bool um_method_answers(const struct um_method *method, const char *member)
{
    for (const struct um_member *m = method->result; m != NULL && m->name != NULL; m++) {
        if (strcmp(m->name, member) == 0)
            return true;
    }
    return false;
}

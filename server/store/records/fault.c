#include "store/records/fault.h"

#include <string.h>

int um_fault(struct um_fault *fault, int code, struct um_fault facts)
{
    if (fault != NULL)
        *fault = facts;
    return code;
}

int um_flags_check(uint32_t flags, struct um_fault *fault)
{
    if ((flags & UM_FLAG_CREATE_ENABLE_EXECUTE) == 0)
        return 0;
    return um_fault(fault, UMEM_E_DENIED,
                    (struct um_fault){.what = "memory is never executable; leave create_enable_execute out"});
}

int um_name_check(const char *name, struct um_fault *fault)
{
    size_t size = strlen(name);
    if (size >= 1 && size <= UM_NAME_SIZE_LIMIT)
        return 0;
    return um_fault(
        fault, UMEM_E_INVALID_PARAMS,
        (struct um_fault){.maximum = UM_NAME_SIZE_LIMIT, .asked = size, .what = "a name has 1 to 255 bytes"});
}

#include "store/memory/shared_access.h"

static struct um_principal allowed_now;

void um_shared_access_allow(const struct um_principal *allowed)
{
    allowed_now = allowed != NULL ? *allowed : (struct um_principal){.is_set = false};
}

const struct um_principal *um_shared_access(void)
{
    return allowed_now.is_set ? &allowed_now : NULL;
}

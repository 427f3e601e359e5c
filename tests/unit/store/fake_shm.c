#include "fake_shm.h"

#include <stdlib.h>
#include <string.h>

#include "store/memory/poison.h"
#include "store/memory/shm.h"

uint64_t fake_shm_units;
bool fake_shm_refuses;
bool fake_shm_is_cut;
unsigned fake_shm_objects;

struct um_shm {
    unsigned char *memory; /* as it was allocated */
    unsigned char *start;
    bool *committed; /* by unit */
    uint64_t units;
};

struct um_shm *um_shm_new(uint64_t length)
{
    struct um_shm *shm;

    if (fake_shm_refuses)
        return NULL;
    shm = calloc(1, sizeof *shm);
    shm->units = length / UM_SHM_UNIT;
    shm->memory = malloc((size_t)(length + UM_SHM_UNIT));
    shm->start = shm->memory + (UM_SHM_UNIT - (uintptr_t)shm->memory % UM_SHM_UNIT);
    shm->committed = calloc((size_t)shm->units, sizeof *shm->committed);
    memset(shm->start, 0xee, (size_t)length);
    fake_shm_objects++;
    return shm;
}

/* No heap is kept in a file. */
struct um_shm *um_shm_open(const char *path, uint64_t length)
{
    (void)path;
    (void)length;
    return NULL;
}

void um_shm_free(struct um_shm *shm)
{
    if (shm == NULL)
        return;
    fake_shm_objects--;
    free(shm->committed);
    free(shm->memory);
    free(shm);
}

size_t um_shm_ending(void)
{
    return 0;
}

unsigned char *um_shm_start(const struct um_shm *shm)
{
    return shm->start;
}

const char *um_shm_name(const struct um_shm *shm)
{
    (void)shm;
    return "fake";
}

const char *um_shm_path(const struct um_shm *shm)
{
    (void)shm;
    return NULL;
}

bool um_shm_commit(struct um_shm *shm, uint64_t offset, uint64_t size)
{
    uint64_t first = offset / UM_SHM_UNIT;
    uint64_t count = size / UM_SHM_UNIT;

    if (fake_shm_is_cut || count > fake_shm_units)
        return false;
    for (uint64_t unit = first; unit < first + count; unit++) {
        if (shm->committed[unit])
            abort(); /* committed twice */
        shm->committed[unit] = true;
    }
    fake_shm_units -= count;
    return true;
}

bool um_shm_decommit(struct um_shm *shm, uint64_t offset, uint64_t size)
{
    for (uint64_t unit = offset / UM_SHM_UNIT; unit < (offset + size) / UM_SHM_UNIT; unit++) {
        fake_shm_units += shm->committed[unit];
        shm->committed[unit] = false;
    }
    UM_UNPOISON(shm->start + offset, size); /* it is the system that clears it */
    memset(shm->start + offset, 0, (size_t)size);
    return true;
}

bool um_shm_is_whole(const struct um_shm *shm)
{
    (void)shm;
    return !fake_shm_is_cut;
}

bool um_shm_check(struct um_shm *shm)
{
    return um_shm_is_whole(shm);
}

size_t um_shm_remove_stale(void)
{
    return 0;
}

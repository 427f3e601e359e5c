/* The role "counter": several processes add to one number. Each also adds to a number of its own, in the same batch: in
 * every read, and after every kill, the one is the sum of the others. */
#include <string.h>

#include "role.h"

enum { MEMBERS = 3, CELLS = MEMBERS + 1, ADDED_MAX = 1000 };

static void look(struct soak *soak, umem_handle block)
{
    uint64_t cells[CELLS];
    uint64_t sum = 0;

    EXPECT(soak, UMEM_OK, umem_block_get(soak->client, block, 0, UMEM_TYPE_U64, cells, CELLS));
    for (int i = 1; i < CELLS; i++)
        sum += cells[i];
    REQUIRE(soak, sum == cells[0]);
}

static void open_group(struct soak *supervisor)
{
    struct umem_block_options options = {0};
    char name[UMEM_NAME_SIZE];
    umem_handle block;

    options.name = soak_name(supervisor, "counter", name);
    while (!MADE(supervisor, umem_block_alloc(supervisor->client, CELLS * 8, &options, &block)))
        soak_pause();
}

static void close_group(struct soak *supervisor)
{
    umem_handle block = soak_find(supervisor, "counter");

    look(supervisor, block);
    EXPECT(supervisor, UMEM_OK, umem_block_free(supervisor->client, block));
}

static void run(struct soak *soak)
{
    umem_handle block = soak_find(soak, "counter");
    uint64_t added = 0;

    while (soak_next_step(soak)) {
        umem_calls *calls = umem_calls_new(soak->client, UMEM_BATCH);
        uint64_t value = soak_below(soak, ADDED_MAX);
        uint64_t before = UINT64_MAX;
        uint64_t after = 0;

        if (umem_submit_block_add(calls, block, 0, UMEM_TYPE_U64, &value, NULL, NULL) != UMEM_OK ||
            umem_submit_block_add(calls, block, 8 * (soak->member + 1), UMEM_TYPE_U64, &value, &before,
                                  &after) != UMEM_OK)
            FAIL(soak, "cannot submit: %s", umem_last_error(soak->client)->message);
        EXPECT(soak, UMEM_OK, umem_collect_all(calls));
        umem_calls_free(calls);
        REQUIRE(soak, before == added && after == added + value);
        added += value;
        if (soak_chance(soak, 8))
            look(soak, block);
    }
}

const struct role role_counter = {.name = "counter",
                                  .members = MEMBERS,
                                  .steps = 1500,
                                  .may_be_killed = true,
                                  .open = open_group,
                                  .close = close_group,
                                  .run = run};

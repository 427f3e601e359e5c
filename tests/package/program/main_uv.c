/* A stranger's program on a loop of libuv: writes, reads back and frees, and prints what it read. */
#include <stdio.h>
#include <umem_uv.h>

static umem_handle block;
static unsigned char bytes[4] = {1, 2, 3, 4};
static unsigned char back[4];
static int status = 1;

/* Each callback makes the next call; a failure ends the program. */
static int went_well(umem_uv *client, int code, const struct umem_failure *failure)
{
    if (code == UMEM_OK)
        return 1;
    fprintf(stderr, "%s: %s (%s)\n", umem_error_name(code), umem_error_text(code), failure->message);
    umem_uv_close(client, NULL, NULL);
    return 0;
}

static void on_freed(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    if (!went_well(client, failure->code, failure))
        return;
    printf("%d %d %d %d\n", back[0], back[1], back[2], back[3]);
    status = 0;
    umem_uv_close(client, NULL, NULL);
}

static void on_read(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    if (went_well(client, failure->code, failure))
        went_well(client, umem_submit_block_free(umem_uv_call(client, on_freed, NULL), block),
                  umem_uv_last_error(client));
}

static void on_written(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    if (went_well(client, failure->code, failure))
        went_well(client, umem_submit_block_read(umem_uv_call(client, on_read, NULL), block, 0, back, 4),
                  umem_uv_last_error(client));
}

static void on_made(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    if (went_well(client, failure->code, failure))
        went_well(client, umem_submit_block_write(umem_uv_call(client, on_written, NULL), block, 0, bytes, 4),
                  umem_uv_last_error(client));
}

static void on_connected(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    if (went_well(client, failure->code, failure))
        went_well(client, umem_submit_block_alloc(umem_uv_call(client, on_made, NULL), 4, NULL, &block),
                  umem_uv_last_error(client));
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    umem_uv *client = umem_uv_new(loop, NULL);

    if (client == NULL)
        return 1;
    went_well(client, umem_uv_connect(client, on_connected, NULL), umem_uv_last_error(client));
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    return status;
}

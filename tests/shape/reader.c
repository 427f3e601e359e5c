/* Reads 5 bytes of a block so many times by umem_block_read(), for `shape.py way`. */
#include <stdio.h>
#include <stdlib.h>

#include "umem_client.h"

int main(int argc, char **argv)
{
    const struct umem_options options = {.pipe = argc == 3 ? argv[1] : NULL};
    long times = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    umem_client *client = umem_client_new(&options);
    umem_handle block;
    char bytes[5];
    int code = umem_connect(client);

    if (code == UMEM_OK)
        code = umem_block_alloc(client, sizeof bytes, NULL, &block);
    for (long i = 0; i < times && code == UMEM_OK; i++)
        code = umem_block_read(client, block, 0, bytes, sizeof bytes);
    if (code != UMEM_OK)
        fprintf(stderr, "reader: %s\n", umem_last_error(client)->message);
    umem_client_free(client);
    return code == UMEM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * Reads 64 bytes as many times as its argument says, for a test that counts the system calls.
 *
 *     reads TIMES
 */
#include <stdio.h>
#include <stdlib.h>

#include "umem_client.h"

int main(int argc, char **argv)
{
    umem_client *client = umem_client_new(&(struct umem_options){.never_spin = true});
    long times = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    char bytes[64];
    umem_handle block;
    int code = umem_connect(client);

    if (code == UMEM_OK)
        code = umem_block_alloc(client, sizeof bytes, NULL, &block);
    for (long i = 0; i < times && code == UMEM_OK; i++)
        code = umem_block_read(client, block, 0, bytes, sizeof bytes);
    if (code != UMEM_OK)
        fprintf(stderr, "%s\n", umem_last_error(client)->message);
    umem_client_free(client);
    return code == UMEM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A stranger's program: writes, reads back and frees, and prints what it read. */
#include <stdio.h>
#include <umem_client.h>

int main(void)
{
    umem_client *client = umem_client_new(NULL);
    unsigned char bytes[4] = {1, 2, 3, 4};
    unsigned char back[4] = {0};
    umem_handle block = 0;
    const struct umem_failure *failure;
    int code = umem_connect(client);

    if (code == UMEM_OK)
        code = umem_block_alloc(client, sizeof bytes, NULL, &block);
    if (code == UMEM_OK)
        code = umem_block_write(client, block, 0, bytes, sizeof bytes);
    if (code == UMEM_OK)
        code = umem_block_read(client, block, 0, back, sizeof back);
    if (code == UMEM_OK)
        code = umem_block_free(client, block);
    failure = umem_last_error(client);
    if (code != UMEM_OK)
        fprintf(stderr, "%s: %s (%s)\n", umem_error_name(code), umem_error_text(code), failure->message);
    else
        printf("%d %d %d %d\n", back[0], back[1], back[2], back[3]);
    umem_client_free(client);
    return code == UMEM_OK ? 0 : 1;
}

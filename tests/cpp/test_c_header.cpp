// The library's header is C++ too, without a warning: this is compiled and run where there is a C++ compiler. A struct that has
// the name of a function is called by its tag, as in C.
#include <cstdio>
#include <umem_client.h>

static int on_block(const struct umem_block_info *block, void *context)
{
    ++*static_cast<int *>(context);
    return block->size == 4 ? 0 : 1;
}

int main()
{
    struct umem_options options = {};
    umem_client *client = umem_client_new(&options);
    umem_handle block = 0;
    const unsigned char bytes[4] = {0xff, 0xff, 0xff, 0xff};
    unsigned char back[4] = {};
    int count = 0;

    // No daemon is needed to see that it links.
    if (umem_connect(client) == UMEM_OK &&
        umem_block_alloc(client, sizeof bytes, nullptr, &block) == UMEM_OK) {
        umem_block_write(client, block, 0, bytes, sizeof bytes);
        umem_block_read(client, block, 0, back, sizeof back);
        umem_block_list(client, nullptr, on_block, &count);
        umem_block_free(client, block);
    }
    std::printf("%s\n", umem_error_name(umem_last_error(client)->code));
    umem_client_free(client);
    return umem_last_error(nullptr)->code == UMEM_E_OUT_OF_MEMORY ? 0 : 1;
}

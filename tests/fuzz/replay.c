/*
 * Feeds a fuzz target without libFuzzer: every file of the folders named on the command line, some changed
 * copies of each, and bytes at random. The same ones in each run.
 */
#include <string.h>

#include <uv.h>

#include "fuzz.h"

enum {
    COPIES = 3,       /* changed copies of each file */
    RANDOM = 300,     /* inputs of random bytes */
    RANDOM_SIZE = 300 /* most bytes in one of those */
};

static uint32_t random_state = 1;

static uint32_t roll(size_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((random_state >> 8) % below);
}

/* In memory of just that size, so that a sanitizer sees a byte read past it. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size != 0 ? size : 1);
    FUZZ_CHECK(exact != NULL);
    if (size != 0)
        memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

/* Changes a few bytes, removes a piece and perhaps repeats a piece; the capacity of `data` is 2 * size. */
static size_t change(uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    for (uint32_t i = roll(4); i > 0; i--)
        data[roll(size)] = (uint8_t)roll(256);
    size_t from = roll(size);
    size_t count = roll(size - from + 1) / 4;
    if (roll(2) == 0) {
        memmove(data + from, data + from + count, size - from - count);
        return size - count;
    }
    memcpy(data + size, data + from, count);
    return size + count;
}

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    FUZZ_CHECK(file != NULL);
    FUZZ_CHECK(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    FUZZ_CHECK(size >= 0);
    rewind(file);
    uint8_t *data = malloc((size_t)size + 1);
    uint8_t *copy = malloc((size_t)size * 2 + 1);
    FUZZ_CHECK(data != NULL && copy != NULL);
    FUZZ_CHECK(fread(data, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    feed(data, (size_t)size);
    for (int i = 0; i < COPIES; i++) {
        memcpy(copy, data, (size_t)size);
        feed(copy, change(copy, (size_t)size));
    }
    free(copy);
    free(data);
}

static size_t replay_folder(uv_loop_t *loop, const char *folder)
{
    uv_fs_t scan;
    uv_dirent_t entry;
    size_t files = 0;
    char path[1024];
    FUZZ_CHECK(uv_fs_scandir(loop, &scan, folder, 0, NULL) >= 0);
    while (uv_fs_scandir_next(&scan, &entry) == 0) {
        if (entry.type == UV_DIRENT_DIR)
            continue;
        int length = snprintf(path, sizeof path, "%s/%s", folder, entry.name);
        FUZZ_CHECK(length > 0 && (size_t)length < sizeof path);
        replay_file(path);
        files++;
    }
    uv_fs_req_cleanup(&scan);
    return files;
}

int main(int argc, char **argv)
{
    uint8_t data[RANDOM_SIZE];
    uv_loop_t loop;
    size_t files = 0;
    FUZZ_CHECK(uv_loop_init(&loop) == 0);
    for (int i = 1; i < argc; i++)
        files += replay_folder(&loop, argv[i]);
    FUZZ_CHECK(uv_loop_close(&loop) == 0);
    FUZZ_CHECK(files != 0); /* the folders were the right ones */
    for (int i = 0; i < RANDOM; i++) {
        size_t size = roll(RANDOM_SIZE + 1);
        for (size_t at = 0; at < size; at++)
            data[at] = (uint8_t)roll(256);
        feed(data, size);
    }
    printf("%zu files, %d changed copies of each, %d random inputs\n", files, COPIES, RANDOM);
    return 0;
}

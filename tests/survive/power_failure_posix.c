#include "power_failure.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chance.h"

enum { NAMES = 64, NAME_SIZE = 128, PATH_SIZE = 1024, SECTOR = 512 };

struct name {
    char text[NAME_SIZE];
    uint64_t inode; /* 0: none */
};

struct bytes {
    unsigned char *data;
    size_t size;
};

_Noreturn static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static struct bytes read_file(const char *path)
{
    struct bytes bytes = {NULL, 0};
    FILE *file = fopen(path, "rb");
    long size = -1;

    if (file == NULL)
        return bytes;
    if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
        die(path);
    bytes.size = (size_t)size;
    bytes.data = calloc(1, bytes.size + 1);
    if (bytes.data == NULL || fread(bytes.data, 1, bytes.size, file) != bytes.size)
        die(path);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const struct bytes *bytes)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(bytes->data, 1, bytes->size, file) != bytes->size || fclose(file) != 0 ||
        chmod(path, 0600) != 0)
        die(path);
}

/* ---- names ---- */

static struct name *name_of(struct name *names, const char *text)
{
    for (int i = 0; i < NAMES; i++) {
        if (names[i].text[0] == '\0')
            snprintf(names[i].text, sizeof names[i].text, "%s", text);
        if (strcmp(names[i].text, text) == 0)
            return &names[i];
    }
    fprintf(stderr, "too many names\n");
    exit(EXIT_FAILURE);
}

static void read_synced_names(const char *shadow, struct name *names)
{
    char path[PATH_SIZE];
    char text[NAME_SIZE];
    uint64_t inode;
    FILE *file;

    snprintf(path, sizeof path, "%s/names", shadow);
    file = fopen(path, "r");
    if (file == NULL)
        die(path);
    while (fscanf(file, "%" SCNu64 " %127s", &inode, text) == 2)
        name_of(names, text)->inode = inode;
    fclose(file);
}

static void read_present_names(const char *directory, struct name *names)
{
    DIR *opened = opendir(directory);
    const struct dirent *entry;

    if (opened == NULL)
        die(directory);
    while ((entry = readdir(opened)) != NULL) {
        char path[PATH_SIZE];
        struct stat facts;

        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (lstat(path, &facts) == 0 && S_ISREG(facts.st_mode))
            name_of(names, entry->d_name)->inode = (uint64_t)facts.st_ino;
    }
    closedir(opened);
}

void power_failure_remove(const char *directory)
{
    DIR *opened = opendir(directory);
    const struct dirent *entry;

    if (opened == NULL)
        return;
    while ((entry = readdir(opened)) != NULL) {
        char path[PATH_SIZE];

        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && unlink(path) != 0)
            die(path);
    }
    closedir(opened);
}

/* ---- bytes ---- */

/* One of two, or of each sector one of two. A size belongs to what it was, and what is new of a longer file may be zeros. */
static struct bytes mix(struct bytes synced, struct bytes present, uint64_t *chance)
{
    uint64_t kind = chance_roll(chance, 4);
    const struct bytes *sized = kind == 0 || (kind != 1 && chance_roll(chance, 2) == 0) ? &synced : &present;
    struct bytes made = {calloc(1, sized->size + 1), sized->size};

    if (made.data == NULL)
        die("memory");
    for (size_t at = 0; at < made.size; at += SECTOR) {
        bool is_synced = kind == 0 || (kind != 1 && chance_roll(chance, 2) == 0);
        const struct bytes *from = is_synced ? &synced : &present;
        size_t end = at + SECTOR < made.size ? at + SECTOR : made.size;

        if (end > from->size)
            end = from->size;
        if (end > at)
            memcpy(made.data + at, from->data + at, end - at);
    }
    return made;
}

static struct bytes left_of(const char *shadow, uint64_t inode, uint64_t *chance)
{
    char path[PATH_SIZE];
    struct bytes synced;
    struct bytes present;
    struct bytes made;

    snprintf(path, sizeof path, "%s/%" PRIu64 ".synced", shadow, inode);
    synced = read_file(path);
    snprintf(path, sizeof path, "%s/%" PRIu64 ".live", shadow, inode);
    present = read_file(path);
    made = mix(synced, present, chance);
    free(synced.data);
    free(present.data);
    return made;
}

void power_failure(const char *directory, const char *shadow, uint64_t *chance)
{
    static struct name synced[NAMES];
    static struct name present[NAMES];
    static struct bytes left[NAMES];

    memset(synced, 0, sizeof synced);
    memset(present, 0, sizeof present);
    memset(left, 0, sizeof left);
    read_synced_names(shadow, synced);
    read_present_names(directory, present);
    for (int i = 0; i < NAMES && present[i].text[0] != '\0'; i++)
        (void)name_of(synced, present[i].text);
    for (int i = 0; i < NAMES && synced[i].text[0] != '\0'; i++) {
        uint64_t before = synced[i].inode;
        uint64_t now = name_of(present, synced[i].text)->inode;
        uint64_t inode = chance_roll(chance, 2) == 0 ? before : now;

        if (inode != 0 && strcmp(synced[i].text, "lock") != 0)
            left[i] = left_of(shadow, inode, chance);
    }
    power_failure_remove(directory);
    for (int i = 0; i < NAMES; i++) {
        char path[PATH_SIZE];

        snprintf(path, sizeof path, "%s/%s", directory, synced[i].text);
        if (left[i].data != NULL)
            write_file(path, &left[i]);
        free(left[i].data);
    }
    power_failure_remove(shadow);
}

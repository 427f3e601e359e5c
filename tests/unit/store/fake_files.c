#include "fake_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../model/chance.h"

enum {
    FILES_LIMIT = 64,
    NAME_CAPACITY = 64,
    SECTOR = 512,                /* bytes that reach the disk together */
    SIZE_LIMIT = 4 * 1024 * 1024 /* bytes in a file */
};

struct um_file {
    char name[NAME_CAPACITY];
    unsigned char *now;      /* SIZE_LIMIT bytes: what programs read */
    unsigned char *disk;     /* likewise: what a power failure leaves */
    unsigned char *is_dirty; /* for each sector */
    uint64_t size;           /* now */
    uint64_t disk_size;
    unsigned opened; /* how often it is open */
    bool is_there;   /* it has its name now */
    bool is_on_disk; /* its name is on the disk */
};

struct fake {
    struct um_files files; /* first */
    struct um_file row[FILES_LIMIT];
    uint64_t chance;
    size_t fail_after;
    enum um_file_status failure;
    bool has_failed;
};

static struct fake *fake_of(struct um_files *files)
{
    return (struct fake *)(void *)files;
}

/* The calls on files have no other way to their directory. */
static struct fake *only;

static bool fails(enum um_file_status *status)
{
    if (only->fail_after == SIZE_MAX || only->fail_after-- != 0)
        return false;
    only->fail_after = SIZE_MAX;
    only->has_failed = true;
    *status = only->failure;
    return true;
}

static struct um_file *find(struct fake *fake, const char *name)
{
    for (size_t i = 0; i < FILES_LIMIT; i++) {
        if (fake->row[i].is_there && strcmp(fake->row[i].name, name) == 0)
            return &fake->row[i];
    }
    return NULL;
}

static void release(struct um_file *file)
{
    free(file->now);
    free(file->disk);
    free(file->is_dirty);
    memset(file, 0, sizeof *file);
}

static enum um_file_status create_file(struct um_files *files, const char *name, struct um_file **file)
{
    struct fake *fake = fake_of(files);
    enum um_file_status status;

    if (fails(&status))
        return status;
    if (find(fake, name) != NULL)
        return UM_FILE_EXISTS;
    for (size_t i = 0; i < FILES_LIMIT; i++) {
        struct um_file *made = &fake->row[i];

        if (made->now != NULL)
            continue;
        snprintf(made->name, sizeof made->name, "%s", name);
        made->now = calloc(1, SIZE_LIMIT);
        made->disk = calloc(1, SIZE_LIMIT);
        made->is_dirty = calloc(1, SIZE_LIMIT / SECTOR);
        made->is_there = true;
        made->opened = 1;
        *file = made;
        return UM_FILE_OK;
    }
    return UM_FILE_NO_MEMORY;
}

static enum um_file_status open_file(struct um_files *files, const char *name, struct um_file **file)
{
    struct um_file *found = find(fake_of(files), name);
    enum um_file_status status;

    if (fails(&status))
        return status;
    if (found == NULL)
        return UM_FILE_NOT_THERE;
    found->opened++;
    *file = found;
    return UM_FILE_OK;
}

static void close_file(struct um_file *file)
{
    file->opened--;
}

static enum um_file_status get_size(struct um_file *file, uint64_t *size)
{
    enum um_file_status status;

    if (fails(&status))
        return status;
    *size = file->size;
    return UM_FILE_OK;
}

static enum um_file_status read_file(struct um_file *file, uint64_t offset, void *bytes, size_t size)
{
    enum um_file_status status;

    if (fails(&status))
        return status;
    if (offset + size > file->size)
        return UM_FILE_FAILED;
    memcpy(bytes, file->now + offset, size);
    return UM_FILE_OK;
}

/* The system may write a sector to the disk at any time. */
static void write_back(struct um_file *file, uint64_t sector)
{
    memcpy(file->disk + sector * SECTOR, file->now + sector * SECTOR, SECTOR);
    file->is_dirty[sector] = 0;
}

static enum um_file_status write_file(struct um_file *file, uint64_t offset, const void *bytes, size_t size)
{
    enum um_file_status status = UM_FILE_OK;

    if (fails(&status))
        size = (size_t)chance_roll(&only->chance, size);
    if (offset + size > SIZE_LIMIT)
        return UM_FILE_NO_SPACE;
    memcpy(file->now + offset, bytes, size);
    if (size != 0) {
        for (uint64_t sector = offset / SECTOR; sector <= (offset + size - 1) / SECTOR; sector++) {
            file->is_dirty[sector] = 1;
            if (chance_roll(&only->chance, 8) == 0)
                write_back(file, sector);
        }
    }
    if (offset + size > file->size)
        file->size = offset + size;
    return status;
}

static enum um_file_status reserve(struct um_file *file, uint64_t size)
{
    enum um_file_status status;

    if (fails(&status))
        return status;
    if (size > SIZE_LIMIT)
        return UM_FILE_NO_SPACE;
    if (size > file->size)
        file->size = size;
    return UM_FILE_OK;
}

static enum um_file_status sync_file(struct um_file *file)
{
    enum um_file_status status;
    bool has_failed = fails(&status);

    for (uint64_t sector = 0; sector < SIZE_LIMIT / SECTOR; sector++) {
        /* One that fails forgets what it could not write: another one then finds nothing to do. */
        if (file->is_dirty[sector] != 0 && !has_failed)
            write_back(file, sector);
        file->is_dirty[sector] = 0;
    }
    if (has_failed)
        return status;
    file->disk_size = file->size;
    return UM_FILE_OK;
}

static enum um_file_status remove_file(struct um_files *files, const char *name)
{
    struct um_file *file = find(fake_of(files), name);
    enum um_file_status status;

    if (fails(&status))
        return status;
    if (file == NULL)
        return UM_FILE_NOT_THERE;
    file->is_there = false;
    return UM_FILE_OK;
}

static enum um_file_status sync_names(struct um_files *files)
{
    struct fake *fake = fake_of(files);
    enum um_file_status status;

    if (fails(&status))
        return status;
    for (size_t i = 0; i < FILES_LIMIT; i++) {
        fake->row[i].is_on_disk = fake->row[i].is_there;
        if (!fake->row[i].is_there && fake->row[i].opened == 0)
            release(&fake->row[i]);
    }
    return UM_FILE_OK;
}

static enum um_file_status list(struct um_files *files, void (*each)(void *context, const char *name),
                                void *context)
{
    struct fake *fake = fake_of(files);
    enum um_file_status status;

    if (fails(&status))
        return status;
    for (size_t i = 0; i < FILES_LIMIT; i++) {
        if (fake->row[i].is_there)
            each(context, fake->row[i].name);
    }
    return UM_FILE_OK;
}

static const struct um_files_ops ops = {
    .create = create_file,
    .open = open_file,
    .close = close_file,
    .get_size = get_size,
    .read = read_file,
    .write = write_file,
    .reserve = reserve,
    .set_size = reserve,
    .sync = sync_file,
    .remove = remove_file,
    .sync_names = sync_names,
    .list = list,
};

struct um_files *fake_files_new(uint64_t seed)
{
    struct fake *fake = calloc(1, sizeof *fake);

    fake->files.ops = &ops;
    fake->chance = seed;
    fake->fail_after = SIZE_MAX;
    only = fake;
    return &fake->files;
}

void fake_files_free(struct um_files *files)
{
    struct fake *fake = fake_of(files);

    for (size_t i = 0; i < FILES_LIMIT; i++)
        release(&fake->row[i]);
    free(fake);
}

void fake_files_power_failure(struct um_files *files)
{
    struct fake *fake = fake_of(files);

    for (size_t i = 0; i < FILES_LIMIT; i++) {
        struct um_file *file = &fake->row[i];

        if (file->now == NULL)
            continue;
        for (uint64_t sector = 0; sector < SIZE_LIMIT / SECTOR; sector++) {
            if (file->is_dirty[sector] != 0 && chance_roll(&fake->chance, 2) == 0)
                write_back(file, sector);
            file->is_dirty[sector] = 0;
        }
        if (chance_roll(&fake->chance, 2) == 0)
            file->disk_size = file->size;
        /* A name leads to one file: the one that had it when it was removed, or the one that has it now. */
        if (chance_roll(&fake->chance, 2) == 0 || (!file->is_there && find(fake, file->name) != NULL))
            file->is_on_disk = file->is_there;
        if (!file->is_on_disk) {
            release(file);
            continue;
        }
        file->is_there = true;
        file->size = file->disk_size;
        memcpy(file->now, file->disk, SIZE_LIMIT);
        memset(file->now + file->size, 0, (size_t)(SIZE_LIMIT - file->size));
        memset(file->disk + file->size, 0, (size_t)(SIZE_LIMIT - file->size));
    }
}

void fake_files_fail_after(struct um_files *files, size_t calls, enum um_file_status status)
{
    struct fake *fake = fake_of(files);

    fake->fail_after = calls;
    fake->failure = status;
    fake->has_failed = false;
}

bool fake_files_have_failed(const struct um_files *files)
{
    return ((const struct fake *)(const void *)files)->has_failed;
}

size_t fake_files_count(const struct um_files *files)
{
    const struct fake *fake = (const void *)files;
    size_t count = 0;

    for (size_t i = 0; i < FILES_LIMIT; i++)
        count += fake->row[i].is_there;
    return count;
}

size_t fake_files_count_open(const struct um_files *files)
{
    const struct fake *fake = (const void *)files;
    size_t count = 0;

    for (size_t i = 0; i < FILES_LIMIT; i++)
        count += fake->row[i].opened;
    return count;
}

unsigned char *fake_files_bytes(struct um_files *files, const char *name, uint64_t *size)
{
    struct um_file *file = find(fake_of(files), name);

    if (file == NULL)
        return NULL;
    *size = file->size;
    return file->now;
}

void fake_files_cut(struct um_files *files, const char *name, uint64_t size)
{
    struct um_file *file = find(fake_of(files), name);

    memset(file->now + size, 0, (size_t)(file->size - size));
    file->size = size;
}

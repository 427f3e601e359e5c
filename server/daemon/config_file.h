/*
 * Where the configuration file is, its bytes, and the environment.
 *
 * Owns: the places that it is looked for in, and what a file must be like to be read. Must not know: what stands in it.
 *
 * The first of these that is given: --config FILE; the environment's UMEMD_CONFIG; the first of the default places where there is
 * a file. A default place may be empty; a file that was named must be there.
 *
 * The default places. Windows: %APPDATA%\umemd\umemd.conf. Elsewhere: XDG_CONFIG_HOME/umemd/umemd.conf, where that is an absolute path,
 * else ~/.config/umemd/umemd.conf; then /etc/umemd/umemd.conf. Windows has no place for all users, because any user may make folders
 * in %PROGRAMDATA%.
 */
#ifndef UM_CONFIG_FILE_H
#define UM_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    UM_CONFIG_PATH_SIZE = 4096,       /* bytes of a path, its end counted */
    UM_CONFIG_FILE_SIZE_LIMIT = 65536 /* bytes in a file */
};

/* What stands in the place of a path where no file is to be read. */
#define UM_CONFIG_NONE "none"

/* Finds the file. `named`: as --config has it; NULL: it was not given. *is_named: it, or the environment, names one. Returns whether
 * there is one to read. */
bool um_config_file_find(const char *named, char path[UM_CONFIG_PATH_SIZE], bool *is_named);

/* Reads a whole file into new memory, which is one byte longer and the caller's to free. NULL, with a sentence without a full stop
 * in `reason`, where it cannot be read, is no ordinary file, is too long, or is one that another user may write. */
char *um_config_file_read(const char *path, size_t *size, char *reason, size_t reason_size);

/* Copies the value of a variable of the environment, as UTF-8. False where it is not set, is empty or, with *is_too_long, does not fit. */
bool um_config_variable(const char *name, char *value, size_t value_size, bool *is_too_long);

#endif

#include "system.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

void cli_prepare(void)
{
}

bool cli_is_terminal(FILE *file)
{
    return isatty(fileno(file)) == 1;
}

FILE *cli_open_file(const char *path, const char *mode)
{
    return fopen(path, mode);
}

bool cli_file_size(FILE *file, uint64_t *size)
{
    struct stat status;
    off_t at = ftello(file);

    if (at < 0 || fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    *size = status.st_size > at ? (uint64_t)(status.st_size - at) : 0;
    return true;
}

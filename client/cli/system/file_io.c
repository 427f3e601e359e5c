#include "cli/system/file_io.h"

#include <uv.h>

#include "program/files.h"

bool cli_is_terminal(int file)
{
    return uv_guess_handle(file) == UV_TTY;
}

bool cli_file_size(int file, uint64_t *size)
{
    int64_t position = cli_file_position(file);
    uv_stat_t facts;

    if (position < 0 || um_file_fstat(file, &facts) != 0 || !um_file_is_regular(&facts) || facts.st_size == 0)
        return false;
    *size = facts.st_size > (uint64_t)position ? facts.st_size - (uint64_t)position : 0;
    return true;
}

static bool is_input_reserved;

void cli_reserve_input(void)
{
    is_input_reserved = true;
}

bool cli_is_input_reserved(void)
{
    return is_input_reserved;
}

#include <fcntl.h>
#include <io.h>

#include "cli.h"

void cli_binary_mode(void)
{
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
}

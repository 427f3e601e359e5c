#include "cli.h"

void cli_binary_mode(void)
{
    /* Bytes are bytes here. */
}

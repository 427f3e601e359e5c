#include "cli/output/color.h"

#include <stdlib.h>
#include <string.h>

#include "cli/system/file_io.h"

enum choice { AUTO, ALWAYS, NEVER };

static enum choice choice;

bool cli_color_choose(const char *when)
{
    static const char *const words[] = {[AUTO] = "auto", [ALWAYS] = "always", [NEVER] = "never"};

    for (int i = AUTO; i <= NEVER; i++) {
        if (strcmp(when, words[i]) == 0) {
            choice = (enum choice)i;
            return true;
        }
    }
    return false;
}

static bool has_colors(int file)
{
    const char *no_color = getenv("NO_COLOR");

    switch (choice) {
    case AUTO:
        return (no_color == NULL || *no_color == '\0') && cli_is_terminal(file) && cli_enable_colors(file);
    case ALWAYS:
        cli_enable_colors(file);
        return true;
    case NEVER:
        break;
    }
    return false;
}

const char *cli_style(int file, enum cli_style style)
{
    static const char *const begins[] = {
        [CLI_STYLE_PLAIN] = "\033[0m", [CLI_STYLE_TITLE] = "\033[1m", [CLI_STYLE_ERROR] = "\033[1;31m"};

    return has_colors(file) ? begins[style] : "";
}

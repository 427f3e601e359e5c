#include "cli/output/progress.h"

#include <stdio.h>
#include <string.h>

#include "cli/system/file_io.h"

enum { SHOWN_FROM = 8 << 20, MIB = 1 << 20, BAR_WIDTH = 30, LINE_WIDTH = 76, LINE_SIZE = 160 };

void cli_progress_begin(struct cli_progress *progress, const char *what, uint64_t total)
{
    *progress = (struct cli_progress){.what = what, .total = total, .shown = UINT64_MAX};
    progress->is_wanted = cli_is_terminal(CLI_ERRORS) && (total == 0 || total >= SHOWN_FROM);
}

static void show(const char *line)
{
    cli_write_file(CLI_ERRORS, line, strlen(line));
}

static void draw(struct cli_progress *progress)
{
    char bar[BAR_WIDTH + 1];
    char line[LINE_SIZE];
    int filled = (int)(progress->shown * BAR_WIDTH / 100);

    if (progress->total == 0) {
        snprintf(line, sizeof line, "\r%s %llu MiB", progress->what, (unsigned long long)progress->shown);
    } else {
        for (int i = 0; i < BAR_WIDTH; i++)
            bar[i] = i < filled ? '#' : '.';
        bar[BAR_WIDTH] = '\0';
        snprintf(line, sizeof line, "\r%s %3d%% [%s] %llu of %llu MiB", progress->what, (int)progress->shown,
                 bar, (unsigned long long)(progress->done / MIB),
                 (unsigned long long)(progress->total / MIB));
    }
    show(line);
    progress->is_drawn = true;
}

void cli_progress_step(struct cli_progress *progress, uint64_t bytes)
{
    uint64_t shown;

    progress->done += bytes;
    if (!progress->is_wanted || progress->done < MIB || (progress->total == 0 && progress->done < SHOWN_FROM))
        return;
    if (progress->total == 0)
        shown = progress->done / MIB;
    else
        /* A percentage of a hundredth is exact enough, and cannot overflow. */
        shown = progress->done / (progress->total / 100);
    if (shown > 100 && progress->total != 0)
        shown = 100;
    if (shown != progress->shown) {
        progress->shown = shown;
        draw(progress);
    }
}

void cli_progress_end(struct cli_progress *progress)
{
    char line[LINE_SIZE];

    snprintf(line, sizeof line, "\r%*s\r", LINE_WIDTH, "");
    if (progress->is_drawn)
        show(line);
    progress->is_drawn = false;
}

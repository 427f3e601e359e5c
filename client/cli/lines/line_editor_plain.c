#include <stdlib.h>

#include "cli/lines/line_editor.h"
#include "cli/lines/line_reader.h"
#include "cli/output/output.h"
#include "cli/system/file_io.h"

struct cli_editor {
    const char *prompt;
    struct cli_line_reader reader;
};

struct cli_editor *cli_editor_new(const char *prompt, cli_editor_complete *complete)
{
    struct cli_editor *editor = malloc(sizeof *editor);

    (void)complete;
    if (editor == NULL)
        return NULL;
    editor->prompt = prompt;
    cli_line_reader_init(&editor->reader, CLI_INPUT, "standard input");
    return editor;
}

void cli_editor_free(struct cli_editor *editor)
{
    if (editor == NULL)
        return;
    cli_line_reader_deinit(&editor->reader);
    free(editor);
}

int cli_editor_read(struct cli_editor *editor, const char **line)
{
    char *read;
    int status;

    cli_print(editor->prompt);
    cli_flush();
    status = cli_line_reader_next(&editor->reader, &read);
    *line = read;
    /* So that what follows begins a line of its own. */
    if (read == NULL)
        cli_print_line("");
    return status;
}

/*
 * Lines that a person types at a terminal.
 *
 * Owns: the history. Must not know: verbs.
 *
 * line_editor_libedit.c has editing keys, a history that lasts (UMEM_HISTFILE, else .umem_history in the home folder) and completion.
 * line_editor_plain.c, where libedit is not there, has what the terminal itself offers.
 */
#ifndef UMEM_CLI_LINE_EDITOR_H
#define UMEM_CLI_LINE_EDITOR_H

/* Called with the line up to the cursor; calls `found` for each word that the last one may become. */
typedef void cli_editor_found(void *context, const char *word);
typedef void cli_editor_complete(const char *line, cli_editor_found *found, void *context);

struct cli_editor;

/* Prepares the terminal. Both are the caller's and stay where they are. Returns NULL where memory runs out. */
struct cli_editor *cli_editor_new(const char *prompt, cli_editor_complete *complete);

/* Saves the history, and frees it. NULL is fine. */
void cli_editor_free(struct cli_editor *editor);

/* Reads a line; *line is without its end, good until the next call; NULL: there are no more. Returns an exit status; a failure has been
 * reported. */
int cli_editor_read(struct cli_editor *editor, const char **line);

#endif

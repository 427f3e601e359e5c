#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wchar.h>

#include <histedit.h>

#include "base/buf.h"
#include "cli/lines/line_editor.h"
#include "cli/output/output.h"
#include "cli/table/verb.h"

enum { HISTORY_LINES = 1000, PATH_SIZE = 4096, LIST_LIMIT = 1 << 20, LINE_LIMIT = 1 << 26 };

struct cli_editor {
    const char *prompt;
    cli_editor_complete *complete;
    EditLine *edit;
    History *history;
    char file[PATH_SIZE]; /* of the history; "": it is not kept */
    struct um_buf line;   /* the last one that was read */
};

static volatile sig_atomic_t is_interrupted;

/* ---- completion ---- */

/* What the last word may become. */
struct candidates {
    struct um_buf list;  /* one a line */
    struct um_buf first; /* the beginning that all have */
    size_t count;
};

static void add_candidate(void *context, const char *word)
{
    struct candidates *candidates = context;
    size_t same = 0;

    if (candidates->count++ == 0)
        um_buf_append_string(&candidates->first, word);
    while (same < candidates->first.size && candidates->first.data[same] == word[same])
        same++;
    um_buf_truncate(&candidates->first, same);
    um_buf_append_string(&candidates->list, word);
    um_buf_append_byte(&candidates->list, '\n');
}

/* Puts the word in place of its `size` first bytes. Returns whether libedit has taken it. */
static bool insert(EditLine *edit, const struct candidates *candidates, size_t size)
{
    bool is_quoted =
        candidates->first.size != 0 && memchr(candidates->first.data, ' ', candidates->first.size) != NULL;
    struct um_buf text;
    bool is_done;

    um_buf_init(&text, LIST_LIMIT);
    um_buf_append_string(&text, is_quoted ? "'" : "");
    um_buf_append(&text, candidates->first.data, candidates->first.size);
    um_buf_append_string(&text, candidates->count != 1 ? "" : is_quoted ? "' " : " ");
    um_buf_append_byte(&text, '\0');
    if (!text.failed)
        el_deletestr(edit, (int)size);
    is_done = !text.failed && el_insertstr(edit, text.data) == 0;
    um_buf_deinit(&text);
    return is_done;
}

/* A word with quotes or backslashes in it is left as it is. */
static unsigned char complete(EditLine *edit, wint_t key)
{
    const LineInfo *info = el_line(edit);
    size_t size = (size_t)(info->cursor - info->buffer);
    struct candidates candidates = {.count = 0};
    struct cli_editor *editor = NULL;
    struct um_buf line;
    unsigned char result = CC_ERROR;
    size_t word = 0;

    (void)key;
    el_get(edit, EL_CLIENTDATA, &editor);
    um_buf_init(&line, LINE_LIMIT);
    um_buf_init(&candidates.list, LIST_LIMIT);
    um_buf_init(&candidates.first, LIST_LIMIT);
    while (word < size && strchr(" \t", info->cursor[-1 - (ptrdiff_t)word]) == NULL)
        word++;
    um_buf_append(&line, info->buffer, size);
    um_buf_append_byte(&line, '\0');
    if (!line.failed && strpbrk(line.data, "'\"\\") == NULL)
        editor->complete(line.data, add_candidate, &candidates);
    if (candidates.count == 1 || candidates.first.size > word) {
        if (insert(edit, &candidates, word))
            result = CC_REFRESH;
    } else if (candidates.count > 1) {
        cli_print_line("");
        cli_print_bytes(candidates.list.data, candidates.list.size);
        cli_flush();
        result = CC_REDISPLAY;
    }
    um_buf_deinit(&line);
    um_buf_deinit(&candidates.list);
    um_buf_deinit(&candidates.first);
    return result;
}

/* ---- the terminal ---- */

static char *prompt_of(EditLine *edit)
{
    struct cli_editor *editor = NULL;

    el_get(edit, EL_CLIENTDATA, &editor);
    return (char *)editor->prompt;
}

static void find_history(struct cli_editor *editor)
{
    const char *file = getenv("UMEM_HISTFILE");
    const char *home = getenv("HOME");
    HistEvent event;

    if (file != NULL)
        snprintf(editor->file, sizeof editor->file, "%s", file);
    else if (home != NULL)
        snprintf(editor->file, sizeof editor->file, "%s/.umem_history", home);
    history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
    history(editor->history, &event, H_SETUNIQUE, 1);
    if (editor->file[0] != '\0')
        history(editor->history, &event, H_LOAD, editor->file);
}

struct cli_editor *cli_editor_new(const char *prompt, cli_editor_complete *called)
{
    struct cli_editor *editor = calloc(1, sizeof *editor);

    if (editor == NULL)
        return NULL;
    /* What is typed is UTF-8, or what the user's locale says. */
    setlocale(LC_CTYPE, "");
    editor->prompt = prompt;
    editor->complete = called;
    um_buf_init(&editor->line, LINE_LIMIT);
    editor->edit = el_init("umem", stdin, stdout, stderr);
    editor->history = history_init();
    if (editor->edit == NULL || editor->history == NULL) {
        cli_editor_free(editor);
        return NULL;
    }
    el_set(editor->edit, EL_CLIENTDATA, editor);
    el_set(editor->edit, EL_PROMPT, prompt_of);
    el_set(editor->edit, EL_EDITOR, "emacs");
    el_set(editor->edit, EL_HIST, history, editor->history);
    /* The wide call keeps the names as they are; the narrow one makes copies that el_end() does not free. */
    el_wset(editor->edit, EL_ADDFN, L"umem-complete", L"completes a word", complete);
    el_set(editor->edit, EL_BIND, "^I", "umem-complete", NULL);
    el_source(editor->edit, NULL);
    find_history(editor);
    return editor;
}

/* The history may hold what was written into blocks, so it is the user's alone. */
static void save_history(const struct cli_editor *editor)
{
    HistEvent event;
    mode_t mask = umask(S_IRWXG | S_IRWXO);

    history(editor->history, &event, H_SAVE, editor->file);
    umask(mask);
}

void cli_editor_free(struct cli_editor *editor)
{
    if (editor == NULL)
        return;
    if (editor->history != NULL && editor->edit != NULL && editor->file[0] != '\0')
        save_history(editor);
    if (editor->history != NULL)
        history_end(editor->history);
    if (editor->edit != NULL)
        el_end(editor->edit);
    um_buf_deinit(&editor->line);
    free(editor);
}

/* ---- reading ---- */

static void on_interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* One line; NULL at the end, or after Ctrl-C, which is_interrupted tells. It has a meaning of its own here only: a verb that runs is ended by
 * it, and umem with it. */
static const char *read_line(struct cli_editor *editor, int *count)
{
    struct sigaction ours = {.sa_handler = on_interrupt};
    struct sigaction before;
    const char *line;

    is_interrupted = 0;
    sigemptyset(&ours.sa_mask);
    sigaction(SIGINT, &ours, &before);
    line = el_gets(editor->edit, count);
    sigaction(SIGINT, &before, NULL);
    return is_interrupted ? NULL : line;
}

int cli_editor_read(struct cli_editor *editor, const char **line)
{
    const char *read;
    HistEvent event;
    int count = 0;

    cli_flush();
    do {
        read = read_line(editor, &count);
        if (is_interrupted) {
            el_reset(editor->edit);
            cli_print_line("^C");
            cli_flush();
        }
    } while (is_interrupted);
    *line = NULL;
    if (read == NULL || count <= 0) {
        cli_print_line("");
        return CLI_OK;
    }
    um_buf_truncate(&editor->line, 0);
    um_buf_append(&editor->line, read, (size_t)count);
    while (editor->line.size != 0 && strchr("\r\n", editor->line.data[editor->line.size - 1]) != NULL)
        um_buf_truncate(&editor->line, editor->line.size - 1);
    um_buf_append_byte(&editor->line, '\0');
    if (editor->line.data[0] != '\0' && editor->line.data[0] != ' ')
        history(editor->history, &event, H_ENTER, editor->line.data);
    *line = editor->line.data;
    return CLI_OK;
}

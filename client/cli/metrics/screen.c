#include "cli/metrics/screen.h"

#include <signal.h>
#include <string.h>

#include <uv.h>

#include "cli/output/fail.h"
#include "cli/system/file_io.h"
#include "cli/table/verb.h"

/* What terminals understand: another screen, without a cursor, and back; go to the first line; clear to the line's end, which comes
 * first, as it would take the last character of a line that fills the width. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"

enum { FRAME_LIMIT = 1 << 20, KEYS_SIZE = 64, CTRL_C = 3, WIDTH = 80, HEIGHT = 24 };

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { ENDING_SIGNALS = sizeof ending_signals / sizeof ending_signals[0] };

struct screen {
    const struct cli_screen_events *events;
    void *context;
    uv_loop_t loop;
    uv_tty_t input;
    uv_tty_t output;
    uv_timer_t timer;
    uv_signal_t resized;
    uv_signal_t ended[ENDING_SIGNALS];
    char keys[KEYS_SIZE];
    int status;
    bool is_entered; /* the terminal shows the screen */
};

bool cli_screen_is_possible(void)
{
    return cli_is_terminal(CLI_INPUT) && cli_is_terminal(CLI_OUTPUT);
}

/* ---- output ---- */

/* What the terminal does not take is not drawn: the next frame will be. */
static void write_all(struct screen *screen, const char *bytes, size_t size)
{
    while (size != 0) {
        uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)size);
        int written = uv_try_write((uv_stream_t *)&screen->output, &buf, 1);

        if (written <= 0)
            return;
        bytes += written;
        size -= (size_t)written;
    }
}

static void draw(struct screen *screen)
{
    int width = 0;
    int height = 0;
    struct um_buf lines;
    struct um_buf frame;

    if (!screen->is_entered)
        return;
    /* Some terminals do not tell, or say 0. */
    if (uv_tty_get_winsize(&screen->output, &width, &height) != 0 || width <= 0 || height <= 0) {
        width = WIDTH;
        height = HEIGHT;
    }
    um_buf_init(&lines, FRAME_LIMIT);
    um_buf_init(&frame, FRAME_LIMIT);
    screen->events->draw(screen->context, width, height, &lines);
    um_buf_append_string(&frame, HOME CLEAR_LINE);
    for (size_t i = 0; i < lines.size; i++) {
        if (lines.data[i] == '\n')
            um_buf_append_string(&frame, "\r\n" CLEAR_LINE);
        else
            um_buf_append_byte(&frame, lines.data[i]);
    }
    if (!lines.failed && !frame.failed)
        write_all(screen, frame.data, frame.size);
    um_buf_deinit(&lines);
    um_buf_deinit(&frame);
}

/* ---- the terminal, and back ---- */

static int enter(struct screen *screen)
{
    int error = uv_tty_set_mode(&screen->input, UV_TTY_MODE_RAW);

    if (error != 0)
        return error;
    write_all(screen, ENTER, strlen(ENTER));
    screen->is_entered = true;
    return 0;
}

/* A failure is reported on the terminal as it was. */
static void leave(void *context)
{
    struct screen *screen = context;

    if (!screen->is_entered)
        return;
    screen->is_entered = false;
    write_all(screen, LEAVE, strlen(LEAVE));
    uv_tty_set_mode(&screen->input, UV_TTY_MODE_NORMAL);
    uv_tty_reset_mode();
}

/* ---- events ---- */

static void on_timer(uv_timer_t *timer)
{
    struct screen *screen = timer->data;

    screen->status = screen->events->update(screen->context);
    if (screen->status != CLI_OK)
        uv_stop(&screen->loop);
    else
        draw(screen);
}

static void on_resized(uv_signal_t *handle, int number)
{
    (void)number;
    draw(handle->data);
}

static void on_ended(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(&((struct screen *)handle->data)->loop);
}

static void on_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buf)
{
    struct screen *screen = handle->data;

    (void)suggested_size;
    *buf = uv_buf_init(screen->keys, sizeof screen->keys);
}

static void on_keys(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct screen *screen = stream->data;
    bool goes_on = size >= 0; /* else the terminal is gone */

    for (ssize_t i = 0; goes_on && i < size; i++)
        goes_on = buf->base[i] != CTRL_C && screen->events->press(screen->context, buf->base[i]);
    if (goes_on)
        draw(screen);
    else
        uv_stop(&screen->loop);
}

/* ---- the screen ---- */

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* All handles, so that each can be closed. Those of the terminal first: they may fail. */
static int open_handles(struct screen *screen)
{
    int error = uv_tty_init(&screen->loop, &screen->output, CLI_OUTPUT, 0);

    if (error == 0) {
        /* Where it stays non-blocking, a frame may be cut. */
        (void)uv_stream_set_blocking((uv_stream_t *)&screen->output, 1);
        error = uv_tty_init(&screen->loop, &screen->input, CLI_INPUT, 1);
    }
    if (error != 0)
        return error;
    uv_timer_init(&screen->loop, &screen->timer);
    uv_signal_init(&screen->loop, &screen->resized);
    screen->input.data = screen;
    screen->timer.data = screen;
    screen->resized.data = screen;
    for (int i = 0; i < ENDING_SIGNALS; i++) {
        uv_signal_init(&screen->loop, &screen->ended[i]);
        screen->ended[i].data = screen;
    }
    return 0;
}

static int start(struct screen *screen, uint64_t interval_ms)
{
    int error = uv_timer_start(&screen->timer, on_timer, 0, interval_ms);

    for (int i = 0; error == 0 && i < ENDING_SIGNALS; i++)
        error = uv_signal_start(&screen->ended[i], on_ended, ending_signals[i]);
    if (error == 0)
        error = uv_signal_start(&screen->resized, on_resized, SIGWINCH);
    if (error == 0)
        error = enter(screen);
    if (error == 0)
        error = uv_read_start((uv_stream_t *)&screen->input, on_alloc, on_keys);
    return error;
}

int cli_screen_run(const struct cli_screen_events *events, void *context, uint64_t interval_ms)
{
    struct screen screen = {.events = events, .context = context, .status = CLI_OK};
    int error = uv_loop_init(&screen.loop);

    if (error != 0)
        return cli_fail_file("the terminal", "used", error);
    error = open_handles(&screen);
    if (error == 0) {
        cli_before_failures(leave, &screen);
        error = start(&screen, interval_ms);
    }
    if (error == 0)
        uv_run(&screen.loop, UV_RUN_DEFAULT);
    leave(&screen);
    cli_before_failures(NULL, NULL);
    uv_walk(&screen.loop, close_handle, NULL);
    uv_run(&screen.loop, UV_RUN_DEFAULT);
    uv_loop_close(&screen.loop);
    return error != 0 ? cli_fail_file("the terminal", "used", error) : screen.status;
}

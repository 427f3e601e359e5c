#include "daemon/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uv.h>

#include "daemon/log_line.h"
#include "daemon/system_log.h"
#include "program/files.h"

enum {
    STANDARD_ERROR = 2,
    TEXT_SIZE = 1024,       /* bytes of a sentence, its end counted */
    QUEUE_SIZE = 256 << 10, /* bytes of lines that may wait */
    CLOSE_MS = 500,         /* what the last lines get to be written */
    AGAIN_MS = 20,          /* from a write that would have waited to the next attempt */
    STACK_SIZE = 128 << 10  /* the thread's */
};

static const char *const level_names[] = {
#define LEVEL_NAME(identifier, name) name,
    UM_LOG_LEVELS(LEVEL_NAME)
#undef LEVEL_NAME
};

enum { LEVEL_COUNT = sizeof level_names / sizeof level_names[0] };

struct um_log {
    enum um_log_target target;
    const char *path;             /* of the file */
    struct um_system_log *system; /* NULL: the target is another */
    enum um_log_level level;      /* the loop's thread's own */
    uv_thread_t thread;
    uv_mutex_t lock;   /* around what follows, as far as both threads use it */
    uv_cond_t changed; /* one of these did */
    enum um_log_format format;
    time_t second;                      /* for which `second_text` is */
    char second_text[UM_LOG_TIME_SIZE]; /* the C library has one calendar for all threads */
    char *waiting;                      /* lines, `waiting_size` bytes of them; one of the two queues */
    size_t waiting_size;
    unsigned long long dropped; /* lines that came after those and did not fit */
    bool wants_reopen;
    bool is_ending;    /* no more lines will come */
    bool has_ended;    /* the thread has nothing more to do */
    bool is_abandoned; /* um_log_close() no longer waits for that */

    /* The thread's own. */
    uv_file file;
    unsigned long long refused; /* lines that the system did not write, since the last line that said so */
    int error;                  /* why, as libuv has it */
    bool is_torn;               /* the last line in the file has no end */
    char *writing;              /* the other queue */
    char queues[2][QUEUE_SIZE];
};

int um_log_parse_level(const char *name, enum um_log_level *level)
{
    for (int i = 0; i < LEVEL_COUNT; i++) {
        if (strcmp(level_names[i], name) == 0) {
            *level = (enum um_log_level)i;
            return 0;
        }
    }
    return -1;
}

/* ---- lines ---- */

/* The time of a line. The caller holds the lock. */
static void write_time(struct um_log *log, char text[UM_LOG_TIME_SIZE])
{
    uv_timeval64_t now = {0, 0};
    time_t second;

    uv_gettimeofday(&now);
    second = (time_t)now.tv_sec;
    if (second != log->second || log->second_text[0] == '\0') {
        const struct tm *utc = gmtime(&second);

        if (utc == NULL || strftime(log->second_text, sizeof log->second_text, "%Y-%m-%dT%H:%M:%S", utc) == 0)
            log->second_text[0] = '\0';
        log->second = second;
    }
    snprintf(text, UM_LOG_TIME_SIZE, "%.19s.%03dZ", log->second_text, (int)(now.tv_usec / 1000));
}

/* Begins a line. The system's log has its own times, and is handed the level in front of the line. The caller holds the lock. */
static void begin_line(struct um_log *log, struct um_log_line *line, enum um_log_level level)
{
    char now[UM_LOG_TIME_SIZE];

    line->size = 0;
    line->is_json = log->format == UM_LOG_JSON;
    if (log->target == UM_LOG_TO_SYSTEM)
        um_log_line_put_byte(line, (char)('0' + (int)level));
    if (line->is_json || log->target != UM_LOG_TO_SYSTEM) {
        write_time(log, now);
        um_log_line_begin(line, now, level_names[level]);
    }
}

/* Adds a line to those that wait. The caller holds the lock. */
static void add_line(struct um_log *log, const struct um_log_line *line)
{
    if (line->size <= QUEUE_SIZE - log->waiting_size) {
        memcpy(log->waiting + log->waiting_size, line->bytes, line->size);
        log->waiting_size += line->size;
    } else {
        log->dropped++;
    }
    uv_cond_signal(&log->changed);
}

void um_log_write(struct um_log *log, enum um_log_level level, const char *format, ...)
{
    struct um_log_line line;
    char text[TEXT_SIZE];
    va_list list;

    if (log == NULL || level > log->level)
        return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    uv_mutex_lock(&log->lock);
    begin_line(log, &line, level);
    um_log_line_put_sentence(&line, text);
    um_log_line_end(&line);
    add_line(log, &line);
    uv_mutex_unlock(&log->lock);
}

void um_log_event(struct um_log *log, enum um_log_level level, const char *event,
                  const struct um_log_field *fields, size_t count)
{
    struct um_log_line line;

    if (log == NULL || level > log->level)
        return;
    uv_mutex_lock(&log->lock);
    begin_line(log, &line, level);
    um_log_line_put_event(&line, event);
    for (size_t i = 0; i < count; i++)
        um_log_line_put_field(&line, &fields[i]);
    um_log_line_end(&line);
    add_line(log, &line);
    uv_mutex_unlock(&log->lock);
}

/* ---- the thread ---- */

/* Writes bytes, however long that takes. Returns how many were written before the system refused. */
static size_t put(struct um_log *log, const char *bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        int written = um_file_write(log->file, bytes + done, size - done);

        if (written > 0) {
            done += (size_t)written;
        } else if (written == UV_EAGAIN) {
            /* Another program's doing, with which this one shares the file. */
            uv_sleep(AGAIN_MS);
        } else {
            log->error = written < 0 ? written : UV_EIO;
            break;
        }
    }
    return done;
}

/* Hands lines to the system's log, and counts those that it refuses. Changes them. */
static void put_system_lines(struct um_log *log, char *lines, size_t size)
{
    char *end;

    for (char *line = lines; line < lines + size; line = end + 1) {
        int error;

        end = memchr(line, '\n', (size_t)(lines + size - line));
        *end = '\0';
        error = um_system_log_write(log->system, (enum um_log_level)(line[0] - '0'), line + 1);
        log->refused += error != 0;
        if (error != 0)
            log->error = error;
    }
}

/* Writes lines, and counts those that are refused. */
static void put_lines(struct um_log *log, char *lines, size_t size)
{
    size_t done;

    if (log->target == UM_LOG_TO_SYSTEM) {
        put_system_lines(log, lines, size);
        return;
    }
    if (log->is_torn && put(log, "\n", 1) == 1)
        log->is_torn = false;
    done = log->is_torn ? 0 : put(log, lines, size);
    if (done != 0)
        log->is_torn = lines[done - 1] != '\n';
    for (size_t i = done; i < size; i++)
        log->refused += lines[i] == '\n';
}

/* Writes a line of the log's own. Returns whether that was done. */
UM_PRINTF(3, 4)
static bool put_line(struct um_log *log, enum um_log_level level, const char *format, ...)
{
    unsigned long long refused = log->refused;
    struct um_log_line line;
    char text[TEXT_SIZE];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    uv_mutex_lock(&log->lock);
    begin_line(log, &line, level);
    uv_mutex_unlock(&log->lock);
    um_log_line_put_sentence(&line, text);
    um_log_line_end(&line);
    put_lines(log, line.bytes, line.size);
    if (log->refused == refused)
        return true;
    log->refused = refused; /* it is the log's own line */
    return false;
}

/* Says that lines are missing here. Those that it cannot say it of are added to the refused ones. */
static void put_lost(struct um_log *log, unsigned long long count, const char *reason)
{
    if (count != 0 && !put_line(log, UM_LOG_WARNING, "%llu lines of this log were lost: %s", count, reason))
        log->refused += count;
}

static int open_file(const char *path)
{
    enum { MODE = 0666 };
    /* A FIFO without a reader is refused rather than waited for; a terminal does not become ours. */
    const int flags = UV_FS_O_WRONLY | UV_FS_O_APPEND | UV_FS_O_CREAT | UV_FS_O_NONBLOCK | UV_FS_O_NOCTTY;

    return um_file_open(path, flags, MODE);
}

static void close_target(struct um_log *log)
{
    if (log->target == UM_LOG_TO_FILE)
        um_file_close(log->file);
    um_system_log_close(log->system);
}

static void reopen(struct um_log *log)
{
    int file = open_file(log->path);

    if (file < 0) {
        put_line(log, UM_LOG_ERROR, "%s cannot be reopened: %s; the log stays where it is", log->path,
                 uv_strerror(file));
        return;
    }
    um_file_close(log->file);
    log->file = file;
    log->is_torn = false;
}

/* One round: what has come since the last one. The caller holds the lock, which is released in between. */
static void write_waiting(struct um_log *log)
{
    size_t size = log->waiting_size;
    unsigned long long dropped = log->dropped;
    bool wants_reopen = log->wants_reopen;
    unsigned long long refused = log->refused;

    log->writing = log->waiting;
    log->waiting = log->writing == log->queues[0] ? log->queues[1] : log->queues[0];
    log->waiting_size = 0;
    log->dropped = 0;
    log->wants_reopen = false;
    uv_mutex_unlock(&log->lock);
    if (wants_reopen)
        reopen(log);
    log->refused = 0;
    put_lost(log, refused, refused != 0 ? uv_strerror(log->error) : "");
    put_lines(log, log->writing, size);
    put_lost(log, dropped, "too many lines were waiting to be written");
    uv_mutex_lock(&log->lock);
}

static void release(struct um_log *log)
{
    close_target(log);
    uv_cond_destroy(&log->changed);
    uv_mutex_destroy(&log->lock);
    free(log);
}

static void write_lines(void *context)
{
    struct um_log *log = context;
    bool is_abandoned;

    uv_mutex_lock(&log->lock);
    for (;;) {
        if (log->waiting_size != 0 || log->wants_reopen)
            write_waiting(log);
        else if (log->is_ending)
            break;
        else
            uv_cond_wait(&log->changed, &log->lock);
    }
    log->has_ended = true;
    is_abandoned = log->is_abandoned;
    uv_cond_signal(&log->changed);
    uv_mutex_unlock(&log->lock);
    if (is_abandoned)
        release(log);
}

/* ---- beginning and end ---- */

void um_log_reopen(struct um_log *log)
{
    if (log == NULL || log->target != UM_LOG_TO_FILE)
        return;
    uv_mutex_lock(&log->lock);
    log->wants_reopen = true;
    uv_cond_signal(&log->changed);
    uv_mutex_unlock(&log->lock);
}

/* Starts the thread. Returns 0 or libuv's error; then nothing is left behind. */
static int start(struct um_log *log)
{
    const uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_SIZE};
    int error = uv_mutex_init(&log->lock);

    if (error != 0)
        return error;
    error = uv_cond_init(&log->changed);
    if (error == 0) {
        error = uv_thread_create_ex(&log->thread, &options, write_lines, log);
        if (error == 0)
            return 0;
        uv_cond_destroy(&log->changed);
    }
    uv_mutex_destroy(&log->lock);
    return error;
}

/* Opens what the lines go to. Returns false with the reason. */
static bool open_target(struct um_log *log, const char *path, char *reason, size_t reason_size)
{
    switch (log->target) {
    case UM_LOG_TO_STDERR:
        log->file = STANDARD_ERROR;
        return true;
    case UM_LOG_TO_SYSTEM:
        return um_system_log_open(path, &log->system, reason, reason_size);
    case UM_LOG_TO_FILE:
        break;
    }
    log->path = path;
    log->file = open_file(path);
    if (log->file < 0)
        snprintf(reason, reason_size, "the log file %s cannot be opened: %s", path, uv_strerror(log->file));
    return log->file >= 0;
}

bool um_log_open(struct um_log **log, const struct um_log_options *options, char *reason, size_t reason_size)
{
    struct um_log *made = calloc(1, sizeof *made);
    int error;

    if (made == NULL) {
        snprintf(reason, reason_size, "no memory");
        return false;
    }
    made->target = options->target;
    made->level = options->level;
    made->format = options->format;
    made->waiting = made->queues[0];
    if (!open_target(made, options->path, reason, reason_size)) {
        free(made);
        return false;
    }
    error = start(made);
    if (error != 0) {
        snprintf(reason, reason_size, "no thread can be started that writes the log: %s", uv_strerror(error));
        close_target(made);
        free(made);
        return false;
    }
    *log = made;
    return true;
}

void um_log_set(struct um_log *log, enum um_log_level level, enum um_log_format format)
{
    log->level = level;
    uv_mutex_lock(&log->lock);
    log->format = format;
    uv_mutex_unlock(&log->lock);
}

void um_log_close(struct um_log *log)
{
    uint64_t end_ns = uv_hrtime() + UINT64_C(1000000) * CLOSE_MS;
    bool has_ended;

    if (log == NULL)
        return;
    uv_mutex_lock(&log->lock);
    log->is_ending = true;
    uv_cond_signal(&log->changed);
    while (!log->has_ended) {
        uint64_t now_ns = uv_hrtime();

        if (now_ns >= end_ns || uv_cond_timedwait(&log->changed, &log->lock, end_ns - now_ns) == UV_ETIMEDOUT)
            break;
    }
    has_ended = log->has_ended;
    log->is_abandoned = !has_ended;
    uv_mutex_unlock(&log->lock);
    /* A thread that waits for the file ends with the process, or releases the log itself. */
    if (!has_ended)
        return;
    uv_thread_join(&log->thread);
    release(log);
}

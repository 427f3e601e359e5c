#include "daemon/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uv.h>

#include "program/files.h"

enum {
    STANDARD_ERROR = 2,
    TEXT_SIZE = 1024,           /* bytes of an event's text, its end counted */
    LINE_SIZE = TEXT_SIZE + 64, /* bytes of a line */
    QUEUE_SIZE = 64 << 10,      /* bytes of lines that may wait */
    CLOSE_MS = 500,             /* what the last lines get to be written */
    AGAIN_MS = 20,              /* from a write that would have waited to the next attempt */
    STACK_SIZE = 64 << 10       /* the thread's */
};

static const char *const level_names[] = {
#define LEVEL_NAME(identifier, name) name,
    UM_LOG_LEVELS(LEVEL_NAME)
#undef LEVEL_NAME
};

enum { LEVEL_COUNT = sizeof level_names / sizeof level_names[0] };

struct um_log {
    const char *path; /* NULL: standard error */
    enum um_log_level level;
    uv_thread_t thread;
    uv_mutex_t lock;   /* around what follows, as far as both threads use it */
    uv_cond_t changed; /* one of these did */
    char waiting[QUEUE_SIZE];
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
    char writing[QUEUE_SIZE];
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

/* Writes a line with its end. Returns its size. The caller holds the lock: the C library has one calendar for all threads. */
UM_PRINTF(3, 0)
static size_t make_line(char line[LINE_SIZE], enum um_log_level level, const char *format, va_list list)
{
    time_t now = time(NULL);
    const struct tm *utc = gmtime(&now);
    char text[TEXT_SIZE];
    size_t size = 0;

    if (utc != NULL)
        size = strftime(line, LINE_SIZE, "%Y-%m-%dT%H:%M:%SZ", utc);
    vsnprintf(text, sizeof text, format, list);
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    }
    return size + (size_t)snprintf(line + size, LINE_SIZE - size, " %s %s\n", level_names[level], text);
}

void um_log_write(struct um_log *log, enum um_log_level level, const char *format, ...)
{
    char line[LINE_SIZE];
    size_t size;
    va_list list;

    if (log == NULL || level > log->level)
        return;
    uv_mutex_lock(&log->lock);
    va_start(list, format);
    size = make_line(line, level, format, list);
    va_end(list);
    if (size <= sizeof log->waiting - log->waiting_size) {
        memcpy(log->waiting + log->waiting_size, line, size);
        log->waiting_size += size;
    } else {
        log->dropped++;
    }
    uv_cond_signal(&log->changed);
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

/* Writes lines, and counts those that are refused. */
static void put_lines(struct um_log *log, const char *lines, size_t size)
{
    size_t done;

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
    char line[LINE_SIZE];
    size_t size;
    va_list list;

    uv_mutex_lock(&log->lock);
    va_start(list, format);
    size = make_line(line, level, format, list);
    va_end(list);
    uv_mutex_unlock(&log->lock);
    put_lines(log, line, size);
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

static void close_file(struct um_log *log)
{
    if (log->path != NULL)
        um_file_close(log->file);
}

static void reopen(struct um_log *log)
{
    int file = open_file(log->path);

    if (file < 0) {
        put_line(log, UM_LOG_ERROR, "%s cannot be reopened: %s; the log stays where it is", log->path,
                 uv_strerror(file));
        return;
    }
    close_file(log);
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

    memcpy(log->writing, log->waiting, size);
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
    close_file(log);
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
    if (log == NULL || log->path == NULL)
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

bool um_log_open(struct um_log **log, const char *path, enum um_log_level level, char *reason,
                 size_t reason_size)
{
    struct um_log *made = calloc(1, sizeof *made);
    int error;

    if (made == NULL) {
        snprintf(reason, reason_size, "no memory");
        return false;
    }
    made->path = path;
    made->level = level;
    made->file = path != NULL ? open_file(path) : STANDARD_ERROR;
    if (path != NULL && made->file < 0) {
        snprintf(reason, reason_size, "the log file %s cannot be opened: %s", path, uv_strerror(made->file));
        free(made);
        return false;
    }
    error = start(made);
    if (error != 0) {
        snprintf(reason, reason_size, "no thread can be started that writes the log: %s", uv_strerror(error));
        close_file(made);
        free(made);
        return false;
    }
    *log = made;
    return true;
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

#include "hostile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "line_socket.h"

enum { MANY_SESSIONS = 3900, BURST = 6000 };

const struct stream streams[] = {
    {"nothing", "what this machine does by itself", stream_nothing, {NULL}, 0, false},
    {"connect", "connects and closes in a loop", stream_connect_and_close, {NULL}, 0, false},
    {"burst", "connects 6,000 times without waiting, and closes all", stream_connect_burst, {NULL}, 0, false},
    {"open-exit", "opens 3,900 sessions and closes all at one time", stream_open_and_exit, {NULL}, 0, false},
    {"refused", "connects where all sessions are taken", stream_refused, {"sessions=64", NULL}, 0, false},
    {"pings", "3,900 sessions that pipeline pings", stream_pings, {NULL}, 0, false},
    {"lists", "200 sessions that pipeline block.list", stream_lists, {NULL}, 0, false},
    {"half-sent",
     "24 large messages that are not whole; pings of 300 KB",
     stream_half_sent,
     {NULL},
     300000,
     false},
    {"unread", "64 sessions that do not read large answers", stream_unread, {NULL}, 0, false},
    {"large-lines", "messages of 16 MiB", stream_large_lines, {NULL}, 0, false},
    {"malformed", "256 connections that send what is no JSON", stream_malformed, {NULL}, 0, false},
    {"deep", "messages of 16 MiB that only open arrays", stream_deep, {NULL}, 0, false},
    {"batches", "batches that touch batch_bytes", stream_batches, {NULL}, 0, false},
    {"fills", "200 sessions that fill 64 MiB each", stream_fills, {NULL}, 0, false},
    {"get-f64", "block.get of 640,000 doubles near 1e-300", stream_get_doubles, {NULL}, 0, false},
    {"get-f32", "block.get of 1,000,000 floats near 1e-38", stream_get_floats, {NULL}, 0, false},
    {"set-63", "block.set of numbers of 63 bytes", stream_set_long_numbers, {NULL}, 0, false},
    {"ignored-63",
     "numbers of 63 bytes in a member that is ignored",
     stream_ignored_numbers,
     {NULL},
     0,
     false},
    {"base64", "reads of 8 MiB as base64", stream_base64, {NULL}, 0, false},
    {"hex", "reads of 4 MiB as hex", stream_hex, {NULL}, 0, false},
    {"write-base64", "writes of 8 MiB as base64", stream_write_base64, {NULL}, 0, false},
    {"read-raw", "reads of 64 MiB as raw bytes", stream_read_raw, {NULL}, 0, false},
    {"write-raw", "writes of 64 MiB as raw bytes", stream_write_raw, {NULL}, 0, false},
    {"copies", "block.copy of 1 GiB", stream_copies, {NULL}, 0, false},
    {"compares", "block.compare of 1 GiB", stream_compares, {NULL}, 0, false},
    {"find", "block.find in 1 GiB of what nearly matches", stream_find, {NULL}, 0, false},
    {"resize", "block.resize to 2.9 GiB and back", stream_resizes, {NULL}, 0, false},
    {"initial-size", "heap.create with an initial_size of 12 GiB", stream_initial_size, {NULL}, 0, false},
    {"end-locks",
     "sessions that end with 262,104 locks, 16,384 calls queued",
     stream_end_with_locks,
     {NULL},
     0,
     false},
    {"end-heaps",
     "sessions that end with 262,104 heaps, 1,024 watches of all",
     stream_end_with_heaps,
     {NULL},
     0,
     false},
    {"end-watches",
     "64 sessions that end with 1,024 watches each",
     stream_end_with_watches,
     {NULL},
     0,
     false},
    {"watched", "writes to a block that 1,024 watch", stream_watched_writes, {NULL}, 0, false},
    {"unread-events", "1,024 watches whose events are not read", stream_unread_events, {NULL}, 0, false},
    {"batch-10k", "batches of 10,000 pings", stream_small_batches, {NULL}, 0, false},
    {"puts", "names that are put all the time, 64 pending", stream_puts, {NULL}, 0, false},
    {"list-pages", "pages of block.list, of 1,000,000 blocks", stream_list_pages, {NULL}, 0, false},
    {"durable", "puts in a durable heap, and heap.flush", stream_durable, {NULL}, 0, true},
    {"journal",
     "changes of 200,000 durable blocks, so that journals are compacted",
     stream_compact_journal,
     {NULL},
     0,
     true},
    {"cancel", "$/cancelRequest in batches, 1,024 waits with long ids", stream_cancel, {NULL}, 0, false},
    {"deadlines", "16,384 waits that run out of time at once", stream_deadlines, {NULL}, 0, false},
    {"compact", "heap.compact after 1,000,000 frees", stream_compact, {NULL}, 0, false},
    {"destroy", "heap.destroy with 1,000,000 blocks", stream_destroy, {NULL}, 0, false},
    {"stats", "200 sessions that pipeline server.stats", stream_server_stats, {NULL}, 0, false},
    {"sessions",
     "2,000 sessions, some of which pipeline session.list",
     stream_session_list,
     {NULL},
     0,
     false},
    {"discover", "200 sessions that pipeline rpc.discover", stream_discover, {NULL}, 0, false},
};

const size_t stream_count = sizeof streams / sizeof streams[0];

bool streams_are_short;

unsigned stream_many(unsigned count)
{
    return streams_are_short ? count / 100 + 1 : count;
}

uint64_t stream_bytes(uint64_t wanted)
{
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

    if (streams_are_short)
        return wanted / 100;
    return wanted < memory / 2 ? wanted : memory / 2;
}

void stream_nothing(const char *path)
{
    (void)path;
    pause();
}

void stream_connect_and_close(const char *path)
{
    for (;;)
        close(line_open(path));
}

static void close_all(const int *sockets, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        close(sockets[i]);
}

void stream_connect_burst(const char *path)
{
    static int sockets[BURST];

    for (;;) {
        unsigned count = 0;

        for (unsigned i = 0; i < stream_many(BURST); i++) {
            sockets[count] = line_connect(path, false);
            count += sockets[count] >= 0;
        }
        close_all(sockets, count);
    }
}

void stream_open_and_exit(const char *path)
{
    static int sockets[MANY_SESSIONS];

    for (;;) {
        unsigned count = line_open_many(path, sockets, stream_many(MANY_SESSIONS));

        if (count != 0)
            line_call(sockets[count - 1], "{\"method\":\"server.ping\"}");
        close_all(sockets, count);
    }
}

void stream_refused(const char *path)
{
    static int sockets[64];

    (void)line_open_many(path, sockets, 63);
    for (;;)
        close(line_open(path));
}

static void pump_sessions(const char *path, unsigned sessions, const char *text, unsigned times)
{
    static int sockets[MANY_SESSIONS];
    struct um_buf all;
    unsigned count = line_open_many(path, sockets, stream_many(sessions));

    um_buf_init(&all, SIZE_MAX);
    for (unsigned i = 0; i < times; i++)
        line_add(&all, "%s\n", text);
    line_pump(sockets, count, &all, true);
}

void stream_pings(const char *path)
{
    pump_sessions(path, MANY_SESSIONS, "{\"method\":\"server.ping\"}", 64);
}

void stream_server_stats(const char *path)
{
    pump_sessions(path, MANY_CONNECTIONS, "{\"method\":\"server.stats\"}", 64);
}

void stream_discover(const char *path)
{
    pump_sessions(path, MANY_CONNECTIONS, "{\"method\":\"rpc.discover\"}", 64);
}

void stream_session_list(const char *path)
{
    static int idle[2000];

    (void)line_open_many(path, idle, stream_many(2000));
    pump_sessions(path, MANY_CONNECTIONS, "{\"method\":\"session.list\"}", 64);
}

void stream_lists(const char *path)
{
    struct um_buf allocs;
    int socket = line_open(path);

    um_buf_init(&allocs, SIZE_MAX);
    for (unsigned i = 0; i < 2000; i++)
        line_add(&allocs, "{\"method\":\"block.alloc\",\"params\":[64]}\n");
    line_send(socket, allocs.data, allocs.size);
    line_skip_lines(socket, 2000);
    pump_sessions(path, MANY_CONNECTIONS, "{\"method\":\"block.list\"}", 64);
}

/* A line of so many bytes, most of which are spaces, without its last ones. */
static void make_line(struct um_buf *line, size_t size)
{
    um_buf_init(line, SIZE_MAX);
    line_add(line, "{\"method\":\"server.ping\"");
    if (um_buf_reserve(line, size) == NULL)
        exit(1);
    memset(line->data + line->size, ' ', size);
    line->size += size;
}

void stream_half_sent(const char *path)
{
    static int sockets[24];
    struct um_buf line;

    make_line(&line, 16000000);
    (void)line_open_many(path, sockets, 24);
    /* Each of them may have to wait until bytes are read: so in processes of their own. */
    for (unsigned i = 0; i < 24; i++) {
        if (fork() == 0) {
            line_send(sockets[i], line.data, line.size);
            pause();
        }
    }
    pause();
}

void stream_large_lines(const char *path)
{
    static int sockets[8];
    struct um_buf line;

    make_line(&line, 16000000);
    line_add(&line, "}\n");
    (void)line_open_many(path, sockets, 8);
    line_pump(sockets, 8, &line, true);
}

void stream_unread(const char *path)
{
    static int sockets[64];
    struct um_buf reads;
    int socket = line_open(path);

    line_call(socket, "{\"method\":\"block.alloc\",\"params\":{\"size\":1048576,\"name\":\"b\"}}");
    um_buf_init(&reads, SIZE_MAX);
    for (int i = 0; i < 100; i++)
        line_add(&reads, "{\"method\":\"block.read\",\"params\":[\"b\"]}\n");
    (void)line_open_many(path, sockets, 64);
    line_pump(sockets, 64, &reads, false);
}

/* What is no JSON is answered, and the connection stays. */
void stream_malformed(const char *path)
{
    static int sockets[256];
    unsigned count = line_open_many(path, sockets, stream_many(256));
    struct um_buf text;

    um_buf_init(&text, SIZE_MAX);
    for (int i = 0; i < 64; i++)
        line_add(&text, "{\"method\":\"server.ping\",}\n[1 2]\n\"\xff\"\n{\"method\":\"no.%d\"}\n[]\n", i);
    line_pump(sockets, count, &text, true);
}

void stream_deep(const char *path)
{
    const size_t size = streams_are_short ? 160000 : 16000000;
    int socket = line_open(path);
    struct um_buf text;

    um_buf_init(&text, SIZE_MAX);
    if (um_buf_reserve(&text, size) == NULL)
        exit(1);
    memset(text.data, '[', size);
    text.size = size;
    line_add(&text, "\n");
    line_pump(&socket, 1, &text, true);
}

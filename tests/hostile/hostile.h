/*
 * What a hostile program can do, one row each.
 *
 * Owns: the table. Must not know: how it is measured.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STREAM_OPTIONS = 4, MANY_CONNECTIONS = 200 };

struct stream {
    const char *name;
    const char *what;
    void (*run)(const char *path);       /* runs until it is killed, or it has nothing more to do */
    const char *options[STREAM_OPTIONS]; /* for the daemon: "NAME=VALUE" of --limit; NULL: no more */
    size_t ping_bytes;                   /* that each ping of the other program has, 0: as few as possible */
    bool has_state;                      /* the daemon has a directory for durable heaps */
};

extern const struct stream streams[];
extern const size_t stream_count;

/* Whether the streams do a hundredth of what they could, only to show that they work. */
extern bool streams_are_short;

/* So many of something; few where the streams are short. */
unsigned stream_many(unsigned count);

/* Bytes of memory that a stream may request: so many, or what the machine has in part. */
uint64_t stream_bytes(uint64_t wanted);

/* ---- streams.c: connections and turns ---- */

void stream_nothing(const char *path);
void stream_connect_and_close(const char *path);
void stream_connect_burst(const char *path);
void stream_open_and_exit(const char *path);
void stream_refused(const char *path);
void stream_pings(const char *path);
void stream_half_sent(const char *path);
void stream_unread(const char *path);
void stream_large_lines(const char *path);
void stream_malformed(const char *path);
void stream_deep(const char *path);

/* ---- streams_data.c: numbers and bytes ---- */

void stream_lists(const char *path);
void stream_batches(const char *path);
void stream_fills(const char *path);
void stream_get_doubles(const char *path);
void stream_get_floats(const char *path);
void stream_set_long_numbers(const char *path);
void stream_ignored_numbers(const char *path);
void stream_base64(const char *path);
void stream_hex(const char *path);
void stream_write_base64(const char *path);
void stream_read_raw(const char *path);
void stream_write_raw(const char *path);
void stream_copies(const char *path);
void stream_compares(const char *path);
void stream_find(const char *path);
void stream_resizes(const char *path);
void stream_initial_size(const char *path);

/* ---- streams_records.c: many records, and their observers ---- */

void stream_end_with_locks(const char *path);
void stream_end_with_heaps(const char *path);
void stream_end_with_watches(const char *path);
void stream_watched_writes(const char *path);
void stream_unread_events(const char *path);
void stream_small_batches(const char *path);
void stream_puts(const char *path);
void stream_list_pages(const char *path);
void stream_durable(const char *path);
void stream_compact_journal(const char *path);
void stream_cancel(const char *path);
void stream_deadlines(const char *path);
void stream_compact(const char *path);
void stream_destroy(const char *path);
void stream_server_stats(const char *path);
void stream_session_list(const char *path);
void stream_discover(const char *path);

#endif

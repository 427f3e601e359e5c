/*
 * The form of a recording: what went over the connections of a run, as JSON lines.
 *
 * Owns: the lines. Must not know: connections, files.
 *
 *     {"umem_recording":1,"version":"0.1.0"}
 *     {"us":812,"connection":1,"client":{"id":1,"method":"block.read",...}}
 *     {"us":904,"connection":1,"daemon":{"jsonrpc":"2.0","id":1,"result":{...}},"payload":"BASE64"}
 *     {"us":990,"connection":1,"ended":true}
 *
 * `us` are microseconds since the first line. A message stands as it was sent, line ends between its values as blanks. One that is no
 * JSON is `client_bytes` or `daemon_bytes`, in base64. `ended`: the connection is over.
 */
#ifndef UMEM_CLI_RECORDING_H
#define UMEM_CLI_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

enum { CLI_RECORDING_FORMAT = 1 };

enum cli_record_kind { CLI_RECORD_CLIENT, CLI_RECORD_DAEMON, CLI_RECORD_ENDED };

struct cli_record {
    uint64_t us;
    uint64_t connection; /* from 1 on */
    enum cli_record_kind kind;
    const char *text; /* of a message */
    size_t size;
    bool is_json;
    const char *payload; /* raw bytes that followed it */
    size_t payload_size;
};

/* Writes the first line, and one of the others. */
void cli_recording_begin(struct um_buf *out);
void cli_recording_put(struct um_buf *out, const struct cli_record *record);

/* Reads the first line, and one of the others. Texts and payloads lie in the line, which is changed, or in the arena. NULL, or what is
 * wrong: a sentence without a full stop. */
const char *cli_recording_read_first(char *line, struct um_arena *arena);
const char *cli_recording_read(char *line, struct um_arena *arena, struct cli_record *record);

#endif

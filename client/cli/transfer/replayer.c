#include "cli/transfer/replayer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/umem_errors.h"
#include "cli/lines/line_reader.h"
#include "cli/output/fail.h"
#include "cli/output/output.h"
#include "cli/system/clock.h"
#include "cli/table/verb.h"
#include "cli/transfer/answer_diff.h"
#include "cli/transfer/daemon_transport.h"
#include "cli/transfer/message_tap.h"
#include "cli/transfer/recording.h"
#include "lib/connection/transport.h"
#include "program/files.h"
#include "wire/json_read.h"
#include "wire/json_write.h"

enum {
    CONNECTIONS_MAXIMUM = 4096,
    HEADERS_SIZE = 128,
    TEXT_LIMIT = 1 << 28,
    ANSWERS_LIMIT = 1 << 16 /* that have come and are not waited for yet, on one connection */
};

/* An answer that has come. */
struct answer {
    struct answer *next;
    size_t size; /* of the text, which ends with NUL */
    size_t payload_size;
    char bytes[]; /* the text, and the payload behind it */
};

struct player_connection {
    uint64_t number;                /* in the recording */
    struct um_transport *transport; /* NULL: it is closed */
    struct cli_message_tap tap;
    struct player *player;
    struct answer *answers;
    struct answer **answers_end;
    size_t answer_count;
    uint64_t unanswered; /* requests whose answers the recording has not brought yet */
};

struct player {
    const struct cli *cli;
    const struct cli_replay_options *options;
    struct cli_line_reader reader;
    struct um_arena arena; /* of a line */
    struct um_arena inner; /* of a message in it */
    struct um_buf text;    /* of a request, with the handles of now */
    struct um_buf copy;    /* of a text that is read */
    struct cli_replay_handles handles;
    struct player_connection *connections[CONNECTIONS_MAXIMUM];
    size_t connection_count;
    struct cli_replay_totals *totals;
    uint64_t begun_ms;
    uint64_t last_us; /* time of the line before, in the recording */
    bool lacks_memory;
};

/* ---- differences ---- */

UM_PRINTF(3, 4)
static void differ(struct player *player, uint64_t connection, const char *format, ...)
{
    char what[CLI_DIFF_SIZE + 64];
    struct um_buf line;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    player->totals->differences++;
    if (player->cli->option[CLI_JSON] == NULL) {
        cli_printf("line %llu, connection %llu: %s\n", (unsigned long long)player->reader.number,
                   (unsigned long long)connection, what);
        return;
    }
    um_buf_init(&line, 1 << 16);
    um_json_begin_object(&line);
    um_json_put_uint(&line, "line", player->reader.number);
    um_json_put_uint(&line, "connection", connection);
    um_json_put_string(&line, "difference", what);
    um_json_end_object(&line);
    um_buf_append_byte(&line, '\0');
    if (!line.failed)
        cli_print_line(line.data);
    um_buf_deinit(&line);
}

/* ---- messages ---- */

/* What the message says of itself. */
struct envelope {
    const char *id; /* as JSON; NULL: it has none */
    size_t id_size;
    bool has_method;
    bool has_version; /* jsonrpc */
    bool is_batch;
};

/* Reads it from a copy, which stays until the next call. Returns false where memory is used up. */
static bool read_envelope(struct player *player, const char *text, size_t size, struct envelope *envelope)
{
    struct um_json_check check;
    struct um_json *message;

    *envelope = (struct envelope){.id = NULL};
    um_arena_reset(&player->inner);
    um_buf_truncate(&player->copy, 0);
    if (!um_buf_append(&player->copy, text, size))
        return false;
    if (um_json_split(player->copy.data, size, &player->inner, &message, &check) != UMEM_OK)
        return true;
    envelope->is_batch = message->kind == UM_JSON_ARRAY;
    if (message->kind != UM_JSON_OBJECT)
        return true;
    for (const struct um_json *member = message->child; member != NULL; member = member->next) {
        if (strcmp(member->key, "id") == 0)
            envelope->id = um_json_text_of(member, &envelope->id_size);
        envelope->has_method = envelope->has_method || strcmp(member->key, "method") == 0;
        envelope->has_version = envelope->has_version || strcmp(member->key, "jsonrpc") == 0;
    }
    return true;
}

static bool is_answer_to(const struct envelope *recorded, const struct envelope *now)
{
    if (recorded->is_batch || now->is_batch)
        return recorded->is_batch == now->is_batch;
    return !now->has_method && now->id != NULL && recorded->id != NULL && recorded->id_size == now->id_size &&
           memcmp(recorded->id, now->id, now->id_size) == 0;
}

/* An answer has come: it is kept until the recording comes to it. Events are not compared. */
static void on_message(void *context, const struct cli_tap_message *message)
{
    struct player_connection *connection = context;
    struct envelope envelope;
    struct answer *answer;

    if (read_envelope(connection->player, message->text, message->size, &envelope) && envelope.has_method)
        return;
    answer = connection->answer_count < ANSWERS_LIMIT
                 ? malloc(sizeof *answer + message->size + 1 + message->payload_size)
                 : NULL;
    if (answer == NULL) {
        connection->tap.is_blind = true;
        return;
    }
    *answer = (struct answer){.size = message->size, .payload_size = message->payload_size};
    memcpy(answer->bytes, message->text, message->size);
    answer->bytes[message->size] = '\0';
    if (message->payload_size != 0)
        memcpy(answer->bytes + message->size + 1, message->payload, message->payload_size);
    *connection->answers_end = answer;
    connection->answers_end = &answer->next;
    connection->answer_count++;
}

/* ---- connections ---- */

static void drop_answers(struct player_connection *connection)
{
    while (connection->answers != NULL) {
        struct answer *answer = connection->answers;

        connection->answers = answer->next;
        free(answer);
    }
    connection->answer_count = 0;
}

static void close_connection(struct player_connection *connection)
{
    um_transport_close(connection->transport);
    connection->transport = NULL;
}

static struct player_connection *find_connection(const struct player *player, uint64_t number)
{
    return number <= player->connection_count ? player->connections[number - 1] : NULL;
}

/* Its first line opens it. Returns an exit status. */
static int open_connection(struct player *player, uint64_t number, struct player_connection **opened)
{
    struct player_connection *connection = calloc(1, sizeof *connection);
    struct um_reason reason = {""};
    int code;

    if (connection == NULL)
        return cli_fail_memory();
    connection->number = number;
    connection->player = player;
    connection->answers_end = &connection->answers;
    cli_tap_init(&connection->tap, on_message, connection);
    player->connections[player->connection_count++] = connection;
    player->totals->connections++;
    code = cli_transport_open(umem_pipe(player->cli->client),
                              um_transport_now_ms() + player->options->timeout_ms, &connection->transport,
                              &reason);
    *opened = connection;
    return code == UMEM_OK ? CLI_OK : cli_fail_connecting(player->cli, code, reason.text);
}

static void free_connections(struct player *player)
{
    for (size_t i = 0; i < player->connection_count; i++) {
        close_connection(player->connections[i]);
        drop_answers(player->connections[i]);
        cli_tap_deinit(&player->connections[i]->tap);
        free(player->connections[i]);
    }
}

/* Takes what has come. Returns the transport's code. */
static int read_some(struct player_connection *connection, uint64_t deadline_ms)
{
    char bytes[CLI_TAP_FEED_LIMIT];
    struct um_reason reason;
    size_t size;
    int code = um_transport_read(connection->transport, bytes, sizeof bytes, &size, deadline_ms, &reason);

    if (code != UMEM_OK)
        return code;
    cli_tap_feed(&connection->tap, bytes, size);
    return connection->tap.is_blind ? UMEM_E_BAD_ANSWER : UMEM_OK;
}

/* ---- requests ---- */

/* While the daemon takes nothing, what it sends is read, or neither would go on. */
static int write_slices(struct player_connection *connection, struct um_slice *slices, size_t count,
                        uint64_t deadline_ms)
{
    struct um_reason reason;
    int code = UMEM_OK;

    while (count != 0 && code == UMEM_OK) {
        bool readable = true;
        size_t done = 0;

        code = um_transport_write_some(connection->transport, slices, count, &done, &readable, deadline_ms,
                                       &reason);
        if (code != UMEM_OK)
            break;
        count = um_transport_advance(slices, count, done);
        if (count != 0 && readable)
            code = read_some(connection, deadline_ms);
    }
    return code;
}

/* Any message may go with headers, and only those have payloads. */
static int send_message(struct player *player, struct player_connection *connection,
                        const struct cli_record *record)
{
    char headers[HEADERS_SIZE];
    int size = snprintf(headers, sizeof headers, "Content-Length: %zu\r\n", player->text.size);
    struct um_slice slices[3];

    if (record->payload_size != 0)
        size += snprintf(headers + size, sizeof headers - (size_t)size, "Payload-Length: %zu\r\n",
                         record->payload_size);
    size += snprintf(headers + size, sizeof headers - (size_t)size, "\r\n");
    slices[0] = (struct um_slice){headers, (size_t)size};
    slices[1] = (struct um_slice){player->text.data, player->text.size};
    slices[2] = (struct um_slice){record->payload, record->payload_size};
    return write_slices(connection, slices, record->payload_size != 0 ? 3 : 2,
                        um_transport_now_ms() + player->options->timeout_ms);
}

static int play_request(struct player *player, struct player_connection *connection,
                        const struct cli_record *record)
{
    struct envelope envelope;

    um_buf_truncate(&player->text, 0);
    if (record->is_json)
        cli_handles_rewrite(&player->handles, record->text, record->size, &player->text);
    else
        um_buf_append(&player->text, record->text, record->size);
    if (player->text.failed || !read_envelope(player, record->text, record->size, &envelope))
        return cli_fail_memory();
    player->totals->requests++;
    connection->unanswered += envelope.id != NULL || !envelope.has_version;
    if (send_message(player, connection, record) != UMEM_OK) {
        differ(player, connection->number, "the connection ended, or took nothing for too long");
        close_connection(connection);
    }
    return CLI_OK;
}

/* ---- answers ---- */

/* The answer that has come to the same request; NULL: none has. */
static struct answer *take_answer(struct player *player, struct player_connection *connection,
                                  const struct cli_record *record)
{
    struct answer **place = &connection->answers;
    struct um_buf id = {.data = NULL};
    struct envelope recorded;
    struct answer *found = NULL;

    um_buf_init(&id, 1 << 16);
    if (!read_envelope(player, record->text, record->size, &recorded) ||
        !um_buf_append(&id, recorded.id != NULL ? recorded.id : "", recorded.id_size))
        player->lacks_memory = true;
    recorded.id = recorded.id != NULL ? id.data : NULL;
    while (*place != NULL && found == NULL && !player->lacks_memory) {
        struct envelope now;

        if (!read_envelope(player, (*place)->bytes, (*place)->size, &now))
            player->lacks_memory = true;
        else if (is_answer_to(&recorded, &now))
            found = *place;
        else
            place = &(*place)->next;
    }
    if (found != NULL) {
        *place = found->next;
        if (connection->answers_end == &found->next)
            connection->answers_end = place;
        connection->answer_count--;
    }
    um_buf_deinit(&id);
    return found;
}

static void compare(struct player *player, const struct player_connection *connection,
                    const struct cli_record *record, const struct answer *answer)
{
    char what[CLI_DIFF_SIZE];

    um_buf_truncate(&player->copy, 0);
    um_buf_append(&player->copy, record->text, record->size);
    if (!um_buf_append_byte(&player->copy, '\0')) {
        player->lacks_memory = true;
        return;
    }
    if (cli_answers_differ(player->copy.data, answer->bytes, &player->handles, what, &player->lacks_memory))
        differ(player, connection->number, "%s", what);
    else if (record->payload_size != answer->payload_size ||
             (answer->payload_size != 0 &&
              memcmp(record->payload, answer->bytes + answer->size + 1, answer->payload_size) != 0))
        differ(player, connection->number, "the raw bytes of the answer are others");
}

static int play_answer(struct player *player, struct player_connection *connection,
                       const struct cli_record *record)
{
    /* A request that waits takes the time that it took. */
    const uint64_t taken_ms = record->us > player->last_us ? (record->us - player->last_us) / 1000 : 0;
    const uint64_t deadline_ms = um_transport_now_ms() + taken_ms + player->options->timeout_ms;
    struct envelope envelope;
    struct answer *answer;
    int code = UMEM_OK;

    if (!read_envelope(player, record->text, record->size, &envelope))
        return cli_fail_memory();
    /* An event, or an answer that was no message. */
    if (!record->is_json || envelope.has_method)
        return CLI_OK;
    for (;;) {
        answer = take_answer(player, connection, record);
        if (answer != NULL || player->lacks_memory || code != UMEM_OK)
            break;
        code = read_some(connection, deadline_ms);
    }
    connection->unanswered -= connection->unanswered != 0;
    player->totals->answers += answer != NULL;
    if (answer != NULL) {
        compare(player, connection, record, answer);
    } else if (!player->lacks_memory) {
        differ(player, connection->number, "%s",
               code == UMEM_E_DEADLINE ? "there was an answer, and none has come in time"
                                       : "there was an answer, and the connection has ended");
        if (code != UMEM_E_DEADLINE)
            close_connection(connection);
    }
    free(answer);
    return player->lacks_memory ? cli_fail_memory() : CLI_OK;
}

/* ---- the end of a connection ---- */

/* The session ends with it. What others do next comes after that, where the system can tell; but while a call waits, the end of
 * sending would not end the session. */
static void end_connection(struct player *player, struct player_connection *connection)
{
    const uint64_t deadline_ms = um_transport_now_ms() + player->options->timeout_ms;

    if (connection->unanswered == 0 && um_transport_end_writing(connection->transport) == UMEM_OK) {
        while (read_some(connection, deadline_ms) == UMEM_OK)
            continue;
    }
    close_connection(connection);
}

/* ---- lines ---- */

static void keep_pace(const struct player *player, uint64_t us)
{
    const double speed = player->options->speed;
    uint64_t due_ms;

    if (speed <= 0)
        return;
    due_ms = player->begun_ms + (uint64_t)((double)us / 1000 / speed);
    if (due_ms > cli_now_ms()) {
        cli_flush();
        uv_sleep((unsigned)(due_ms - cli_now_ms() < UINT32_MAX ? due_ms - cli_now_ms() : UINT32_MAX));
    }
}

static int play_record(struct player *player, const struct cli_record *record)
{
    struct player_connection *connection = find_connection(player, record->connection);
    int status = CLI_OK;

    if (connection == NULL)
        status = open_connection(player, record->connection, &connection);
    if (status != CLI_OK || connection->transport == NULL)
        return status;
    if (record->kind == CLI_RECORD_CLIENT) {
        keep_pace(player, record->us);
        status = play_request(player, connection, record);
    } else if (record->kind == CLI_RECORD_DAEMON) {
        status = play_answer(player, connection, record);
    } else {
        keep_pace(player, record->us);
        end_connection(player, connection);
    }
    player->last_us = record->us;
    return status;
}

static int fail_line(const struct player *player, const char *what)
{
    return cli_fail(CLI_FAILED, "line %llu of %s is no line of a recording: %s; nothing was played",
                    (unsigned long long)player->reader.number, player->options->path, what);
}

/* One pass over the file: `play` is NULL where it is only checked. */
static int read_lines(struct player *player, int (*play)(struct player *, const struct cli_record *))
{
    struct cli_record record;
    const char *wrong = NULL;
    uint64_t last_connection = 0;
    char *line;
    int status = cli_line_reader_next(&player->reader, &line);

    if (status == CLI_OK)
        wrong = line != NULL ? cli_recording_read_first(line, &player->arena) : "the file is empty";
    while (status == CLI_OK && wrong == NULL) {
        status = cli_line_reader_next(&player->reader, &line);
        if (status != CLI_OK || line == NULL)
            break;
        wrong = cli_recording_read(line, &player->arena, &record);
        if (wrong == NULL && (record.connection == 0 || record.connection > last_connection + 1))
            wrong = "connections are numbered from 1 on as they come";
        if (wrong == NULL && record.connection > CONNECTIONS_MAXIMUM)
            wrong = "more than 4,096 connections cannot be played";
        if (wrong == NULL && record.connection > last_connection)
            last_connection = record.connection;
        if (wrong == NULL && play != NULL)
            status = play(player, &record);
    }
    return wrong == NULL || status != CLI_OK ? status : fail_line(player, wrong);
}

static int read_file(struct player *player, int (*play)(struct player *, const struct cli_record *))
{
    const char *path = player->options->path;
    int file = um_file_open(path, UV_FS_O_RDONLY, 0);
    int status;

    if (file < 0)
        return cli_fail_file(path, "opened", file);
    cli_line_reader_init(&player->reader, file, path);
    status = read_lines(player, play);
    cli_line_reader_deinit(&player->reader);
    um_file_close(file);
    return status;
}

int cli_replay(const struct cli *cli, const struct cli_replay_options *options,
               struct cli_replay_totals *totals)
{
    struct player *player = calloc(1, sizeof *player);
    int status;

    *totals = (struct cli_replay_totals){.requests = 0};
    if (player == NULL)
        return cli_fail_memory();
    player->cli = cli;
    player->options = options;
    player->totals = totals;
    um_buf_init(&player->text, TEXT_LIMIT);
    um_buf_init(&player->copy, TEXT_LIMIT);
    status = read_file(player, NULL);
    player->begun_ms = cli_now_ms();
    if (status == CLI_OK)
        status = read_file(player, play_record);
    free_connections(player);
    cli_handles_free(&player->handles);
    um_arena_deinit(&player->arena);
    um_arena_deinit(&player->inner);
    um_buf_deinit(&player->text);
    um_buf_deinit(&player->copy);
    free(player);
    return status;
}

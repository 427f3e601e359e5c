/*
 * Every error of umem: the one list that makes the enum, the names and the texts.
 *
 * Owns: codes, stable names and default texts, both those that travel on the wire (JSON-RPC 2.0 section 5.1 and the
 * server-defined range) and those that the client library makes itself.
 * Must not know: who raises them, or how they are written as JSON.
 */
#ifndef UMEM_ERRORS_H
#define UMEM_ERRORS_H

#include "umem_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/* X(identifier, code, stable name, default text): errors that the daemon answers with. */
#define UMEM_WIRE_ERRORS(X) \
    X(PARSE_ERROR, -32700, "parse_error", "the message is not JSON") \
    X(INVALID_REQUEST, -32600, "invalid_request", "the message is not a JSON-RPC 2.0 request") \
    X(METHOD_NOT_FOUND, -32601, "method_not_found", "there is no method of that name") \
    X(INVALID_PARAMS, -32602, "invalid_params", \
      "a parameter is missing, unknown, mistyped or out of bounds") \
    X(INTERNAL_ERROR, -32603, "internal_error", "the daemon failed") \
    X(UNKNOWN_HANDLE, -32001, "unknown_handle", "the handle or name was never given out") \
    X(STALE_HANDLE, -32002, "stale_handle", "the handle was freed or destroyed") \
    X(OUT_OF_RANGE, -32003, "out_of_range", "the range passes the end of the block") \
    X(NO_MEMORY, -32004, "no_memory", "the heap's maximum or the system's memory is used up") \
    X(LIMIT_EXCEEDED, -32005, "limit_exceeded", "a limit of the daemon is reached") \
    X(NAME_TAKEN, -32006, "name_taken", "the name is in use") \
    X(LOCKED, -32007, "locked", "another session holds the heap") \
    X(DENIED, -32008, "denied", "this is not allowed") \
    X(UNSUPPORTED, -32009, "unsupported", "not on this platform, heap kind or framing") \
    X(TOO_LARGE, -32010, "too_large", "the message or its answer passes a limit") \
    X(CORRUPTED, -32011, "corrupted", "damage was found in the heap") \
    X(TIMEOUT, -32012, "timeout", "the time was up") \
    X(BAD_SETTINGS, -32013, "bad_settings", "the daemon's settings are wrong") \
    X(CANCELLED, -32800, "cancelled", "the waiting call was cancelled by its client")

/* X(identifier, code, stable name, default text): errors that the client library makes; they never travel. */
#define UMEM_LIBRARY_ERRORS(X) \
    X(NOT_CONNECTED, -33001, "not_connected", "no daemon answers on the pipe") \
    X(CONNECTION_LOST, -33002, "connection_lost", "the daemon closed the connection") \
    X(BAD_ANSWER, -33003, "bad_answer", "the daemon's answer is not what the protocol says") \
    X(NOT_TRUSTED, -33004, "not_trusted", "the pipe belongs to somebody else") \
    X(OUT_OF_MEMORY, -33005, "out_of_memory", "this program's own memory is used up") \
    X(BAD_ARGUMENT, -33006, "bad_argument", "an argument of the call is not valid") \
    X(DEADLINE, -33007, "deadline", "no answer came before the deadline")

/* 0 is success; a function that can fail returns 0 or one of these negative codes. */
enum umem_error {
    UMEM_OK = 0,
#define UMEM_ERROR_ENUM(identifier, code, name, text) UMEM_E_##identifier = (code),
    UMEM_WIRE_ERRORS(UMEM_ERROR_ENUM) UMEM_LIBRARY_ERRORS(UMEM_ERROR_ENUM)
#undef UMEM_ERROR_ENUM
};

/* The stable name of a code ("stale_handle"), for programs to branch on; "unknown" for a code that is not in the list.
 * The string is static. */
UMEM_API const char *umem_error_name(int code);

/* The default text of a code, without a full stop; "unknown error" for a code that is not in the list. Static. */
UMEM_API const char *umem_error_text(int code);

#ifdef __cplusplus
}
#endif

#endif

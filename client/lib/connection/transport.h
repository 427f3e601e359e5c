/*
 * Bytes to and from a daemon: a Unix domain socket or a Windows named pipe, blocking, with deadlines.
 *
 * Owns: one connection, and the proof that the daemon at its other end is the user's own. Must not know: JSON, framing,
 * requests.
 *
 * transport_posix.c and transport_win32.c keep this contract. One thread may read while another writes; nothing else may
 * be done at the same time, but um_transport_abort(). After any failure, but where it says otherwise, the connection is only good for
 * um_transport_close().
 */
#ifndef UM_TRANSPORT_H
#define UM_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct um_transport;

/* A deadline that never comes. */
#define UM_NO_DEADLINE UINT64_MAX

enum { UM_TRANSPORT_SLICES = 4 /* most slices in one write */ };

/* Bytes to write, at `bytes`. */
struct um_slice {
    const void *bytes;
    size_t size;
};

/* Why something failed, in words: a sentence without a full stop. */
struct um_reason {
    char text[512];
};

/* A monotonic clock in milliseconds: what deadlines are measured on. */
uint64_t um_transport_now_ms(void);

/* Lets the calling thread sleep. */
void um_transport_pause(uint32_t ms);

/* Connects to `pipe`. `timeout_ms` is what a call will usually be given (0: no end), a hint; `deadline_ms` is when to give
 * up connecting. UMEM_E_NOT_CONNECTED, UMEM_E_NOT_TRUSTED, UMEM_E_DEADLINE, UMEM_E_BAD_ARGUMENT (the name cannot be one),
 * UMEM_E_OUT_OF_MEMORY; *reason tells more. */
int um_transport_open(const char *pipe, uint32_t timeout_ms, uint64_t deadline_ms,
                      struct um_transport **transport, struct um_reason *reason);

/* Lets um_transport_read() spin where that pays: see spin.h. On Windows it never does. */
void um_transport_let_spin(struct um_transport *transport);

/* Closes it. NULL is fine. */
void um_transport_close(struct um_transport *transport);

/* Turns the connection into a file descriptor of the C library's, which the caller closes, and frees the
 * transport. Nothing may have been read or written. Returns -1 if the system has no descriptor left: then the
 * connection is closed. */
int um_transport_release(struct um_transport *transport);

/* Writes all slices, one after the other, in a single system call where the peer takes them at once.
 * UMEM_E_CONNECTION_LOST, UMEM_E_DEADLINE. Never raises a signal. */
int um_transport_write(struct um_transport *transport, const struct um_slice *slices, size_t count,
                       uint64_t deadline_ms, struct um_reason *reason);

/* The same in steps, for a thread that can also read: writes some of the slices (at most UM_TRANSPORT_SLICES), *done bytes of them.
 * Where the daemon takes nothing, it returns with *done 0 after a moment, so that the caller can see whether anybody reads what the
 * daemon sends; or at once, where *readable was set and there is something to read: then, and only then, it is left set. It is
 * called again for what is left; the slices' bytes stay where they are until it has written them or failed.
 * UMEM_E_NOT_CONNECTED: the daemon had closed the connection before, and has got none of these bytes. */
int um_transport_write_some(struct um_transport *transport, const struct um_slice *slices, size_t count,
                            size_t *done, bool *readable, uint64_t deadline_ms, struct um_reason *reason);

/* Takes `done` written bytes off the front of the slices. Returns how many slices are left, from the first place on. */
UM_ALWAYS_INLINE size_t um_transport_advance(struct um_slice *slices, size_t count, size_t done)
{
    size_t gone = 0;

    while (gone < count && done >= slices[gone].size) {
        done -= slices[gone].size;
        gone++;
    }
    for (size_t i = gone; i < count; i++)
        slices[i - gone] = slices[i];
    count -= gone;
    if (count != 0) {
        slices[0].bytes = (const char *)slices[0].bytes + done;
        slices[0].size -= done;
    }
    return count;
}

/* Reads what has come, at least 1 and at most `capacity` bytes, and waits where nothing has. UMEM_E_CONNECTION_LOST (the
 * daemon has closed), UMEM_E_DEADLINE: nothing was read, and the connection is good for another try. */
int um_transport_read(struct um_transport *transport, void *bytes, size_t capacity, size_t *size,
                      uint64_t deadline_ms, struct um_reason *reason);

/* Ends what other threads do with the connection: their reading and writing fails at once, or as soon as it is tried. */
void um_transport_abort(struct um_transport *transport);

/* Ends writing, which the daemon sees, while reading continues. UMEM_E_UNSUPPORTED where the system cannot
 * (Windows): then nothing has changed. */
int um_transport_end_writing(struct um_transport *transport);

#endif

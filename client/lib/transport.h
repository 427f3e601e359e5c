/*
 * Bytes to and from a daemon: a Unix domain socket or a Windows named pipe, blocking, with deadlines.
 *
 * Owns: one connection, and the proof that the daemon at its other end is the user's own. Must not know: JSON, framing,
 * requests.
 *
 * transport_posix.c and transport_win32.c keep this contract. One thread may read while another writes; nothing else may
 * be done at the same time. After any failure the connection is only good for um_transport_close().
 */
#ifndef UM_TRANSPORT_H
#define UM_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

struct um_transport;

/* A deadline that never comes. */
#define UM_NO_DEADLINE UINT64_MAX

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

/* Connects to `pipe`. `timeout_ms` is what a call will usually be given (0: no end), a hint; `deadline_ms` is when to give
 * up connecting. UMEM_E_NOT_CONNECTED, UMEM_E_NOT_TRUSTED, UMEM_E_DEADLINE, UMEM_E_BAD_ARGUMENT (the name cannot be one),
 * UMEM_E_OUT_OF_MEMORY; *reason tells more. */
int um_transport_open(const char *pipe, uint32_t timeout_ms, uint64_t deadline_ms,
                      struct um_transport **transport, struct um_reason *reason);

/* Closes it. NULL is fine. */
void um_transport_close(struct um_transport *transport);

/* Writes all slices, one after the other, in a single system call where the peer takes them at once.
 * UMEM_E_CONNECTION_LOST, UMEM_E_DEADLINE. Never raises a signal. */
int um_transport_write(struct um_transport *transport, const struct um_slice *slices, size_t count,
                       uint64_t deadline_ms, struct um_reason *reason);

/* Reads what has come, at least 1 and at most `room` bytes, and waits where nothing has. UMEM_E_CONNECTION_LOST (the
 * daemon has closed), UMEM_E_DEADLINE. */
int um_transport_read(struct um_transport *transport, void *bytes, size_t room, size_t *size,
                      uint64_t deadline_ms, struct um_reason *reason);

/* Tells the daemon that nothing more will be written, while reading goes on. UMEM_E_UNSUPPORTED where the system cannot
 * (Windows): then nothing has changed. */
int um_transport_end_writing(struct um_transport *transport);

#endif

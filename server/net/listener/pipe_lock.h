/*
 * One daemon a pipe: a lock that goes with the pipe's path and ends with the process, however that ends.
 *
 * Owns: the lock. Must not know: libuv, what the pipe is used for.
 */
#ifndef UM_PIPE_LOCK_H
#define UM_PIPE_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct um_pipe_lock;

/* Takes the lock of a path (as um_endpoint_find() gives it). UMEM_E_NAME_TAKEN where another daemon has
 * it, UMEM_E_DENIED, UMEM_E_NO_MEMORY; then `why` holds a sentence without a full stop, with the other's
 * process id where that is known. */
int um_pipe_lock_acquire(const char *path, struct um_pipe_lock **lock, char *why, size_t capacity);

/* Whether it still keeps others out. POSIX: not where its file was removed. */
bool um_pipe_lock_is_held(const struct um_pipe_lock *lock);

/* Takes it again where it holds no more. As um_pipe_lock_acquire(); what is held already stays as it is. */
int um_pipe_lock_renew(struct um_pipe_lock *lock, char *why, size_t capacity);

/* Writes the process that holds the lock of a path, "process 17 (umemd)" or as much of that as the system tells. Returns false where
 * none does. POSIX: for a moment, a daemon that starts may find the lock held by the process that looks. */
bool um_pipe_lock_find_holder(const char *path, char *holder, size_t capacity);

/* The number of that process; 0: none does, or the system does not tell. */
int64_t um_pipe_lock_find_number(const char *path);

/* Its handle, for the daemon that replaces this one: a file descriptor; on Windows a handle. It holds as long as one of the two has it
 * open. */
intptr_t um_pipe_lock_handle(const struct um_pipe_lock *lock);

/* Takes over the lock of a path by such a handle, which is the lock's from then on. UMEM_E_NO_MEMORY: it is the caller's still. */
int um_pipe_lock_adopt(const char *path, intptr_t handle, struct um_pipe_lock **lock);

/* Ends this process's part in a lock that another daemon has adopted, or is about to. */
void um_pipe_lock_leave(struct um_pipe_lock *lock);

/* Lets go of it. NULL is fine. */
void um_pipe_lock_release(struct um_pipe_lock *lock);

#endif

/*
 * Shared memory by name: one object, mapped whole, which other processes of the same user may open and map
 * too.
 *
 * Owns: the object, its name, its mapping in this process.
 * Must not know: heaps, blocks, what lies where.
 *
 * shm_posix.c and shm_win32.c keep this contract. A name is made of 96 random bits, and only the user who
 * runs this process (and root, or SYSTEM, and whom um_shared_access_allow() names) may open what it names. Other processes may write anything to the
 * memory at any time. They can also take memory away from the object (POSIX: ftruncate): then this process
 * reads zeros there and continues, and um_shm_is_whole() is false from then on.
 */
#ifndef UM_STORE_SHM_H
#define UM_STORE_SHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes: lengths, offsets and sizes given here are multiples, and the memory starts at a multiple. */
#define UM_SHM_UNIT UINT64_C(65536)

struct um_shm;

/* Makes an object of `length` bytes, more than 0, and maps it. Nothing of it is committed. NULL where there
 * is no address space or the system refuses. */
struct um_shm *um_shm_new(uint64_t length);

/* Maps the first `length` bytes of a file, which has them already, and an absolute path. The file is its name and its path; it stays when
 * the object is freed. What is committed has space on the disk. NULL as um_shm_new(). */
struct um_shm *um_shm_open(const char *path, uint64_t length);

/* Removes the name and this process's mapping; the memory is freed when no other process maps it any more. A
 * large object is unmapped piece by piece, by purging. NULL is fine. */
void um_shm_free(struct um_shm *shm);

/* How many objects were freed, but are not gone yet. */
size_t um_shm_ending(void);

unsigned char *um_shm_start(const struct um_shm *shm);

/* The name for shm_open() or OpenFileMapping(), or with um_shm_open() on POSIX for open(). The object owns it. */
const char *um_shm_name(const struct um_shm *shm);

/* Where the object is a file as well, its absolute path, else NULL. The object owns it. */
const char *um_shm_path(const struct um_shm *shm);

/* Makes sure that touching these bytes cannot fail for want of memory. Returns false where there is none, or
 * where the object is not whole. Their contents do not change. */
bool um_shm_commit(struct um_shm *shm, uint64_t offset, uint64_t size);

/* Returns the memory behind these bytes to the system; they are zero when they are committed again. Returns false, with
 * nothing done, where the system cannot. */
bool um_shm_decommit(struct um_shm *shm, uint64_t offset, uint64_t size);

/* Of an object that is a file: has what was written to its memory written to the file, and returns when the system has it there; what syncs the
 * file has it on the disk then. Any thread may call it, as long as the object is not freed. False: the system could not. */
bool um_shm_flush(const struct um_shm *shm);

/* Whether all of the memory has been there so far. Cheap; it notices what was lost when that is touched. */
bool um_shm_is_whole(const struct um_shm *shm);

/* As um_shm_is_whole(), and asks the system. */
bool um_shm_check(struct um_shm *shm);

/* Removes the objects that processes of this user left behind when they were killed, and no others: whoever
 * uses an object holds a lock on it. Does nothing where the system removes them by itself (Windows) or does
 * not list them (POSIX systems other than Linux). Returns how many were removed. */
size_t um_shm_remove_stale(void);

#endif

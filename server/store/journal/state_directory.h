/*
 * The state directory: where durable heaps are kept. It is checked as the pipe's directory is, and one process has it at a time.
 *
 * Owns: the directory, its lock, and the files layer over it (state_files.h). Must not know: what is in the files.
 */
#ifndef UM_STORE_STATE_DIRECTORY_H
#define UM_STORE_STATE_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/principal.h"
#include "store/journal/state_files.h"

enum { UM_STATE_WHY_CAPACITY = 768 /* bytes for a sentence that says what is wrong */ };

struct um_state_directory;

/* Opens a directory, which is made with rights for this user only where it is not there and `makes` (but not those above it), and locks it
 * until the process ends or um_state_directory_close(). UMEM_E_NAME_TAKEN where another process has it; UMEM_E_DENIED where it
 * is a link, or others than this user (and administrators) may change it; UMEM_E_NO_MEMORY; UMEM_E_INTERNAL_ERROR. Then `why` holds a
 * sentence without a full stop: the path, what is wrong, and what to do. */
int um_state_directory_open(const char *path, bool makes, struct um_state_directory **directory, char *why,
                            size_t capacity);

/* The number of the process that has a directory, or had it last; 0 where the system does not tell (on Windows: never). */
int64_t um_state_directory_holder(const char *path);

/* POSIX: lets this group pass through the directories that are made from now on, and no longer takes it for a fault of one that is there
 * that it does, so that the group may open files in it that it may read; NULL, or one that is not set: nobody. For all of the process.
 * Copied. On Windows what is shared is opened without the directory. */
void um_state_directory_allow(const struct um_principal *group);

/* NULL is fine. */
void um_state_directory_close(struct um_state_directory *directory);

/* Its files; good as long as the directory. */
struct um_files *um_state_directory_files(struct um_state_directory *directory);

/* Its absolute path. */
const char *um_state_directory_path(const struct um_state_directory *directory);

#endif

/*
 * Descriptors that a program which uses the library must not take for its standard files.
 *
 * Owns: nothing. Must not know: what a descriptor is of. POSIX only.
 */
#ifndef UM_DESCRIPTOR_H
#define UM_DESCRIPTOR_H

/* A program may have closed its standard files; then the system gives their numbers, 0 to 2, to whatever is opened next, and
 * what the program prints goes there. Returns `fd`, or a copy with a higher number that is closed on exec, in place of `fd`,
 * which is closed then. -1 with errno set where there is none, or where `fd` is negative. */
int um_descriptor_move_up(int fd);

#endif

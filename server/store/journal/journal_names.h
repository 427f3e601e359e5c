/*
 * The names of the files in a state directory: whose they are.
 *
 * Owns: nothing. Must not know: what is in the files.
 */
#ifndef UM_STORE_JOURNAL_NAMES_H
#define UM_STORE_JOURNAL_NAMES_H

#include <stdbool.h>
#include <stdint.h>

enum { UM_JOURNAL_NAME_CAPACITY = 48 /* bytes in a file's name */ };

/* The name of a heap's file: of its journal with this number, or with 0 of its bytes. Heap 0 stands for the journal of handles. */
void um_journal_name(char name[UM_JOURNAL_NAME_CAPACITY], uint64_t heap, uint32_t number);

/* Whether a name is such a one: which heap's, and number. */
bool um_journal_parse_name(const char *name, uint64_t *heap, uint32_t *number);

#endif

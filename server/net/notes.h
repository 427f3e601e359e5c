/*
 * Notes for the operator, of which clients cannot cause any number.
 *
 * Owns: how many of one kind there were lately. Must not know: who listens, the log.
 *
 * Notes that come from one place in the code (they have one format) are of one kind. Some of each go through at once, then one now
 * and then; the others are counted, and the next one tells how many they were.
 */
#ifndef UM_NOTES_H
#define UM_NOTES_H

#include <stdarg.h>
#include <stdint.h>

#include "attributes.h"
#include "server.h"

enum {
    UM_NOTE_KINDS = 16,  /* more share the last place */
    UM_NOTE_ROOM = 1024, /* bytes of a note's text, its end counted */
    UM_NOTE_LAST_ROOM = 200,
    UM_NOTES_AT_ONCE = 10,        /* warnings of one kind */
    UM_NOTES_EVERY_MS = 10000,    /* to the next one, after these */
    UM_NOTES_DEBUG_AT_ONCE = 100, /* the same for what only who looks for a fault asks for */
    UM_NOTES_DEBUG_EVERY_MS = 1000
};

struct um_note_kind {
    const char *format;           /* NULL: this place is free */
    char last[UM_NOTE_LAST_ROOM]; /* the last one that went through, maybe cut */
    enum um_server_note note;
    uint32_t left;     /* notes that may go through at once */
    uint64_t since_ms; /* when `left` was counted */
    uint64_t left_out; /* notes since the last one that went through */
};

struct um_notes {
    void (*listener)(void *context, enum um_server_note note, const char *text); /* NULL: nobody listens */
    void *context;
    struct um_note_kind kinds[UM_NOTE_KINDS];
};

/* Makes a note of a printf format, a literal. `now_ms` is any clock that does not jump. */
UM_PRINTF(4, 0)
void um_notes_add(struct um_notes *notes, uint64_t now_ms, enum um_server_note note, const char *format,
                  va_list list);

/* Tells how many notes of each kind were left out, for kinds of which one may go through again. */
void um_notes_tell_left_out(struct um_notes *notes, uint64_t now_ms);

#endif

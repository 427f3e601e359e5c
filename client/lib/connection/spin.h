/*
 * Whether a thread that waits for an answer spins, which is to look for it again and again for a moment, before it lets the system put
 * it to sleep.
 *
 * Owns: what one connection's reads have taken. Must not know: sockets, the clock.
 *
 * To wake a thread takes the system longer than it takes the daemon to answer a small request. But where the processors have other
 * work, a thread that spins keeps one from doing it, and the daemon's may be that work. So what spinning gains is measured, against
 * reads that sleep, and what it has lost is made up for before it goes on.
 */
#ifndef UM_SPIN_H
#define UM_SPIN_H

#include <stdbool.h>
#include <stdint.h>

enum { UM_SPIN_NS = 50000 /* how long a thread spins before it sleeps after all */ };

/* All zero: it may spin. */
struct um_spin {
    bool is_off;      /* it never does, and nothing need be measured */
    unsigned spun;    /* reads since the last one that slept */
    int64_t usual_ns; /* what a read that sleeps takes, on average; 0: not known yet */
    int64_t debt_ns;  /* what spinning has lost; negative: gained */
};

/* Whether a read that begins now spins. */
bool um_spin_is_due(struct um_spin *spin);

/* A read has ended, in this time; `spun` is what um_spin_is_due() said. */
void um_spin_note(struct um_spin *spin, bool spun, uint64_t took_ns);

#endif

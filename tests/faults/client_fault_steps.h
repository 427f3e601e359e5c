/*
 * What test_client.c has the library do: every kind of call, one after the other.
 *
 * Owns: the table. Must not know: which allocation fails.
 */
#ifndef CLIENT_FAULT_STEPS_H
#define CLIENT_FAULT_STEPS_H

#include "umem_client.h"

enum { CLIENT_BYTES = 300000 /* in a large transfer */ };

/* What the steps share. */
struct plot {
    umem_client *client;
    umem_handle heap;   /* private, named "h" */
    umem_handle shared; /* a shared heap */
    umem_handle block;  /* named "b" */
    umem_handle place;  /* a block of the shared heap */
    uint64_t watch;
    unsigned char bytes[CLIENT_BYTES];
};

struct step {
    const char *name; /* NULL: the last is behind us */
    int (*act)(struct plot *plot);
};

/* In their order. One that gave UMEM_E_OUT_OF_MEMORY may be taken again. */
extern const struct step client_steps[];

#endif

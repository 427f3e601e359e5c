/*
 * A transport, a clock and a lock of the test's own, in the place of the system's: what the library writes, what it is answered, and
 * until when it is ready to wait for either. Nothing waits: time passes only where a test lets it. There is one thread, and what others
 * would do meanwhile is what the test does in their place.
 *
 * Owns: one connection at a time, the clock, and the lock. Must not know: JSON, what is tested.
 */
#ifndef TEST_FAKE_TRANSPORT_H
#define TEST_FAKE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_SENT_SIZE = 1 << 22, FAKE_STEPS_MAXIMUM = 64 };

/* What one read does, in the order in which they were scripted. */
struct fake_read {
    const char *bytes; /* what comes; NULL: nothing, and `code` is returned */
    size_t size;       /* of it */
    int code;          /* UMEM_E_DEADLINE: the clock advances to the deadline */
    uint64_t takes_ms; /* that pass before */
};

extern struct fake {
    uint64_t now_ms; /* the clock */
    struct fake_read reads[FAKE_STEPS_MAXIMUM];
    size_t read_count; /* scripted */
    size_t read_next;  /* of them; behind the last one nothing comes any more */
    char *sent;        /* all that was written, FAKE_SENT_SIZE bytes */
    size_t sent_size;
    size_t write_maximum;     /* bytes that one write takes; 0: all */
    int write_code;           /* what writing gives */
    unsigned write_failures;  /* so many times; 0: always */
    unsigned write_successes; /* after so many writes; 0: at once */
    int open_code;            /* what connecting gives */
    unsigned open_failures;   /* so many times; 0: always */
    unsigned pauses;          /* between attempts to connect */
    uint32_t open_timeout_ms; /* the timeout that it was opened with */
    uint64_t open_deadline_ms;
    bool may_spin;              /* um_transport_let_spin() */
    size_t first_capacity;      /* bytes that the first read since fake_forget() could take */
    const void *read_to;        /* where the last one put them */
    uint64_t read_deadline_ms;  /* of the last read */
    uint64_t write_deadline_ms; /* of the last write */
    unsigned opens;
    unsigned closes;
    unsigned aborts;
    bool is_locked; /* the client's lock */
    void (*others)(
        void); /* what other threads do while this one waits for them; NULL: nothing, until the deadline */
    unsigned waits;            /* how often this one has waited for others */
    uint64_t wait_deadline_ms; /* of the last time */
} fake;

/* Whether a waiting thread was woken since the last call. */
struct um_condition;
bool fake_was_woken(struct um_condition *signal);

/* Begins anew, at a time that is not 0. */
void fake_begin(void);
void fake_end(void);

/* Scripts what the next read gives. */
void fake_answer(const char *bytes, size_t size);

/* The same for messages, one a line, each sent with headers; `payload` follows the last of them. */
void fake_answer_text(const char *lines, const char *payload, size_t payload_size);

/* Forgets what was written and read. */
void fake_forget(void);

#endif

#include "lib/connection/spin.h"

enum {
    SAMPLE_EVERY = 32,  /* of so many reads that could spin one sleeps, to know what that takes */
    AVERAGE_OVER = 16,  /* reads that sleep */
    GROWTH_LIMIT = 4,   /* how many times the average one of them counts for at most */
    CREDIT_NS = 200000, /* gain that is remembered at most */
    SHARE_OF_TIME =
        64, /* of the time that reads sleep, one part in so many pays off what spinning has lost */
    READ_LIMIT_S = 3600 /* longer reads count as this */
};

bool um_spin_is_due(struct um_spin *spin)
{
    if (spin->is_off || spin->usual_ns == 0 || spin->usual_ns >= UM_SPIN_NS || spin->debt_ns > 0 ||
        spin->spun == SAMPLE_EVERY - 1) {
        spin->spun = 0;
        return false;
    }
    spin->spun++;
    return true;
}

/* A thread that lost its processor, and was not only asleep, says little about what is usual. */
static void average(struct um_spin *spin, int64_t took_ns)
{
    if (spin->usual_ns != 0 && took_ns > GROWTH_LIMIT * spin->usual_ns)
        took_ns = GROWTH_LIMIT * spin->usual_ns;
    spin->usual_ns =
        spin->usual_ns != 0 ? spin->usual_ns + (took_ns - spin->usual_ns) / AVERAGE_OVER : took_ns;
    /* 0 has a meaning of its own. */
    if (spin->usual_ns == 0)
        spin->usual_ns = 1;
}

void um_spin_note(struct um_spin *spin, bool spun, uint64_t took_ns)
{
    static const uint64_t limit_ns = READ_LIMIT_S * UINT64_C(1000000000);
    int64_t took = (int64_t)(took_ns < limit_ns ? took_ns : limit_ns);
    int64_t loss = took - spin->usual_ns;

    if (!spun) {
        average(spin, took);
        if (spin->debt_ns > 0)
            spin->debt_ns -= took / SHARE_OF_TIME;
        return;
    }
    /* It was for nothing. */
    if (took >= UM_SPIN_NS && loss < UM_SPIN_NS)
        loss = UM_SPIN_NS;
    spin->debt_ns += loss;
    if (spin->debt_ns < -CREDIT_NS)
        spin->debt_ns = -CREDIT_NS;
}

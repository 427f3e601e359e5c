/* Whether reads spin: while it is faster, and never for long where it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* Needs those before it. */
#include <cmocka.h>

#include "lib/connection/spin.h"

enum { READS = 200000, US = 1000 };

/* How long reads take on a machine that the test makes up. */
struct machine {
    uint64_t asleep_ns;
    uint64_t spun_ns;
    uint64_t rare_ns; /* and one that spins, of `rarity` */
    unsigned rarity;  /* 0: none */
    uint64_t random;
};

static uint64_t roll(struct machine *machine, uint64_t limit)
{
    machine->random = machine->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (machine->random >> 33) % limit;
}

/* One read. Returns what it took. */
static uint64_t read_once(struct um_spin *spin, struct machine *machine, unsigned *spun)
{
    bool spins = um_spin_is_due(spin);
    uint64_t took_ns = spins ? machine->spun_ns : machine->asleep_ns;

    if (spins && machine->rarity != 0 && roll(machine, machine->rarity) == 0)
        took_ns = machine->rare_ns;
    /* A little more or less each time. */
    took_ns += roll(machine, took_ns / 4 + 1);
    um_spin_note(spin, spins, took_ns);
    *spun += spins;
    return took_ns;
}

/* Reads for a while. Returns what it took, in relation to the same reads asleep, in thousandths. */
static unsigned run(struct machine machine, unsigned *spun)
{
    struct um_spin spin = {.is_off = false};
    uint64_t took_ns = 0;

    *spun = 0;
    machine.random = 1;
    for (unsigned i = 0; i < READS; i++)
        took_ns += read_once(&spin, &machine, spun);
    return (unsigned)(took_ns * 1000 / (READS * (machine.asleep_ns + machine.asleep_ns / 8)));
}

static void test_where_it_pays(void **state)
{
    unsigned spun;

    (void)state;
    assert_in_range(run((struct machine){.asleep_ns = 33 * US, .spun_ns = 26 * US}, &spun), 780, 800);
    /* All but one of 32, from the second on. */
    assert_in_range(spun, READS / 32 * 31 - 1, READS / 32 * 31);
    /* A gain is not forgotten over a loss now and then. */
    assert_in_range(run((struct machine){33 * US, 26 * US, 100 * US, 50, 0}, &spun), 780, 860);
    assert_in_range(spun, READS / 2, READS);
}

/* Nowhere does it cost more than a few hundredths. */
static void test_where_it_does_not_pay(void **state)
{
    static const struct machine machines[] = {
        {.asleep_ns = 10 * US, .spun_ns = 11 * US},
        {.asleep_ns = 10 * US, .spun_ns = 120 * US},
        {.asleep_ns = 10 * US, .spun_ns = 8 * US, .rare_ns = 4000 * US, .rarity = 100},
        {.asleep_ns = 10 * US, .spun_ns = 8 * US, .rare_ns = 4000 * US, .rarity = 10000},
        {.asleep_ns = 49 * US, .spun_ns = 99 * US},
        {.asleep_ns = 1, .spun_ns = 1 * US},
    };

    (void)state;
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        unsigned spun;
        unsigned relation = run(machines[i], &spun);

        if (relation > 1030)
            fail_msg("machine %zu: %u thousandths", i, relation);
    }
}

/* A program that waits for something rare sleeps: spinning for it would be for nothing, and for all that would use a processor. */
static void test_long_waits(void **state)
{
    unsigned spun;

    (void)state;
    run((struct machine){.asleep_ns = UM_SPIN_NS, .spun_ns = 2 * UM_SPIN_NS}, &spun);
    assert_int_equal(spun, 0);
    run((struct machine){.asleep_ns = 1000000 * US, .spun_ns = 1000000 * US}, &spun);
    assert_int_equal(spun, 0);
}

/* Answers that were quick and are no longer: it stops with the first, and begins again when they are. */
static void test_changes(void **state)
{
    struct um_spin spin = {.is_off = false};
    struct machine machine = {.asleep_ns = 20 * US, .spun_ns = 15 * US, .random = 1};
    unsigned spun = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        read_once(&spin, &machine, &spun);
    assert_true(spun > 900);
    machine.asleep_ns = machine.spun_ns = 1000 * US;
    spun = 0;
    for (int i = 0; i < 1000; i++)
        read_once(&spin, &machine, &spun);
    assert_in_range(spun, 1, 8);
    machine.asleep_ns = 20 * US;
    machine.spun_ns = 15 * US;
    spun = 0;
    for (int i = 0; i < 10000; i++)
        read_once(&spin, &machine, &spun);
    assert_in_range(spun, 8000, 9900);
}

static void test_accounts(void **state)
{
    struct um_spin spin = {.usual_ns = 40 * US};
    unsigned sleeps = 0;

    (void)state;
    /* Spinning for nothing counts as that, though the read took hardly longer than others. */
    um_spin_note(&spin, true, 60 * US);
    while (!um_spin_is_due(&spin)) {
        um_spin_note(&spin, false, 40 * US);
        sleeps++;
    }
    assert_in_range(sleeps, 79, 81);
    /* One read that was kept from a processor is no reason to spin, nor not to. */
    spin = (struct um_spin){.usual_ns = 10 * US};
    um_spin_note(&spin, false, 16000 * US);
    assert_in_range(spin.usual_ns, 10 * US, 12 * US);
    /* However long it has paid, it stops where it does not any more. */
    for (int i = 0; i < READS; i++)
        um_spin_note(&spin, true, 5 * US);
    assert_true(um_spin_is_due(&spin));
    um_spin_note(&spin, true, 300 * US);
    assert_false(um_spin_is_due(&spin));
}

static void test_extremes(void **state)
{
    struct um_spin spin = {.is_off = true};

    (void)state;
    um_spin_note(&spin, false, 10 * US);
    assert_false(um_spin_is_due(&spin));
    /* No sum overflows, and a clock that stands still is no reason to divide by nothing. */
    spin.is_off = false;
    for (int i = 0; i < 1000; i++) {
        um_spin_note(&spin, i % 2 != 0, UINT64_MAX);
        um_spin_note(&spin, i % 3 != 0, 0);
    }
    spin = (struct um_spin){.is_off = false};
    um_spin_note(&spin, false, 0);
    assert_true(um_spin_is_due(&spin));
    um_spin_note(&spin, true, 0);
    assert_true(um_spin_is_due(&spin));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_it_pays), cmocka_unit_test(test_where_it_does_not_pay),
        cmocka_unit_test(test_long_waits),    cmocka_unit_test(test_changes),
        cmocka_unit_test(test_accounts),      cmocka_unit_test(test_extremes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

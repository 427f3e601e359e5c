#include "rpc/call/call_meter.h"

static const uint64_t bounds_us[UM_METER_BOUNDS] = {
    1,    2,     5,     10,    20,     50,     100,    200,     500,     1000,    2000,
    5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 2000000, 5000000, 10000000,
};

enum { NS_A_US = 1000 };

uint64_t um_meter_bound_us(size_t bucket)
{
    return bounds_us[bucket];
}

/* So that the next call's is another. */
static const struct um_method no_method;

static uint64_t now_ns(const struct um_call_meter *meter)
{
    return meter->clock_ns != NULL ? meter->clock_ns(meter->context) : 0;
}

static struct um_method_stats *stats_of(struct um_call_meter *meter, const struct um_method *method)
{
    return &meter->methods[um_table_place(method)];
}

void um_meter_init(struct um_call_meter *meter, uint64_t (*clock_ns)(void *context), void *context)
{
    *meter = (struct um_call_meter){
        .clock_ns = clock_ns, .context = context, .run_limit = UM_METER_RUN_LIMIT, .method = &no_method};
    meter->stats = stats_of(meter, NULL);
}

/* So many calls took so long, all of them together. */
static void count(struct um_method_stats *stats, uint64_t calls, uint64_t ns)
{
    uint64_t each_ns = ns / calls;
    size_t bucket = 0;

    while (bucket < UM_METER_BOUNDS && each_ns > bounds_us[bucket] * NS_A_US)
        bucket++;
    stats->buckets[bucket] += calls;
    stats->ns += ns;
    if (each_ns > stats->longest_ns)
        stats->longest_ns = each_ns;
}

/* The run is over at this time, and the next one begins. For calls that ended while no time passed for them, none is counted. */
static void begin_at(struct um_call_meter *meter, uint64_t at_ns)
{
    if (meter->calls != 0) {
        meter->last_ns = meter->is_running ? at_ns - meter->begun_ns : 0;
        meter->stats->calls += meter->calls;
        count(meter->stats, meter->calls, meter->last_ns);
    }
    meter->calls = 0;
    meter->begun_ns = at_ns;
    meter->is_running = true;
}

void um_meter_begin(struct um_call_meter *meter)
{
    begin_at(meter, now_ns(meter));
}

/* Without calls that have ended, the time so far is the one's that begins. */
void um_meter_change_method(struct um_call_meter *meter, const struct um_method *method)
{
    if (meter->calls != 0 || !meter->is_running)
        um_meter_begin(meter);
    meter->method = method;
    meter->stats = stats_of(meter, method);
}

void um_meter_stop(struct um_call_meter *meter)
{
    if (!meter->is_running)
        return;
    um_meter_begin(meter);
    meter->is_running = false;
    meter->method = &no_method;
}

uint64_t um_meter_defer(struct um_call_meter *meter)
{
    uint64_t at_ns = now_ns(meter);
    uint64_t begun_ns = meter->is_running && meter->calls == 0 ? meter->begun_ns : at_ns;

    begin_at(meter, at_ns);
    return begun_ns;
}

void um_meter_resume(struct um_call_meter *meter, uint64_t begun_ns)
{
    um_meter_stop(meter);
    meter->begun_ns = begun_ns;
    meter->is_running = true;
}

uint64_t um_meter_answered_late(struct um_call_meter *meter, const struct um_method *method,
                                uint64_t begun_ns, bool has_failed, bool has_waited)
{
    struct um_method_stats *stats = stats_of(meter, method);
    uint64_t ns = now_ns(meter) - begun_ns;

    stats->calls++;
    stats->errors += has_failed;
    if (has_waited)
        stats->waited++;
    else
        count(stats, 1, ns);
    return ns;
}

void um_meter_failed(struct um_call_meter *meter, const struct um_method *method)
{
    stats_of(meter, method)->errors++;
}

void um_meter_record(struct um_call_meter *meter, bool are_recorded)
{
    if (meter->is_running)
        um_meter_begin(meter);
    meter->run_limit = are_recorded ? 1 : UM_METER_RUN_LIMIT;
}

#include "cli/report/program_sums.h"

#include <stdio.h>
#include <string.h>

enum { PLACES = sizeof((struct cli_programs *)0)->places / sizeof(short) };

_Static_assert((int)PLACES > (int)CLI_PROGRAMS_MAXIMUM, "a search always comes to a free place");

/* FNV-1a. */
static uint32_t hash_of(const char *name)
{
    uint32_t hash = 2166136261U;

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619U;
    return hash;
}

struct cli_program_sum *cli_find_program(struct cli_programs *programs, const char *name)
{
    uint32_t place = hash_of(name) % PLACES;
    struct cli_program_sum *program;

    for (; programs->places[place] != 0; place = (place + 1) % PLACES) {
        program = &programs->sums[programs->places[place] - 1];
        if (strcmp(program->name, name) == 0)
            return program;
    }
    if (programs->count == CLI_PROGRAMS_MAXIMUM)
        return &programs->others;
    program = &programs->sums[programs->count++];
    programs->places[place] = (short)programs->count;
    snprintf(program->name, sizeof program->name, "%s", name);
    return program;
}

static bool has(const struct cli_program_groups *groups, const struct cli_program_sum *program)
{
    return cli_program_group(groups, program) != CLI_OTHER_PROGRAMS;
}

/* The largest one that is in no group yet; NULL: none is left. */
static const struct cli_program_sum *find_largest(const struct cli_programs *programs, int heap,
                                                  const struct cli_program_groups *taken)
{
    const struct cli_program_sum *largest = NULL;

    for (int i = 0; i < programs->count; i++) {
        const struct cli_program_sum *program = &programs->sums[i];
        const struct cli_block_sum *sum = &program->heaps[heap];

        if (sum->blocks != 0 && !has(taken, program) &&
            (largest == NULL || sum->bytes > largest->heaps[heap].bytes))
            largest = program;
    }
    return largest;
}

static void take_largest(const struct cli_programs *programs, int heap, struct cli_program_groups *groups)
{
    *groups = (struct cli_program_groups){.has_others = programs->others.heaps[heap].blocks != 0};
    for (int i = 0; i < CLI_PROGRAM_GROUPS; i++)
        groups->programs[i] = find_largest(programs, heap, groups);
    groups->has_others = groups->has_others || find_largest(programs, heap, groups) != NULL;
}

void cli_group_programs(const struct cli_programs *programs, int heap, struct cli_program_groups *groups)
{
    struct cli_program_groups all;
    struct cli_program_groups own;
    int next = 0;

    take_largest(programs, CLI_ALL_HEAPS, &all);
    take_largest(programs, heap, &own);
    *groups = (struct cli_program_groups){.has_others = own.has_others};
    for (int i = 0; i < CLI_PROGRAM_GROUPS; i++) {
        if (all.programs[i] != NULL && has(&own, all.programs[i]))
            groups->programs[i] = all.programs[i];
    }
    for (int i = 0; i < CLI_PROGRAM_GROUPS && own.programs[i] != NULL; i++) {
        if (has(groups, own.programs[i]))
            continue;
        while (groups->programs[next] != NULL)
            next++;
        groups->programs[next] = own.programs[i];
    }
}

int cli_program_group(const struct cli_program_groups *groups, const struct cli_program_sum *program)
{
    int group = 0;

    while (group < CLI_OTHER_PROGRAMS && groups->programs[group] != program)
        group++;
    return group;
}

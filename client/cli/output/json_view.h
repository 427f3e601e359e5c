/*
 * Values of JSON as people and scripts see them.
 *
 * Owns: how numbers, times and members look. Must not know: which methods there are.
 */
#ifndef UMEM_CLI_JSON_VIEW_H
#define UMEM_CLI_JSON_VIEW_H

#include <stdbool.h>
#include <stdint.h>

struct cJSON;
struct um_buf;

enum { CLI_NUMBER_SIZE = 32 };

/* A member of a JSON object; NULL: there is none. A dot leads into an object: "owner.pid". */
const struct cJSON *cli_find_member(const struct cJSON *object, const char *path);

/* A value as text, "" for an object, an array and NULL. Integers in full; `number` holds them. */
const char *cli_scalar(const struct cJSON *value, char number[CLI_NUMBER_SIZE]);

/* A member as text, "" where there is none. */
const char *cli_member(const struct cJSON *object, const char *path, char number[CLI_NUMBER_SIZE]);

/* A size in at most five characters: 17, 1.5K, 64M. */
void cli_format_size(char text[CLI_NUMBER_SIZE], uint64_t size);

/* Writes a value as JSON; integers as they are, not with an exponent. */
void cli_write_json(struct um_buf *out, const struct cJSON *value);

/* Prints a value as JSON, and as one line of JSON. */
void cli_print_value(const struct cJSON *value);
void cli_print_json(const struct cJSON *value);

/* Whether memory sufficed for all that was to be printed; it is checked in the end, as standard output itself is. */
bool cli_has_printed_all(void);

/* Prints every member on a line of its own, those of objects with a dot between. */
void cli_print_members(const struct cJSON *object);

#endif

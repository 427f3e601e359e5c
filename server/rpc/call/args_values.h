/*
 * Single parameters: JSON values to typed values, one rule a type.
 *
 * Owns: the rules and their errors. Must not know: which parameters a method has besides the siblings that decide an
 * encoding or a number's type; handles and ranges (args.c).
 */
#ifndef UM_ARGS_VALUES_H
#define UM_ARGS_VALUES_H

#include "base/attributes.h"
#include "rpc/call/args.h"
#include "rpc/call/call.h"

struct um_json;

/* Answers invalid_params for the parameter `name`, with a printf format that goes on "parameter NAME ". Always false. */
UM_PRINTF(3, 4)
bool um_args_refuse(struct um_call *call, const char *name, const char *format, ...);

/* Begins the same for one of the numbers of a parameter; um_reply_end() is to follow. */
void um_args_fail_value(struct um_call *call, const char *name, const struct um_values *values, size_t index,
                        const char *why);

/* A string without NUL, good as long as the message; NULL where it is none: then the call is answered. */
const char *um_args_string(struct um_call *call, const char *name, const struct um_json *json);

/* Types that do not depend on another parameter; a handle is only checked for being a number or a string. A parameter that was
 * left out (NULL) gets its fallback, of whatever type it is. Answers and returns false where the value is not of the type. */
bool um_args_bind_plain(struct um_call *call, const struct um_param *param, const struct um_json *json,
                        struct um_arg *arg);

/* Types that the parameter "encoding" or "type" decides, which is in `args` already. */
bool um_args_bind_dependent(struct um_call *call, const struct um_param *param, const struct um_json *json,
                            struct um_args *args, struct um_arg *arg);

#endif

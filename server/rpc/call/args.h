/*
 * Parameters as typed, checked values: what a handler gets.
 *
 * Owns: the rules by which JSON parameters become values (and value.c those for numbers in blocks). Must not know: what a method does
 * with them.
 */
#ifndef UM_ARGS_H
#define UM_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "rpc/call/call.h"
#include "rpc/call/value.h"
#include "rpc/schema/method.h"
#include "rpc/schema/words.h"
#include "store/store.h"

struct um_json;

/* Stands before a name that is to be taken for nothing else, even if it is digits. No name begins with it. */
enum { UM_NAME_MARK = ':' };

/* Bytes that came as text, decoded in the message's memory. */
struct um_data {
    const unsigned char *bytes;
    uint64_t size;
};

struct um_arg {
    bool given; /* the request had it, and it was not null */
    union {
        /* All that have a fallback are numbers, as that is. */
        uint64_t boolean;
        uint64_t uint;    /* UM_UINT, UM_OFFSET, UM_SIZE, UM_SESSION, UM_WATCH */
        uint64_t word;    /* UM_CHOICE */
        uint64_t flags;   /* UM_FLAGS: 32 bits */
        const char *text; /* UM_STRING, UM_NAME: ends with NUL; NULL when left out */
        struct um_heap *heap;
        struct um_block *block; /* NULL when left out */
        struct um_data data;
        struct um_value value;
        struct um_values values;
        struct um_id id;
    } as;
};

/* A checked range: offset + size is within the block. The handle finds the block again when others were served in between. */
struct um_range {
    struct um_block *block;
    um_handle handle; /* of the block */
    uint64_t offset;  /* bytes */
    uint64_t size;    /* bytes */
};

/* Bytes as text that take long to be decoded: um_args_decode() does it in steps. */
struct um_undecoded {
    struct um_json *json; /* the string, whose text becomes the bytes; NULL: there is none */
    enum um_encoding encoding;
    size_t read;    /* characters that are decoded */
    size_t written; /* bytes that they stand for, which lie at the text's start */
};

struct um_args {
    struct um_undecoded undecoded; /* what is to be decoded before the call is bound anew */
    struct um_arg value[UM_PARAMS_MAXIMUM];
    struct um_range range[UM_RANGES_MAXIMUM];
};

/* Numbers of parameters, in their order. */
struct um_param_list {
    unsigned char count;
    unsigned char of[UM_PARAMS_MAXIMUM];
};

/* Which parameters a call has. It depends on the names and places of its values, and on which of them are null, only. */
struct um_args_match {
    const struct um_json *found[UM_PARAMS_MAXIMUM]; /* the value of each; NULL: left out */
    struct um_param_list plain;                     /* given, and read by their own value; no handles */
    struct um_param_list dependents;                /* given, and another one decides how they are read */
    struct um_param_list handles;                   /* to be looked up, given or by their fallback */
    const struct um_param *missing; /* the first that is required and left out; the lists end before it */
};

/* Finds which of the values of `params` (an object, an array, or NULL for none) each parameter has, and sets the arguments that are left
 * out. Returns whether the names and places are right. */
bool um_args_match(const struct um_method *method, const struct um_json *params, struct um_args_match *match,
                   struct um_args *args);

/* Reads `params` by the method's descriptor. Returns false when something is wrong; then the call has been answered with the error, or
 * args->undecoded says what is to be decoded first. */
bool um_args_bind(struct um_call *call, const struct um_json *params, struct um_args *args);

/* The same after um_args_match(), which need not be called anew for values that have changed in their places. */
bool um_args_bind_matched(struct um_call *call, const struct um_args_match *match, struct um_args *args);

/* Decodes about `budget` more characters. Returns whether there are more. What is wrong is answered when the call is bound anew. */
bool um_args_decode(struct um_undecoded *undecoded, size_t budget);

/* How many raw bytes a call takes, by its unchecked `params` (NULL: none): its "size" where its "encoding" is "raw", else 0.
 * Returns false where it does not say its size. */
bool um_args_raw_size(const struct um_method *method, const struct um_json *params, uint64_t *size);

/* Answers invalid_params for the parameter `name`, with a printf format that continues "parameter NAME ".
 * Always false. */
UM_PRINTF(3, 4)
bool um_args_refuse(struct um_call *call, const char *name, const char *format, ...);

/* Begins the same for one of the numbers of a parameter; um_reply_end() is to follow. */
void um_args_fail_value(struct um_call *call, const char *name, const struct um_values *values, size_t index,
                        const char *why);

/* Checks offset + size against a block, and counts the bytes for its heap; answers out_of_range and returns false where they pass its end. */
bool um_range_refuse(struct um_call *call, struct um_block *block, uint64_t offset, uint64_t size);
UM_ALWAYS_INLINE bool um_range_check(struct um_call *call, struct um_block *block, uint64_t offset,
                                     uint64_t size)
{
    uint64_t block_size = um_block_size(block);

    if (offset > block_size || size > block_size - offset)
        return um_range_refuse(call, block, offset, size);
    um_block_note_bytes(call->store, block, size);
    return true;
}

/* The range of a block that is checked, to be found again. */
struct um_range um_range_of(const struct um_call *call, struct um_block *block, uint64_t offset,
                            uint64_t size);

/* Finds range->block again by its handle, and sees that its heap is not locked by another than the call's session and that it
 * still is large enough. Codes of the store, or UMEM_E_OUT_OF_RANGE; *fault says more. */
int um_range_find(const struct um_call *call, struct um_range *range, struct um_fault *fault);

#endif

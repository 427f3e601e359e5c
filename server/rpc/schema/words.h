/*
 * The words of choices and flags that several methods take.
 *
 * Owns: the lists, each of which ends with an entry whose word is NULL. Must not know: which methods take them.
 */
#ifndef UM_WORDS_H
#define UM_WORDS_H

#include "rpc/schema/method.h"

enum um_if_exists { UM_IF_EXISTS_FAIL, UM_IF_EXISTS_OPEN, UM_IF_EXISTS_REPLACE };

enum um_encoding { UM_BASE64, UM_HEX, UM_UTF8, UM_RAW };

extern const struct um_word um_encoding_words[];
extern const struct um_word um_text_encoding_words[];   /* all but raw */
extern const struct um_word um_if_exists_words[];       /* what a name that is taken means: all three */
extern const struct um_word um_if_exists_heap_words[];  /* a heap is not replaced */
extern const struct um_word um_if_exists_block_words[]; /* a block that is there becomes no other one */
extern const struct um_word um_flag_words[];
extern const struct um_word um_lifetime_words[];

/* What a heap's lifetime may be besides, which is no lifetime of the store's: it outlives the daemon. */
enum { UM_LIFETIME_DURABLE = 2 };
extern const struct um_word um_heap_lifetime_words[];

#endif

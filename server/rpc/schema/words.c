#include "rpc/schema/words.h"

#include "store/store.h"

const struct um_word um_encoding_words[] = {
    {"base64", UM_BASE64}, {"hex", UM_HEX}, {"utf8", UM_UTF8}, {"raw", UM_RAW}, {NULL, 0},
};

const struct um_word um_text_encoding_words[] = {
    {"base64", UM_BASE64},
    {"hex", UM_HEX},
    {"utf8", UM_UTF8},
    {NULL, 0},
};

const struct um_word um_if_exists_words[] = {
    {"fail", UM_IF_EXISTS_FAIL},
    {"open", UM_IF_EXISTS_OPEN},
    {"replace", UM_IF_EXISTS_REPLACE},
    {NULL, 0},
};

const struct um_word um_if_exists_heap_words[] = {
    {"fail", UM_IF_EXISTS_FAIL},
    {"open", UM_IF_EXISTS_OPEN},
    {NULL, 0},
};

const struct um_word um_if_exists_block_words[] = {
    {"fail", UM_IF_EXISTS_FAIL},
    {"replace", UM_IF_EXISTS_REPLACE},
    {NULL, 0},
};

const struct um_word um_flag_words[] = {
    {"zero_memory", UM_FLAG_ZERO_MEMORY},
    {"no_serialize", UM_FLAG_NO_SERIALIZE},
    {"generate_exceptions", UM_FLAG_GENERATE_EXCEPTIONS},
    {"create_enable_execute", UM_FLAG_CREATE_ENABLE_EXECUTE},
    {"realloc_in_place_only", UM_FLAG_REALLOC_IN_PLACE_ONLY},
    {NULL, 0},
};

const struct um_word um_lifetime_words[] = {
    {"server", UM_LIFETIME_SERVER},
    {"session", UM_LIFETIME_SESSION},
    {NULL, 0},
};

const struct um_word um_heap_lifetime_words[] = {
    {"server", UM_LIFETIME_SERVER},
    {"session", UM_LIFETIME_SESSION},
    {"durable", UM_LIFETIME_DURABLE},
    {NULL, 0},
};

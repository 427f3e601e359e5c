#include "wire/header_block.h"

#include <string.h>

/* By um_frame_length and um_frame_header. */
static const char *const header_names[UM_FRAME_OTHER] = {"content-length", "payload-length", "content-type"};

/* RFC 9110, section 9, RFC 5789, and the beginning of HTTP/2, RFC 9113, section 3.4. In lower case, as names are kept. */
static const char *const http_methods[] = {"get",     "head",    "post",  "put",   "delete",
                                           "connect", "options", "trace", "patch", "pri"};

static const char *const given_twice[UM_FRAME_LENGTHS] = {"Content-Length is given twice",
                                                          "Payload-Length is given twice"};

static const char bare_lf[] = "a header ends in a bare LF";

/* 2^53 - 1, as of every integer of the protocol. */
static const uint64_t LENGTH_LIMIT = UINT64_C(9007199254740991);

static enum um_header_block_result refuse(struct um_header_block *block, const char *what)
{
    block->what = what;
    return UM_HEADER_BLOCK_BROKEN;
}

static enum um_header_block_result next_state(struct um_header_block *block, enum um_header_block_state spot)
{
    block->spot = spot;
    return UM_HEADER_BLOCK_MORE;
}

/* A token character of RFC 9110, section 5.6.2. */
static bool is_token(char byte)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9'))
        return true;
    return byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

static bool is_name(const struct um_header_block *block, const char *name)
{
    return block->name_size == strlen(name) && memcmp(block->name, name, block->name_size) == 0;
}

/* Whether the block begins with a method of HTTP. */
static bool is_http(const struct um_header_block *block)
{
    bool found = false;

    for (size_t i = 0; i < sizeof http_methods / sizeof http_methods[0]; i++)
        found = found || is_name(block, http_methods[i]);
    return found && block->size == block->name_size + 1;
}

static enum um_header_block_result end_name(struct um_header_block *block)
{
    if (block->name_size == 0)
        return refuse(block, "a header has no name");
    block->wanted = UM_FRAME_OTHER;
    for (int i = 0; i < UM_FRAME_OTHER; i++) {
        if (is_name(block, header_names[i]))
            block->wanted = i;
    }
    if (block->wanted < UM_FRAME_LENGTHS && block->given[block->wanted])
        return refuse(block, given_twice[block->wanted]);
    if (block->wanted == UM_FRAME_CONTENT_TYPE)
        block->type_size = 0;
    block->has_digit = false;
    block->value_over = false;
    return next_state(block, UM_HEADER_BLOCK_IN_VALUE);
}

static enum um_header_block_result name_byte(struct um_header_block *block, char byte)
{
    if (byte == ':')
        return end_name(block);
    if (byte == '\r' && block->name_size == 0)
        return next_state(block, UM_HEADER_BLOCK_AT_LAST_LF);
    if (byte == ' ' && is_http(block)) {
        block->what = "it is HTTP";
        return UM_HEADER_BLOCK_HTTP;
    }
    if (!is_token(byte))
        return refuse(block, byte == '\n' ? bare_lf : "a byte that no header name may have");
    if (block->name_size < sizeof block->name)
        block->name[block->name_size] = (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
    block->name_size++;
    return UM_HEADER_BLOCK_MORE;
}

/* One byte of a Content-Length or Payload-Length: decimal digits, with spaces around them at most. */
static enum um_header_block_result length_byte(struct um_header_block *block, char byte)
{
    uint64_t *length = &block->length[block->wanted];

    if (byte == ' ' || byte == '\t') {
        block->value_over = block->has_digit;
        return UM_HEADER_BLOCK_MORE;
    }
    if (byte < '0' || byte > '9' || block->value_over)
        return refuse(block, "a length is not a whole number");
    block->has_digit = true;
    *length = *length * 10 + (uint64_t)(byte - '0');
    return *length > LENGTH_LIMIT ? refuse(block, "a length is over 2^53 - 1") : UM_HEADER_BLOCK_MORE;
}

/* One byte of a Content-Type. One that cannot be sent back as it is counts as one that is too long. */
static enum um_header_block_result type_byte(struct um_header_block *block, char byte)
{
    bool is_space = byte == ' ' || byte == '\t';

    if (is_space && block->type_size == 0)
        return UM_HEADER_BLOCK_MORE;
    if (byte == '\t')
        byte = ' ';
    if (((unsigned char)byte & 0x80) != 0 || block->type_size + 1 >= UM_FRAME_TYPE_CAPACITY)
        block->type_size = UM_FRAME_TYPE_CAPACITY;
    else
        block->content_type[block->type_size++] = byte;
    return UM_HEADER_BLOCK_MORE;
}

static void end_type(struct um_header_block *block)
{
    if (block->type_size == UM_FRAME_TYPE_CAPACITY)
        block->type_size = 0;
    while (block->type_size != 0 && block->content_type[block->type_size - 1] == ' ')
        block->type_size--;
    block->content_type[block->type_size] = '\0';
}

static enum um_header_block_result value_byte(struct um_header_block *block, char byte)
{
    bool is_length = block->wanted < UM_FRAME_LENGTHS;

    if (byte == '\r') {
        if (is_length && !block->has_digit)
            return refuse(block, "a length is empty");
        if (block->wanted == UM_FRAME_CONTENT_TYPE)
            end_type(block);
        return next_state(block, UM_HEADER_BLOCK_AT_LF);
    }
    if (byte == '\n')
        return refuse(block, bare_lf);
    if (((unsigned char)byte < 0x20 && byte != '\t') || byte == 0x7F)
        return refuse(block, "a control character in a header");
    if (block->wanted == UM_FRAME_CONTENT_TYPE)
        return type_byte(block, byte);
    return is_length ? length_byte(block, byte) : UM_HEADER_BLOCK_MORE;
}

static enum um_header_block_result end_line(struct um_header_block *block)
{
    if (block->wanted < UM_FRAME_LENGTHS)
        block->given[block->wanted] = true;
    block->name_size = 0;
    return next_state(block, UM_HEADER_BLOCK_IN_NAME);
}

enum um_header_block_result um_header_block_feed(struct um_header_block *block, char byte)
{
    if (++block->size > UM_FRAME_HEADERS_LIMIT)
        return refuse(block, "the headers are longer than 8192 bytes");
    if (block->spot == UM_HEADER_BLOCK_IN_NAME)
        return name_byte(block, byte);
    if (block->spot == UM_HEADER_BLOCK_IN_VALUE)
        return value_byte(block, byte);
    if (byte != '\n')
        return refuse(block, "a CR without its LF in a header");
    if (block->spot == UM_HEADER_BLOCK_AT_LF)
        return end_line(block);
    if (!block->given[UM_FRAME_CONTENT])
        return refuse(block, "there is no Content-Length");
    return UM_HEADER_BLOCK_WHOLE;
}

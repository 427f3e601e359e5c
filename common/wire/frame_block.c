#include "frame_block.h"

#include <string.h>

static const char *const length_names[UM_FRAME_LENGTHS] = {"content-length", "payload-length"};

static const char *const given_twice[UM_FRAME_LENGTHS] = {"Content-Length is given twice",
                                                          "Payload-Length is given twice"};

static const char bare_lf[] = "a header ends in a bare LF";

/* 2^53 - 1, as of every integer of the protocol. */
static const uint64_t LENGTH_LIMIT = UINT64_C(9007199254740991);

void um_frame_block_init(struct um_frame_block *block)
{
    *block = (struct um_frame_block){.wanted = -1};
}

static enum um_frame_verdict refuse(struct um_frame_block *block, const char *what)
{
    block->what = what;
    return UM_FRAME_BLOCK_BROKEN;
}

static enum um_frame_verdict go_on(struct um_frame_block *block, enum um_frame_spot spot)
{
    block->spot = spot;
    return UM_FRAME_BLOCK_MORE;
}

/* A token character of RFC 9110, section 5.6.2. */
static bool is_token(char byte)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9'))
        return true;
    return byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

static enum um_frame_verdict end_name(struct um_frame_block *block)
{
    if (block->name_size == 0)
        return refuse(block, "a header has no name");
    block->wanted = -1;
    for (int i = 0; i < UM_FRAME_LENGTHS; i++) {
        if (block->name_size == strlen(length_names[i]) &&
            memcmp(block->name, length_names[i], block->name_size) == 0)
            block->wanted = i;
    }
    if (block->wanted >= 0 && block->given[block->wanted])
        return refuse(block, given_twice[block->wanted]);
    block->has_digit = false;
    block->value_over = false;
    return go_on(block, UM_FRAME_IN_VALUE);
}

static enum um_frame_verdict name_byte(struct um_frame_block *block, char byte)
{
    if (byte == ':')
        return end_name(block);
    if (byte == '\r' && block->name_size == 0)
        return go_on(block, UM_FRAME_AT_LAST_LF);
    if (!is_token(byte))
        return refuse(block, byte == '\n' ? bare_lf : "a byte that no header name may have");
    if (block->name_size < sizeof block->name)
        block->name[block->name_size] = (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
    block->name_size++;
    return UM_FRAME_BLOCK_MORE;
}

/* One byte of a Content-Length or Payload-Length: decimal digits, with spaces around them at most. */
static enum um_frame_verdict length_byte(struct um_frame_block *block, char byte)
{
    uint64_t *length = &block->length[block->wanted];

    if (byte == ' ' || byte == '\t') {
        block->value_over = block->has_digit;
        return UM_FRAME_BLOCK_MORE;
    }
    if (byte < '0' || byte > '9' || block->value_over)
        return refuse(block, "a length is not a whole number");
    block->has_digit = true;
    *length = *length * 10 + (uint64_t)(byte - '0');
    return *length > LENGTH_LIMIT ? refuse(block, "a length is over 2^53 - 1") : UM_FRAME_BLOCK_MORE;
}

static enum um_frame_verdict value_byte(struct um_frame_block *block, char byte)
{
    if (byte == '\r') {
        if (block->wanted >= 0 && !block->has_digit)
            return refuse(block, "a length is empty");
        return go_on(block, UM_FRAME_AT_LF);
    }
    if (byte == '\n')
        return refuse(block, bare_lf);
    if (((unsigned char)byte < 0x20 && byte != '\t') || byte == 0x7F)
        return refuse(block, "a control character in a header");
    return block->wanted >= 0 ? length_byte(block, byte) : UM_FRAME_BLOCK_MORE;
}

static enum um_frame_verdict end_line(struct um_frame_block *block)
{
    if (block->wanted >= 0)
        block->given[block->wanted] = true;
    block->name_size = 0;
    return go_on(block, UM_FRAME_IN_NAME);
}

enum um_frame_verdict um_frame_block_take(struct um_frame_block *block, char byte)
{
    if (++block->size > UM_FRAME_HEADERS_LIMIT)
        return refuse(block, "the headers are longer than 8192 bytes");
    if (block->spot == UM_FRAME_IN_NAME)
        return name_byte(block, byte);
    if (block->spot == UM_FRAME_IN_VALUE)
        return value_byte(block, byte);
    if (byte != '\n')
        return refuse(block, "a CR without its LF in a header");
    if (block->spot == UM_FRAME_AT_LF)
        return end_line(block);
    if (!block->given[UM_FRAME_CONTENT])
        return refuse(block, "there is no Content-Length");
    return UM_FRAME_BLOCK_WHOLE;
}

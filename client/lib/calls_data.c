/* block.read and block.write: bytes, in pieces that fit a message. */
#include "request.h"
#include "text.h"

/* A range of a block, and how it is cut. */
struct range {
    umem_handle block;
    uint64_t offset;
    size_t size;
    size_t piece_size; /* bytes in every piece but the last */
};

static int check_range(umem_client *client, const struct range *range)
{
    int code = um_client_check_handle(client, "block", range->block);

    if (code == UMEM_OK)
        code = um_client_check_size(client, "offset", range->offset);
    if (code == UMEM_OK)
        code = um_client_check_size(client, "size", range->size);
    if (code == UMEM_OK)
        code = um_client_check_size(client, "offset + size", range->offset + range->size);
    return code;
}

/* Base64 makes four characters of three bytes. What every daemon takes goes out without asking for its limit. */
static int choose_piece(umem_client *client, struct range *range)
{
    int code = UMEM_OK;

    if (um_base64_encoded_size(range->size) > UM_MESSAGE_MINIMUM - UM_MESSAGE_OVERHEAD)
        code = um_request_learn_limits(client);
    range->piece_size = um_request_data_room(client) / 4 * 3;
    return code;
}

static int begin(umem_client *client, struct range *range)
{
    int code = um_client_begin(client);

    if (code == UMEM_OK)
        code = check_range(client, range);
    if (code == UMEM_OK)
        code = choose_piece(client, range);
    return code;
}

static struct um_buf *begin_request(umem_client *client, const char *method, const struct range *range,
                                    size_t begin)
{
    struct um_buf *out = um_request_begin(client, method);

    um_json_key(out, "block");
    um_json_uint(out, range->block);
    um_json_key(out, "offset");
    um_json_uint(out, range->offset + begin);
    return out;
}

/* ---- reading ---- */

static int read_piece(umem_client *client, const struct range *range, size_t begin, char *bytes, size_t size)
{
    struct um_buf *out = begin_request(client, "block.read", range, begin);
    struct um_json_slice data;
    size_t decoded_size;
    size_t bad_offset;
    int code;

    um_json_key(out, "size");
    um_json_uint(out, size);
    code = um_request_end(client);
    if (code != UMEM_OK)
        return code;
    data = um_json_member(client->answer.result, "data");
    if (!um_json_is_string(data))
        return um_request_bad_result(client, "data");
    data = um_json_string_inside(data);
    if (!um_base64_decoded_size(data.text, data.size, &decoded_size, &bad_offset) || decoded_size != size)
        return um_request_bad_result(client, "data");
    um_base64_decode(bytes, data.text, data.size);
    return UMEM_OK;
}

int umem_block_read(umem_client *client, umem_handle block, uint64_t offset, void *bytes, size_t size)
{
    struct range range = {.block = block, .offset = offset, .size = size};
    int code = begin(client, &range);
    size_t done = 0;

    while (code == UMEM_OK) {
        size_t piece = size - done < range.piece_size ? size - done : range.piece_size;

        code = read_piece(client, &range, done, (char *)bytes + done, piece);
        done += piece;
        if (done == size)
            break;
    }
    return code;
}

/* ---- writing ---- */

static int write_piece(umem_client *client, const struct range *range, size_t begin, const char *bytes,
                       size_t size)
{
    struct um_buf *out = begin_request(client, "block.write", range, begin);
    char *text;

    um_json_key(out, "data");
    text = um_json_begin_raw_string(out, um_base64_encoded_size(size));
    if (text != NULL)
        um_base64_encode(text, bytes, size);
    um_json_end_raw_string(out);
    return um_request_end(client);
}

/* The last piece goes first: where it lies within the block they all do, so that a range that does not fit changes nothing. */
int umem_block_write(umem_client *client, umem_handle block, uint64_t offset, const void *bytes, size_t size)
{
    struct range range = {.block = block, .offset = offset, .size = size};
    int code = begin(client, &range);
    size_t left = size;

    while (code == UMEM_OK) {
        size_t piece = left % range.piece_size != 0 || left == 0 ? left % range.piece_size : range.piece_size;

        left -= piece;
        code = write_piece(client, &range, left, (const char *)bytes + left, piece);
        if (left == 0)
            break;
    }
    return code;
}

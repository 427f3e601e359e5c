/*
 * Bytes as text: base64 (RFC 4648 section 4, padded, strict), hex (two digits a byte; both cases read, lower written) and
 * the UTF-8 check (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF).
 *
 * Owns: nothing. Must not know: JSON, buffers. Pure functions on memory of the caller's.
 */
#ifndef UM_ENCODING_H
#define UM_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

/* Characters that `size` bytes take, padding included. `size` is at most SIZE_MAX / 2. */
size_t um_base64_encoded_size(size_t size);

/* Writes um_base64_encoded_size(size) characters to `out`, without an end. */
void um_base64_encode(char *out, const void *bytes, size_t size);

/* Decodes `text` into `out`, which has a capacity of length / 4 * 3 bytes and may be the same memory, and sets *size to how many bytes
 * there are. Returns false, with the position of the first character that does not fit in *bad_offset, where it is not base64;
 * bytes before that one may be written then. */
bool um_base64_decode(void *out, const char *text, size_t length, size_t *size, size_t *bad_offset);

/* As um_base64_decode(), for a part of a text that more follows: whole groups of four, in which padding does not fit. */
bool um_base64_decode_part(void *out, const char *text, size_t length, size_t *size, size_t *bad_offset);

/* Writes 2 * size characters to `out`, without an end. */
void um_hex_encode(char *out, const void *bytes, size_t size);

/* As um_base64_decode(), for hex; `out` has room for length / 2 bytes. */
bool um_hex_decode(void *out, const char *text, size_t length, size_t *size, size_t *bad_offset);

/* Returns the offset of the first byte that is not part of a valid UTF-8 sequence, or `size` where all are. */
size_t um_utf8_check(const void *bytes, size_t size);

#endif

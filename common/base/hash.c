#include "base/hash.h"

#include "base/attributes.h"

enum { WORD_SIZE = 8 /* bytes that are absorbed at once */ };

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

UM_ALWAYS_INLINE void sip_absorb(uint64_t v[4], uint64_t word, int rounds)
{
    v[3] ^= word;
    for (int i = 0; i < rounds; i++)
        sip_round(v);
    v[0] ^= word;
}

/* Little-endian; compilers make one instruction of it. */
static uint64_t read_word(const unsigned char *from)
{
    return (uint64_t)from[0] | (uint64_t)from[1] << 8 | (uint64_t)from[2] << 16 | (uint64_t)from[3] << 24 |
           (uint64_t)from[4] << 32 | (uint64_t)from[5] << 40 | (uint64_t)from[6] << 48 |
           (uint64_t)from[7] << 56;
}

static uint64_t read_half(const unsigned char *from)
{
    return (uint64_t)from[0] | (uint64_t)from[1] << 8 | (uint64_t)from[2] << 16 | (uint64_t)from[3] << 24;
}

/* The bytes behind the last whole word: some are read twice rather than each by itself. */
static uint64_t read_rest(const unsigned char *from, size_t size)
{
    if (size >= 4)
        return read_half(from) | read_half(from + size - 4) << 8 * (size - 4);
    if (size == 0)
        return 0;
    return (uint64_t)from[0] | (uint64_t)from[size / 2] << 8 * (size / 2) |
           (uint64_t)from[size - 1] << 8 * (size - 1);
}

/* SipHash with so many rounds for each word, and behind the last. */
UM_ALWAYS_INLINE uint64_t sip(const uint64_t key[2], const void *bytes, size_t size, int rounds,
                              int last_rounds)
{
    const unsigned char *from = bytes;
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    size_t whole = size - size % WORD_SIZE;
    for (size_t i = 0; i < whole; i += WORD_SIZE)
        sip_absorb(v, read_word(from + i), rounds);
    sip_absorb(v, read_rest(from + whole, size - whole) | (uint64_t)size << 56, rounds);
    v[2] ^= 0xff;
    for (int i = 0; i < last_rounds; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t um_hash_bytes(const uint64_t key[2], const void *bytes, size_t size)
{
    return sip(key, bytes, size, 2, 4);
}

uint64_t um_hash_lookup(const uint64_t key[2], const void *bytes, size_t size)
{
    return sip(key, bytes, size, 1, 3);
}

uint64_t um_hash_mix(uint64_t number)
{
    number += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

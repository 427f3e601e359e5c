/*
 * Hashes for the store's tables.
 *
 * Owns: nothing. Must not know: the tables. Pure functions.
 */
#ifndef UM_HASH_H
#define UM_HASH_H

#include <stddef.h>
#include <stdint.h>

/* A keyed hash of bytes that peers choose (SipHash-2-4): a peer that does not know the key cannot make names
 * collide. */
uint64_t um_hash_bytes(const uint64_t key[2], const void *bytes, size_t size);

/* The same with half as many rounds (SipHash-1-3): for tables in memory, of whose hashes peers see none. */
uint64_t um_hash_lookup(const uint64_t key[2], const void *bytes, size_t size);

/* Spreads a number that peers do not choose over 64 bits (the finisher of splitmix64); one to one. */
uint64_t um_hash_mix(uint64_t number);

#endif

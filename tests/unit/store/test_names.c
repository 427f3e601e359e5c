/* Hashes, the index that grows a bucket at a time, and the names on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "store/records/names.h"

enum { MANY = 5000 };

/* The first sixteen vectors that the authors of SipHash give: key 00..0f, message 00, 01, 02 and so on. */
static void test_the_hash_is_siphash(void **state)
{
    (void)state;
    const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    static const uint64_t vectors[] = {
        UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd), UINT64_C(0x0d6c8009d9a94f5a),
        UINT64_C(0x85676696d7fb7e2d), UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
        UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137), UINT64_C(0x93f5f5799a932462),
        UINT64_C(0x9e0082df0ba9e4b0), UINT64_C(0x7a5dbbc594ddb9f3), UINT64_C(0xf4b32f46226bada7),
        UINT64_C(0x751e8fbc860ee5fb), UINT64_C(0x14ea5627c0843d90), UINT64_C(0xf723ca908e7af2ee),
        UINT64_C(0xa129ca6149be45e5),
    };
    /* Those of SipHash-1-3, as other implementations of it have them. */
    static const uint64_t lookup_vectors[] = {
        UINT64_C(0xabac0158050fc4dc), UINT64_C(0xc9f49bf37d57ca93), UINT64_C(0x82cb9b024dc7d44d),
        UINT64_C(0x8bf80ab8e7ddf7fb), UINT64_C(0xcf75576088d38328), UINT64_C(0xdef9d52f49533b67),
        UINT64_C(0xc50d2b50c59f22a7), UINT64_C(0xd3927d989bb11140), UINT64_C(0x369095118d299a8e),
        UINT64_C(0x25a48eb36c063de4), UINT64_C(0x79de85ee92ff097f), UINT64_C(0x70c118c1f94dc352),
        UINT64_C(0x78a384b157b4d9a2), UINT64_C(0x306f760c1229ffa7), UINT64_C(0x605aa111c0f95d34),
        UINT64_C(0xd320d86d2a519956),
    };
    unsigned char message[sizeof vectors / sizeof *vectors];
    for (size_t size = 0; size < sizeof message; size++) {
        message[size] = (unsigned char)size;
        assert_true(um_hash_bytes(key, message, size) == vectors[size]);
        assert_true(um_hash_lookup(key, message, size) == lookup_vectors[size]);
    }
}

static void test_names_are_found_while_the_table_grows_and_shrinks(void **state)
{
    (void)state;
    static struct um_name *all[MANY];
    struct um_names names;
    char text[32];
    assert_true(um_names_init(&names, 99));
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "name %d", i);
        assert_null(um_names_find(&names, text));
        all[i] = um_names_new(&names, text);
        assert_non_null(all[i]);
        um_names_insert(&names, all[i], (uint64_t)i + 1);
    }
    assert_true(names.index.buckets >= MANY - 1);
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "name %d", i);
        const struct um_name *found = um_names_find(&names, text);
        assert_ptr_equal(found, all[i]);
        assert_int_equal(found->handle, i + 1);
    }
    for (int i = 0; i < MANY; i++) {
        um_names_free(&names, all[i]);
        snprintf(text, sizeof text, "name %d", i);
        assert_null(um_names_find(&names, text));
        snprintf(text, sizeof text, "name %d", MANY - 1);
        assert_true((um_names_find(&names, text) != NULL) == (i < MANY - 1));
    }
    assert_int_equal(names.index.count, 0);
    assert_true(names.index.buckets <= 512);
    um_names_deinit(&names);
}

static void test_a_name_taken_out_keeps_its_text(void **state)
{
    (void)state;
    struct um_names names;
    assert_true(um_names_init(&names, 1));
    struct um_name *name = um_names_new(&names, "gone");
    um_names_insert(&names, name, 5);
    um_names_remove(&names, name);
    um_names_remove(&names, name);
    assert_null(um_names_find(&names, "gone"));
    assert_string_equal(name->text, "gone");
    um_names_free(&names, name);
    um_names_free(&names, NULL);
    um_names_deinit(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_hash_is_siphash),
        cmocka_unit_test(test_names_are_found_while_the_table_grows_and_shrinks),
        cmocka_unit_test(test_a_name_taken_out_keeps_its_text),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}

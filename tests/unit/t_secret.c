/* Goal: wiped means zero, also when the memory is about to be left; equal looks at
 * every byte.
 * Method: a secret in a frame that ended is looked for in the stack below; every
 * single different bit. */
#include "crypto/secret.h"

#include "support/stack.h"

static void wipes_exactly_what_it_is_given(void)
{
    for (size_t from = 0; from <= 9; from++) {
        for (size_t len = 0; from + len <= 9; len++) {
            uint8_t bytes[9];
            memset(bytes, 0xff, sizeof bytes);
            natlet__wipe(bytes + from, len);
            for (size_t i = 0; i < sizeof bytes; i++) {
                CHECK_INT(bytes[i], i >= from && i < from + len ? 0 : 0xff);
            }
        }
    }
    natlet__wipe(NULL, 0);
}

#ifdef STACK_IS_VISIBLE
static const uint8_t pattern[] = "a secret of 32 bytes, never kept";

__attribute__((noinline)) static void use_secret(int wipes)
{
    uint8_t secret[256];

    for (size_t i = 0; i < sizeof secret; i++) {
        secret[i] = pattern[i % (sizeof pattern - 1)];
    }
    stack_touch(secret);
    if (wipes) {
        natlet__wipe(secret, sizeof secret);
    }
}

static void a_dead_frame_keeps_what_was_not_wiped(void)
{
    use_secret(0);
    CHECK(stack_finds(pattern, 16));
    use_secret(1);
    CHECK(!stack_finds(pattern, 16));
    use_secret(0);
    natlet__wipe_stack();
    CHECK(!stack_finds(pattern, 16));
}
#endif

static void equal_sees_every_bit(void)
{
    uint8_t a[33] = {1, 2, 3};
    uint8_t b[33];

    memcpy(b, a, sizeof b);
    CHECK(natlet__equal_constant_time(a, b, sizeof a));
    CHECK(natlet__equal_constant_time(a, NULL, 0));
    for (size_t bit = 0; bit < sizeof a * 8; bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!natlet__equal_constant_time(a, b, sizeof a));
        CHECK(natlet__equal_constant_time(a, b, bit / 8));
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

int main(void)
{
    RUN(wipes_exactly_what_it_is_given);
#ifdef STACK_IS_VISIBLE
    RUN(a_dead_frame_keeps_what_was_not_wiped);
#endif
    RUN(equal_sees_every_bit);
    return test_done();
}

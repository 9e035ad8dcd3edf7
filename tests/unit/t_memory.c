/* Goal: the budget holds exactly, a refusal changes nothing, and what was taken
 * and given back is counted right.
 * Method: the test allocator below, which knows what is really live. */
#include "base/memory.h"
#include "support/test.h"
#include "support/test_host.h"

static void counts_what_is_live(void)
{
    test_memory real;
    test_memory_init(&real);
    natlet__memory mem = {.allocator = real.allocator};

    uint8_t *a = natlet__memory_take(&mem, 100);
    uint8_t *b = natlet__memory_take(&mem, 50);
    for (int i = 0; i < 100; i++) {
        CHECK(a[i] == 0);
        a[i] = (uint8_t)i;
    }
    CHECK_INT(mem.used_bytes, 150);
    a = natlet__memory_resize(&mem, a, 100, 300);
    CHECK(a[99] == 99);
    CHECK_INT(mem.used_bytes, 350);
    a = natlet__memory_resize(&mem, a, 300, 10);
    CHECK(a[9] == 9);
    CHECK_INT(mem.used_bytes, 60);
    CHECK_INT(real.live_bytes, 60);
    natlet__memory_give_back(&mem, a, 10);
    natlet__memory_give_back(&mem, b, 50);
    natlet__memory_give_back(&mem, NULL, 0);
    CHECK_INT(mem.used_bytes, 0);
    CHECK_INT(mem.used_max, 350);
    CHECK_INT(real.live_blocks, 0);
    CHECK_INT(mem.refused + real.errors, 0);
}

static void the_budget_is_exact(void)
{
    test_memory real;
    test_memory_init(&real);
    natlet__memory mem = {.allocator = real.allocator, .budget_bytes = 100};

    CHECK(natlet__memory_take(&mem, 101) == NULL);
    void *a = natlet__memory_take(&mem, 60);
    CHECK(a != NULL);
    CHECK(natlet__memory_take(&mem, 41) == NULL);
    CHECK(natlet__memory_resize(&mem, a, 60, 101) == NULL);
    CHECK(natlet__memory_resize(&mem, a, 60, SIZE_MAX) == NULL);
    CHECK_INT(mem.refused, 4);
    CHECK_INT(real.requests, 1); /* the budget answers before the allocator is asked */
    CHECK_INT(mem.used_bytes, 60);
    void *b = natlet__memory_take(&mem, 40);
    CHECK(b != NULL);
    a = natlet__memory_resize(&mem, a, 60, 60);
    CHECK(a != NULL);
    natlet__memory_give_back(&mem, a, 60);
    natlet__memory_give_back(&mem, b, 40);
    CHECK_INT(real.live_blocks, 0);
}

static void a_refusal_changes_nothing(void)
{
    test_memory real;
    test_memory_init(&real);
    natlet__memory mem = {.allocator = real.allocator};

    uint8_t *a = natlet__memory_take(&mem, 8);
    memset(a, 7, 8);
    real.fail_at = 2;
    real.fails_on = true;
    CHECK(natlet__memory_resize(&mem, a, 8, 16) == NULL);
    CHECK(natlet__memory_take(&mem, 8) == NULL);
    CHECK(a[7] == 7);
    CHECK_INT(mem.used_bytes, 8);
    CHECK_INT(mem.refused, 2);
    natlet__memory_give_back(&mem, a, 8);
    CHECK_INT(real.live_bytes, 0);
}

int main(void)
{
    RUN(counts_what_is_live);
    RUN(the_budget_is_exact);
    RUN(a_refusal_changes_nothing);
    return test_done();
}

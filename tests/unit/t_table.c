/* Goal: a table never gives a slot twice and finds what it holds, and a list keeps
 * its order, whatever was taken out and put back before.
 *
 * Method: long random runs, each step compared with a plain array. */
#include "agent/list.h"
#include "agent/table.h"
#include "support/test.h"

enum { COUNT = 7, STEPS = 5000 };

static void slots_are_given_once(void)
{
    natlet__slot slots[COUNT] = {0};
    natlet__table table = {.slots = slots, .cap = COUNT};
    char things[COUNT];
    uint64_t seed = 5;
    uint32_t used = 0;
    void *model[COUNT] = {0};

    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t slot = (uint32_t)(test_random(&seed) % COUNT);
        if (test_random(&seed) % 2 == 0 && model[slot] != NULL) {
            natlet__table_remove(&table, slot);
            model[slot] = NULL;
            used--;
        } else if (table.free < table.cap) {
            slot = table.free;
            CHECK(model[slot] == NULL);
            model[slot] = &things[slot];
            natlet__table_add(&table, &things[slot]);
            used++;
        } else {
            CHECK_INT(used, COUNT);
        }
        for (uint32_t i = 0; i < COUNT; i++) {
            CHECK(natlet__table_at(&table, i) == model[i]);
        }
        CHECK_INT(table.used, used);
    }
    CHECK(natlet__table_at(&table, COUNT) == NULL);
    CHECK(natlet__table_at(&table, UINT32_MAX) == NULL);
}

/* The list holds exactly what the model says, in that order, both ways. */
static void check_list(const natlet__link *list, natlet__link *const model[COUNT], uint32_t count)
{
    const natlet__link *forth = list->next;
    const natlet__link *back = list->prev;

    for (uint32_t i = 0; i < count; i++) {
        CHECK(forth == model[i] && back == model[count - 1 - i]);
        forth = forth->next;
        back = back->prev;
    }
    CHECK(forth == list && back == list);
    CHECK(natlet__list_is_empty(list) == (count == 0));
}

static void lists_keep_their_order(void)
{
    natlet__link list;
    natlet__link links[COUNT] = {0};
    natlet__link *model[COUNT] = {0};
    uint64_t seed = 7;
    uint32_t count = 0;

    natlet__list_init(&list);
    for (uint32_t step = 0; step < STEPS; step++) {
        natlet__link *link = &links[test_random(&seed) % COUNT];
        if (link->next != NULL) {
            uint32_t at = 0;
            while (model[at] != link) {
                at++;
            }
            count--;
            memmove(&model[at], &model[at + 1], (count - at) * sizeof *model);
            natlet__list_cut(link);
        } else {
            natlet__list_cut(link); /* nothing happens */
            uint32_t at = (uint32_t)(test_random(&seed) % (count + 1));
            natlet__list_put(at < count ? model[at] : &list, link);
            memmove(&model[at + 1], &model[at], (count - at) * sizeof *model);
            model[at] = link;
            count++;
        }
        check_list(&list, model, count);
    }
}

int main(void)
{
    RUN(slots_are_given_once);
    RUN(lists_keep_their_order);
    return test_done();
}

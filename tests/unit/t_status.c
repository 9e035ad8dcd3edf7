/* Goal: every status has a text of its own, and the ranges that the header
 * promises hold.  Method: the list walks itself. */
#include "natlet/status.h"
#include "support/test.h"

static const natlet_status all[] = {
#define X(name, value, text) NATLET_##name,
    NATLET_STATUS_MAP(X)
#undef X
};

enum { COUNT = sizeof all / sizeof all[0] };

static void texts_are_distinct(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        CHECK(strlen(natlet_status_text(all[i])) > 0);
        for (size_t k = 0; k < i; k++) {
            CHECK(strcmp(natlet_status_text(all[i]), natlet_status_text(all[k])) != 0);
        }
    }
    CHECK_TEXT(natlet_status_text(NATLET_E_TOO_LARGE), "a message exceeds the size limit");
    CHECK_TEXT(natlet_status_name(NATLET_E_TOO_LARGE), "E_TOO_LARGE");
    CHECK_TEXT(natlet_status_name(NATLET_MORE), "MORE");
}

static void a_stranger_has_a_text(void)
{
    /* NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): the point of it */
    CHECK_TEXT(natlet_status_text((natlet_status)-77), "unknown status");
    /* NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): the point of it */
    CHECK_TEXT(natlet_status_name((natlet_status)-77), "unknown");
}

/* The host answers with these numbers: they never change. */
static void values_of_the_host_door_are_fixed(void)
{
    CHECK_INT(NATLET_E_AGAIN, -1);
    CHECK_INT(NATLET_E_UNSUPPORTED, -3);
    CHECK_INT(NATLET_E_CLOSED, -6);
    CHECK_INT(NATLET_E_LIMIT, -9);
    CHECK_INT(NATLET_E_UPGRADE, -14);
    CHECK_INT(NATLET_E_PROTOCOL, -32);
    CHECK_INT(NATLET_E_NO_AGENT, -96);
}

int main(void)
{
    RUN(texts_are_distinct);
    RUN(a_stranger_has_a_text);
    RUN(values_of_the_host_door_are_fixed);
    return test_done();
}

/* Goal: a mailbox keeps the order of each lane, never loses what it accepted, keeps
 * its promises, and says no at the right moment.
 *
 * Method: every shape from 1 to 5 places meets every fill level against a counter;
 * a long random run is compared with four plain queues. */
#include "agent/mailbox.h"
#include "support/test.h"

enum { NORMAL = NATLET_PRIORITY_NORMAL, HIGH = NATLET_PRIORITY_HIGH, LOW = NATLET_PRIORITY_LOW };
enum { SYS = NATLET_PRIORITY_SYS, MAILS = 4096 };

/* As in a cell: in front of each mail is the head of its block. */
static struct {
    natlet__block head;
    natlet_mail mail;
} blocks[MAILS];

static natlet_mail *mail_at(uint32_t number)
{
    return &blocks[number].mail;
}

static natlet__mailbox make(natlet_mailbox_config config)
{
    natlet__mailbox box = {0};
    uint32_t count = natlet__mailbox_init(&box, &config);

    CHECK(count > 0 && count <= 256);
    return box;
}

static natlet_mail *mail_of(uint32_t number, uint8_t priority, uint32_t bytes)
{
    *mail_at(number) = (natlet_mail){.tag = number, .priority = priority, .bytes = bytes};
    return mail_at(number);
}

static natlet_status post(natlet__mailbox *box, uint32_t number, uint8_t priority, uint32_t bytes)
{
    natlet_status st = natlet__mailbox_room(box, priority, bytes);

    if (st == NATLET_OK) {
        natlet__mailbox_push(box, mail_of(number, priority, bytes));
    }
    return st;
}

static void counts_are_exact(void)
{
    for (uint16_t cap = 1; cap <= 5; cap++) {
        natlet__mailbox box = make((natlet_mailbox_config){.normal = cap});
        uint32_t accepted = 0;
        while (post(&box, accepted, NORMAL, 0) == NATLET_OK) {
            accepted++;
        }
        CHECK_INT(accepted, cap);
        CHECK(post(&box, 99, NORMAL, 0) == NATLET_E_FULL);
        natlet_mailbox_stats stats = natlet__mailbox_stats_now(&box);
        CHECK_INT(stats.refused, 2);
        CHECK_INT(stats.used[NORMAL], cap);
        CHECK_INT(stats.free_min[NORMAL], 0);
        CHECK(natlet__mailbox_take(&box) == mail_at(0));
        CHECK(post(&box, 98, NORMAL, 0) == NATLET_OK);
        CHECK_INT(natlet__mailbox_stats_now(&box).free_min[NORMAL], 0);
    }
}

static void bytes_are_exact(void)
{
    natlet__mailbox box = make((natlet_mailbox_config){.normal = 8, .bytes_max = 100});

    CHECK(post(&box, 0, NORMAL, 101) == NATLET_E_TOO_LARGE);
    CHECK(post(&box, 0, NORMAL, 60) == NATLET_OK);
    CHECK(post(&box, 1, NORMAL, 41) == NATLET_E_FULL);
    CHECK(post(&box, 1, NORMAL, 40) == NATLET_OK);
    CHECK(post(&box, 2, NORMAL, 0) == NATLET_OK);
    CHECK(post(&box, 3, NORMAL, 1) == NATLET_E_FULL);
    CHECK(natlet__mailbox_take(&box) == mail_at(0));
    CHECK_INT(natlet__mailbox_stats_now(&box).bytes, 40);
    CHECK(post(&box, 3, NORMAL, 60) == NATLET_OK);
    CHECK(natlet__mailbox_room(&box, NORMAL, UINT64_MAX) == NATLET_E_TOO_LARGE);
}

static void shapes_are_checked(void)
{
    natlet__mailbox box = {0};

    CHECK_INT(natlet__mailbox_init(&box, &(natlet_mailbox_config){0}), 8 + 16);
    CHECK_INT(box.bytes_max, 65536);
    CHECK_INT(natlet__mailbox_init(&box, &(natlet_mailbox_config){.normal = 65535 - 8}), 65535);
    CHECK_INT(natlet__mailbox_init(&box, &(natlet_mailbox_config){.normal = 65535 - 7}), 0);
    CHECK(natlet__mailbox_init(&box, &(natlet_mailbox_config){.bytes_max = 0x10000000}) > 0);
    CHECK_INT(natlet__mailbox_init(&box, &(natlet_mailbox_config){.bytes_max = 0x10000001}), 0);
}

/* Mail for a lane that is not there is NORMAL's. */
static void a_lane_without_places(void)
{
    natlet__mailbox box = make((natlet_mailbox_config){.normal = 2});

    CHECK(post(&box, 0, LOW, 0) == NATLET_OK);
    CHECK(post(&box, 1, HIGH, 0) == NATLET_OK);
    CHECK(post(&box, 2, LOW, 0) == NATLET_E_FULL);
    CHECK(natlet__mailbox_take(&box) == mail_at(0));
    CHECK(natlet__mailbox_take(&box) == mail_at(1));
    CHECK(natlet__mailbox_take(&box) == NULL);
}

static void promises_are_kept(void)
{
    for (uint16_t cap = 1; cap <= 5; cap++) {
        natlet__mailbox box = make((natlet_mailbox_config){.sys = cap, .normal = 1});
        for (uint16_t i = 0; i < cap; i++) {
            CHECK(natlet__mailbox_reserve(&box) == NATLET_OK);
            CHECK_INT(natlet__mailbox_stats_now(&box).free_min[SYS], cap - i - 1);
        }
        CHECK(natlet__mailbox_reserve(&box) == NATLET_E_FULL);
        natlet__mailbox_unreserve(&box);
        CHECK(natlet__mailbox_reserve(&box) == NATLET_OK);
        for (uint16_t i = 0; i < cap; i++) {
            natlet__mailbox_push_reserved(&box, mail_of(i, SYS, 7));
            CHECK(natlet__mailbox_reserve(&box) == NATLET_E_FULL);
        }
        CHECK_INT(natlet__mailbox_stats_now(&box).used[SYS], cap);
        for (uint16_t i = 0; i < cap; i++) {
            CHECK(natlet__mailbox_take_sys(&box) == mail_at(i));
            CHECK(natlet__mailbox_reserve(&box) == NATLET_OK);
        }
        CHECK(natlet__mailbox_take_sys(&box) == NULL);
        CHECK_INT(natlet__mailbox_stats_now(&box).bytes, 0);
    }
}

/* With all lanes full, seven mails are four HIGH, two NORMAL, one LOW; SYS is
 * before all of them. */
static void lanes_share_four_two_one(void)
{
    static const uint8_t want[] = {SYS,    SYS,    HIGH, HIGH,   HIGH,   HIGH,   NORMAL, NORMAL,
                                   LOW,    HIGH,   HIGH, HIGH,   HIGH,   NORMAL, NORMAL, LOW,
                                   NORMAL, NORMAL, LOW,  NORMAL, NORMAL, LOW,    LOW,    LOW};
    natlet__mailbox box = make((natlet_mailbox_config){.sys = 2, .high = 8, .normal = 8, .low = 6});
    uint32_t number = 0;

    for (uint32_t i = 0; i < 8; i++) {
        CHECK(post(&box, number++, NORMAL, 0) == NATLET_OK);
        CHECK(post(&box, number++, HIGH, 0) == NATLET_OK);
        if (i < 6) {
            CHECK(post(&box, number++, LOW, 0) == NATLET_OK);
        }
        if (i < 2) {
            CHECK(natlet__mailbox_reserve(&box) == NATLET_OK);
            natlet__mailbox_push_reserved(&box, mail_of(number++, SYS, 0));
        }
    }
    for (uint32_t i = 0; i < sizeof want; i++) {
        const natlet_mail *mail = natlet__mailbox_take(&box);
        CHECK(mail != NULL && mail->priority == want[i]);
    }
    CHECK(natlet__mailbox_take(&box) == NULL);
}

/* What SYS brings in between does not cost the others their turn. */
static void low_is_never_starved(void)
{
    natlet__mailbox box = make((natlet_mailbox_config){.high = 4, .normal = 4, .low = 4});
    uint32_t waited = 0;

    CHECK(post(&box, 0, LOW, 0) == NATLET_OK);
    for (uint32_t i = 1; i < 100; i++) {
        (void)post(&box, i, HIGH, 0);
        (void)post(&box, i + 100, NORMAL, 0);
        if (natlet__mailbox_take(&box) == mail_at(0)) {
            waited = i;
            break;
        }
    }
    CHECK(waited > 0 && waited <= 7);
}

/* Four plain queues that a long random run is compared with. */
typedef struct model {
    uint32_t numbers[NATLET_PRIORITIES][MAILS];
    uint32_t head[NATLET_PRIORITIES], tail[NATLET_PRIORITIES];
} model;

static void random_runs_keep_order_and_count(void)
{
    static model m;
    uint64_t seed = 3;
    natlet__mailbox box =
        make((natlet_mailbox_config){.sys = 3, .high = 1, .normal = 7, .low = 2, .bytes_max = 50});
    uint32_t number = 0;
    uint32_t bytes = 0;

    while (number < MAILS) {
        uint8_t priority = (uint8_t)(test_random(&seed) % NATLET_PRIORITIES);
        uint32_t size = (uint32_t)(test_random(&seed) % 20);
        if (test_random(&seed) % 2 == 0) {
            bool accepted;
            if (priority == SYS) {
                accepted = natlet__mailbox_reserve(&box) == NATLET_OK;
                if (accepted) {
                    natlet__mailbox_push_reserved(&box, mail_of(number, SYS, size));
                }
            } else {
                accepted = post(&box, number, priority, size) == NATLET_OK;
            }
            if (accepted) {
                m.numbers[priority][m.tail[priority]++] = number++;
                bytes += size;
            }
        } else {
            const natlet_mail *mail = natlet__mailbox_take(&box);
            if (mail == NULL) {
                CHECK(bytes == 0);
                continue;
            }
            CHECK(m.head[mail->priority] < m.tail[mail->priority]);
            CHECK(m.numbers[mail->priority][m.head[mail->priority]++] == mail->tag);
            CHECK(mail->priority == SYS || m.head[SYS] == m.tail[SYS]);
            bytes -= mail->bytes;
        }
        CHECK(natlet__mailbox_stats_now(&box).bytes == bytes);
    }
}

int main(void)
{
    RUN(counts_are_exact);
    RUN(bytes_are_exact);
    RUN(shapes_are_checked);
    RUN(a_lane_without_places);
    RUN(promises_are_kept);
    RUN(lanes_share_four_two_one);
    RUN(low_is_never_starved);
    RUN(random_runs_keep_order_and_count);
    return test_done();
}

/* Goal: kept mail outlives its handler with all that it was, is bounded and counted, and
 * ends with its agent, however that ends; nothing of it stays in the pool.
 *
 * Method: one agent that keeps, drops and answers as its mail says; what the pool has in
 * use is compared with what it had before. */
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;
static natlet_mail *kept[NATLET_KEPT_MAIL_MAX + 1];
static uint32_t kept_count;

static bool is(natlet_slice a, const char *b)
{
    return a.len == strlen(b) && (a.len == 0 || memcmp(a.ptr, b, a.len) == 0);
}

static int32_t keeper_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)state;
    if (is(mail->payload, "drop")) {
        natlet_mail_drop(cell, kept[--kept_count]);
        return NATLET_DONE;
    }
    if (is(mail->payload, "answer")) {
        const natlet_mail *first = kept[--kept_count];
        return natlet_agent_reply(cell, first, first->payload);
    }
    if (is(mail->payload, "stop")) {
        return NATLET_STOP;
    }
    if (is(mail->payload, "boom")) {
        return -1;
    }
    natlet_status st = natlet_mail_keep(cell, mail, &kept[kept_count]);
    CHECK((st == NATLET_OK) == (kept[kept_count] != NULL));
    kept_count += st == NATLET_OK;
    cell_rig_note(&r, "%s", natlet_status_name(st));
    return NATLET_DONE;
}

static const natlet_behaviour keeper = {.name = "keeper", .on_mail = keeper_mail};

static natlet_pid begin(natlet_restart restart)
{
    static const natlet_supervisor_spec nobody = {.intensity = 1000};
    natlet_child child = {.name = NATLET_TEXT("keeper"),
                          .behaviour = &keeper,
                          .restart = restart,
                          .mailbox = {.normal = 128, .bytes_max = 1000}};
    natlet_pid pid;

    kept_count = 0;
    cell_rig_init(&r, NULL);
    CHECK_INT(natlet_supervisor_start(r.cell, &nobody, &r.root), NATLET_OK);
    CHECK_INT(natlet_supervisor_add(r.cell, r.root, &child, &pid), NATLET_OK);
    cell_rig_run(&r);
    return pid;
}

static size_t used(void)
{
    return natlet_cell_stats_now(r.cell).pool_used;
}

static void a_copy_has_all_that_the_mail_had(void)
{
    natlet_pid pid = begin(NATLET_PERMANENT);
    char bytes[] = "subjectreplyheaderspayload";
    const uint8_t *at = (const uint8_t *)bytes;
    const natlet_mail draft = {.subject = {at, 7},
                               .reply = {at + 7, 5},
                               .headers = {at + 12, 7},
                               .payload = {at + 19, 7},
                               .tag = 9,
                               .seq = 77,
                               .priority = NATLET_PRIORITY_NORMAL};
    size_t before = used();

    CHECK_INT(natlet_agent_send(r.cell, pid, &draft), NATLET_OK);
    cell_rig_run(&r);
    memset(bytes, '#', sizeof bytes);
    for (int i = 0; i < 100; i++) { /* what lay in the pool is used again */
        (void)cell_rig_tell(&r, "keeper", "....................................");
        (void)cell_rig_tell(&r, "keeper", "drop");
    }
    const natlet_mail *mail = kept[0];
    CHECK_SLICE(mail->subject, "subject");
    CHECK_SLICE(mail->reply, "reply");
    CHECK_SLICE(mail->headers, "headers");
    CHECK_SLICE(mail->payload, "payload");
    CHECK(mail->tag == 9 && mail->seq == 77 && mail->attempt == 1 && mail->to == pid);
    CHECK(mail->id_ns > 0 && mail->bytes == 26);
    CHECK_INT(natlet_cell_stats_now(r.cell).kept, 1);
    natlet_mail_drop(r.cell, kept[0]); /* from outside, too */
    natlet_mail_drop(r.cell, NULL);
    CHECK_INT(natlet_cell_stats_now(r.cell).kept, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).kept_max, 2);
    CHECK_INT(used(), before);
    cell_rig_end(&r);
}

static void a_kept_call_is_answered_later(void)
{
    puppet asker = {.rig = &r, .name = "asker"};
    natlet_child child = puppet_child(&asker, NATLET_PERMANENT);
    natlet_pid pid;

    (void)begin(NATLET_PERMANENT);
    CHECK_INT(natlet_supervisor_add(r.cell, r.root, &child, &pid), NATLET_OK);
    (void)cell_rig_tell(&r, "asker", "call keeper question");
    cell_rig_run(&r);
    (void)cell_rig_log(&r);
    (void)cell_rig_tell(&r, "keeper", "answer");
    CHECK(strstr(cell_rig_log(&r), "question") != NULL);
    cell_rig_end(&r);
}

static void count_and_bytes_are_bounded(void)
{
    char large[1000];

    (void)begin(NATLET_PERMANENT);
    for (uint32_t i = 0; i < NATLET_KEPT_MAIL_MAX; i++) {
        (void)cell_rig_tell(&r, "keeper", "x");
    }
    CHECK_INT(kept_count, NATLET_KEPT_MAIL_MAX);
    CHECK_INT(natlet_cell_stats_now(r.cell).kept_refused, 0);
    (void)cell_rig_log(&r);
    (void)cell_rig_tell(&r, "keeper", "x");
    CHECK_TEXT(cell_rig_log(&r), "E_FULL\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).kept_refused, 1);
    CHECK_INT(natlet_cell_stats_now(r.cell).kept_max, NATLET_KEPT_MAIL_MAX);
    (void)cell_rig_tell(&r, "keeper", "drop"); /* one place, and 1000 - 63 bytes */
    memset(large, '-', sizeof large);
    large[938] = '\0';
    (void)cell_rig_tell(&r, "keeper", large);
    CHECK_TEXT(cell_rig_log(&r), "E_FULL\n");
    large[937] = '\0';
    (void)cell_rig_tell(&r, "keeper", large);
    CHECK_TEXT(cell_rig_log(&r), "OK\n");
    cell_rig_end(&r);
}

static void a_full_pool_refuses(void)
{
    begin(NATLET_PERMANENT);
    natlet_cell *other;
    const natlet_cell_config config = {
        .size = sizeof config, .bytes = 8192, .agents_max = 4, .waits_max = 4, .dead_letters = 1};
    static const natlet_supervisor_spec nobody = {0};
    natlet_child child = {.behaviour = &keeper, .mailbox = {.normal = 4, .bytes_max = 8000}};
    natlet_pid root;
    natlet_pid pid;
    static const uint8_t bytes[3000] = {0};

    CHECK_INT(natlet_cell_new(&other, r.rt, &config), NATLET_OK);
    CHECK_INT(natlet_supervisor_start(other, &nobody, &root), NATLET_OK);
    CHECK_INT(natlet_supervisor_add(other, root, &child, &pid), NATLET_OK);
    CHECK_INT(natlet_agent_send(other, pid, &(natlet_mail){.payload = {bytes, sizeof bytes}}),
              NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "OK\n");
    CHECK_INT(natlet_agent_send(other, pid, &(natlet_mail){.payload = {bytes, 1500}}), NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "E_FULL\n");
    CHECK_INT(natlet_cell_stats_now(other).kept_refused, 1);
    natlet_cell_free(other);
    cell_rig_end(&r);
}

static void it_ends_with_its_agent(void)
{
    static const char *const ends[] = {"boom", "stop"};

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        (void)begin(NATLET_PERMANENT);
        size_t before = used();
        (void)cell_rig_tell(&r, "keeper", "one");
        (void)cell_rig_tell(&r, "keeper", "two");
        CHECK_INT(natlet_cell_stats_now(r.cell).kept, 2);
        (void)cell_rig_tell(&r, "keeper", ends[i]);
        CHECK_INT(natlet_cell_stats_now(r.cell).kept, 0);
        CHECK_INT(used(), before);
        (void)cell_rig_log(&r);
        (void)cell_rig_tell(&r, "keeper", "three"); /* the next incarnation has all its room */
        CHECK_TEXT(cell_rig_log(&r), "OK\n");
        cell_rig_end(&r);
    }
}

static void only_handlers_keep(void)
{
    natlet_mail mail = {.payload = NATLET_TEXT("x")};
    natlet_mail *copy = &mail;

    (void)begin(NATLET_PERMANENT);
    CHECK_INT(natlet_mail_keep(r.cell, &mail, &copy), NATLET_E_STATE);
    CHECK(copy == NULL);
    cell_rig_end(&r);
}

int main(void)
{
    RUN(a_copy_has_all_that_the_mail_had);
    RUN(a_kept_call_is_answered_later);
    RUN(count_and_bytes_are_bounded);
    RUN(a_full_pool_refuses);
    RUN(it_ends_with_its_agent);
    RUN(only_handlers_keep);
    return test_done();
}

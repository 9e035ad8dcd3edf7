/* Goal: mail that its handler wants again comes again exactly when its numbers say, is
 * counted all the time, and ends exactly once.
 *
 * Method: a worker answers RETRY as long as a mail's text says and logs the second of each
 * delivery; a day passes in virtual time. */
#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;
static uint64_t began_us;
static uint32_t token;

static uint64_t now_ms(void)
{
    return (r.host.now_us - began_us) / 1000;
}

static bool is(const natlet_mail *mail, const char *text)
{
    return mail->payload.len == strlen(text) &&
           memcmp(mail->payload.ptr, text, mail->payload.len) == 0;
}

static int32_t work(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)state;
    if (mail->kind == NATLET_MAIL_REPLY) {
        cell_rig_note(&r, "reply, %s", natlet_status_text(mail->status));
        return NATLET_DONE;
    }
    if (mail->kind == NATLET_MAIL_TIMER) {
        cell_rig_note(&r, "timer");
        return NATLET_RETRY;
    }
    cell_rig_note(&r, "%.*s #%u at %llu", (int)mail->payload.len, (const char *)mail->payload.ptr,
                  (unsigned)mail->attempt, (unsigned long long)now_ms());
    if (is(mail, "boom")) {
        return -7;
    }
    if (is(mail, "tick")) {
        return natlet_agent_send_after(cell, natlet_agent_self(cell), 10, 0, NULL);
    }
    if (is(mail, "call")) {
        static uint32_t ref;
        return natlet_agent_call(cell, natlet_cell_find(cell, cell_rig_text("w")),
                                 &(natlet_mail){.payload = cell_rig_text("thrice")}, 1000, &ref);
    }
    if (is(mail, "later")) {
        return natlet_agent_later(cell, &token);
    }
    if (is(mail, "again") || (is(mail, "thrice") && mail->attempt < 3)) {
        return NATLET_RETRY;
    }
    return NATLET_DONE;
}

static const natlet_behaviour working = {.name = "worker", .on_mail = work};

static natlet_child child;
static natlet_supervisor_spec spec;

static void begin(const natlet_retry *retry, const natlet_cell_config *config)
{
    cell_rig_init(&r, config);
    child = (natlet_child){.name = NATLET_TEXT("w"), .behaviour = &working, .retry = retry};
    spec = (natlet_supervisor_spec){.intensity = 1000, .children = &child, .count = 1};
}

static void start(void)
{
    CHECK(natlet_supervisor_start(r.cell, &spec, &r.root) == NATLET_OK);
    began_us = r.host.now_us;
}

static void send(const char *text)
{
    CHECK(natlet_agent_send_name(r.cell, child.name,
                                 &(natlet_mail){.payload = cell_rig_text(text)}) == NATLET_OK);
}

static void expect(const char *log)
{
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), log);
}

static natlet_agent_info info(void)
{
    natlet_agent_info all = {0};

    (void)natlet_cell_children(r.cell, r.root, &all, 1);
    return all;
}

/* handled + dead + queued, parked mail and what is in its hands included. */
static void check_books(void)
{
    natlet_cell_stats stats = natlet_cell_stats_now(r.cell);
    natlet_agent_info agent = info();
    uint64_t queued = agent.parked;

    for (uint32_t i = 0; i < NATLET_PRIORITIES; i++) {
        queued += agent.mailbox.used[i];
    }
    queued += agent.state == NATLET_AGENT_BUSY ? 1 : 0;
    CHECK_INT(stats.parked, agent.parked);
    CHECK_INT(stats.delivered, stats.handled + stats.dead_total + queued);
}

static void end(void)
{
    check_books();
    (void)natlet_supervisor_stop(r.cell, r.root);
    cell_rig_wait_ms(&r, 6000);
    CHECK_INT(natlet_cell_stats_now(r.cell).parked, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    CHECK(natlet__timers_due(&r.cell->timers) == NATLET__NEVER_US);
    cell_rig_end(&r);
}

/* ---- when ---- */

static natlet_cell_event last;
static natlet_mail last_mail;
static char last_subject[32];

static void look_on(void *self, const natlet_cell_event *event)
{
    (void)self;
    if (event->kind == NATLET_CELL_DEAD_LETTER) {
        last = *event;
        last_mail = *event->mail;
        (void)snprintf(last_subject, sizeof last_subject, "%.*s", (int)last_mail.subject.len,
                       (const char *)last_mail.subject.ptr);
    }
}

/* One second, doubled up to five minutes, ten times: 811 s. */
static void ten_retries(void)
{
    static const natlet_retry retry = {NATLET_WITH_RETRY, .base_ms = 1000, .cap_ms = 300000,
                                       .tries = 10};
    natlet_mail mail = {.subject = cell_rig_text("orders.new"),
                        .reply = cell_rig_text("_INBOX.1"),
                        .headers = cell_rig_text("NATS/1.0\r\nA: b\r\n\r\n"),
                        .payload = cell_rig_text("again"),
                        .seq = 5,
                        .tag = 6};

    begin(&retry, NULL);
    r.cell->config.on_event = look_on;
    start();
    CHECK(natlet_agent_send_name(r.cell, child.name, &mail) == NATLET_OK);
    for (uint32_t s = 0; s < 820; s++) {
        cell_rig_wait_ms(&r, 1000);
        check_books();
    }
    CHECK_TEXT(cell_rig_log(&r),
               "again #1 at 0\nagain #2 at 1000\nagain #3 at 3000\nagain #4 at 7000\n"
               "again #5 at 15000\nagain #6 at 31000\nagain #7 at 63000\nagain #8 at 127000\n"
               "again #9 at 255000\nagain #10 at 511000\nagain #11 at 811000\n");
    /* All that a copy for people needs. */
    CHECK(last.dead == NATLET_DEAD_RETRIES && natlet__equal(last.name, child.name));
    CHECK_TEXT(last_subject, "orders.new");
    CHECK_INT(last_mail.attempt, 11);
    CHECK_INT(last_mail.reply.len, mail.reply.len);
    CHECK_INT(last_mail.headers.len, mail.headers.len);
    CHECK_INT(last_mail.payload.len, 5);
    CHECK(last_mail.seq == 5 && last_mail.tag == 6);
    CHECK_INT(natlet_cell_stats_now(r.cell).dead[NATLET_DEAD_RETRIES], 1);
    CHECK_INT(natlet_cell_stats_now(r.cell).restarts, 0);
    CHECK_TEXT(natlet_dead_text(NATLET_DEAD_RETRIES), "retried too often");
    end();
}

/* Each delay by itself is within its bounds, and the sum is not always the same. */
static void jitter(void)
{
    static const natlet_retry retry = {NATLET_WITH_RETRY, .base_ms = 1000, .cap_ms = 300000,
                                       .tries = 10, .jitter_percent = 20};
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;

    begin(&retry, NULL);
    start();
    for (uint32_t round = 0; round < 40; round++) {
        uint64_t before = now_ms();
        uint32_t delay = 1000;
        send("again");
        cell_rig_run(&r);
        uint64_t at = before;
        for (uint32_t n = 1; n <= 10; n++) {
            uint64_t until = at + delay - delay / 5;
            cell_rig_wait_ms(&r, until - 1 - now_ms());
            CHECK_INT(info().parked, 1);
            (void)cell_rig_log(&r);
            while (r.log_len == 0) {
                cell_rig_wait_ms(&r, 1);
                cell_rig_run(&r);
            }
            at = now_ms();
            CHECK(at >= until && at <= until + delay / 5);
            delay = delay * 2 < 300000 ? delay * 2 : 300000;
        }
        least = at - before < least ? at - before : least;
        most = at - before > most ? at - before : most;
        (void)cell_rig_log(&r);
    }
    CHECK(least >= 648800 && most <= 811000 && most - least > 20000);
    end();
}

static void defaults(void)
{
    static const natlet_retry none = {NATLET_WITH_RETRY, .base_ms = 10};
    static const natlet_retry at_once = {NATLET_WITH_RETRY, .tries = 2};
    static const natlet_retry long_ones = {NATLET_WITH_RETRY, .base_ms = 200000, .tries = 2};

    begin(&none, NULL);
    start();
    send("again");
    expect("again #1 at 0\ndead letter w: retried too often [again]\n");
    end();
    begin(&at_once, NULL);
    start();
    send("again");
    send("x");
    expect("again #1 at 0\nx #1 at 0\n");
    cell_rig_wait_ms(&r, 10);
    expect("again #2 at 1\nagain #3 at 3\ndead letter w: retried too often [again]\n");
    end();
    begin(&long_ones, NULL);
    start();
    send("again");
    cell_rig_wait_ms(&r, 500000);
    expect("again #1 at 0\nagain #2 at 200000\nagain #3 at 500000\n"
           "dead letter w: retried too often [again]\n");
    end();
}

/* ---- how many ---- */

static const natlet_retry twice = {NATLET_WITH_RETRY, .base_ms = 100, .tries = 2, .parked_max = 2};

static void a_place_for_each(void)
{
    begin(&twice, NULL);
    start();
    for (uint32_t i = 0; i < 4; i++) {
        send("thrice");
    }
    expect("thrice #1 at 0\nthrice #1 at 0\nthrice #1 at 0\n"
           "dead letter w: mailbox full [thrice]\nthrice #1 at 0\n"
           "dead letter w: mailbox full [thrice]\n");
    CHECK_INT(info().parked, 2);
    CHECK_INT(info().parked_max, 2);
    CHECK_INT(info().parked_refused, 2);
    check_books();
    cell_rig_wait_ms(&r, 1000);
    expect("thrice #2 at 100\nthrice #2 at 100\nthrice #3 at 300\nthrice #3 at 300\n");
    CHECK_INT(info().parked, 0);
    CHECK_INT(info().parked_max, 2);
    end();
}

static void the_pool_may_be_full(void)
{
    natlet_cell_config config = {.bytes = 65536};

    begin(&twice, &config);
    start();
    size_t left = 32768;
    void *taken[64];
    uint32_t count = 0;
    send("thrice");
    for (; left > 0; left = left / 2) { /* the largest blocks first */
        while (count < 64 && (taken[count] = natlet__pool_take(&r.cell->pool, left)) != NULL) {
            count++;
        }
    }
    expect("thrice #1 at 0\ndead letter w: mailbox full [thrice]\n");
    CHECK_INT(info().parked_refused, 1);
    CHECK_INT(info().parked, 0);
    while (count > 0) {
        natlet__pool_give_back(&r.cell->pool, taken[--count]);
    }
    end();
}

/* Whoever finds the mailbox full waits as long once more. */
static void a_full_mailbox(void)
{
    begin(&twice, NULL);
    child.mailbox.normal = 1;
    start();
    send("thrice");
    expect("thrice #1 at 0\n");
    send("later");
    expect("later #1 at 0\n");
    send("x");
    cell_rig_wait_ms(&r, 250);
    expect("");
    CHECK_INT(info().parked, 1);
    CHECK_INT(info().mailbox.refused, 2);
    check_books();
    CHECK(natlet_cell_settle(r.cell, info().pid, token, NATLET_DONE) == NATLET_OK);
    expect("x #1 at 250\n");
    cell_rig_wait_ms(&r, 1000);
    expect("thrice #2 at 300\nthrice #3 at 500\n");
    end();
}

static void a_full_mailbox_and_no_delay(void)
{
    static const natlet_retry at_once = {NATLET_WITH_RETRY, .tries = 2};

    begin(&at_once, NULL);
    child.mailbox.normal = 1;
    start();
    send("thrice");
    expect("thrice #1 at 0\n");
    send("later");
    expect("later #1 at 0\n");
    send("x");
    cell_rig_wait_ms(&r, 5);
    CHECK_INT(info().parked, 1);
    CHECK(natlet_cell_settle(r.cell, info().pid, token, NATLET_DONE) == NATLET_OK);
    cell_rig_wait_ms(&r, 5);
    expect("x #1 at 5\nthrice #2 at 6\nthrice #3 at 8\n");
    end();
}

/* ---- whose ---- */

static void it_survives_a_restart(void)
{
    begin(&twice, NULL);
    start();
    send("thrice");
    send("boom");
    expect("thrice #1 at 0\nboom #1 at 0\ndead letter w: the agent crashed on it [boom] error\n");
    cell_rig_wait_ms(&r, 100);
    expect("thrice #2 at 100\n");
    end();
}

/* Whose caller waits on. */
static void a_call_survives_a_restart(void)
{
    static natlet_child children[2];

    begin(&twice, NULL);
    children[0] = child;
    children[1] = child;
    children[1].name = cell_rig_text("caller");
    spec.children = children;
    spec.count = 2;
    start();
    CHECK(cell_rig_tell(&r, "caller", "call") == NATLET_OK);
    send("boom");
    expect("call #1 at 0\nthrice #1 at 0\nboom #1 at 0\n"
           "dead letter w: the agent crashed on it [boom] error\n");
    cell_rig_wait_ms(&r, 1000);
    expect("thrice #2 at 100\nthrice #3 at 300\nreply, the deadline passed\n");
    cell_rig_end(&r);
}

static void it_comes_to_one_that_waits(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 150};

    begin(&twice, NULL);
    child.backoff = &backoff;
    start();
    send("thrice");
    send("boom");
    cell_rig_wait_ms(&r, 149);
    expect("thrice #1 at 0\nboom #1 at 0\ndead letter w: the agent crashed on it [boom] error\n");
    CHECK_INT(info().mailbox.used[NATLET_PRIORITY_NORMAL], 1);
    check_books();
    cell_rig_wait_ms(&r, 1);
    expect("thrice #2 at 150\n");
    end();
}

static void drop_mail_drops_it(void)
{
    begin(&twice, NULL);
    child.drop_mail = true;
    start();
    send("thrice");
    send("boom");
    expect("thrice #1 at 0\nboom #1 at 0\ndead letter w: the agent crashed on it [boom] error\n"
           "dead letter w: dropped by a restart [thrice]\n");
    CHECK_INT(info().parked, 0);
    end();
}

static void it_ends_with_the_child(void)
{
    begin(&twice, NULL);
    start();
    send("thrice");
    send("thrice");
    expect("thrice #1 at 0\nthrice #1 at 0\n");
    CHECK(natlet_supervisor_terminate(r.cell, r.root, child.name) == NATLET_OK);
    expect("dead letter w: left over at the end [thrice]\n"
           "dead letter w: left over at the end [thrice]\n");
    cell_rig_wait_ms(&r, 1000);
    expect("");
    end();
    begin(&twice, NULL);
    start();
    send("thrice");
    expect("thrice #1 at 0\n");
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    expect("dead letter w: left over at the end [thrice]\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    cell_rig_end(&r);
}

/* ---- how it is said ---- */

static void a_settled_mail(void)
{
    begin(&twice, NULL);
    start();
    send("later");
    expect("later #1 at 0\n");
    CHECK(natlet_cell_settle(r.cell, info().pid, token, NATLET_RETRY) == NATLET_OK);
    cell_rig_wait_ms(&r, 100);
    expect("later #2 at 100\n");
    CHECK(natlet_cell_settle(r.cell, info().pid, token, NATLET_RETRY) == NATLET_OK);
    cell_rig_wait_ms(&r, 200);
    expect("later #3 at 300\n");
    CHECK(natlet_cell_settle(r.cell, info().pid, token, NATLET_RETRY) == NATLET_OK);
    expect("dead letter w: retried too often [later]\n");
    end();
}

static void it_is_no_answer_for_others(void)
{
    begin(NULL, NULL);
    start();
    send("later");
    expect("later #1 at 0\n");
    CHECK(natlet_cell_settle(r.cell, info().pid, token, NATLET_RETRY) == NATLET_E_INVALID);
    CHECK(natlet_cell_settle(r.cell, info().pid, token, NATLET_DONE) == NATLET_OK);
    send("again");
    expect("again #1 at 0\ndead letter w: the agent crashed on it [again] error\n");
    CHECK_INT(natlet_cell_dead_letter(r.cell, 0)->exit.code, NATLET_E_INVALID);
    end();
    begin(&twice, NULL);
    start();
    send("tick");
    cell_rig_wait_ms(&r, 10);
    expect("tick #1 at 0\ntimer\n");
    CHECK_INT(info().restarts, 1);
    CHECK_INT(info().last_exit.code, NATLET_E_INVALID);
    CHECK_INT(info().parked, 0);
    cell_rig_end(&r);
}

static void what_is_not_linked_is_refused(void)
{
    static const natlet_retry bad = {.base_ms = 100, .tries = 1};

    begin(&bad, NULL);
    CHECK(natlet_supervisor_start(r.cell, &spec, &r.root) == NATLET_E_CONFIG);
    cell_rig_end(&r);
}

/* ---- at random ---- */

static void the_books_balance_at_random(void)
{
    static const char *const texts[] = {"again", "thrice", "x", "thrice", "boom", "later"};
    static const natlet_retry retry = {NATLET_WITH_RETRY, .base_ms = 20, .tries = 2,
                                       .parked_max = 6, .jitter_percent = 50};
    static const natlet_shield shield = {NATLET_WITH_SHIELD, .poison_after = 2};
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 5, .cap_ms = 40};
    uint64_t seed = 3;

    begin(&retry, NULL);
    child.mailbox.normal = 3;
    child.shield = &shield;
    child.backoff = &backoff;
    start();
    for (uint32_t i = 0; i < 5000; i++) {
        uint64_t draw = test_random(&seed);
        natlet_mail mail = {.payload = cell_rig_text(texts[draw % 6])};
        (void)natlet_agent_send_name(r.cell, child.name, &mail);
        if (draw / 64 % 4 == 0) {
            static const int32_t results[] = {NATLET_DONE, NATLET_RETRY, -3, NATLET_REJECT};
            cell_rig_run(&r);
            (void)natlet_cell_settle(r.cell, info().pid, token, results[draw / 256 % 4]);
        }
        test_host_advance_ms(&r.host, draw / 1024 % 16);
        (void)cell_rig_log(&r);
        check_books();
    }
    natlet_cell_stats stats = natlet_cell_stats_now(r.cell);
    CHECK(stats.dead[NATLET_DEAD_RETRIES] > 20 && stats.dead[NATLET_DEAD_POISON] > 20);
    CHECK(stats.dead[NATLET_DEAD_OVERFLOW] > 20 && info().mailbox.refused > 20);
    (void)natlet_supervisor_stop(r.cell, r.root);
    cell_rig_wait_ms(&r, 6000);
    (void)cell_rig_log(&r);
    stats = natlet_cell_stats_now(r.cell);
    CHECK_INT(stats.delivered, stats.handled + stats.dead_total);
    CHECK_INT(stats.pool_used, 0);
    CHECK_INT(stats.parked, 0);
    cell_rig_end(&r);
}

int main(void)
{
    RUN(ten_retries);
    RUN(jitter);
    RUN(defaults);
    RUN(a_place_for_each);
    RUN(the_pool_may_be_full);
    RUN(a_full_mailbox);
    RUN(a_full_mailbox_and_no_delay);
    RUN(it_survives_a_restart);
    RUN(a_call_survives_a_restart);
    RUN(it_comes_to_one_that_waits);
    RUN(drop_mail_drops_it);
    RUN(it_ends_with_the_child);
    RUN(a_settled_mail);
    RUN(it_is_no_answer_for_others);
    RUN(what_is_not_linked_is_refused);
    RUN(the_books_balance_at_random);
    return test_done();
}

/* Goal: each overflow policy does what its name says, counts it, and leaves the mailbox
 * whole.
 *
 * Method: an agent's mailbox is filled from outside while the cell rests, and a log shows
 * what became of each mail when it runs.  Random runs of all policies: t_nothing_lost. */
#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

enum { NORMAL = NATLET_PRIORITY_NORMAL, HIGH = NATLET_PRIORITY_HIGH, LOW = NATLET_PRIORITY_LOW };

static cell_rig r;
static natlet_child child;
static natlet_supervisor_spec tree;
static uint32_t token;

static bool says(const natlet_mail *mail, const char *text)
{
    return natlet__equal(mail->payload, cell_rig_text(text));
}

/* "later" and "crash" do what they say, "self" sends two mails to itself; REPLY shows its
 * status; all else is noted. */
static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    const natlet_mail more = {.payload = cell_rig_text("more")};

    (void)state;
    if (mail->kind == NATLET_MAIL_REPLY) {
        cell_rig_note(&r, "reply: %s", natlet_status_text(mail->status));
        return NATLET_DONE;
    }
    if (says(mail, "later")) {
        return natlet_agent_later(cell, &token);
    }
    if (says(mail, "crash")) {
        return -7;
    }
    if (says(mail, "self")) {
        (void)natlet_agent_send(cell, mail->to, &more);
        cell_rig_note(&r, "self: %s", natlet_status_text(natlet_agent_send(cell, mail->to, &more)));
        return NATLET_DONE;
    }
    cell_rig_note(&r, "%.*s", (int)mail->payload.len,
                  mail->payload.len > 0 ? (const char *)mail->payload.ptr : "");
    return NATLET_DONE;
}

static void terminate(natlet_cell *cell, void *state, natlet_reason why)
{
    (void)cell;
    (void)state;
    cell_rig_note(&r, "terminate %s", natlet_exit_text(why.kind));
}

static const natlet_behaviour behaviour = {
    .name = "box", .on_mail = on_mail, .terminate = terminate};

static natlet__agent *agent(void)
{
    return natlet__registry_find(r.cell, cell_rig_text("box"));
}

static void begin_with(natlet_mailbox_config config, bool drop_mail)
{
    cell_rig_init(&r, NULL);
    child = (natlet_child){.name = NATLET_TEXT("box"),
                           .behaviour = &behaviour,
                           .mailbox = config,
                           .drop_mail = drop_mail};
    tree = (natlet_supervisor_spec){.children = &child, .count = 1, .intensity = 100};
    CHECK(natlet_supervisor_start(r.cell, &tree, &r.root) == NATLET_OK);
    CHECK(cell_rig_find(&r, "box") != 0);
}

static void begin(natlet_mailbox_config config)
{
    begin_with(config, false);
}

static natlet_status post(const natlet_mail *mail, natlet_mail_kind kind)
{
    return natlet__post(r.cell, agent(), agent()->pid, mail, kind, NULL);
}

static natlet_status send(const char *text)
{
    return post(&(natlet_mail){.payload = cell_rig_text(text)}, NATLET_MAIL_USER);
}

static natlet_status send_lane(const char *text, uint8_t priority)
{
    return post(&(natlet_mail){.payload = cell_rig_text(text), .priority = priority},
                NATLET_MAIL_USER);
}

static natlet_status send_about(const char *subject, const char *text)
{
    return post(&(natlet_mail){.subject = cell_rig_text(subject), .payload = cell_rig_text(text)},
                NATLET_MAIL_USER);
}

static natlet_status from_nats(const char *text)
{
    return post(&(natlet_mail){.payload = cell_rig_text(text)}, NATLET_MAIL_NATS);
}

static natlet_mailbox_stats stats_now(void)
{
    natlet_agent_info info;

    natlet__agent_describe(agent(), &info);
    return info.mailbox;
}

/* What the log says when all mail was handled. */
static const char *outcome(void)
{
    cell_rig_run(&r);
    return cell_rig_log(&r);
}

/* Another agent, which calls the box when it is told to. */
static int32_t call_box(natlet_cell *cell, void *state, natlet_mail *mail)
{
    uint32_t ref;

    if (mail->kind != NATLET_MAIL_USER) {
        return on_mail(cell, state, mail);
    }
    natlet_mail draft = {.subject = cell_rig_text("s"), .payload = mail->payload};
    natlet_status st = natlet_agent_call(cell, cell_rig_find(&r, "box"), &draft, 50, &ref);
    cell_rig_note(&r, "called: %s", natlet_status_text(st));
    return NATLET_DONE;
}

/* Calls from there while the box does not run. */
static void call(const char *text)
{
    static const natlet_behaviour calling = {.name = "caller", .on_mail = call_box};
    static const natlet_child caller = {.name = NATLET_TEXT("caller"), .behaviour = &calling};
    natlet_pid pid = cell_rig_find(&r, "caller");
    bool was_ready = agent()->turn.next != NULL;

    if (pid == 0) {
        CHECK(natlet_supervisor_add(r.cell, r.root, &caller, &pid) == NATLET_OK);
    }
    natlet__list_cut(&agent()->turn);
    CHECK(natlet_agent_send(r.cell, pid, &(natlet_mail){.payload = cell_rig_text(text)}) ==
          NATLET_OK);
    natlet__agent *from = natlet__registry_at(r.cell, pid);
    natlet__list_cut(&from->turn);
    (void)natlet__agent_run(r.cell, from);
    if (was_ready) {
        natlet__agent_schedule(r.cell, agent());
    }
}

static void drop_new(void)
{
    begin((natlet_mailbox_config){
        .normal = 2, .bytes_max = 100, .overflow = &natlet_overflow_drop_new});
    CHECK(send("1") == NATLET_OK && send("2") == NATLET_OK);
    CHECK(send("3") == NATLET_OK);
    CHECK(from_nats("4") == NATLET_E_FULL);
    static const char large[101];
    CHECK(post(&(natlet_mail){.payload = {(const uint8_t *)large, sizeof large}},
               NATLET_MAIL_USER) == NATLET_E_TOO_LARGE);
    call("5");
    natlet_mailbox_stats stats = stats_now();
    CHECK(stats.refused == 4 && stats.dropped == 0 && stats.used[NORMAL] == 2);
    CHECK_TEXT(outcome(), "dead letter box: mailbox full [3]\n"
                          "dead letter box: mailbox full [4]\n"
                          "called: no room is left; try again when some was freed\n"
                          "1\n2\n");
    natlet_cell_stats cell = natlet_cell_stats_now(r.cell);
    CHECK(cell.refused == 2 && cell.dead[NATLET_DEAD_OVERFLOW] == 2 && cell.dead_total == 2);
    cell_rig_end(&r);
}

static void drop_old(void)
{
    begin((natlet_mailbox_config){.normal = 3, .low = 1, .overflow = &natlet_overflow_drop_old});
    CHECK(send_lane("low", LOW) == NATLET_OK);
    for (uint32_t i = 1; i <= 3; i++) {
        CHECK(send(i == 1 ? "1" : i == 2 ? "2" : "3") == NATLET_OK);
    }
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK(send("4") == NATLET_OK);
    CHECK(from_nats("5") == NATLET_OK);
    CHECK(stats_now().dropped == 2 && stats_now().refused == 0);
    CHECK_TEXT(outcome(), "dead letter box: mailbox full [1]\n"
                          "dead letter box: mailbox full [2]\n"
                          "3\n4\nlow\n5\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).dead[NATLET_DEAD_OVERFLOW], 2);
    cell_rig_end(&r);
}

/* As many go as must, none if that would not do. */
static void drop_old_by_bytes(void)
{
    begin((natlet_mailbox_config){
        .normal = 9, .high = 1, .bytes_max = 10, .overflow = &natlet_overflow_drop_old});
    CHECK(send("aaa") == NATLET_OK && send("bbb") == NATLET_OK && send("ccc") == NATLET_OK);
    CHECK(send("dddd") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "dead letter box: mailbox full [aaa]\n");
    CHECK(send("eeeeee") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "dead letter box: mailbox full [bbb]\n"
                                 "dead letter box: mailbox full [ccc]\n");
    CHECK(send_lane("h", HIGH) == NATLET_E_FULL); /* its lane has nothing to give */
    CHECK(send("0123456789") == NATLET_OK);
    CHECK(send("0123456789a") == NATLET_E_TOO_LARGE);
    CHECK_TEXT(outcome(), "dead letter box: mailbox full [dddd]\n"
                          "dead letter box: mailbox full [eeeeee]\n"
                          "0123456789\n");
    CHECK(send_lane("hhhh", HIGH) == NATLET_OK && send("nnnn") == NATLET_OK);
    CHECK(send("ooooooo") == NATLET_E_FULL); /* without the HIGH one it would fit */
    CHECK(stats_now().dropped == 5 && stats_now().refused == 3);
    CHECK(stats_now().bytes == 8 && stats_now().bytes_free_min == 0);
    CHECK_TEXT(outcome(), "hhhh\nnnnn\n");
    cell_rig_end(&r);
}

static void the_caller_of_a_dropped_call_hears_it(void)
{
    begin((natlet_mailbox_config){.normal = 1, .overflow = &natlet_overflow_drop_old});
    call("asked");
    CHECK(send("new") == NATLET_OK);
    CHECK_TEXT(outcome(), "called: done\n"
                          "dead letter box: mailbox full [asked]\n"
                          "new\n"
                          "reply: the agent is gone or was never there\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
    cell_rig_end(&r);
}

static void coalesce_by_subject(void)
{
    begin((natlet_mailbox_config){.normal = 3, .high = 2, .overflow = &natlet_overflow_coalesce});
    size_t empty = natlet_cell_stats_now(r.cell).pool_used;
    CHECK(send_about("x", "x1") == NATLET_OK && send_about("y", "y1") == NATLET_OK);
    CHECK(send_about("x", "x2") == NATLET_OK); /* there would be room */
    CHECK(stats_now().used[NORMAL] == 2);
    CHECK(send_about("z", "z1") == NATLET_OK);
    CHECK(send_about("w", "w1") == NATLET_E_FULL);
    CHECK(send_about("z", "z2 is longer") == NATLET_OK); /* the last, with a full lane */
    CHECK(send_about("y", "y2") == NATLET_OK);           /* in the middle */
    CHECK(post(&(natlet_mail){.subject = cell_rig_text("x"),
                              .payload = cell_rig_text("high"),
                              .priority = HIGH},
               NATLET_MAIL_USER) == NATLET_OK); /* another lane */
    natlet_mailbox_stats stats = stats_now();
    CHECK(stats.coalesced == 3 && stats.refused == 1 && stats.used[NORMAL] == 3);
    CHECK_INT(stats.bytes, 4 + 2 + 2 + 12 + 4);
    CHECK_TEXT(outcome(), "high\nx2\ny2\nz2 is longer\n");
    CHECK(send_about("x", "x3") == NATLET_OK);
    CHECK_TEXT(outcome(), "x3\n");
    CHECK(send_about("x", "x4") == NATLET_OK && send_about("x", "x5") == NATLET_OK);
    CHECK(send_about("y", "y3") == NATLET_OK); /* behind what replaced the last */
    CHECK_TEXT(outcome(), "x5\ny3\n");
    natlet_cell_stats cell = natlet_cell_stats_now(r.cell);
    CHECK(cell.coalesced == 4 && cell.handled == 7 && cell.delivered == 11);
    CHECK_INT(cell.dead_total, 0);
    CHECK_INT(cell.pool_used, empty);
    cell_rig_end(&r);
}

/* Mail without a key, and mail that wants an answer, is one of its kind. */
static void coalesce_spares_who_waits(void)
{
    begin((natlet_mailbox_config){.normal = 7, .overflow = &natlet_overflow_coalesce});
    natlet_mail asks = {.subject = cell_rig_text("s"), .reply = cell_rig_text("box.1")};
    CHECK(send("no key 1") == NATLET_OK && send("no key 2") == NATLET_OK);
    asks.payload = cell_rig_text("asks 1");
    CHECK(post(&asks, NATLET_MAIL_NATS) == NATLET_OK);
    call("called 1");
    CHECK(send_about("s", "s1") == NATLET_OK);
    asks.payload = cell_rig_text("asks 2");
    CHECK(post(&asks, NATLET_MAIL_NATS) == NATLET_OK);
    call("called 2");
    CHECK(send_about("s", "s2") == NATLET_OK);
    CHECK_INT(stats_now().coalesced, 1);
    CHECK_TEXT(outcome(), "called: done\ncalled: done\n"
                          "no key 1\nno key 2\nasks 1\ncalled 1\ns2\nasks 2\ncalled 2\n");
    cell_rig_end(&r);
}

static natlet_status send_keyed(const char *fields, const char *text)
{
    return post(&(natlet_mail){.subject = cell_rig_text(text),
                               .headers = cell_rig_text(fields),
                               .payload = cell_rig_text(text)},
                NATLET_MAIL_NATS);
}

static void coalesce_by_header(void)
{
    begin((natlet_mailbox_config){
        .normal = 9, .overflow = &natlet_overflow_coalesce, .key = NATLET_TEXT("Natlet-Key")});
    CHECK(send_keyed("NATS/1.0\r\nNatlet-Key: a\r\n\r\n", "a1") == NATLET_OK);
    CHECK(send_keyed("NATS/1.0\r\nOther: a\r\n\r\n", "none 1") == NATLET_OK);
    CHECK(send_keyed("NATS/1.0\r\nX: 1\r\nNatlet-Key:b\r\nNatlet-Key: a\r\n\r\n", "b1") ==
          NATLET_OK);
    CHECK(send_keyed("NATS/1.0\r\nNatlet-Key:   a\t\r\n\r\n", "a2") == NATLET_OK);
    CHECK(send_keyed("NATS/1.0\r\nOther: a\r\n\r\n", "none 2") == NATLET_OK);
    CHECK(send_keyed("NATS/1.0\r\nNatlet-Key: b\r\n\r\n", "b2") == NATLET_OK);
    CHECK(send_keyed("NATS/1.0\r\nnatlet-key: b\r\n\r\n", "none 3") == NATLET_OK);
    CHECK(send_keyed("NATS/1.0\r\nNatlet-Key:\r\n\r\n", "none 4") == NATLET_OK);
    CHECK(send_keyed("NATS/1.0\r\nNatlet-Key", "none 5") == NATLET_OK);
    CHECK(send_keyed("\n:\n\r:\rNatlet-Key:\n", "none 6") == NATLET_OK);
    CHECK_TEXT(outcome(), "a2\nnone 1\nb2\nnone 2\nnone 3\nnone 4\nnone 5\nnone 6\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).coalesced, 2);
    cell_rig_end(&r);
}

static void coalesce_keeps_the_bytes(void)
{
    begin((natlet_mailbox_config){
        .normal = 4, .bytes_max = 20, .overflow = &natlet_overflow_coalesce});
    CHECK(send_about("a", "123456789") == NATLET_OK);
    CHECK(send_about("b", "12345678") == NATLET_OK);
    CHECK(send_about("b", "1234567890") == NATLET_E_FULL); /* 21, and the older one stays */
    CHECK(send_about("b", "123456789") == NATLET_OK);
    CHECK(send_about("a", "") == NATLET_OK);
    CHECK(stats_now().bytes == 11 && stats_now().bytes_free_min == 0);
    CHECK_TEXT(outcome(), "\n123456789\n");
    CHECK(stats_now().bytes == 0 && stats_now().refused == 1);
    cell_rig_end(&r);
}

/* ---- PAUSE_SRC ---- */

static void note_flow(natlet__tie *tie, bool stop)
{
    (void)tie;
    cell_rig_note(&r, stop ? "stop" : "go on");
}

static void note_cut(natlet_cell *cell, natlet__tie *tie)
{
    (void)cell;
    (void)tie;
    cell_rig_note(&r, "cut");
}

static natlet__tie sources[2];

static void subscribe(void)
{
    sources[0] = (natlet__tie){.cut = note_cut, .flow = note_flow};
    sources[1] = (natlet__tie){.cut = note_cut};
    natlet__list_put(&agent()->holds, &sources[0].link);
    natlet__list_put(&agent()->holds, &sources[1].link);
}

static void sources_are_paused(void)
{
    begin((natlet_mailbox_config){.normal = 4, .high = 3, .overflow = &natlet_overflow_pause_src});
    r.cell->config.batch = 1;
    subscribe();
    CHECK(from_nats("1") == NATLET_OK && from_nats("2") == NATLET_OK);
    CHECK(from_nats("3") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK(from_nats("4") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "stop\n");
    CHECK(stats_now().is_paused && stats_now().pauses == 1);
    CHECK(from_nats("late") == NATLET_E_FULL); /* on its way when it was stopped */
    CHECK_TEXT(cell_rig_log(&r), "stop\ndead letter box: mailbox full [late]\n");
    CHECK(send("local") == NATLET_E_FULL);
    CHECK_TEXT(outcome(), "stop\n1\n2\ngo on\n3\n4\n");
    natlet_mailbox_stats stats = stats_now();
    CHECK(!stats.is_paused && stats.pauses == 1 && stats.refused == 2);
    /* All lanes are to be half empty. */
    for (int i = 0; i < 3; i++) {
        CHECK(send_lane("h", HIGH) == NATLET_OK && send("n") == NATLET_OK);
    }
    CHECK_TEXT(outcome(), "stop\nh\nh\nh\nn\ngo on\nn\nn\n");
    CHECK_INT(stats_now().pauses, 2);
    cell_rig_end(&r);
}

static void sources_are_paused_by_bytes(void)
{
    begin((natlet_mailbox_config){
        .normal = 9, .bytes_max = 8, .overflow = &natlet_overflow_pause_src});
    r.cell->config.batch = 1;
    subscribe();
    CHECK(from_nats("1234") == NATLET_OK && from_nats("567") == NATLET_OK);
    CHECK(from_nats("too") == NATLET_E_FULL);
    CHECK(from_nats("much too large") == NATLET_E_TOO_LARGE);
    CHECK_TEXT(outcome(), "stop\ndead letter box: mailbox full [too]\n"
                          "dead letter box: mailbox full [much too large]\n"
                          "1234\ngo on\n567\n");
    cell_rig_end(&r);
}

/* Mail that is dropped makes way as well. */
static void sources_go_on_after_a_restart(void)
{
    begin_with((natlet_mailbox_config){.normal = 3, .overflow = &natlet_overflow_pause_src}, true);
    subscribe();
    CHECK(from_nats("crash") == NATLET_OK && from_nats("2") == NATLET_OK);
    CHECK(from_nats("3") == NATLET_OK);
    CHECK_TEXT(outcome(), "stop\ndead letter box: the agent crashed on it [crash] error\n"
                          "terminate error\n"
                          "dead letter box: dropped by a restart [2]\n"
                          "dead letter box: dropped by a restart [3]\ngo on\n");
    CHECK(!stats_now().is_paused);
    cell_rig_end(&r);
}

static void what_ends_is_not_told_to_go_on(void)
{
    begin((natlet_mailbox_config){.normal = 1, .overflow = &natlet_overflow_pause_src});
    subscribe();
    CHECK(from_nats("1") == NATLET_OK);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    natlet__list_cut(&agent()->turn);
    CHECK_TEXT(outcome(), "stop\nterminate shutdown\n"
                          "dead letter box: left over at the end [1]\ncut\ncut\n");
    cell_rig_end(&r);
}

/* ---- FAIL ---- */

static void fail(void)
{
    begin((natlet_mailbox_config){.normal = 2, .overflow = &natlet_overflow_fail});
    natlet_pid old = agent()->pid;
    CHECK(send("1") == NATLET_OK && send("2") == NATLET_OK);
    CHECK(send("3") == NATLET_E_FULL);
    CHECK(agent()->phase == NATLET_AGENT_EXITED);
    CHECK(send("4") == NATLET_E_FULL); /* it has ended already */
    CHECK(agent()->exit.kind == NATLET_EXIT_OVERFLOW && agent()->exit.code == NATLET_E_FULL);
    CHECK_TEXT(outcome(), "1\n2\n"); /* no terminate, and the mailbox is the next one's */
    CHECK(agent()->pid != old && agent()->restarts == 1);
    CHECK(send("1") == NATLET_OK && send("2") == NATLET_OK);
    CHECK(from_nats("3") == NATLET_E_FULL);
    CHECK_TEXT(outcome(), "dead letter box: mailbox full [3]\n1\n2\n");
    CHECK_TEXT(natlet_exit_text(NATLET_EXIT_OVERFLOW), "overflow");
    cell_rig_end(&r);
}

static void a_busy_agent_fails_at_once(void)
{
    begin_with((natlet_mailbox_config){.normal = 1, .overflow = &natlet_overflow_fail}, true);
    CHECK(send("later") == NATLET_OK);
    cell_rig_run(&r);
    CHECK(send("1") == NATLET_OK && send("2") == NATLET_E_FULL);
    CHECK_TEXT(outcome(), "dead letter box: left over at the end [later]\n"
                          "dead letter box: dropped by a restart [1]\n");
    CHECK(agent()->phase == NATLET_AGENT_RUNNING && agent()->restarts == 1);
    cell_rig_end(&r);
}

static void an_agent_can_overrun_itself(void)
{
    begin((natlet_mailbox_config){.normal = 1, .overflow = &natlet_overflow_fail});
    CHECK(send("self") == NATLET_OK);
    CHECK_TEXT(outcome(), "self: no room is left; try again when some was freed\nmore\n");
    CHECK(agent()->restarts == 1 && agent()->exit.kind == NATLET_EXIT_OVERFLOW);
    cell_rig_end(&r);
}

/* ---- all of them ---- */

static void policies_have_numbers(void)
{
    CHECK(natlet_overflow_of(NATLET_OVERFLOW_REJECT) == NULL);
    CHECK(natlet_overflow_of(NATLET_OVERFLOW_DROP_NEW) == &natlet_overflow_drop_new);
    CHECK(natlet_overflow_of(NATLET_OVERFLOW_DROP_OLD) == &natlet_overflow_drop_old);
    CHECK(natlet_overflow_of(NATLET_OVERFLOW_COALESCE) == &natlet_overflow_coalesce);
    CHECK(natlet_overflow_of(NATLET_OVERFLOW_PAUSE_SRC) == &natlet_overflow_pause_src);
    CHECK(natlet_overflow_of(NATLET_OVERFLOW_FAIL) == &natlet_overflow_fail);
    CHECK(natlet_overflow_of(6) == NULL && natlet_overflow_of(UINT32_MAX) == NULL);
}

/* No room in the cell's pool is nobody's overflow: the sender hears of it, but for
 * DROP_NEW, and a failing agent goes on. */
static void a_full_pool_is_told(void)
{
    static const uint8_t large[1000000];

    for (uint32_t number = 0; number <= NATLET_OVERFLOW_FAIL; number++) {
        begin((natlet_mailbox_config){.bytes_max = sizeof large + 1,
                                      .overflow = natlet_overflow_of(number)});
        natlet_mail mail = {.subject = cell_rig_text("s"), .payload = {large, sizeof large}};
        bool is_quiet = number == NATLET_OVERFLOW_DROP_NEW;
        CHECK(post(&mail, NATLET_MAIL_USER) == (is_quiet ? NATLET_OK : NATLET_E_FULL));
        CHECK_INT(natlet_cell_stats_now(r.cell).refused, is_quiet ? 0 : 1);
        CHECK_INT(natlet_cell_stats_now(r.cell).dead[NATLET_DEAD_OVERFLOW], is_quiet ? 1 : 0);
        CHECK(!stats_now().is_paused);
        CHECK(agent()->phase == NATLET_AGENT_RUNNING && stats_now().used[NORMAL] == 0);
        r.log_len = 0; /* a million bytes of a dead letter */
        cell_rig_end(&r);
    }
}

static void high_water_is_remembered(void)
{
    uint32_t ref;

    begin((natlet_mailbox_config){.normal = 4, .bytes_max = 50});
    CHECK(send("12345") == NATLET_OK && send("12345") == NATLET_OK);
    CHECK(natlet_agent_send_after(r.cell, agent()->pid, 5, 0, &ref) == NATLET_OK);
    CHECK(natlet_agent_cancel(r.cell, ref) == NATLET_OK);
    (void)outcome();
    natlet_mailbox_stats stats = stats_now();
    CHECK(stats.bytes == 0 && stats.bytes_free_min == 40);
    CHECK(stats.free_min[NORMAL] == 2 && stats.free_min[NATLET_PRIORITY_SYS] == 7);
    CHECK(stats.stash_used == 0 && stats.stash_free_min == 16);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    (void)outcome();
    natlet_cell_stats cell = natlet_cell_stats_now(r.cell);
    CHECK(cell.agents == 0 && cell.agents_max == 2 && cell.waits == 0 && cell.waits_max == 1);
    cell_rig_end(&r);
}

int main(void)
{
    RUN(drop_new);
    RUN(drop_old);
    RUN(drop_old_by_bytes);
    RUN(the_caller_of_a_dropped_call_hears_it);
    RUN(coalesce_by_subject);
    RUN(coalesce_spares_who_waits);
    RUN(coalesce_by_header);
    RUN(coalesce_keeps_the_bytes);
    RUN(sources_are_paused);
    RUN(sources_are_paused_by_bytes);
    RUN(sources_go_on_after_a_restart);
    RUN(what_ends_is_not_told_to_go_on);
    RUN(fail);
    RUN(a_busy_agent_fails_at_once);
    RUN(an_agent_can_overrun_itself);
    RUN(policies_have_numbers);
    RUN(a_full_pool_is_told);
    RUN(high_water_is_remembered);
    return test_done();
}

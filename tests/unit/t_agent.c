/* Goal: mail reaches agents once, in order, and with what it says; calls, timers and
 * kept mail end exactly once; nothing is lost silently.
 *
 * Method: puppets (support/cell_rig.h) write what happens to a log, which is
 * compared whole; the first test is an agent as a user writes one. */
#include "natlet/agent.h"

#include "natlet/cell.h"
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;

/* ---- the smallest whole program ---- */

typedef struct counter {
    uint32_t seen;
} counter;

/* Counts what it gets and answers who asks. */
static int32_t count(natlet_cell *cell, void *state, natlet_mail *mail)
{
    counter *c = state;
    uint8_t digit = (uint8_t)('0' + ++c->seen);

    if (mail->kind == NATLET_MAIL_TIMER) {
        return NATLET_STOP;
    }
    return natlet_agent_reply(cell, mail, (natlet_slice){&digit, 1});
}

static const natlet_behaviour counting = {
    .name = "counter", .state_bytes = sizeof(counter), .on_mail = count};
static const natlet_child children[] = {{.name = NATLET_TEXT("counter"), .behaviour = &counting}};
static const natlet_supervisor_spec tree = {.children = children, .count = 1};

static void a_minimal_program(void)
{
    static const natlet_slice name = NATLET_TEXT("counter");
    natlet_agent_info info;

    cell_rig_init(&r, NULL);
    CHECK(natlet_supervisor_start(r.cell, &tree, &r.root) == NATLET_OK);
    CHECK(natlet_agent_send_name(r.cell, name, &(natlet_mail){.tag = 1}) == NATLET_OK);
    cell_rig_run(&r);
    CHECK(natlet_agent_info_of(r.cell, natlet_cell_find(r.cell, name), &info) == NATLET_OK);
    CHECK_INT(info.handled, 1);
    CHECK_TEXT(info.kind, "counter");
    cell_rig_end(&r);
}

/* ---- sending ---- */

static puppet p[4];

static void begin(uint32_t count_of_puppets)
{
    static const char *const names[] = {"a", "b", "c", "d"};

    cell_rig_init(&r, NULL);
    for (uint32_t i = 0; i < 4; i++) {
        p[i] = (puppet){.rig = &r, .name = names[i]};
    }
    cell_rig_tree(&r, p, count_of_puppets);
    (void)cell_rig_log(&r);
}

static natlet_mail seen;

static int32_t look(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)state;
    CHECK(natlet_agent_self(cell) == mail->to);
    CHECK_SLICE(mail->subject, "s");
    CHECK_SLICE(mail->reply, "");
    CHECK_SLICE(mail->headers, "NATS/1.0\r\n\r\n");
    CHECK_SLICE(mail->payload, "hello");
    /* As they came: one run of bytes. */
    CHECK(mail->headers.ptr == mail->subject.ptr + 1);
    CHECK(mail->payload.ptr == mail->headers.ptr + 12);
    seen = *mail;
    /* What a block held before must not show in the next mail. */
    mail->status = NATLET_E_IO;
    mail->call = 1;
    mail->json = 2;
    return NATLET_DONE;
}

static void a_mail_brings_what_was_sent(void)
{
    static const natlet_behaviour looking = {.name = "looker", .on_mail = look};
    static const natlet_child looker = {.behaviour = &looking};
    natlet_pid pid;
    char payload[] = "hello";
    natlet_mail draft = {.subject = cell_rig_text("s"),
                         .headers = cell_rig_text("NATS/1.0\r\n\r\n"),
                         .payload = cell_rig_text(payload),
                         .tag = 77,
                         .seq = 88,
                         .from = 99, /* what nobody can choose */
                         .status = NATLET_E_IO,
                         .json = 1};

    begin(0);
    CHECK(natlet_supervisor_add(r.cell, r.root, &looker, &pid) == NATLET_OK);
    for (int i = 0; i < 2; i++) {
        memcpy(payload, "hello", 5);
        CHECK(natlet_agent_send(r.cell, pid, &draft) == NATLET_OK);
        memset(payload, '?', 5);
        cell_rig_run(&r);
        CHECK(seen.tag == 77 && seen.seq == 88 && seen.from == 0 && seen.to == pid);
        CHECK(seen.kind == NATLET_MAIL_USER && seen.status == NATLET_OK && seen.json == 0);
        CHECK(seen.attempt == 1 && seen.call == 0);
    }
    CHECK_INT(seen.bytes, 18);
    CHECK_INT(seen.id_ns / 1000000000, 1767225600); /* the test host's wall time */
    draft.priority = NATLET_PRIORITY_SYS;
    CHECK(natlet_agent_send(r.cell, pid, &draft) == NATLET_E_INVALID);
    cell_rig_end(&r);
}

/* Ids never repeat, although the clock stands still. */
static uint64_t last_id;

static int32_t compare_id(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)cell;
    (void)state;
    CHECK(mail->id_ns > last_id);
    last_id = mail->id_ns;
    return NATLET_DONE;
}

static void ids_increase_strictly(void)
{
    static const natlet_behaviour comparing = {.name = "id", .on_mail = compare_id};
    static const natlet_child child = {.behaviour = &comparing};
    natlet_pid pid;

    begin(0);
    last_id = 0;
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    for (int turn = 0; turn < 20; turn++) {
        for (int i = 0; i < 16; i++) {
            CHECK(natlet_agent_send(r.cell, pid, &(natlet_mail){0}) == NATLET_OK);
        }
        r.host.unix_us += turn == 10 ? (uint64_t)-5000000 : 0; /* the wall clock jumps back */
        test_host_advance_ms(&r.host, turn % 2 == 0 ? 0 : 1);
        cell_rig_run(&r);
    }
    CHECK_INT(natlet_cell_stats_now(r.cell).handled, 320);
    cell_rig_end(&r);
}

static void who_is_not_there_gets_nothing(void)
{
    begin(1);
    natlet_pid old = cell_rig_find(&r, "a");
    CHECK(natlet_cell_at(r.cell, (uint32_t)old & NATLET_PID_SLOT_MASK) == old);
    CHECK(natlet_cell_at(r.cell, 255) == 0 && natlet_cell_at(r.cell, UINT32_MAX) == 0);
    (void)cell_rig_tell(&r, "a", "boom");
    CHECK(cell_rig_find(&r, "a") != old);
    (void)cell_rig_log(&r);
    natlet_mail hi = {.payload = cell_rig_text("hi"), .subject = cell_rig_text("subject")};
    CHECK(natlet_agent_send(r.cell, old, &hi) == NATLET_E_NO_AGENT);
    CHECK(natlet_agent_send(r.cell, 0, &hi) == NATLET_E_NO_AGENT);
    CHECK(natlet_agent_send(r.cell, old + ((natlet_pid)1 << 40), &hi) == NATLET_E_NO_AGENT);
    CHECK(natlet_agent_send(r.cell, r.root, &hi) == NATLET_E_NO_AGENT);
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("b"), &hi) == NATLET_E_NO_AGENT);
    CHECK_TEXT(cell_rig_log(&r), "dead letter : for an earlier incarnation [hi]\n"
                                 "dead letter : no such agent [hi]\n"
                                 "dead letter : no such agent [hi]\n"
                                 "dead letter : for an earlier incarnation [hi]\n"
                                 "dead letter : no such agent [hi]\n");
    natlet_cell_stats stats = natlet_cell_stats_now(r.cell);
    CHECK_INT(stats.dead[NATLET_DEAD_NO_AGENT], 3);
    CHECK_INT(stats.dead[NATLET_DEAD_STALE_PID], 2);
    CHECK_INT(stats.dead[NATLET_DEAD_CRASHED], 1);
    CHECK_INT(stats.dead_total, 6);
    const natlet_dead_letter *letter = natlet_cell_dead_letter(r.cell, 4);
    CHECK(letter != NULL && letter->to == old && letter->reason == NATLET_DEAD_STALE_PID);
    CHECK(letter->payload_len == 2 && letter->subject_len == 7);
    CHECK(memcmp(letter->subject, "subject", 7) == 0);
    letter = natlet_cell_dead_letter(r.cell, 5);
    CHECK(letter != NULL && letter->exit.kind == NATLET_EXIT_ERROR && letter->exit.code == -7);
    CHECK(natlet_cell_dead_letter(r.cell, 6) == NULL);
    cell_rig_end(&r);
}

static void a_full_mailbox_refuses(void)
{
    begin(1);
    natlet_mail x = {.payload = cell_rig_text("x")};
    natlet_pid pid = cell_rig_find(&r, "a");
    for (int i = 0; i < 16; i++) {
        CHECK(natlet_agent_send(r.cell, pid, &x) == NATLET_OK);
    }
    CHECK(natlet_agent_send(r.cell, pid, &x) == NATLET_E_FULL);
    static uint8_t large[65537];
    CHECK(natlet_agent_send(r.cell, pid, &(natlet_mail){.payload = {large, sizeof large}}) ==
          NATLET_E_TOO_LARGE);
    natlet_agent_info info;
    CHECK(natlet_agent_info_of(r.cell, pid, &info) == NATLET_OK);
    CHECK_INT(info.mailbox.used[NATLET_PRIORITY_NORMAL], 16);
    CHECK_INT(info.mailbox.free_min[NATLET_PRIORITY_NORMAL], 0);
    CHECK_INT(info.mailbox.refused, 2);
    CHECK_INT(natlet_cell_stats_now(r.cell).refused, 2);
    CHECK_INT(natlet_cell_stats_now(r.cell).dead_total, 0);
    cell_rig_run(&r);
    CHECK_INT(natlet_cell_stats_now(r.cell).handled, 16);
    CHECK(natlet_agent_send(r.cell, pid, &x) == NATLET_OK);
    cell_rig_end(&r);
}

/* Two agents with endless mail for each other share the cell batch by batch, and a
 * turn ends when its time is up. */
static void agents_take_turns(void)
{
    begin(2);
    for (int i = 0; i < 16; i++) {
        CHECK(natlet_agent_send_name(r.cell, cell_rig_text("a"),
                                     &(natlet_mail){.payload = cell_rig_text("1")}) == NATLET_OK);
    }
    (void)cell_rig_tell(&r, "b", "2");
    const char *log = cell_rig_log(&r);
    CHECK(strncmp(log, "a: 1\na: 1\n", 10) == 0);
    CHECK_TEXT(log + strlen(log) - 10, "a: 1\nb: 2\n");
    cell_rig_end(&r);
}

static void results_are_obeyed(void)
{
    begin(1);
    (void)cell_rig_tell(&r, "a", "reject");
    CHECK_TEXT(cell_rig_log(&r), "dead letter a: rejected by the agent [reject]\n");
    (void)cell_rig_tell(&r, "a", "normal");
    CHECK_TEXT(cell_rig_log(&r), "die a normal\nend a normal\nstart a 2\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).handled, 1);
    cell_rig_end(&r);
}

/* A handler that returns what is no answer. */
static int32_t answer_nonsense(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)cell;
    (void)state;
    (void)mail;
    return NATLET_EMPTY;
}

static void an_answer_that_is_none_is_a_crash(void)
{
    static const natlet_behaviour confused = {.name = "confused", .on_mail = answer_nonsense};
    static const natlet_child child = {.name = NATLET_TEXT("x"), .behaviour = &confused};
    natlet_pid pid;

    begin(0);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    CHECK(natlet_agent_send(r.cell, pid, &(natlet_mail){0}) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "dead letter x: the agent crashed on it [] error\n");
    CHECK(natlet_cell_dead_letter(r.cell, 0)->exit.code == NATLET_E_INVALID);
    cell_rig_end(&r);
}

/* ---- calls ---- */

static void a_call_is_answered(void)
{
    begin(2);
    (void)cell_rig_tell(&r, "a", "call b reply hello");
    CHECK_TEXT(cell_rig_log(&r), "a: called, done\na: reply, done [hello]\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
    (void)cell_rig_tell(&r, "a", "call b reply");
    CHECK_TEXT(cell_rig_log(&r), "a: called, done\na: reply, done []\n");
    (void)cell_rig_tell(&r, "a", "reply nobody"); /* who did not ask */
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK_INT(natlet_cell_stats_now(r.cell).late, 1);
    cell_rig_end(&r);
}

static void a_call_always_ends(void)
{
    begin(2);
    (void)cell_rig_tell(&r, "a", "call b silence");
    CHECK_TEXT(cell_rig_log(&r), "a: called, done\nb: silence\n");
    cell_rig_wait_ms(&r, 99);
    CHECK_TEXT(cell_rig_log(&r), "");
    cell_rig_wait_ms(&r, 1);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "a: reply, the deadline passed []\n");
    (void)cell_rig_tell(&r, "a", "call b boom");
    CHECK_TEXT(cell_rig_log(&r), "a: called, done\ndie b boom\n"
                                 "dead letter b: the agent crashed on it [boom] error\n"
                                 "end b error\n"
                                 "a: reply, the agent is gone or was never there []\n"
                                 "start b 2\n");
    (void)cell_rig_tell(&r, "a", "call b reject");
    CHECK_TEXT(cell_rig_log(&r), "a: called, done\n"
                                 "dead letter b: rejected by the agent [reject]\n"
                                 "a: reply, the agent is gone or was never there []\n");
    (void)cell_rig_tell(&r, "a", "call nobody hi");
    CHECK_TEXT(cell_rig_log(&r), "dead letter : no such agent [hi]\n"
                                 "a: called, the agent is gone or was never there\n");
    cell_rig_wait_ms(&r, 1000);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
    cell_rig_end(&r);
}

/* The subject and reply of a message can be passed on in a call: the answer is the
 * caller's all the same. */
static int32_t pass_on(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)state;
    if (mail->kind == NATLET_MAIL_REPLY) {
        cell_rig_note(&r, "answered [%.*s]", (int)mail->payload.len,
                      (const char *)mail->payload.ptr);
        return NATLET_DONE;
    }
    natlet_mail draft = *mail;
    draft.payload = cell_rig_text("reply me");
    return natlet_agent_call(cell, cell_rig_find(&r, "a"), &draft, 100, &p[1].ref);
}

static void a_call_can_carry_a_reply_subject(void)
{
    static const natlet_behaviour passing = {.name = "passing", .on_mail = pass_on};
    static const natlet_child child = {.behaviour = &passing};
    natlet_mail mail = {.reply = cell_rig_text("box.1")};
    natlet_pid pid;

    begin(1);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    CHECK(natlet_agent_send(r.cell, pid, &mail) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "answered [me]\n");
    cell_rig_end(&r);
}

/* Answers a mail that looks like a call that is under way, but is another one. */
static int32_t answer_another(natlet_cell *cell, void *state, natlet_mail *mail)
{
    natlet_mail other = *mail;

    (void)state;
    other.id_ns++;
    return natlet_agent_reply(cell, &other, mail->payload);
}

static void only_the_mail_that_asked_can_be_answered(void)
{
    static const natlet_behaviour answering = {.name = "x", .on_mail = answer_another};
    static const natlet_child child = {.name = NATLET_TEXT("x"), .behaviour = &answering};
    natlet_pid pid;

    begin(1);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    (void)cell_rig_tell(&r, "a", "call x hi");
    CHECK_TEXT(cell_rig_log(&r), "a: called, done\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).late, 1);
    cell_rig_end(&r);
}

/* Whoever ends in between: the caller before the answer, the answer after the
 * deadline. */
static void late_answers_are_counted(void)
{
    begin(2);
    (void)cell_rig_tell(&r, "a", "call b later");
    (void)cell_rig_tell(&r, "a", "boom");
    (void)cell_rig_log(&r);
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
    CHECK(natlet_cell_settle(r.cell, cell_rig_find(&r, "b"), p[1].token, NATLET_REJECT) ==
          NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "dead letter b: rejected by the agent [later]\n");

    (void)cell_rig_tell(&r, "a", "call b reply 1");
    natlet_pid pid = cell_rig_find(&r, "a");
    CHECK(natlet_agent_cancel(r.cell, p[0].ref) == NATLET_E_NOT_FOUND);
    (void)cell_rig_tell(&r, "b", "later");
    (void)cell_rig_tell(&r, "a", "call b reply 2");
    (void)cell_rig_log(&r);
    CHECK(natlet_agent_cancel(r.cell, p[0].ref) == NATLET_OK);
    CHECK(natlet_cell_settle(r.cell, cell_rig_find(&r, "b"), p[1].token, NATLET_DONE) == NATLET_OK);
    cell_rig_wait_ms(&r, 1000);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK_INT(natlet_cell_stats_now(r.cell).late, 1);
    CHECK(pid == cell_rig_find(&r, "a"));
    cell_rig_end(&r);
}

/* An answer always has its place, so calls are bounded where they begin. */
static void calls_are_bounded(void)
{
    begin(2);
    (void)cell_rig_tell(&r, "b", "later");
    for (int i = 0; i < 8; i++) {
        (void)cell_rig_tell(&r, "a", "call b x");
        CHECK_TEXT(cell_rig_log(&r), "a: called, done\n");
    }
    (void)cell_rig_tell(&r, "a", "call b x");
    CHECK_TEXT(cell_rig_log(&r), "a: called, no room is left; try again when some was freed\n");
    CHECK(natlet_agent_send_after(r.cell, cell_rig_find(&r, "a"), 1, 1, NULL) == NATLET_E_FULL);
    CHECK(natlet_agent_call(r.cell, cell_rig_find(&r, "b"), &(natlet_mail){0}, 1, &p[0].ref) ==
          NATLET_E_STATE);
    p[0].ref = 0;
    cell_rig_end(&r);
}

/* ---- timers ---- */

static void timers_fire_once_and_in_order(void)
{
    begin(1);
    natlet_pid pid = cell_rig_find(&r, "a");
    uint32_t refs[4];
    static const uint32_t delays[] = {30, 10, 20, 10};
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(natlet_agent_send_after(r.cell, pid, delays[i], i, &refs[i]) == NATLET_OK);
    }
    CHECK(natlet_agent_cancel(r.cell, refs[2]) == NATLET_OK);
    CHECK(natlet_agent_cancel(r.cell, refs[2]) == NATLET_E_NOT_FOUND);
    CHECK(natlet_agent_cancel(r.cell, 0) == NATLET_E_NOT_FOUND);
    CHECK_INT(natlet_runtime_run(r.rt, 1000, 0), 10);
    cell_rig_wait_ms(&r, 9);
    CHECK_TEXT(cell_rig_log(&r), "");
    cell_rig_wait_ms(&r, 91);
    CHECK_TEXT(cell_rig_log(&r), "a: timer 1\na: timer 3\na: timer 0\n");
    CHECK(natlet_agent_send_after(r.cell, pid, 0, 9, NULL) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "a: timer 9\n");
    CHECK(natlet_agent_send_after(r.cell, 1, 0, 9, NULL) == NATLET_E_NO_AGENT);
    CHECK(natlet_agent_send_after(r.cell, r.root, 0, 9, NULL) == NATLET_E_NO_AGENT);
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
    cell_rig_end(&r);
}

/* A timer belongs to the incarnation that wanted it, fired or not. */
static void timers_die_with_their_agent(void)
{
    begin(1);
    (void)cell_rig_tell(&r, "a", "tick 5");
    (void)cell_rig_tell(&r, "a", "tick 50");
    (void)cell_rig_tell(&r, "a", "later");
    test_host_advance_ms(&r.host, 10);
    cell_rig_run(&r); /* one is queued behind the kept mail */
    CHECK(natlet_cell_settle(r.cell, cell_rig_find(&r, "a"), p[0].token, -1) == NATLET_OK);
    cell_rig_wait_ms(&r, 100);
    CHECK_TEXT(cell_rig_log(&r), "dead letter a: the agent crashed on it [later] error\n"
                                 "end a error\nstart a 2\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
    cell_rig_end(&r);
}

/* ---- kept mail ---- */

static void kept_mail_holds_the_others_back(void)
{
    begin(1);
    (void)cell_rig_tell(&r, "a", "later");
    (void)cell_rig_tell(&r, "a", "next");
    natlet_agent_info info;
    natlet_pid pid = cell_rig_find(&r, "a");
    CHECK(natlet_agent_info_of(r.cell, pid, &info) == NATLET_OK);
    CHECK(info.state == NATLET_AGENT_BUSY);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK(natlet_cell_settle(r.cell, pid, p[0].token + 1, NATLET_DONE) == NATLET_E_STATE);
    CHECK(natlet_cell_settle(r.cell, pid, p[0].token, NATLET_LATER) == NATLET_E_INVALID);
    CHECK(natlet_cell_settle(r.cell, pid, p[0].token, NATLET_EMPTY) == NATLET_E_INVALID);
    CHECK(natlet_cell_settle(r.cell, pid + 1, p[0].token, NATLET_DONE) == NATLET_E_NO_AGENT);
    CHECK(natlet_cell_settle(r.cell, pid, p[0].token, NATLET_DONE) == NATLET_OK);
    CHECK(natlet_cell_settle(r.cell, pid, p[0].token, NATLET_DONE) == NATLET_E_STATE);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "a: next\n");
    CHECK(natlet_cell_settle(r.cell, pid, p[0].token, NATLET_DONE) == NATLET_E_STATE);
    uint32_t token;
    CHECK(natlet_agent_later(r.cell, &token) == NATLET_E_STATE);
    cell_rig_end(&r);
}

static void settling_is_like_returning(void)
{
    static const struct {
        int32_t result;
        const char *log;
    } cases[] = {
        {NATLET_DONE, "a: next\n"},
        {NATLET_REJECT, "dead letter a: rejected by the agent [later]\na: next\n"},
        {NATLET_STOP, "end a normal\nstart a 2\na: next\n"},
        {-3, "dead letter a: the agent crashed on it [later] error\nend a error\nstart a 2\n"
             "a: next\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(1);
        (void)cell_rig_tell(&r, "a", "later");
        (void)cell_rig_tell(&r, "a", "next");
        CHECK(natlet_cell_settle(r.cell, cell_rig_find(&r, "a"), p[0].token, cases[i].result) ==
              NATLET_OK);
        cell_rig_run(&r);
        CHECK_TEXT(cell_rig_log(&r), cases[i].log);
        cell_rig_end(&r);
    }
}

/* ---- books ---- */

/* Thousands of mails through agents that crash, refuse, end and keep, and trees that
 * give up: each is handled, a dead letter, or was refused to its sender. */
static void nothing_is_lost_silently(void)
{
    static const char *const texts[] = {"hi",    "boom", "normal", "reject",
                                        "later", "hi",   "hi",     "hi"};
    static const char *const names[] = {"a", "b", "c", "nobody"};
    uint64_t seed = 11;
    uint64_t sent = 0;

    begin(3);
    while (sent < 5000) {
        uint64_t draw = test_random(&seed);
        (void)natlet_agent_send_name(
            r.cell, cell_rig_text(names[draw % 4]),
            &(natlet_mail){.payload = cell_rig_text(texts[(draw >> 8) % 8])});
        sent++;
        puppet *who = &p[(draw >> 16) % 3];
        int32_t result = (draw >> 20) % 2 == 0 ? NATLET_DONE : -1;
        (void)natlet_cell_settle(r.cell, cell_rig_find(&r, who->name), who->token, result);
        if ((draw >> 32) % 8 == 0) {
            cell_rig_wait_ms(&r, (draw >> 40) % 4000);
            (void)cell_rig_log(&r);
        }
        if (natlet_cell_stats_now(r.cell).agents == 0) {
            cell_rig_tree(&r, p, 3);
        }
    }
    (void)natlet_supervisor_stop(r.cell, r.root);
    cell_rig_wait_ms(&r, 20000);
    (void)cell_rig_log(&r);
    natlet_cell_stats stats = natlet_cell_stats_now(r.cell);
    CHECK_INT(stats.agents, 0);
    CHECK_INT(stats.pool_used, 0);
    CHECK(stats.refused > 0 && stats.restarts > 100);
    CHECK(stats.dead[NATLET_DEAD_CRASHED] > 100 && stats.dead[NATLET_DEAD_SHUTDOWN] > 100);
    CHECK_INT(stats.handled + stats.dead_total + stats.refused, sent);
    cell_rig_end(&r);
}

int main(void)
{
    RUN(a_minimal_program);
    RUN(a_mail_brings_what_was_sent);
    RUN(ids_increase_strictly);
    RUN(who_is_not_there_gets_nothing);
    RUN(a_full_mailbox_refuses);
    RUN(agents_take_turns);
    RUN(results_are_obeyed);
    RUN(an_answer_that_is_none_is_a_crash);
    RUN(a_call_is_answered);
    RUN(a_call_always_ends);
    RUN(a_call_can_carry_a_reply_subject);
    RUN(only_the_mail_that_asked_can_be_answered);
    RUN(late_answers_are_counted);
    RUN(calls_are_bounded);
    RUN(timers_fire_once_and_in_order);
    RUN(timers_die_with_their_agent);
    RUN(kept_mail_holds_the_others_back);
    RUN(settling_is_like_returning);
    RUN(nothing_is_lost_silently);
    return test_done();
}

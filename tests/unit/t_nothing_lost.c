/* Goal: nothing is lost silently.  Whatever becomes of a mail, it becomes one thing only,
 * and each counter says what it counts.
 *
 * Method: a million mails, drawn at random, through cells with random policies, lanes,
 * bounds, priorities and trees: stashed, kept, rejected, crashed on, restarted with and
 * without drop_mail, retried, poisonous, expired, for stale pids, for children that are stopped,
 * deleted or gone.  A ledger follows each mail by its tag: who sends, handles or hears of a dead
 * letter says what happened, and a step that does not follow from the one before is an error.  The
 * cell's counters and what its mailboxes hold must then agree with the ledger:
 *
 *     sent = handled + refused + coalesced + dead letters of each reason
 *            + queued or to come again + put aside + in hands */
#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

enum { WORLDS = 256 };
enum { MAILS = 4096, CHECK_EVERY = 1024, AGENTS = 8, KEYS = 4, PIDS = 16, LANES = 3 };
_Static_assert(WORLDS *MAILS >= 1000000, "a million mails");

enum { CALLER = AGENTS - 1 }; /* it calls the others */
enum { ANY = NATLET_DEAD_REASONS };

/* Hardly more than the tables, the supervisor and its children. */
enum {
    SMALL_POOL = 1500 + (NATLET_INTENSITY_MAX + 1) * sizeof(uint64_t) +
                 (AGENTS + 1) * (sizeof(natlet__agent) + sizeof(natlet__care) + 40) +
                 20 * sizeof(natlet_mail)
};

/* Where a mail is. */
typedef enum place {
    NOWHERE,
    SENDING,
    QUEUED,
    IN_HANDS,
    ASIDE,
    REFUSED,
    HANDLED,
    COALESCED,
    DEAD,
    PLACES,
} place;

typedef struct entry {
    uint8_t place;
    uint8_t agent;  /* for whom */
    uint8_t reason; /* SENDING, IN_HANDS: of the dead letter that may come; else ANY */
    uint8_t lane;
    uint8_t key; /* of COALESCE; KEYS: none */
    bool may_overflow;
    bool comes_again; /* its agent crashed on it or asked for it again */
    bool may_expire;
} entry;

/* What the test knows of a child. */
typedef struct person {
    char name[4];
    natlet_child child;
    natlet_overflow overflow;
    uint32_t newest[LANES][KEYS];               /* the queued mail of that key; 0: none */
    uint32_t token;                             /* of the mail that it keeps */
    uint32_t kept;                              /* that mail; 0: none */
    uint32_t dropped, coalesced, stash_refused; /* as its mailbox is to have counted */
    natlet_shield shield;
    natlet_retry retry;
    natlet__tie source;
    bool is_stopped; /* the source is */
} person;

static cell_rig r;
static uint32_t world; /* its number is its seed */
static uint64_t seed;
static entry ledger[MAILS + 1]; /* by tag; 0 is none */
static uint32_t sent;
static uint64_t counts[PLACES];
static uint64_t dead[NATLET_DEAD_REASONS];
static uint64_t others; /* answers and timers handled, which nobody sent */
static uint64_t timers_refused;
static person people[AGENTS];
static natlet_supervisor_spec tree;
static natlet_child children[AGENTS];
static natlet_pid pids[PIDS]; /* of incarnations, most of them past */
static uint64_t all_sent, all_restarts, all_late, all_pool_refused;
static uint64_t overflows, pauses;
static uint64_t all_dead[NATLET_DEAD_REASONS];
static uint64_t all_counts[PLACES];

static uint32_t draw(uint32_t below)
{
    return (uint32_t)(test_random(&seed) % below);
}

static bool one_in(uint32_t n)
{
    return draw(n) == 0;
}

/* ---- the ledger ---- */

static void move(uint32_t tag, place to)
{
    counts[ledger[tag].place]--;
    ledger[tag].place = (uint8_t)to;
    counts[to]++;
}

/* It is not the queued one of its key any more. */
static void forget_newest(uint32_t tag)
{
    const entry *e = &ledger[tag];

    if (e->key < KEYS && people[e->agent].newest[e->lane][e->key] == tag) {
        people[e->agent].newest[e->lane][e->key] = 0;
    }
}

static bool may_die(const entry *e, natlet_dead_reason reason)
{
    const person *p = &people[e->agent];

    switch ((place)e->place) {
    case SENDING:
        return reason == e->reason || (reason == NATLET_DEAD_OVERFLOW && e->may_overflow);
    case QUEUED:
        return (reason == NATLET_DEAD_OVERFLOW && p->overflow == NATLET_OVERFLOW_DROP_OLD) ||
               (reason == NATLET_DEAD_RESTART && p->child.drop_mail) ||
               (e->comes_again && (reason == NATLET_DEAD_POISON || reason == NATLET_DEAD_RETRIES ||
                                   reason == NATLET_DEAD_OVERFLOW)) ||
               (e->may_expire && reason == NATLET_DEAD_EXPIRED) || reason == NATLET_DEAD_NO_AGENT ||
               reason == NATLET_DEAD_SHUTDOWN;
    case ASIDE:
        return (e->may_expire && reason == NATLET_DEAD_EXPIRED) ||
               (reason == NATLET_DEAD_RESTART && p->child.drop_mail) ||
               reason == NATLET_DEAD_NO_AGENT || reason == NATLET_DEAD_SHUTDOWN;
    case IN_HANDS: /* one that is kept may be left over */
        return reason == (e->reason == ANY ? NATLET_DEAD_SHUTDOWN : e->reason);
    case NOWHERE:
    case REFUSED:
    case HANDLED:
    case COALESCED:
    case DEAD:
    case PLACES:
        break;
    }
    return false;
}

static void on_event(void *self, const natlet_cell_event *event)
{
    (void)self;
    if (event->kind == NATLET_CELL_STARTED && event->name.len > 0) {
        pids[draw(PIDS)] = event->pid;
    }
    if (event->kind != NATLET_CELL_DEAD_LETTER) {
        overflows += event->reason.kind == NATLET_EXIT_OVERFLOW ? 1 : 0;
        return;
    }
    uint32_t tag = event->mail->tag;
    person *p = &people[ledger[tag].agent];
    CHECK(tag >= 1 && tag <= sent && may_die(&ledger[tag], event->dead));
    p->dropped += ledger[tag].place == QUEUED && event->dead == NATLET_DEAD_OVERFLOW ? 1 : 0;
    p->stash_refused += event->dead == NATLET_DEAD_STASH_FULL ? 1 : 0;
    forget_newest(tag);
    p->kept = p->kept == tag ? 0 : p->kept;
    move(tag, DEAD);
    dead[event->dead]++;
}

/* ---- sending ---- */

static const char *const subjects[KEYS + 1] = {"k.0", "k.1", "k.2", "k.3", ""};

static natlet_mail new_mail(uint32_t to)
{
    static const uint8_t bytes[64];
    const natlet_mailbox_config *config = &people[to].child.mailbox;
    uint32_t tag = ++sent;
    entry *e = &ledger[tag];
    uint8_t priority = (uint8_t)draw(LANES);
    bool has_lane = priority == NATLET_PRIORITY_HIGH  ? config->high > 0
                    : priority == NATLET_PRIORITY_LOW ? config->low > 0
                                                      : true;

    *e = (entry){.agent = (uint8_t)to,
                 .reason = NATLET_DEAD_NO_AGENT,
                 .lane = has_lane ? priority : (uint8_t)NATLET_PRIORITY_NORMAL,
                 .key = (uint8_t)draw(KEYS + 1)};
    counts[NOWHERE]++;
    move(tag, SENDING);
    return (natlet_mail){.subject = cell_rig_text(subjects[e->key]),
                         .payload = {bytes, one_in(50) ? 64 : draw(20)},
                         .tag = tag,
                         .priority = priority};
}

/* What a status says about the mail that was sent last. */
static void note_sent(uint32_t tag, natlet_status st, natlet_mail_kind kind)
{
    entry *e = &ledger[tag];
    person *p = &people[e->agent];
    bool is_refusal = st == NATLET_E_FULL || st == NATLET_E_TOO_LARGE;

    if (e->place == DEAD) { /* OK from DROP_NEW alone */
        CHECK(st == NATLET_E_NO_AGENT || (is_refusal && kind == NATLET_MAIL_NATS) ||
              (st == NATLET_OK && p->overflow == NATLET_OVERFLOW_DROP_NEW));
        return;
    }
    CHECK(e->place == SENDING && (st == NATLET_OK || is_refusal));
    if (is_refusal) {
        CHECK(kind != NATLET_MAIL_NATS);
        move(tag, REFUSED);
        return;
    }
    move(tag, QUEUED);
    if (p->overflow != NATLET_OVERFLOW_COALESCE || kind == NATLET_MAIL_CALL) {
        e->key = KEYS;
    }
    if (e->key < KEYS) {
        uint32_t *newest = &p->newest[e->lane][e->key];
        if (*newest != 0) {
            CHECK(ledger[*newest].place == QUEUED);
            move(*newest, COALESCED);
            p->coalesced++;
        }
        *newest = tag;
    }
}

static uint32_t now_ms(void)
{
    return (uint32_t)(natlet_runtime_now_us(r.rt) / 1000);
}

static void send_one(natlet_cell *cell, uint32_t to)
{
    natlet_mail mail = new_mail(to);
    entry *e = &ledger[mail.tag];
    natlet_slice name = cell_rig_text(people[to].name);
    natlet__agent *agent = natlet__registry_find(cell, name);
    natlet_mail_kind kind = NATLET_MAIL_USER;
    natlet_status st;

    e->may_overflow = people[to].overflow == NATLET_OVERFLOW_DROP_NEW;
    if (one_in(20)) {
        st = natlet_agent_send(cell, 0, &mail);
        CHECK(st == NATLET_E_NO_AGENT);
    } else if (one_in(10)) {
        natlet_pid pid = pids[draw(PIDS)];
        agent = natlet__registry_at(cell, pid);
        if (agent != NULL && !natlet__equal(agent->child.name, name)) {
            agent = NULL;
            pid = 0; /* whose mail this is was drawn already */
        }
        e->reason = pid != 0 ? NATLET_DEAD_STALE_PID : NATLET_DEAD_NO_AGENT;
        st = natlet_agent_send(cell, pid, &mail);
        CHECK(agent != NULL || st == NATLET_E_NO_AGENT);
    } else if (agent != NULL && one_in(3)) {
        e->may_overflow = true;
        kind = NATLET_MAIL_NATS;
        e->may_expire = people[to].child.expiry != NULL && one_in(2);
        mail.call = e->may_expire ? now_ms() + draw(3) : 0;
        st = natlet__post(cell, agent, agent->pid, &mail, kind, NULL);
    } else {
        st = natlet_agent_send_name(cell, name, &mail);
        CHECK(agent != NULL || st == NATLET_E_NO_AGENT);
    }
    note_sent(mail.tag, st, kind);
}

static void call_one(natlet_cell *cell, uint32_t to)
{
    natlet_mail mail = new_mail(to);
    uint32_t ref;
    natlet_status st = natlet_agent_call(
        cell, natlet_cell_find(cell, cell_rig_text(people[to].name)), &mail, 1 + draw(10), &ref);

    note_sent(mail.tag, st, NATLET_MAIL_CALL);
}

/* ---- handling ---- */

static void wait_for_again(uint32_t tag)
{
    ledger[tag].comes_again = true;
    ledger[tag].key = KEYS;
    move(tag, QUEUED);
}

static int32_t end_mail(natlet_cell *cell, person *p, uint32_t tag)
{
    entry *e = &ledger[tag];
    uint32_t what = draw(100);

    if (what < 3 && p->child.shield != NULL) {
        wait_for_again(tag);
        return -5;
    }
    if (what < 3) {
        e->reason = NATLET_DEAD_CRASHED;
        return -5;
    }
    if (what < 10) {
        e->reason = NATLET_DEAD_REJECTED;
        return NATLET_REJECT;
    }
    if (what < 30) {
        const natlet__agent *agent = natlet__registry_find(cell, cell_rig_text(p->name));
        const natlet__mailbox *box = &agent->mailbox;
        bool has_place = box->stash.used < p->child.mailbox.stash;
        bool fits = agent->mail->bytes <= box->bytes_max - box->bytes;
        e->reason = NATLET_DEAD_STASH_FULL;
        if (has_place && fits) {
            move(tag, ASIDE);
        }
        return NATLET_STASH;
    }
    if (what < 45 && p->child.retry != NULL) {
        wait_for_again(tag);
        return NATLET_RETRY;
    }
    move(tag, HANDLED);
    return what < 32 ? NATLET_STOP : NATLET_DONE;
}

static void stray(natlet_cell *cell)
{
    while (one_in(3) && sent < MAILS) {
        send_one(cell, draw(AGENTS));
    }
    if (one_in(20)) {
        natlet_status st = natlet_agent_send_after(cell, natlet_agent_self(cell), draw(5), 0, NULL);
        timers_refused += st == NATLET_E_FULL ? 1 : 0;
    }
    if (one_in(3)) {
        CHECK(natlet_agent_unstash(cell) == NATLET_OK);
    }
}

static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    person *p = *(person **)state;
    entry *e = &ledger[mail->tag];

    if (mail->kind == NATLET_MAIL_TIMER || mail->kind == NATLET_MAIL_REPLY) {
        stray(cell);
        others++;
        return NATLET_DONE;
    }
    CHECK(mail->tag >= 1 && mail->tag <= sent && &people[e->agent] == p);
    CHECK(e->place == QUEUED || e->place == ASIDE);
    forget_newest(mail->tag);
    move(mail->tag, IN_HANDS);
    e->reason = ANY;
    stray(cell);
    if (mail->kind == NATLET_MAIL_CALL && one_in(2)) {
        CHECK(natlet_agent_reply(cell, mail, mail->payload) == NATLET_OK);
    }
    if (one_in(10)) {
        p->kept = mail->tag;
        return natlet_agent_later(cell, &p->token);
    }
    return end_mail(cell, p, mail->tag);
}

static int32_t init(natlet_cell *cell, void *state, void *arg)
{
    (void)cell;
    *(void **)state = arg;
    return one_in(20) ? -6 : NATLET_DONE;
}

static void terminate(natlet_cell *cell, void *state, natlet_reason why)
{
    (void)state;
    (void)why;
    stray(cell);
}

static const natlet_behaviour behaviour = {.name = "person",
                                           .state_bytes = sizeof(void *),
                                           .init = init,
                                           .on_mail = on_mail,
                                           .terminate = terminate};

/* The one that calls: all its own mail are answers. */
static int32_t on_answer(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)state;
    if (mail->kind != NATLET_MAIL_REPLY && mail->kind != NATLET_MAIL_TIMER) {
        forget_newest(mail->tag);
        move(mail->tag, HANDLED);
    } else {
        others++;
    }
    if (sent < MAILS) {
        call_one(cell, draw(CALLER));
    }
    return NATLET_DONE;
}

static const natlet_behaviour calling = {.name = "caller", .on_mail = on_answer};

static void settle_some(void)
{
    for (uint32_t i = 0; i < AGENTS; i++) {
        person *p = &people[i];
        if (p->kept == 0 || one_in(2)) {
            continue;
        }
        natlet__agent *agent = natlet__registry_find(r.cell, cell_rig_text(p->name));
        uint32_t tag = p->kept;
        CHECK(agent != NULL && agent->phase == NATLET_AGENT_BUSY);
        if (agent->turn.next != NULL) {
            continue; /* it is settled, and did not have its turn */
        }
        p->kept = 0;
        CHECK(natlet_cell_settle(r.cell, agent->pid, p->token, end_mail(r.cell, p, tag)) ==
              NATLET_OK);
        if (ledger[tag].place != IN_HANDS && ledger[tag].place != DEAD) {
            cell_rig_run(&r); /* before something else can happen to it */
        } else {
            p->kept = ledger[tag].place == IN_HANDS ? tag : 0;
            cell_rig_run(&r);
            CHECK(ledger[tag].place == DEAD);
        }
    }
}

/* ---- worlds ---- */

static void note_flow(natlet__tie *tie, bool stop)
{
    void *at = (char *)tie - offsetof(person, source);
    person *p = at;

    CHECK(stop || p->is_stopped);
    pauses += stop && !p->is_stopped ? 1 : 0;
    p->is_stopped = stop;
}

static void note_cut(natlet_cell *cell, natlet__tie *tie)
{
    (void)cell;
    (void)tie;
}

static natlet_child random_child(uint32_t i)
{
    person *p = &people[i];
    bool is_caller = i == CALLER;

    snprintf(p->name, sizeof p->name, "p%u", (unsigned)i);
    p->overflow = (natlet_overflow)draw(NATLET_OVERFLOW_FAIL + (is_caller ? 0 : 1));
    bool has_shield = !is_caller && one_in(2);
    bool has_retry = !is_caller && p->overflow != NATLET_OVERFLOW_COALESCE && one_in(2);
    p->shield = (natlet_shield){NATLET_WITH_SHIELD, .poison_after = (uint16_t)(1 + draw(3))};
    p->retry = (natlet_retry){NATLET_WITH_RETRY, .base_ms = 1, .tries = (uint16_t)draw(3),
                              .parked_max = (uint16_t)(1 + draw(4))};
    return (natlet_child){.name = cell_rig_text(p->name),
                          .behaviour = is_caller ? &calling : &behaviour,
                          .arg = p,
                          .restart = one_in(3) ? NATLET_TRANSIENT : NATLET_PERMANENT,
                          .shutdown_ms = one_in(4) ? NATLET_SHUTDOWN_BRUTAL : 1 + draw(3),
                          .drop_mail = one_in(3),
                          .expiry = one_in(3) ? &natlet_drop_expired : NULL,
                          .shield = has_shield ? &p->shield : NULL,
                          .retry = has_retry ? &p->retry : NULL,
                          .mailbox = {.sys = (uint16_t)(1 + draw(4)),
                                      .high = (uint16_t)draw(5),
                                      .normal = (uint16_t)(1 + draw(8)),
                                      .low = (uint16_t)draw(4),
                                      .stash = (uint16_t)(1 + draw(6)),
                                      .bytes_max = 50 + draw(200),
                                      .overflow = natlet_overflow_of(p->overflow)}};
}

static void start_tree(void)
{
    tree = (natlet_supervisor_spec){.children = children,
                                    .count = AGENTS,
                                    .intensity = NATLET_INTENSITY_MAX,
                                    .period_ms = 1,
                                    .strategy = (natlet_strategy)draw(NATLET_DYNAMIC)};
    for (uint32_t i = 0; i < AGENTS; i++) {
        people[i] = (person){0};
        people[i].child = random_child(i);
        children[i] = people[i].child;
    }
    for (uint32_t tries = 1; natlet_supervisor_start(r.cell, &tree, &r.root) < 0; tries++) {
        if (tries == 1000) { /* an init may say no, but not that often */
            printf("    no tree can be started in the world of seed %u\n", (unsigned)world);
            abort();
        }
    }
    for (uint32_t i = 0; i < AGENTS; i++) {
        natlet__agent *agent = natlet__registry_find(r.cell, cell_rig_text(people[i].name));
        people[i].source = (natlet__tie){.cut = note_cut, .flow = note_flow};
        natlet__list_put(&agent->holds, &people[i].source.link);
    }
}

static void check_mailbox(const person *p, uint64_t held[PLACES])
{
    natlet__agent *agent = natlet__registry_find(r.cell, cell_rig_text(p->name));
    natlet_agent_info info;

    if (agent == NULL) {
        return;
    }
    natlet__agent_describe(agent, &info);
    for (uint32_t lane = 0; lane < LANES; lane++) {
        held[QUEUED] += info.mailbox.used[lane];
    }
    held[QUEUED] += info.parked;
    held[ASIDE] += info.mailbox.stash_used;
    CHECK(info.mailbox.is_paused == p->is_stopped);
    CHECK(info.mailbox.stash_used + info.mailbox.stash_free_min <= p->child.mailbox.stash);
    CHECK(info.mailbox.bytes + info.mailbox.bytes_free_min <= p->child.mailbox.bytes_max);
    CHECK_INT(info.mailbox.dropped + info.parked_refused, p->dropped);
    CHECK_INT(info.mailbox.coalesced, p->coalesced);
    CHECK_INT(info.mailbox.stash_refused, p->stash_refused);
    CHECK(p->kept == 0 || agent->mail != NULL);
    held[IN_HANDS] += agent->mail != NULL ? 1 : 0;
}

/* The equation. */
static void check_books(void)
{
    uint64_t held[PLACES] = {0};
    uint64_t sum = 0;
    uint64_t letters = 0;

    for (uint32_t i = 0; i < AGENTS; i++) {
        check_mailbox(&people[i], held);
    }
    natlet_cell_stats stats = natlet_cell_stats_now(r.cell);
    for (uint32_t reason = 0; reason < NATLET_DEAD_REASONS; reason++) {
        CHECK_INT(stats.dead[reason], dead[reason]);
        letters += stats.dead[reason];
    }
    CHECK_INT(stats.dead_total, letters);
    CHECK_INT(stats.handled, counts[HANDLED] + others);
    CHECK_INT(stats.coalesced, counts[COALESCED]);
    CHECK_INT(held[QUEUED], counts[QUEUED]);
    CHECK_INT(held[ASIDE], counts[ASIDE]);
    CHECK_INT(held[IN_HANDS], counts[IN_HANDS]);
    CHECK_INT(stats.refused, counts[REFUSED] + timers_refused);
    sum = stats.handled - others + counts[REFUSED] + stats.coalesced + letters + held[QUEUED] +
          held[ASIDE] + held[IN_HANDS];
    CHECK_INT(sum, sent);
}

/* Something that is not mail. */
static void disturb(void)
{
    const person *p = &people[draw(CALLER)];
    natlet_slice name = cell_rig_text(p->name);
    natlet_pid pid;

    switch (draw(10)) {
    case 0:
        (void)natlet_supervisor_terminate(r.cell, r.root, name);
        break;
    case 1:
        (void)natlet_supervisor_restart(r.cell, r.root, name, &pid);
        break;
    case 2:
        (void)natlet_supervisor_delete(r.cell, r.root, name);
        break;
    case 3:
        (void)natlet_agent_exit(r.cell, natlet_cell_find(r.cell, name),
                                (natlet_reason){NATLET_EXIT_KILLED, NATLET_E_CANCELLED});
        break;
    case 4:
        (void)natlet_agent_exit(r.cell, natlet_cell_find(r.cell, name),
                                (natlet_reason){NATLET_EXIT_SHUTDOWN, 0});
        break;
    case 5:
        if (one_in(8)) {
            (void)natlet_supervisor_stop(r.cell, r.root);
        }
        break;
    default:
        cell_rig_wait_ms(&r, draw(4));
        break;
    }
}

static void end_world(void)
{
    if (natlet_supervisor_stop(r.cell, r.root) == NATLET_OK) {
        cell_rig_wait_ms(&r, 100);
        cell_rig_run(&r);
    }
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    CHECK(counts[QUEUED] == 0 && counts[ASIDE] == 0 && counts[IN_HANDS] == 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    check_books();
}

static void live(void)
{
    const natlet_cell_config config = {.bytes = one_in(4) ? SMALL_POOL : 100000,
                                       .agents_max = AGENTS + 2,
                                       .waits_max = 16,
                                       .dead_letters = 4,
                                       .batch = (uint16_t)(1 + draw(8))};
    uint32_t checked = 0;

    cell_rig_init(&r, &config);
    r.cell->config.on_event = on_event;
    sent = 0;
    others = 0;
    timers_refused = 0;
    memset(counts, 0, sizeof counts);
    memset(dead, 0, sizeof dead);
    memset(pids, 0, sizeof pids);
    start_tree();
    while (sent < MAILS) {
        for (uint32_t i = draw(30); i > 0 && sent < MAILS; i--) {
            send_one(r.cell, draw(AGENTS));
        }
        if (one_in(10)) {
            disturb();
        }
        cell_rig_run(&r);
        settle_some();
        if (sent - checked >= CHECK_EVERY) {
            checked = sent;
            check_books();
        }
        if (natlet_cell_stats_now(r.cell).agents == 0) {
            start_tree();
        }
    }
    end_world();
    natlet_cell_stats stats = natlet_cell_stats_now(r.cell);
    all_restarts += stats.restarts;
    all_late += stats.late;
    all_pool_refused += stats.pool_refused;
    cell_rig_end(&r);
    all_sent += sent;
    for (uint32_t i = 0; i < NATLET_DEAD_REASONS; i++) {
        all_dead[i] += dead[i];
    }
    for (uint32_t i = 0; i < PLACES; i++) {
        all_counts[i] += counts[i];
    }
}

/* All of this must have happened for the run to say anything. */
static void show(const char *what, uint64_t count)
{
    printf("    %llu %s\n", (unsigned long long)count, what);
    CHECK(count > 1000);
}

static void nothing_is_lost_silently(void)
{
    for (world = 1; world <= WORLDS; world++) {
        int before = test_failures;
        seed = world;
        live();
        if (test_failures > before) {
            printf("    in the world of seed %u\n", (unsigned)world);
            break;
        }
    }
    show("sent", all_sent);
    show("handled", all_counts[HANDLED]);
    show("refused", all_counts[REFUSED]);
    show("coalesced", all_counts[COALESCED]);
    for (uint32_t i = 0; i < NATLET_DEAD_REASONS; i++) {
        show(natlet_dead_text((natlet_dead_reason)i), all_dead[i]);
    }
    show("restarts", all_restarts);
    show("ends by overflow", overflows);
    show("pauses", pauses);
    show("late answers", all_late);
    show("blocks that the pool refused", all_pool_refused);
}

int main(void)
{
    RUN(nothing_is_lost_silently);
    return test_done();
}

/* What agents cost: the cases of the benchmark, natively and as a reactor module.
 *
 * One world holds the agents of all cases.  A case is begun with a number of
 * operations, then the cell has its turns until none is left.  The floors do the same
 * work without a cell: records as large as mail in a ring, and a call by pointer. */
#include <string.h>

#include "agent/table.h"
#include "natlet/app.h"
#include "natlet/cell.h"

enum {
    PAYLOAD_BYTES = 16,
    RING_AGENTS = 1000,
    CHUNK = 100,      /* agents that are spawned in one handler */
    BURST = 15,       /* mails of the flood in one handler, of 16 that a mailbox holds */
    SUPERVISORS = 32, /* each restarts 1 000 times in a millisecond at most */
    AGENTS_MAX = 16384,
    CELL_BYTES = 32 << 20,
    TURN_US = 1000,
};

static natlet_cell *cell;
static uint32_t left; /* operations of the case that were not begun */
static bool is_wrong; /* something was refused: there is no result */

static bool take_one(void)
{
    if (left == 0) {
        return false;
    }
    left--;
    return true;
}

static void must(natlet_status st)
{
    is_wrong |= st < 0;
}

static natlet_mail draft_of(uint32_t tag)
{
    static const uint8_t letters[PAYLOAD_BYTES + 1] = "sixteen letters.";

    return (natlet_mail){.payload = {letters, PAYLOAD_BYTES}, .tag = tag};
}

/* As large as the state for which the cost of an agent is said. */
typedef struct runner {
    uint64_t seen;
    union {
        const natlet_pid *next;
        uint64_t next_bare; /* an index */
    } to;
    uint8_t rest[200];
} runner;

_Static_assert(sizeof(runner) == 216, "the state for which the bytes of an agent are bounded");

/* ---- floors ---- */

typedef struct record {
    natlet_mail mail;
    uint8_t payload[PAYLOAD_BYTES];
} record;

typedef struct bare_agent {
    natlet_status (*on_mail)(void *state, natlet_mail *mail);
    runner state;
} bare_agent;

enum { RECORDS = 64 };
static record records[RECORDS];
static uint32_t taken, put; /* records, ever */
static bare_agent bare[RING_AGENTS];

static natlet_status bare_send(uint64_t to, const natlet_mail *draft)
{
    record *r = &records[put % RECORDS];

    if (put - taken == RECORDS || draft->payload.len > PAYLOAD_BYTES) {
        return NATLET_E_FULL;
    }
    r->mail = *draft;
    memcpy(r->payload, draft->payload.ptr, draft->payload.len);
    r->mail.payload.ptr = r->payload;
    r->mail.to = to;
    put++;
    return NATLET_OK;
}

static natlet_status bare_hop(void *state, natlet_mail *mail)
{
    runner *r = state;
    natlet_mail draft = {.payload = mail->payload};

    r->seen++;
    return take_one() ? bare_send(r->to.next_bare, &draft) : NATLET_OK;
}

/* The same again: with one function alone no pointer would be followed. */
static natlet_status bare_return(void *state, natlet_mail *mail)
{
    runner *r = state;
    natlet_mail draft = {.payload = mail->payload};

    r->seen += 2;
    return take_one() ? bare_send(r->to.next_bare, &draft) : NATLET_OK;
}

static void run_bare(uint32_t agents)
{
    natlet_mail draft = draft_of(0);

    for (uint32_t i = 0; i < agents; i++) {
        bare[i].on_mail = i % 2 == 0 ? bare_hop : bare_return;
        bare[i].state.to.next_bare = (i + 1) % agents;
    }
    must(bare_send(0, &draft));
    while (taken != put) {
        natlet_mail *mail = &records[taken % RECORDS].mail;
        bare_agent *agent = &bare[mail->to];
        must(agent->on_mail(&agent->state, mail));
        taken++;
    }
}

static void begin_bare_ping(void)
{
    run_bare(2);
}

static void begin_bare_ring(void)
{
    run_bare(RING_AGENTS);
}

/* ---- mail in a circle ---- */

static natlet_pid pair[2], ring[RING_AGENTS];

static int32_t lead(natlet_cell *of, void *state, void *arg)
{
    runner *r = state;

    (void)of;
    r->to.next = arg;
    return NATLET_DONE;
}

static int32_t hop(natlet_cell *of, void *state, natlet_mail *mail)
{
    runner *r = state;
    natlet_mail draft = {.payload = mail->payload};

    r->seen++;
    return take_one() ? natlet_agent_send(of, *r->to.next, &draft) : NATLET_DONE;
}

static const natlet_behaviour hopping = {
    .name = "runner", .state_bytes = sizeof(runner), .init = lead, .on_mail = hop};
static const natlet_child runner_child = {.behaviour = &hopping};
static const natlet_supervisor_spec circle = {
    .strategy = NATLET_DYNAMIC, .children = &runner_child, .count = 1};

static void make_circle(natlet_pid *pids, uint32_t count)
{
    natlet_pid supervisor;

    must(natlet_supervisor_start(cell, &circle, &supervisor));
    for (uint32_t i = 0; i < count; i++) {
        natlet_child child = {.arg = &pids[(i + 1) % count]};
        must(natlet_supervisor_add(cell, supervisor, &child, &pids[i]));
    }
}

static void tell(natlet_pid pid, uint32_t tag)
{
    natlet_mail draft = draft_of(tag);

    must(natlet_agent_send(cell, pid, &draft));
}

static void begin_ping(void)
{
    tell(pair[0], 0);
}

static void begin_ring(void)
{
    tell(ring[0], 0);
}

/* ---- one way ---- */

/* The last of many has a tag: whoever gets it asks the sender for more. */
enum { MORE = 1 };

static natlet_status ask_for_more(natlet_cell *of, const natlet_mail *mail)
{
    natlet_mail draft = draft_of(0);

    return mail->tag == MORE ? natlet_agent_send(of, mail->from, &draft) : NATLET_OK;
}

static natlet_pid flooder, sink;

static int32_t flood(natlet_cell *of, void *state, natlet_mail *mail)
{
    natlet_mail draft = draft_of(0);

    (void)state;
    (void)mail;
    for (uint32_t i = 1; i <= BURST && take_one(); i++) {
        draft.tag = i == BURST ? MORE : 0;
        must(natlet_agent_send(of, sink, &draft));
    }
    return NATLET_DONE;
}

static int32_t swallow(natlet_cell *of, void *state, natlet_mail *mail)
{
    ((runner *)state)->seen++;
    return ask_for_more(of, mail);
}

static const natlet_behaviour flooding = {.name = "flooder", .on_mail = flood};
static const natlet_behaviour swallowing = {
    .name = "sink", .state_bytes = sizeof(runner), .on_mail = swallow};

static void begin_flood(void)
{
    tell(flooder, 0);
}

/* ---- calls ---- */

static natlet_pid caller, answerer;

static int32_t ask(natlet_cell *of, void *state, natlet_mail *mail)
{
    enum { TIMEOUT_MS = 5000 };
    natlet_mail draft = draft_of(0);
    uint32_t ref;

    (void)state;
    must(mail->status);
    return take_one() ? natlet_agent_call(of, answerer, &draft, TIMEOUT_MS, &ref) : NATLET_DONE;
}

static int32_t answer(natlet_cell *of, void *state, natlet_mail *mail)
{
    (void)state;
    return natlet_agent_reply(of, mail, mail->payload);
}

static const natlet_behaviour asking = {.name = "caller", .on_mail = ask};
static const natlet_behaviour answering = {.name = "answerer", .on_mail = answer};

static void begin_call(void)
{
    tell(caller, 0);
}

/* ---- lives ---- */

static natlet_pid spawner, nursery;

static int32_t spawn(natlet_cell *of, void *state, natlet_mail *mail)
{
    static const natlet_child nameless = {0};
    natlet_mail draft = draft_of(0);

    (void)state;
    (void)mail;
    for (uint32_t i = 1; i <= CHUNK && take_one(); i++) {
        natlet_pid pid;
        draft.tag = i == CHUNK ? MORE : 0;
        must(natlet_supervisor_add(of, nursery, &nameless, &pid));
        must(natlet_agent_send(of, pid, &draft));
    }
    return NATLET_DONE;
}

static int32_t live_once(natlet_cell *of, void *state, natlet_mail *mail)
{
    ((runner *)state)->seen++;
    must(ask_for_more(of, mail));
    return NATLET_STOP;
}

static const natlet_behaviour spawning = {.name = "spawner", .on_mail = spawn};
static const natlet_behaviour living = {
    .name = "mayfly", .state_bytes = sizeof(runner), .on_mail = live_once};
static const natlet_child mayfly = {.behaviour = &living, .restart = NATLET_TEMPORARY};
static const natlet_supervisor_spec nursery_tree = {
    .strategy = NATLET_DYNAMIC, .children = &mayfly, .count = 1};

static void begin_spawn(void)
{
    tell(spawner, 0);
}

static uint32_t agent_bytes; /* of the last case `keep` */

/* Spawns agents that stay, and says what each of them takes: its block, its share of the
 * slots and of the table of names. */
static void begin_keep(void)
{
    static const natlet_child nameless = {0};
    uint32_t count = left;
    natlet_pid supervisor;

    must(natlet_supervisor_start(cell, &circle, &supervisor));
    size_t before = natlet_cell_stats_now(cell).pool_used;
    while (take_one()) {
        natlet_pid pid;
        must(natlet_supervisor_add(cell, supervisor, &nameless, &pid));
    }
    size_t bytes = natlet_cell_stats_now(cell).pool_used - before;
    agent_bytes = (uint32_t)(bytes / count + sizeof(natlet__slot) + 2 * sizeof(void *));
    must(natlet_supervisor_stop(cell, supervisor));
}

/* ---- crashes ---- */

enum { FAIL, TRAP };

static natlet_pid tester;

static int32_t report(natlet_cell *of, void *state, void *arg)
{
    natlet_mail draft = draft_of(0);

    (void)state;
    (void)arg;
    return left > 0 ? natlet_agent_send(of, tester, &draft) : NATLET_DONE;
}

static int32_t crash(natlet_cell *of, void *state, natlet_mail *mail)
{
    (void)of;
    (void)state;
    if (mail->tag == TRAP) {
        __builtin_trap();
    }
    return NATLET_E_INVALID;
}

static uint32_t way; /* in which they crash */

/* Crashes whoever has started. */
static int32_t test(natlet_cell *of, void *state, natlet_mail *mail)
{
    natlet_mail draft = draft_of(way);

    (void)state;
    return take_one() ? natlet_agent_send(of, mail->from, &draft) : NATLET_DONE;
}

static const natlet_behaviour testing = {.name = "tester", .on_mail = test};
static const natlet_behaviour crashing = {
    .name = "victim", .state_bytes = sizeof(runner), .init = report, .on_mail = crash};
static const natlet_child victim = {.behaviour = &crashing};
static const natlet_supervisor_spec patient = {
    .intensity = NATLET_INTENSITY_MAX, .period_ms = 1, .children = &victim, .count = 1};
static natlet_pid victims[SUPERVISORS];

static void begin_crashes(uint32_t how)
{
    way = how;
    for (uint32_t i = 0; i < SUPERVISORS && take_one(); i++) {
        natlet_agent_info info;
        must(natlet_cell_children(cell, victims[i], &info, 1) == 1 ? NATLET_OK : NATLET_E_NO_AGENT);
        tell(info.pid, how);
    }
}

static void begin_restart(void)
{
    begin_crashes(FAIL);
}

#ifdef __wasm__
static void begin_trap(void)
{
    begin_crashes(TRAP);
}
#endif

/* ---- the world ---- */

static const natlet_child children[] = {
    {.name = NATLET_TEXT("tester"), .behaviour = &testing, .mailbox.normal = SUPERVISORS},
    {.name = NATLET_TEXT("caller"), .behaviour = &asking},
    {.name = NATLET_TEXT("answerer"), .behaviour = &answering},
    {.name = NATLET_TEXT("flooder"), .behaviour = &flooding},
    {.name = NATLET_TEXT("sink"), .behaviour = &swallowing},
    {.name = NATLET_TEXT("spawner"), .behaviour = &spawning},
    {.name = NATLET_TEXT("nursery"), .supervisor = &nursery_tree},
};
static const natlet_supervisor_spec tree = {.children = children,
                                            .count = sizeof children / sizeof *children};

/* In the order of `children`. */
static natlet_pid *const known[] = {&tester, &caller,  &answerer, &flooder,
                                    &sink,   &spawner, &nursery};

static natlet_status make_world(natlet_runtime *rt)
{
    static const natlet_cell_config config = {
        .size = sizeof config, .bytes = CELL_BYTES, .agents_max = AGENTS_MAX};
    natlet_status st = natlet_cell_new(&cell, rt, &config);
    natlet_agent_info infos[sizeof known / sizeof *known];
    natlet_pid root;

    if (st < 0) {
        return st;
    }
    must(natlet_supervisor_start(cell, &tree, &root));
    (void)natlet_cell_children(cell, root, infos, sizeof infos / sizeof *infos);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        *known[i] = infos[i].pid;
    }
    make_circle(pair, 2);
    make_circle(ring, RING_AGENTS);
    for (uint32_t i = 0; i < SUPERVISORS; i++) {
        must(natlet_supervisor_start(cell, &patient, &victims[i]));
    }
    return is_wrong ? NATLET_E_STATE : NATLET_OK;
}

static const struct {
    const char *name;
    void (*begin)(void);
} cases[] = {
    {"bare-ping", begin_bare_ping}, {"ping", begin_ping},   {"bare-ring", begin_bare_ring},
    {"ring", begin_ring},           {"flood", begin_flood}, {"call", begin_call},
    {"spawn", begin_spawn},         {"keep", begin_keep},   {"restart", begin_restart},
#ifdef __wasm__
    {"trap", begin_trap},
#endif
};

static bool begin(const char *name, uint32_t count)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(cases[i].name, name) == 0) {
            left = count;
            cases[i].begin();
            return !is_wrong;
        }
    }
    return false;
}

#ifdef __wasm__

/* The host calls natlet_run until it answers that nothing is left to do. */
__attribute__((export_name("agents_begin"))) bool agents_begin(const char *name, uint32_t count);
bool agents_begin(const char *name, uint32_t count)
{
    return begin(name, count);
}

__attribute__((export_name("agents_left"))) int32_t agents_left(void);
int32_t agents_left(void)
{
    return is_wrong ? -1 : (int32_t)left;
}

__attribute__((export_name("agents_bytes"))) uint32_t agents_bytes(void);
uint32_t agents_bytes(void)
{
    return agent_bytes;
}

natlet_status natlet_app_init(natlet_runtime *rt, natlet_slice config)
{
    (void)config;
    return make_world(rt);
}

uint32_t natlet_app_run(natlet_runtime *rt)
{
    (void)rt;
    return NATLET_NEVER_MS;
}

void natlet_app_fini(natlet_runtime *rt)
{
    (void)rt;
    natlet_cell_free(cell);
}

natlet_status natlet_app_recover(natlet_runtime *rt)
{
    (void)rt;
    return natlet_cell_recover(cell);
}

#else

#include <stdio.h>
#include <time.h>

#include "support/hosted.h"

/* Of processor time: what else runs on the machine counts less. */
static uint64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* One line: the case, operations, nanoseconds, and for `keep` bytes. */
static bool measure(natlet_runtime *rt, char *word, bool is_shown)
{
    char *count = strchr(word, '=');
    size_t len = count != NULL ? (size_t)(count - word) : 0;
    char name[16] = "";

    if (count == NULL || len >= sizeof name) {
        return false;
    }
    memcpy(name, word, len);
    uint64_t began = now_ns();
    if (!begin(name, (uint32_t)strtoul(count + 1, NULL, 10))) {
        return false;
    }
    while (natlet_runtime_run(rt, TURN_US, 0) == 0) {
    }
    uint64_t ns = now_ns() - began;
    if (is_shown) {
        printf("%s %s %llu %u\n", name, count + 1, (unsigned long long)ns, (unsigned)agent_bytes);
    }
    return left == 0 && !is_wrong;
}

/* agents ROUNDS CASE=COUNT...: each case in turn, and a round before that warms up. */
int main(int argc, char **argv)
{
    natlet_allocator allocator = hosted_allocator();
    natlet_runtime *rt;

    if (argc < 2 || natlet_runtime_new(&rt, hosted_door(), &allocator, 0) < 0 ||
        make_world(rt) < 0) {
        (void)fputs("usage: agents ROUNDS CASE=COUNT...\n", stderr);
        return 1;
    }
    unsigned long rounds = strtoul(argv[1], NULL, 10);
    for (unsigned long round = 0; round <= rounds; round++) {
        for (int i = 2; i < argc; i++) {
            if (!measure(rt, argv[i], round > 0)) {
                (void)fprintf(stderr, "agents: %s failed\n", argv[i]);
                return 1;
            }
        }
    }
    natlet_cell_free(cell);
    natlet_runtime_free(rt);
    return 0;
}

#endif

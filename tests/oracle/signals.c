/* The scenarios that begin with `signals`: links, monitors and exit signals, as
 * otp_signals.erl plays them with Erlang's. */
#include "oracle/signals.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "natlet/cell.h"
#include "natlet/link.h"
#include "support/test_host.h"

enum { AGENTS_MAX = 8, PIDS_MAX = 256, LINES_MAX = 256, LINE_BYTES = 40, MONITORS_MAX = 32 };

enum op { DIE = 1, LINK, UNLINK, MONITOR, DEMONITOR, TRAP, EXIT };

typedef struct agent {
    char name[4];
    uint32_t starts;
    bool traps;
    uint32_t monitors[MONITORS_MAX]; /* of the incarnation, and of whom */
    natlet_pid watched[MONITORS_MAX];
    uint32_t monitor_count;
} agent;

static struct scene {
    test_host host;
    test_memory memory;
    natlet_runtime *rt;
    natlet_cell *cell;
    natlet_pid root;
    agent agents[AGENTS_MAX];
    natlet_child children[AGENTS_MAX];
    natlet_pid pids[PIDS_MAX]; /* in the order of their start, and whose */
    agent *owners[PIDS_MAX];
    uint32_t pid_count;
    char lines[LINES_MAX][LINE_BYTES]; /* of this tick */
    char keys[LINES_MAX][4];           /* whom they are about */
    uint32_t line_count;
} s;

/* ---- the trace */

__attribute__((format(printf, 2, 3))) static void note(const char *key, const char *format, ...)
{
    va_list args;

    if (s.line_count == LINES_MAX) {
        abort();
    }
    va_start(args, format);
    (void)vsnprintf(s.lines[s.line_count], LINE_BYTES, format, args);
    va_end(args);
    (void)snprintf(s.keys[s.line_count++], sizeof *s.keys, "%.3s", key);
}

static void show_of(const char *key)
{
    for (uint32_t i = 0; i < s.line_count; i++) {
        if (strcmp(s.keys[i], key) == 0) {
            puts(s.lines[i]);
        }
    }
}

/* What happens to different agents has no order: one agent after the other. */
static void show(void)
{
    for (uint32_t i = 0; i < AGENTS_MAX; i++) {
        show_of(s.agents[i].name);
    }
    show_of("sup");
    s.line_count = 0;
}

static const char *reason_text(natlet_reason why)
{
    return why.kind == NATLET_EXIT_ERROR ? "boom" : natlet_exit_text(why.kind);
}

static natlet_reason reason_of(uint32_t why)
{
    static const natlet_exit_kind kinds[] = {NATLET_EXIT_ERROR, NATLET_EXIT_NORMAL,
                                             NATLET_EXIT_SHUTDOWN, NATLET_EXIT_SHUTDOWN,
                                             NATLET_EXIT_KILLED};

    return (natlet_reason){kinds[(why - 1) % 5], 0};
}

static agent *who(natlet_pid pid)
{
    for (uint32_t i = 0; i < s.pid_count; i++) {
        if (s.pids[i] == pid) {
            return s.owners[i];
        }
    }
    abort();
}

static void on_event(void *self, const natlet_cell_event *event)
{
    (void)self;
    if (event->kind == NATLET_CELL_EXITED && event->parent == 0) {
        note("sup", "sup_exit %s", natlet_exit_text(event->reason.kind));
    } else if (event->kind == NATLET_CELL_EXITED) {
        const char *name = who(event->pid)->name;
        note(name, "end %s %s", name, reason_text(event->reason));
    }
}

/* ---- agents */

static int32_t agent_init(natlet_cell *cell, void *state, void *arg)
{
    agent *one = arg;

    *(agent **)state = one;
    if (s.pid_count == PIDS_MAX) {
        abort();
    }
    s.pids[s.pid_count] = natlet_agent_self(cell);
    s.owners[s.pid_count++] = one;
    one->monitor_count = 0;
    note(one->name, "start %s %u", one->name, (unsigned)++one->starts);
    return natlet_agent_trap_exits(cell, natlet_agent_self(cell), one->traps);
}

static void forget_monitor(agent *one, uint32_t i)
{
    one->monitor_count--;
    for (; i < one->monitor_count; i++) {
        one->monitors[i] = one->monitors[i + 1];
        one->watched[i] = one->watched[i + 1];
    }
}

static int32_t take_signal(agent *one, const natlet_mail *mail)
{
    bool is_down = mail->kind == NATLET_MAIL_DOWN;

    note(one->name, "%s %s %s %s", is_down ? "down" : "exit", one->name, who(mail->from)->name,
         reason_text(natlet_mail_reason(mail)));
    for (uint32_t i = 0; is_down && i < one->monitor_count; i++) {
        if (one->monitors[i] == mail->tag) {
            forget_monitor(one, i);
            return NATLET_DONE;
        }
    }
    return is_down ? NATLET_E_NOT_FOUND : NATLET_DONE; /* a DOWN that nobody asked for */
}

/* Erlang has no bounds here, and unlinks what is not linked. */
static int32_t bounded(natlet_status st)
{
    if (st == NATLET_E_FULL) {
        abort();
    }
    return NATLET_DONE;
}

static int32_t begin_monitor(natlet_cell *cell, agent *one, natlet_pid self, natlet_pid other)
{
    uint32_t i = one->monitor_count++;

    if (i == MONITORS_MAX) {
        abort();
    }
    one->watched[i] = other;
    return bounded(natlet_agent_monitor(cell, self, other, 0, &one->monitors[i]));
}

static int32_t end_monitor(natlet_cell *cell, agent *one, natlet_pid self, natlet_pid other)
{
    for (uint32_t i = 0; i < one->monitor_count; i++) {
        if (one->watched[i] == other) {
            uint32_t ref = one->monitors[i];
            forget_monitor(one, i);
            return bounded(natlet_agent_demonitor(cell, self, ref));
        }
    }
    return NATLET_DONE;
}

static int32_t agent_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    agent *one = *(agent **)state;
    natlet_pid self = natlet_agent_self(cell);
    natlet_pid other = mail->seq;
    uint32_t why = mail->tag >> 8;

    if (mail->kind != NATLET_MAIL_USER) {
        return take_signal(one, mail);
    }
    switch ((enum op)(mail->tag & 0xff)) {
    case DIE:
        return natlet_agent_exit(cell, self, reason_of(why));
    case LINK:
        return bounded(natlet_agent_link(cell, self, other));
    case UNLINK:
        return bounded(natlet_agent_unlink(cell, self, other));
    case MONITOR:
        return begin_monitor(cell, one, self, other);
    case DEMONITOR:
        return end_monitor(cell, one, self, other);
    case TRAP:
        return natlet_agent_trap_exits(cell, self, why == 1);
    case EXIT:
        return bounded(natlet_agent_signal(cell, other, reason_of(why)));
    }
    return NATLET_E_INVALID;
}

static const natlet_behaviour linking = {
    .name = "linking", .state_bytes = sizeof(agent *), .init = agent_init, .on_mail = agent_mail};

/* ---- acts */

static void run(void)
{
    while (natlet_runtime_run(s.rt, 1000, 0) == 0) {
    }
}

static natlet_pid pid_of(const agent *one)
{
    return natlet_cell_find(s.cell, (natlet_slice){(const uint8_t *)one->name, strlen(one->name)});
}

/* The present pid or, if it has none, the last one. */
static natlet_pid last_pid(const agent *one)
{
    natlet_pid last = 0;

    for (uint32_t i = 0; i < s.pid_count; i++) {
        last = s.owners[i] == one ? s.pids[i] : last;
    }
    return last;
}

static agent *agent_at(const term *t, uint32_t place)
{
    return &s.agents[(uint32_t)term_int(t, place) % AGENTS_MAX];
}

/* Lets an agent do it, or says that it is not there. */
static void tell(const agent *one, const char *line, natlet_mail order)
{
    natlet_pid pid = pid_of(one);

    if (pid == 0) {
        printf("no %s\n", one->name);
        return;
    }
    puts(line);
    if (order.tag == (DIE | 5 << 8)) {
        (void)natlet_agent_exit(s.cell, pid, reason_of(5));
    } else if (natlet_agent_send(s.cell, pid, &order) != NATLET_OK) {
        abort();
    }
}

static void act(const term *t)
{
    static const char *const reasons[] = {"boom", "normal", "shutdown", "{shutdown,x}", "kill"};
    static const char *const verbs[] = {"", "", "link", "unlink", "monitor", "demonitor"};
    char line[64];

    if (term_is(t, "stop")) {
        puts("> stop");
        (void)natlet_supervisor_stop(s.cell, s.root);
        return;
    }
    if (term_at(t, 0)->kind == TERM_INT) {
        uint32_t why = (uint32_t)term_int(t, 1);
        const agent *one = agent_at(t, 0);
        (void)snprintf(line, sizeof line, "> %s %s", one->name, reasons[(why - 1) % 5]);
        tell(one, line, (natlet_mail){.tag = DIE | why << 8});
        return;
    }
    const agent *one = agent_at(t, 1);
    if (term_is(term_at(t, 0), "trap")) {
        uint32_t on = (uint32_t)term_int(t, 2);
        (void)snprintf(line, sizeof line, "> trap %s %u", one->name, (unsigned)on);
        tell(one, line, (natlet_mail){.tag = TRAP | on << 8});
        return;
    }
    const agent *other = agent_at(t, 2);
    if (term_is(term_at(t, 0), "exit")) {
        uint32_t why = (uint32_t)term_int(t, 3);
        (void)snprintf(line, sizeof line, "> exit %s %s %s", one->name, other->name,
                       reasons[(why - 1) % 5]);
        tell(one, line, (natlet_mail){.tag = EXIT | why << 8, .seq = last_pid(other)});
        return;
    }
    for (uint32_t op = LINK; op <= DEMONITOR; op++) {
        if (term_is(term_at(t, 0), verbs[op])) {
            (void)snprintf(line, sizeof line, "> %s %s %s", verbs[op], one->name, other->name);
            tell(one, line, (natlet_mail){.tag = op, .seq = last_pid(other)});
            return;
        }
    }
    abort();
}

void play_signals(const term *scenario, uint32_t number)
{
    static const natlet_strategy strategies[] = {NATLET_ONE_FOR_ONE, NATLET_ONE_FOR_ALL,
                                                 NATLET_REST_FOR_ONE};
    const natlet_cell_config config = {.size = sizeof config, .on_event = on_event};
    const term *agents = term_at(scenario, 3);
    const term *acts = term_at(scenario, 4);
    int32_t intensity = term_int(scenario, 2);

    printf("## %u\n", (unsigned)number);
    memset(&s, 0, sizeof s);
    test_host_init(&s.host, 1);
    test_memory_init(&s.memory);
    if (agents->count > AGENTS_MAX ||
        natlet_runtime_new(&s.rt, &s.host.host, &s.memory.allocator, 0) != NATLET_OK ||
        natlet_cell_new(&s.cell, s.rt, &config) != NATLET_OK) {
        abort();
    }
    for (uint32_t i = 0; i < agents->count; i++) {
        agent *one = &s.agents[i];
        (void)snprintf(one->name, sizeof one->name, "c%u", (unsigned)i % 10);
        one->traps = term_int(agents->items[i], 1) == 1;
        s.children[i] = (natlet_child){.name = {(const uint8_t *)one->name, strlen(one->name)},
                                       .behaviour = &linking,
                                       .arg = one,
                                       .restart = (natlet_restart)term_int(agents->items[i], 0),
                                       .mailbox = {.sys = 64}};
    }
    natlet_supervisor_spec spec = {.intensity = intensity == 0 ? NATLET_NO_RESTART : intensity,
                                   .period_ms = 3600000,
                                   .strategy = strategies[(uint32_t)term_int(scenario, 1) % 3],
                                   .children = s.children,
                                   .count = agents->count};
    if (natlet_supervisor_start(s.cell, &spec, &s.root) != NATLET_OK) {
        abort();
    }
    run();
    show();
    for (uint32_t i = 0; i < acts->count; i++) {
        act(acts->items[i]);
        run();
        show();
    }
    natlet_cell_free(s.cell);
    natlet_runtime_free(s.rt);
    if (s.memory.live_blocks != 0 || s.host.violations != 0) {
        printf("a block is lost, or a rule of the host was broken\n");
    }
    test_host_free(&s.host);
}

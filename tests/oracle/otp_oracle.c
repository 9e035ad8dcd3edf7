/* otp-oracle FILE: plays the scenarios of a file and writes their traces, as otp.erl
 * does with Erlang's supervisor.  README.md has the grammar of both.
 *
 * Time is virtual.  A worker whose stop takes time is busy from its start on; asked to
 * stop, it settles when that time is over, and so ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/kernel.h"
#include "oracle/signals.h"
#include "oracle/terms.h"
#include "support/test_host.h"

enum {
    WORKERS_MAX = 32,
    SUPERVISORS_MAX = 16,
    CHILDREN_MAX = 8,
    CALLS_MAX = 8,
    NAME_MAX_BYTES = 8,
    STEP_MS = 10, /* every time in a scenario is a multiple of it */
    TICK_MS = 400,
    TICK_OF_PERIODS_MS = 1000,
    PERIOD_S = 3600,
    SHUTDOWN_MS = 1000,
    BOOM = -7,
    KILL = 5,
    LINE_MAX_BYTES = 4096,
    STOPS_MAX = 64,
};

typedef struct worker {
    char name[NAME_MAX_BYTES];
    uint32_t fail_from, fail_to, slow_ms;
    uint32_t starts;
    uint32_t token;  /* of the mail that keeps a slow one busy */
    uint64_t due_us; /* when it will have stopped; 0: nobody asked */
    const char *why; /* it ends by itself, for this reason */
} worker;

typedef struct supervisor {
    char name[NAME_MAX_BYTES];
    natlet_supervisor_spec spec;
    natlet_child children[CHILDREN_MAX];
    worker pattern;
} supervisor;

/* Somebody who waits for a supervisor's answer. */
typedef struct call {
    natlet_pid sup;
    const term *act;
    char name[NAME_MAX_BYTES];
    bool is_asked; /* it took the order, and is about it */
} call;

static struct world {
    test_host host;
    test_memory memory;
    natlet_runtime *rt;
    natlet_cell *cell;
    natlet_pid root;
    worker workers[WORKERS_MAX];
    uint32_t worker_count;
    uint32_t next_worker; /* number of the one that is described next */
    supervisor supervisors[SUPERVISORS_MAX];
    uint32_t supervisor_count;
    call calls[CALLS_MAX];
    uint32_t call_count;
    uint32_t tick_ms;
    char stops[STOPS_MAX][NAME_MAX_BYTES]; /* of dynamic children, not yet shown */
    uint32_t stop_count;
} w;

static natlet_slice slice_of(const char *text)
{
    return (natlet_slice){(const uint8_t *)text, strlen(text)};
}

/* ---- the trace */

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The children of a dynamic supervisor stop in no order: neighbouring lines are sorted. */
static void show_stops(void)
{
    qsort(w.stops, w.stop_count, sizeof *w.stops, by_name);
    for (uint32_t i = 0; i < w.stop_count; i++) {
        printf("stop %s shutdown\n", w.stops[i]);
    }
    w.stop_count = 0;
}

#define SHOW(...) (show_stops(), (void)printf(__VA_ARGS__))

static void show_stop(const worker *one)
{
    if (one->name[0] == 'd' && w.stop_count < STOPS_MAX) {
        memcpy(w.stops[w.stop_count++], one->name, sizeof one->name);
        return;
    }
    SHOW("stop %s shutdown\n", one->name);
}

static void on_event(void *self, const natlet_cell_event *event)
{
    (void)self;
    if (event->kind == NATLET_CELL_EXITED && event->parent == 0) {
        SHOW("sup_exit %s\n", natlet_exit_text(event->reason.kind));
    }
}

/* ---- workers */

static int32_t worker_init(natlet_cell *cell, void *state, void *arg)
{
    worker *one = arg;

    *(worker **)state = one;
    one->due_us = 0;
    one->why = NULL;
    one->starts++;
    if (one->fail_from > 0 && one->starts >= one->fail_from && one->starts <= one->fail_to) {
        SHOW("startfail %s %u\n", one->name, (unsigned)one->starts);
        return BOOM;
    }
    SHOW("start %s %u\n", one->name, (unsigned)one->starts);
    return one->slow_ms > 0
               ? natlet_agent_send(cell, natlet_agent_self(cell), &(natlet_mail){.tag = 0})
               : NATLET_DONE;
}

static int32_t end_for(natlet_cell *cell, worker *one, natlet_pid pid)
{
    SHOW("die %s %s\n", one->name, one->why);
    if (strcmp(one->why, "boom") == 0) {
        return BOOM;
    }
    if (strcmp(one->why, "normal") == 0) {
        return NATLET_STOP;
    }
    return natlet_agent_exit(cell, pid,
                             (natlet_reason){NATLET_EXIT_SHUTDOWN, one->why[0] == '{' ? 1 : 0});
}

/* The first mail of a slow one keeps it busy; every other one is an end. */
static int32_t worker_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    worker *one = *(worker **)state;

    if (mail->tag == 0) {
        return natlet_agent_later(cell, &one->token);
    }
    return end_for(cell, one, natlet_agent_self(cell));
}

static void worker_terminate(natlet_cell *cell, void *state, natlet_reason why)
{
    const worker *one = *(worker **)state;

    (void)cell;
    if (one->why == NULL && why.kind == NATLET_EXIT_SHUTDOWN) {
        show_stop(one);
    }
}

static const natlet_behaviour working = {.name = "worker",
                                         .state_bytes = sizeof(worker *),
                                         .init = worker_init,
                                         .on_mail = worker_mail,
                                         .terminate = worker_terminate};

/* ---- a scenario as natlet wants it */

static worker *new_worker(const char *name, const worker *like)
{
    for (uint32_t i = 0; i < w.worker_count; i++) {
        if (strcmp(w.workers[i].name, name) == 0) { /* it goes on counting its starts */
            uint32_t starts = w.workers[i].starts;
            w.workers[i] = *like;
            w.workers[i].starts = starts;
            memcpy(w.workers[i].name, name, strlen(name) + 1);
            return &w.workers[i];
        }
    }
    if (w.worker_count == WORKERS_MAX) {
        abort();
    }
    worker *one = &w.workers[w.worker_count++];
    *one = *like;
    (void)snprintf(one->name, sizeof one->name, "%s", name);
    return one;
}

/* {Restart, Significant, FailFrom, FailTo} or the same with SlowMs, ShutdownMs */
static natlet_child describe_worker(const term *t, worker *like)
{
    int32_t shutdown = t->count > 4 ? term_int(t, 5) : SHUTDOWN_MS;

    *like = (worker){.fail_from = (uint32_t)term_int(t, 2),
                     .fail_to = (uint32_t)term_int(t, 3),
                     .slow_ms = t->count > 4 ? (uint32_t)term_int(t, 4) : 0};
    return (natlet_child){.behaviour = &working,
                          .restart = (natlet_restart)term_int(t, 0),
                          .significant = term_int(t, 1) == 1,
                          .shutdown_ms = shutdown == 0  ? NATLET_SHUTDOWN_BRUTAL
                                         : shutdown < 0 ? NATLET_SHUTDOWN_NEVER
                                                        : (uint32_t)shutdown};
}

static natlet_child numbered_worker(const term *t)
{
    char name[NAME_MAX_BYTES];
    worker like;
    natlet_child child = describe_worker(t, &like);

    (void)snprintf(name, sizeof name, "c%u", (unsigned)(w.next_worker++ % 100));
    worker *one = new_worker(name, &like);
    child.name = slice_of(one->name);
    child.arg = one;
    return child;
}

static supervisor *describe_supervisor(const term *t);

/* A worker, or {sup, Restart, Significant, Supervisor} */
static natlet_child describe_child(const term *t)
{
    if (!term_is(term_at(t, 0), "sup")) {
        return numbered_worker(t);
    }
    const supervisor *inner = describe_supervisor(term_at(t, 3));
    return (natlet_child){.name = slice_of(inner->name),
                          .supervisor = &inner->spec,
                          .restart = (natlet_restart)term_int(t, 1),
                          .significant = term_int(t, 2) == 1};
}

/* {Strategy, Intensity or {Intensity, PeriodS}, AutoShutdown, Children} */
static supervisor *describe_supervisor(const term *t)
{
    static const natlet_strategy strategies[] = {NATLET_ONE_FOR_ONE, NATLET_ONE_FOR_ALL,
                                                 NATLET_REST_FOR_ONE, NATLET_DYNAMIC};
    const term *children = term_at(t, 3);
    const term *intensity = term_at(t, 1);
    bool has_period = intensity->kind == TERM_TUPLE;
    int32_t restarts = has_period ? term_int(intensity, 0) : intensity->value;
    uint32_t period_s = has_period ? (uint32_t)term_int(intensity, 1) : PERIOD_S;

    if (w.supervisor_count == SUPERVISORS_MAX || children->count > CHILDREN_MAX) {
        abort();
    }
    supervisor *sup = &w.supervisors[w.supervisor_count];
    (void)snprintf(sup->name, sizeof sup->name, "s%u", (unsigned)(w.supervisor_count++ % 100));
    sup->spec = (natlet_supervisor_spec){
        .intensity = restarts == 0 ? NATLET_NO_RESTART : restarts,
        .period_ms = period_s * 1000,
        .strategy = strategies[term_int(t, 0) & 3],
        .auto_shutdown = (natlet_auto_shutdown)term_int(t, 2),
        .children = sup->children,
        .count = children->count,
    };
    for (uint32_t i = 0; i < children->count; i++) {
        sup->children[i] = sup->spec.strategy == NATLET_DYNAMIC
                               ? describe_worker(children->items[i], &sup->pattern)
                               : describe_child(children->items[i]);
    }
    return sup;
}

/* ---- time */

static natlet__agent *agent_at(natlet_pid pid)
{
    return natlet__registry_at(w.cell, pid);
}

static natlet__agent *agent_named(const char *name)
{
    return natlet__registry_find(w.cell, slice_of(name));
}

static bool is_busy(const natlet__agent *sup)
{
    return sup->phase != NATLET_AGENT_RUNNING || natlet__supervisor_of(sup)->stopping != NULL;
}

static void run(void)
{
    while (natlet_runtime_run(w.rt, 1000, 0) == 0) {
    }
}

/* Slow workers that were asked to stop, and those that have. */
static void stop_slowly(void)
{
    for (uint32_t i = 0; i < w.worker_count; i++) {
        worker *one = &w.workers[i];
        natlet__agent *agent = agent_named(one->name);
        if (agent == NULL || agent->phase != NATLET_AGENT_BUSY || !agent->is_asked) {
            continue;
        }
        if (one->due_us == 0) {
            one->due_us = w.host.now_us + one->slow_ms * 1000;
        } else if (one->due_us <= w.host.now_us) {
            (void)natlet_cell_settle(w.cell, agent->pid, one->token, NATLET_DONE);
        }
    }
}

static void serve_calls(void);

static void settle(void)
{
    run();
    stop_slowly();
    run();
    stop_slowly(); /* who was asked by what just stopped */
    run();
    serve_calls();
    show_stops();
}

static void wait_ms(uint32_t ms)
{
    settle();
    for (uint32_t i = 0; i < ms; i += STEP_MS) {
        test_host_advance_ms(&w.host, STEP_MS);
        settle();
    }
}

/* ---- orders and questions */

static const char *state_text(const natlet__agent *child)
{
    return child->pid != 0                           ? "running"
           : child->phase == NATLET_AGENT_RESTARTING ? "restarting"
                                                     : "down";
}

static const char *error_text(natlet_status st, const char *name)
{
    const natlet__agent *child = agent_named(name);

    switch ((int)st) {
    case NATLET_OK:
        return "ok";
    case NATLET_E_NOT_FOUND:
        return "{error,not_found}";
    case NATLET_E_INVALID:
        return "{error,simple_one_for_one}";
    case NATLET_E_STATE:
        return child->pid != 0 ? "{error,running}" : "{error,restarting}";
    case NATLET_E_NAME_TAKEN:
        return child->phase == NATLET_AGENT_DOWN ? "{error,already_present}"
                                                 : "{error,already_started}";
    case BOOM:
        return "{error,nope}";
    default:
        return natlet_status_text(st);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void show_children(natlet__agent *sup)
{
    static char texts[WORKERS_MAX][32];
    const char *order[WORKERS_MAX];
    uint32_t count = 0;
    const natlet__link *children = &natlet__supervisor_of(sup)->children;

    for (natlet__link *at = children->next; at != children && count < WORKERS_MAX; at = at->next) {
        const natlet__agent *child = natlet__child_at(at);
        bool is_nameless = sup->child.supervisor->strategy == NATLET_DYNAMIC && child->pid == 0;
        (void)snprintf(
            texts[count], sizeof *texts, "{%.*s,%s}", is_nameless ? 10 : (int)child->child.name.len,
            is_nameless ? "restarting" : (const char *)child->child.name.ptr, state_text(child));
        order[count] = texts[count];
        count++;
    }
    if (sup->child.supervisor->strategy == NATLET_DYNAMIC) {
        qsort(order, count, sizeof *order, by_text);
    }
    SHOW("answer [");
    for (uint32_t i = 0; i < count; i++) {
        SHOW("%s%s", i > 0 ? "," : "", order[i]);
    }
    SHOW("]\n");
}

static void show_counts(natlet_pid sup)
{
    natlet_supervisor_counts counts;

    (void)natlet_supervisor_count(w.cell, sup, &counts);
    SHOW("answer [%u,%u,%u,%u]\n", (unsigned)counts.specs, (unsigned)counts.active,
         (unsigned)counts.supervisors, (unsigned)counts.workers);
}

/* {grow, S, I, Child} and {add, S, I} */
static natlet_status add(const call *c)
{
    natlet_pid pid;
    natlet_child child = {0};

    if (term_is(term_at(c->act, 0), "grow")) {
        if (agent_named(c->name) != NULL) {
            return NATLET_E_NAME_TAKEN;
        }
        w.next_worker = (uint32_t)term_int(c->act, 2);
        child = describe_child(term_at(c->act, 3));
    } else {
        worker *one = new_worker(c->name, &w.supervisors[(uint32_t)term_int(c->act, 1)].pattern);
        child.name = slice_of(one->name);
        child.arg = one;
    }
    return natlet_supervisor_add(w.cell, c->sup, &child, &pid);
}

/* True: there is an answer, or nobody who could give one. */
static bool serve(call *c)
{
    natlet__agent *sup = agent_at(c->sup);
    const term *what = term_at(c->act, 0);
    natlet_status st = NATLET_OK;
    natlet_pid pid;

    if (sup == NULL || is_busy(sup)) {
        return sup == NULL;
    }
    if (term_is(what, "which")) {
        show_children(sup);
        return true;
    }
    if (term_is(what, "count")) {
        show_counts(c->sup);
        return true;
    }
    if (term_is(what, "add") || term_is(what, "grow")) {
        st = add(c);
    } else if (term_is(what, "restart")) {
        st = natlet_supervisor_restart(w.cell, c->sup, slice_of(c->name), &pid);
    } else if (term_is(what, "delete")) {
        st = natlet_supervisor_delete(w.cell, c->sup, slice_of(c->name));
    } else if (!c->is_asked) {
        st = natlet_supervisor_terminate(w.cell, c->sup, slice_of(c->name));
        c->is_asked = true;
        if (st == NATLET_OK) {
            return false;
        }
    }
    SHOW("answer %s\n", error_text(st, c->name));
    return true;
}

/* In the order in which they came; each waits for its supervisor, and for the ones before. */
static void serve_calls(void)
{
    for (uint32_t i = 0; i < w.call_count;) {
        bool was_asked = w.calls[i].is_asked;
        if (serve(&w.calls[i])) {
            w.call_count--;
            memmove(&w.calls[i], &w.calls[i + 1], (w.call_count - i) * sizeof *w.calls);
        } else if (w.calls[i].is_asked == was_asked) {
            i++;
        }
        run();
        stop_slowly();
        run();
    }
}

static void name_call(call *c)
{
    const term *id = term_at(c->act, 2);

    if (id->kind == TERM_ATOM) {
        (void)snprintf(c->name, sizeof c->name, "%.7s", id->atom);
    } else {
        (void)snprintf(c->name, sizeof c->name, "%c%u",
                       term_is(term_at(c->act, 0), "grow") ? 'c' : 'd',
                       (unsigned)(id->value % 100));
    }
}

static void begin_call(const term *act)
{
    int32_t number = term_int(act, 1);
    const natlet__agent *sup = NULL;
    const char *verb = term_at(act, 0)->atom;
    char what[40];
    call c = {.act = act};

    if (number == 0) {
        sup = agent_at(w.root);
    } else if ((uint32_t)number < w.supervisor_count) {
        sup = agent_named(w.supervisors[number].name);
    }
    (void)snprintf(what, sizeof what, "%s", verb);
    if (act->count > 2) {
        name_call(&c);
        if (strcmp(verb, "add") == 0 || strcmp(verb, "grow") == 0) {
            verb = "start";
        } else if (strcmp(verb, "end_d") == 0) {
            verb = "terminate";
        }
        (void)snprintf(what, sizeof what, "{%s,%s}", verb, c.name);
    }
    if (sup == NULL || sup->pid == 0) {
        SHOW("no s%d for %s\n", (int)number, what);
        return;
    }
    c.sup = sup->pid;
    SHOW("> s%d %s\n", (int)number, what);
    if (w.call_count == CALLS_MAX) {
        abort();
    }
    w.calls[w.call_count++] = c;
}

/* ---- acts */

static void kill_worker(char letter, int32_t number, int32_t why)
{
    static const char *const reasons[] = {"boom", "normal", "shutdown", "{shutdown,x}", "kill"};
    const char *reason = reasons[(uint32_t)(why - 1) % 5];
    char name[NAME_MAX_BYTES];

    (void)snprintf(name, sizeof name, "%c%u", letter, (unsigned)number % 100);
    natlet__agent *agent = agent_named(name);
    if (agent == NULL || agent->pid == 0) {
        SHOW("no %s\n", name);
        return;
    }
    SHOW("> %s %s\n", name, reason);
    if (why == KILL) {
        (void)natlet_agent_exit(w.cell, agent->pid, (natlet_reason){NATLET_EXIT_KILLED, 0});
        return;
    }
    if (agent->is_asked) {
        return; /* it is stopping and hears nothing else */
    }
    worker *one = agent->child.arg;
    one->why = reason;
    if (agent->phase != NATLET_AGENT_BUSY) {
        (void)natlet_agent_send(w.cell, agent->pid, &(natlet_mail){.tag = 1});
        return;
    }
    int32_t result = end_for(w.cell, one, agent->pid);
    (void)natlet_cell_settle(w.cell, agent->pid, one->token, result);
}

static void act(const term *t)
{
    if (term_is(t, "stop")) {
        SHOW("> stop\n");
        (void)natlet_supervisor_stop(w.cell, w.root);
    } else if (term_at(t, 0)->kind == TERM_INT) {
        kill_worker('c', term_int(t, 0), term_int(t, 1));
    } else if (term_is(term_at(t, 0), "d")) {
        kill_worker('d', term_int(t, 1), term_int(t, 2));
    } else if (term_is(term_at(t, 0), "wait")) {
        wait_ms((uint32_t)term_int(t, 1) * w.tick_ms);
    } else {
        begin_call(t);
    }
    wait_ms(w.tick_ms);
}

static void play(const term *scenario, uint32_t number)
{
    const natlet_cell_config config = {.size = sizeof config, .on_event = on_event};
    const term *acts = term_at(scenario, 4);

    if (term_is(term_at(scenario, 0), "signals")) {
        play_signals(scenario, number);
        return;
    }
    printf("## %u\n", (unsigned)number);
    memset(&w, 0, sizeof w);
    test_host_init(&w.host, 1);
    test_memory_init(&w.memory);
    if (natlet_runtime_new(&w.rt, &w.host.host, &w.memory.allocator, 0) != NATLET_OK ||
        natlet_cell_new(&w.cell, w.rt, &config) != NATLET_OK) {
        abort();
    }
    w.tick_ms = term_at(scenario, 1)->kind == TERM_TUPLE ? TICK_OF_PERIODS_MS : TICK_MS;
    const supervisor *root = describe_supervisor(scenario);
    if (natlet_supervisor_start(w.cell, &root->spec, &w.root) < 0) {
        SHOW("sup_start error\n");
    }
    wait_ms(w.tick_ms);
    for (uint32_t i = 0; i < acts->count; i++) {
        act(acts->items[i]);
    }
    show_stops();
    natlet_cell_free(w.cell);
    natlet_runtime_free(w.rt);
    if (w.memory.live_blocks != 0 || w.host.violations != 0) {
        printf("a block is lost, or a rule of the host was broken\n");
    }
    test_host_free(&w.host);
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES];
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    uint32_t number = 0;

    if (file == NULL) {
        (void)fprintf(stderr, "usage: otp-oracle FILE\n");
        return 2;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        const char *at = line;
        if (line[0] == '%' || line[0] == '\n') {
            continue;
        }
        const term *scenario = terms_read(&at);
        if (scenario == NULL || *at != '.') {
            printf("not a scenario: %s", line);
            return 2;
        }
        play(scenario, number++);
        terms_forget();
    }
    return fclose(file) == 0 ? 0 : 2;
}

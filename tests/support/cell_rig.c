#include "support/cell_rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "natlet/link.h"

/* What a test counts is its own: what breaks a rule of the rig ends the program. */
#define MUST(cond) ((cond) ? (void)0 : give_up(__LINE__, #cond))

static void give_up(int line, const char *what)
{
    printf("cell rig, line %d: %s does not hold\n", line, what);
    abort();
}

/* ---- the log ---- */

void cell_rig_note(cell_rig *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(r->log + r->log_len, sizeof r->log - r->log_len, format, args);
    va_end(args);
    if (n < 0 || (size_t)n + 1 >= sizeof r->log - r->log_len) {
        printf("cell rig: the log is full\n");
        abort();
    }
    r->log_len += (size_t)n;
    r->log[r->log_len++] = '\n';
    r->log[r->log_len] = '\0';
}

const char *cell_rig_log(cell_rig *r)
{
    static char taken[CELL_RIG_LOG_MAX];

    memcpy(taken, r->log, r->log_len);
    taken[r->log_len] = '\0';
    r->log_len = 0;
    return taken;
}

natlet_slice cell_rig_text(const char *text)
{
    return (natlet_slice){(const uint8_t *)text, strlen(text)};
}

static void on_event(void *self, const natlet_cell_event *event)
{
    static const char *const names[] = {"started", "not started", "exited"};
    cell_rig *r = self;

    if (event->kind == NATLET_CELL_CLOSED) {
        cell_rig_note(r, "closed %s", natlet_exit_text(event->reason.kind));
        return;
    }
    int len = (int)event->name.len;
    const char *name = len > 0 ? (const char *)event->name.ptr : "";

    if (event->kind == NATLET_CELL_DEAD_LETTER) {
        cell_rig_note(r, "dead letter %.*s: %s [%.*s]%s%s", len, name,
                      natlet_dead_text(event->dead), (int)event->mail->payload.len,
                      event->mail->payload.len > 0 ? (const char *)event->mail->payload.ptr : "",
                      event->dead == NATLET_DEAD_CRASHED ? " " : "",
                      event->dead == NATLET_DEAD_CRASHED ? natlet_exit_text(event->reason.kind)
                                                         : "");
    } else if (r->logs_events) {
        cell_rig_note(r, "%s %.*s%s%s", names[event->kind], len, name,
                      event->kind == NATLET_CELL_STARTED ? "" : " ",
                      event->kind == NATLET_CELL_STARTED ? ""
                                                         : natlet_exit_text(event->reason.kind));
    }
}

/* ---- puppets ---- */

const char *cell_rig_who(const cell_rig *r, natlet_pid pid)
{
    for (uint32_t i = 0; i < r->pid_count; i++) {
        if (r->pids[i] == pid) {
            return r->names[i];
        }
    }
    return pid == 0 ? "nobody" : "?";
}

static void note_pid(cell_rig *r, natlet_pid pid, const char *name)
{
    if (r->pid_count < CELL_RIG_PIDS_MAX) {
        r->pids[r->pid_count] = pid;
        r->names[r->pid_count++] = name;
    }
}

static int32_t puppet_init(natlet_cell *cell, void *state, void *arg)
{
    puppet *p = arg;

    *(puppet **)state = p;
    p->starts++;
    note_pid(p->rig, natlet_agent_self(cell), p->name);
    if (p->fail_from > 0 && p->starts >= p->fail_from && p->starts <= p->fail_to) {
        cell_rig_note(p->rig, "startfail %s %u", p->name, (unsigned)p->starts);
        return -5;
    }
    cell_rig_note(p->rig, "start %s %u", p->name, (unsigned)p->starts);
    return NATLET_DONE;
}

static void puppet_terminate(natlet_cell *cell, void *state, natlet_reason why)
{
    const puppet *p = *(puppet **)state;

    (void)cell;
    if (why.kind == NATLET_EXIT_SHUTDOWN) {
        cell_rig_note(p->rig, "stop %s", p->name);
    } else {
        cell_rig_note(p->rig, "end %s %s", p->name, natlet_exit_text(why.kind));
    }
}

/* Cuts a word and the blank behind it off the front of `text`. */
static natlet_slice take_word(natlet_slice *text)
{
    natlet_slice word = {text->ptr, 0};

    while (word.len < text->len && word.ptr[word.len] != ' ') {
        word.len++;
    }
    size_t skip = word.len + (word.len < text->len ? 1 : 0);
    text->ptr = word.len > 0 ? text->ptr + skip : text->ptr;
    text->len -= skip;
    return word;
}

static bool is(natlet_slice word, const char *text)
{
    return word.len == strlen(text) && (word.len == 0 || memcmp(word.ptr, text, word.len) == 0);
}

static int32_t act(natlet_cell *cell, puppet *p, natlet_mail *mail)
{
    natlet_slice rest = mail->payload;
    natlet_slice word = take_word(&rest);

    if (is(word, "boom") || is(word, "normal")) {
        cell_rig_note(p->rig, "die %s %.*s", p->name, (int)word.len, (const char *)word.ptr);
        return is(word, "boom") ? -7 : NATLET_STOP;
    }
    if (is(word, "reject")) {
        return NATLET_REJECT;
    }
    if (is(word, "later")) {
        return natlet_agent_later(cell, &p->token);
    }
    if (is(word, "reply")) {
        return natlet_agent_reply(cell, mail, rest);
    }
    if (is(word, "tick")) {
        uint32_t ms = (uint32_t)strtoul((const char *)rest.ptr, NULL, 10);
        return natlet_agent_send_after(cell, natlet_agent_self(cell), ms, ms, &p->ref);
    }
    natlet_slice name = take_word(&rest);
    if (is(word, "to")) {
        natlet_status st =
            natlet_agent_send_name(cell, name, &(natlet_mail){.payload = rest, .tag = 5});
        cell_rig_note(p->rig, "%s: sent, %s", p->name, natlet_status_text(st));
        return NATLET_DONE;
    }
    if (is(word, "call")) {
        natlet_status st = natlet_agent_call(cell, natlet_cell_find(cell, name),
                                             &(natlet_mail){.payload = rest}, 100, &p->ref);
        cell_rig_note(p->rig, "%s: called, %s", p->name, natlet_status_text(st));
        return NATLET_DONE;
    }
    cell_rig_note(p->rig, "%s: %.*s", p->name, (int)mail->payload.len,
                  mail->payload.len > 0 ? (const char *)mail->payload.ptr : "");
    return NATLET_DONE;
}

static int32_t puppet_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    puppet *p = *(puppet **)state;

    MUST(mail->to == natlet_agent_self(cell));
    MUST(mail->attempt >= 1);
    switch ((natlet_mail_kind)mail->kind) {
    case NATLET_MAIL_TIMER:
        cell_rig_note(p->rig, "%s: timer %u", p->name, (unsigned)mail->tag);
        return NATLET_DONE;
    case NATLET_MAIL_REPLY:
        MUST(mail->tag == p->ref);
        cell_rig_note(p->rig, "%s: reply, %s [%.*s]", p->name, natlet_status_text(mail->status),
                      (int)mail->payload.len,
                      mail->payload.len > 0 ? (const char *)mail->payload.ptr : "");
        return NATLET_DONE;
    case NATLET_MAIL_EXIT:
        cell_rig_note(p->rig, "%s: exit of %s, %s %d", p->name, cell_rig_who(p->rig, mail->from),
                      natlet_exit_text(natlet_mail_reason(mail).kind),
                      (int)natlet_mail_reason(mail).code);
        MUST(mail->tag == 0);
        return NATLET_DONE;
    case NATLET_MAIL_DOWN:
        cell_rig_note(p->rig, "%s: down %s, %s %d", p->name, cell_rig_who(p->rig, mail->from),
                      natlet_exit_text(natlet_mail_reason(mail).kind),
                      (int)natlet_mail_reason(mail).code);
        return NATLET_DONE;
    case NATLET_MAIL_USER:
    case NATLET_MAIL_CALL:
    case NATLET_MAIL_NATS:
    case NATLET_MAIL_CONNECTION:
        break;
    }
    return act(cell, p, mail);
}

const natlet_behaviour puppet_behaviour = {.name = "puppet",
                                           .state_bytes = sizeof(puppet *),
                                           .init = puppet_init,
                                           .on_mail = puppet_mail,
                                           .terminate = puppet_terminate};

natlet_child puppet_child(puppet *p, natlet_restart restart)
{
    return (natlet_child){.name = cell_rig_text(p->name),
                          .behaviour = &puppet_behaviour,
                          .arg = p,
                          .restart = restart};
}

/* ---- the cell ---- */

void cell_rig_init(cell_rig *r, const natlet_cell_config *config)
{
    natlet_cell_config whole = config != NULL ? *config : (natlet_cell_config){0};

    memset(r, 0, sizeof *r);
    test_host_init(&r->host, 1);
    test_memory_init(&r->memory);
    whole.size = sizeof whole;
    whole.on_event = on_event;
    whole.self = r;
    MUST(natlet_runtime_new(&r->rt, &r->host.host, &r->memory.allocator, 0) == NATLET_OK);
    MUST(natlet_cell_new(&r->cell, r->rt, &whole) == NATLET_OK);
}

void cell_rig_end(cell_rig *r)
{
    natlet_cell_free(r->cell);
    natlet_runtime_free(r->rt);
    MUST(r->memory.live_blocks == 0);
    MUST(r->memory.errors == 0);
    MUST(r->host.violations == 0);
    test_host_free(&r->host);
}

void cell_rig_run(cell_rig *r)
{
    uint32_t turns = 0;

    while (natlet_runtime_run(r->rt, 1000, 0) == 0) {
        if (++turns == 100000) {
            printf("cell rig: the cell never rests\n");
            abort();
        }
    }
}

void cell_rig_wait_ms(cell_rig *r, uint64_t ms)
{
    uint32_t due;

    cell_rig_run(r);
    while ((due = natlet_runtime_run(r->rt, 1000, 0)) <= ms) {
        test_host_advance_ms(&r->host, due);
        ms -= due;
        cell_rig_run(r);
    }
    test_host_advance_ms(&r->host, ms);
}

void cell_rig_tree(cell_rig *r, puppet *puppets, uint32_t count)
{
    static natlet_child children[16];
    static natlet_supervisor_spec tree;

    for (uint32_t i = 0; i < count; i++) {
        puppets[i].rig = r;
        children[i] = puppet_child(&puppets[i], NATLET_PERMANENT);
    }
    tree = (natlet_supervisor_spec){.children = children, .count = count};
    MUST(natlet_supervisor_start(r->cell, &tree, &r->root) == NATLET_OK);
}

natlet_pid cell_rig_find(cell_rig *r, const char *name)
{
    return natlet_cell_find(r->cell, cell_rig_text(name));
}

natlet_status cell_rig_tell(cell_rig *r, const char *name, const char *text)
{
    natlet_status st = natlet_agent_send_name(r->cell, cell_rig_text(name),
                                              &(natlet_mail){.payload = cell_rig_text(text)});

    cell_rig_run(r);
    return st;
}

/* Every element is written at once and taken back if it does not fit: the writer's
 * state is a few numbers. */
#include "natlet/inspect.h"

#include "agent/inspect.h"
#include "agent/kernel.h"
#include "base/utf8.h"

/* `],"left_out":4294967295}` */
enum { CLOSE_BYTES = 24, NAME_BYTES_MAX = 256 };

static const char *const dead_names[NATLET_DEAD_REASONS] = {
#define X(name, value, text) [value] = #name,
    NATLET_DEAD_MAP(X)
#undef X
};

size_t natlet__dead_word(natlet_dead_reason reason, char word[NATLET__DEAD_WORD_MAX])
{
    const char *name = (uint32_t)reason < NATLET_DEAD_REASONS ? dead_names[reason] : NULL;
    size_t len = 0;

    for (name = name != NULL ? name : "unknown"; name[len] != '\0'; len++) {
        NATLET_ASSERT(len < NATLET__DEAD_WORD_MAX);
        word[len] = (char)natlet__lower((uint8_t)name[len]);
    }
    return len;
}

/* ---- room ---- */

bool natlet__inspect_fits(natlet_json_out *out, const natlet_json_out *before)
{
    bool fits = out->cap == 0 || out->len <= out->cap;

    if (!fits) {
        *out = *before;
    }
    return fits;
}

size_t natlet__inspect_hold(natlet_json_out *out)
{
    size_t cap = out->cap;

    if (cap > 0) { /* a cap of 0 means something else, so one byte that is taken stays */
        out->cap = cap > out->len + CLOSE_BYTES ? cap - CLOSE_BYTES : 1;
    }
    return cap;
}

/* ---- pieces ---- */

void natlet__inspect_text(natlet_json_out *out, natlet_slice text)
{
    text.len = natlet__utf8_cut(text, NAME_BYTES_MAX);
    if (natlet__utf8_valid(text)) {
        natlet_json_out_string(out, text);
    } else { /* what is no text is shown as what a payload would be */
        natlet_json_out_open(out, '{');
        natlet_json_out_key(out, "raw");
        natlet_json_out_base64(out, text);
        natlet_json_out_close(out, '}');
    }
}

static void put_text(natlet_json_out *out, const char *key, natlet_slice text)
{
    natlet_json_out_key(out, key);
    natlet__inspect_text(out, text);
}

void natlet__inspect_reason(natlet_json_out *out, natlet_reason why)
{
    natlet_json_out_open(out, '{');
    put_text(out, "kind", natlet__text(natlet_exit_text(why.kind)));
    natlet_json_out_key(out, "code");
    natlet_json_out_i64(out, why.code);
    put_text(out, "text", natlet__text(natlet_status_text((natlet_status)why.code)));
    natlet_json_out_close(out, '}');
}

static void put_mailbox(natlet_json_out *out, const natlet_mailbox_stats *box)
{
    static const char *const lanes[NATLET_PRIORITIES] = {"normal", "high", "low", "sys"};

    natlet_json_out_open(out, '{');
    for (uint32_t i = 0; i < NATLET_PRIORITIES; i++) {
        if (box->used[i] > 0 || box->free_min[i] > 0 || i == NATLET_PRIORITY_NORMAL) {
            natlet_json_out_key(out, lanes[i]);
            natlet_json_out_open(out, '{');
            natlet_json_out_member_u64(out, "used", box->used[i]);
            natlet_json_out_member_u64(out, "free_min", box->free_min[i]);
            natlet_json_out_close(out, '}');
        }
    }
    natlet_json_out_member_u64(out, "bytes", box->bytes);
    natlet_json_out_close(out, '}');
}

/* The members of an agent, without the braces. */
static void put_info(natlet_json_out *out, const natlet_agent_info *info)
{
    natlet_json_out_member_u64(out, "pid", info->pid);
    put_text(out, "name", info->name);
    put_text(out, "kind", natlet__text(info->kind != NULL ? info->kind : ""));
    put_text(out, "state", natlet__text(natlet_agent_state_text(info->state)));
    natlet_json_out_member_u64(out, "restarts", info->restarts);
    natlet_json_out_member_u64(out, "handled", info->handled);
    natlet_json_out_member_u64(out, "refused", info->mailbox.refused);
    natlet_json_out_key(out, "last_exit");
    natlet__inspect_reason(out, info->last_exit);
    natlet_json_out_key(out, "mailbox");
    put_mailbox(out, &info->mailbox);
}

void natlet__inspect_info(natlet_json_out *out, const natlet_agent_info *info)
{
    natlet_json_out_open(out, '{');
    put_info(out, info);
    natlet_json_out_close(out, '}');
}

static void put_id(natlet_json_out *out, uint64_t id_ns)
{
    enum { PREFIX = 5 };
    uint8_t text[PREFIX + NATLET__DECIMAL_MAX] = {'n', 'a', 't', 's', '_'};
    size_t len = PREFIX + natlet__write_decimal(text + PREFIX, id_ns);

    put_text(out, "id", (natlet_slice){text, len});
}

/* ---- the tree ---- */

/* Supervisors stand NATLET_SUPERVISOR_DEPTH_MAX deep at most, and so does this. */
static natlet_status put_children(natlet_json_out *out, const natlet__agent *supervisor);

static natlet_status put_agent(natlet_json_out *out, const natlet__agent *agent)
{
    const natlet_json_out before = *out;
    natlet_agent_info info;
    natlet_status st = NATLET_OK;

    natlet__agent_describe(agent, &info);
    natlet_json_out_open(out, '{');
    put_info(out, &info);
    if (natlet__is_supervisor(agent)) {
        st = put_children(out, agent);
    }
    natlet_json_out_close(out, '}');
    return natlet__inspect_fits(out, &before) ? st : NATLET_E_AGAIN;
}

/* Returns OK, or E_FULL: some are left out. */
static natlet_status put_children(natlet_json_out *out, const natlet__agent *supervisor)
{
    natlet__link *children = &natlet__supervisor_of(supervisor)->children;
    natlet_status all = NATLET_OK;
    uint32_t left_out = 0;

    natlet_json_out_key(out, "children");
    natlet_json_out_open(out, '[');
    size_t cap = natlet__inspect_hold(out);
    for (natlet__link *at = children->next; at != children; at = at->next) {
        natlet_status st = put_agent(out, natlet__child_at(at));
        left_out += st == NATLET_E_AGAIN;
        all = st < 0 ? NATLET_E_FULL : all;
    }
    out->cap = cap;
    natlet_json_out_close(out, ']');
    if (left_out > 0) {
        natlet_json_out_member_u64(out, "left_out", left_out);
    }
    return all;
}

static void put_dead_counts(natlet_json_out *out, const natlet_cell *cell)
{
    natlet_json_out_key(out, "dead");
    natlet_json_out_open(out, '{');
    for (uint32_t i = 0; i < NATLET_DEAD_REASONS; i++) {
        char word[NATLET__DEAD_WORD_MAX];
        if (cell->stats.dead[i] > 0) {
            size_t len = natlet__dead_word((natlet_dead_reason)i, word);
            natlet_json_out_key_text(out, (natlet_slice){(const uint8_t *)word, len});
            natlet_json_out_u64(out, cell->stats.dead[i]);
        }
    }
    natlet_json_out_close(out, '}');
}

/* What fits as a whole needs no room for what would say that it does not. */
static natlet_status put_whole(natlet_json_out *out, const natlet_cell *cell, uint32_t max,
                               natlet_status (*put)(natlet_json_out *out, const natlet_cell *cell,
                                                    uint32_t max))
{
    natlet_json_out measure = *out;
    size_t cap = out->cap;

    measure.cap = 0;
    natlet_status st = put(&measure, cell, max);
    if (cap == 0) {
        *out = measure;
        return st;
    }
    out->cap = measure.len <= cap ? SIZE_MAX : cap;
    st = put(out, cell, max);
    out->cap = cap;
    return st;
}

static natlet_status put_tree(natlet_json_out *out, const natlet_cell *cell, uint32_t max)
{
    const natlet_json_out before = *out;

    (void)max;
    natlet_json_out_open(out, '{');
    natlet_json_out_member_u64(out, "agents", cell->agents.used);
    natlet_json_out_member_u64(out, "restarts", cell->stats.restarts);
    natlet_json_out_member_u64(out, "handled", cell->stats.handled);
    put_dead_counts(out, cell);
    natlet_status st = put_children(out, &cell->root);
    natlet_json_out_close(out, '}');
    return natlet__inspect_fits(out, &before) ? st : NATLET_E_FULL;
}

natlet_status natlet_cell_tree_json(const natlet_cell *cell, natlet_json_out *out)
{
    return put_whole(out, cell, 0, put_tree);
}

natlet_status natlet_agent_json(const natlet_cell *cell, natlet_pid pid, natlet_json_out *out)
{
    const natlet_json_out before = *out;
    natlet_agent_info info;
    natlet_status st = natlet_agent_info_of(cell, pid, &info);

    if (st < 0) {
        return st;
    }
    natlet__inspect_info(out, &info);
    return natlet__inspect_fits(out, &before) ? NATLET_OK : NATLET_E_FULL;
}

/* ---- what went wrong ---- */

static void put_letter(natlet_json_out *out, const natlet_dead_letter *letter)
{
    char word[NATLET__DEAD_WORD_MAX];
    size_t len = natlet__dead_word(letter->reason, word);
    natlet_slice subject = {(const uint8_t *)letter->subject, letter->subject_len};

    if (!natlet__utf8_valid(subject) && subject.len == NATLET_DEAD_SUBJECT_MAX) {
        subject.len = natlet__utf8_cut(subject, subject.len - 1); /* a character was cut */
    }
    natlet_json_out_open(out, '{');
    put_id(out, letter->id_ns);
    put_text(out, "reason", (natlet_slice){(const uint8_t *)word, len});
    put_text(out, "subject", subject);
    natlet_json_out_member_u64(out, "from", letter->from);
    natlet_json_out_member_u64(out, "to", letter->to);
    natlet_json_out_member_u64(out, "attempt", letter->attempt);
    natlet_json_out_member_u64(out, "bytes", letter->payload_len);
    if (letter->exit.kind > NATLET_EXIT_SHUTDOWN) {
        natlet_json_out_key(out, "exit");
        natlet__inspect_reason(out, letter->exit);
    }
    natlet_json_out_close(out, '}');
}

static natlet_status put_dead(natlet_json_out *out, const natlet_cell *cell, uint32_t max)
{
    const natlet_json_out start = *out;
    const natlet_dead_letter *letter;
    uint32_t left_out = 0;

    natlet_json_out_open(out, '{');
    natlet_json_out_member_u64(out, "total", cell->stats.dead_total);
    natlet_json_out_key(out, "letters");
    natlet_json_out_open(out, '[');
    size_t cap = natlet__inspect_hold(out);
    for (uint32_t i = 0; i < max && (letter = natlet_cell_dead_letter(cell, i)) != NULL; i++) {
        const natlet_json_out before = *out;
        put_letter(out, letter);
        left_out += !natlet__inspect_fits(out, &before);
    }
    out->cap = cap;
    natlet_json_out_close(out, ']');
    if (left_out > 0) {
        natlet_json_out_member_u64(out, "left_out", left_out);
    }
    natlet_json_out_close(out, '}');
    return natlet__inspect_fits(out, &start) && left_out == 0 ? NATLET_OK : NATLET_E_FULL;
}

natlet_status natlet_cell_dead_json(const natlet_cell *cell, uint32_t max, natlet_json_out *out)
{
    return put_whole(out, cell, max, put_dead);
}

/* The last dead letter, if it is what the agent has just crashed on. */
static const natlet_dead_letter *blamed(const natlet_cell *cell, const natlet_cell_event *event)
{
    const natlet_dead_letter *letter = natlet_cell_dead_letter(cell, 0);

    return letter != NULL && letter->to == event->pid && letter->exit.kind == event->reason.kind &&
                   event->pid != 0
               ? letter
               : NULL;
}

natlet_status natlet_cell_crash_json(const natlet_cell *cell, const natlet_cell_event *event,
                                     natlet_json_out *out)
{
    const natlet_json_out before = *out;
    const natlet_dead_letter *letter = blamed(cell, event);
    natlet_agent_info info;

    if (event->kind != NATLET_CELL_EXITED || event->reason.kind <= NATLET_EXIT_SHUTDOWN) {
        return NATLET_E_INVALID;
    }
    natlet_json_out_open(out, '{');
    put_text(out, "agent", event->name);
    natlet_json_out_member_u64(out, "pid", event->pid);
    natlet_json_out_key(out, "reason");
    natlet__inspect_reason(out, event->reason);
    if (letter != NULL) {
        natlet_json_out_key(out, "message");
        put_letter(out, letter);
    }
    if (natlet_agent_info_of(cell, event->pid, &info) == NATLET_OK) {
        natlet_json_out_key(out, "info");
        natlet__inspect_info(out, &info);
    }
    natlet_json_out_close(out, '}');
    return natlet__inspect_fits(out, &before) ? NATLET_OK : NATLET_E_FULL;
}

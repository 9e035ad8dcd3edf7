/* Actions on the state, as serde_json reads them, and what comes of them. */
#include "base/bytes.h"
#include "natlet/seed.h"
#include "seed/scratch.h"
#include "json/members.h"
#include "json/reader.h"

/* ---- reading ---- */

enum { STORE, GET, DELETE, CLEAR, LIST, KINDS };
static const char kinds[] = "Store\0Get\0Delete\0Clear\0List\0";

/* Which of the members is there; KINDS unless it is exactly one, and nothing else. */
static uint32_t the_only(natlet_slice payload, natlet_slice values[KINDS])
{
    natlet__json_rest rest;
    uint32_t only = KINDS;

    if (natlet__json_members(payload, kinds, values, &rest) < 0 || rest.is_twice ||
        rest.others > 0) {
        return KINDS;
    }
    for (uint32_t i = 0; i < KINDS; i++) {
        if (values[i].ptr != NULL) {
            if (only < KINDS) {
                return KINDS;
            }
            only = i;
        }
    }
    return only;
}

/* "Clear", "List", or the same with null as in {"Clear":null}. */
static natlet_seed_action_kind read_unit(natlet_slice payload, natlet_slice values[KINDS],
                                         uint32_t kind)
{
    static const natlet_slice null = NATLET_TEXT("null");
    bool is_unit = (kind == CLEAR || kind == LIST) && natlet__equal(values[kind], null);

    if (kind == KINDS && natlet__json_valid(payload)) {
        kind = natlet__json_is(payload, "Clear")  ? CLEAR
               : natlet__json_is(payload, "List") ? LIST
                                                  : KINDS;
        is_unit = kind != KINDS;
    }
    if (!is_unit) {
        return NATLET_SEED_ACTION_NONE;
    }
    return kind == CLEAR ? NATLET_SEED_ACTION_CLEAR : NATLET_SEED_ACTION_LIST;
}

static natlet_status read_fields(natlet_slice fields, const char *names, void *mem, size_t cap,
                                 natlet_seed_action *action)
{
    natlet_slice values[2];
    natlet__json_rest rest;

    values[1] = (natlet_slice){0};
    if (natlet__json_members(fields, names, values, &rest) < 0 || rest.is_twice) {
        return NATLET_E_JSON;
    }
    action->value = values[1];
    return natlet_json_text(values[0], mem, cap, &action->key);
}

natlet_status natlet_seed_action_read(natlet_slice payload, void *mem, size_t cap,
                                      natlet_seed_action *action)
{
    static const natlet_seed_action_kind with_fields[] = {
        NATLET_SEED_ACTION_STORE, NATLET_SEED_ACTION_GET, NATLET_SEED_ACTION_DELETE};
    natlet_slice values[KINDS];
    uint32_t kind = the_only(payload, values);

    *action = (natlet_seed_action){0};
    if (kind > DELETE) {
        action->kind = read_unit(payload, values, kind);
        return action->kind != NATLET_SEED_ACTION_NONE ? NATLET_OK : NATLET_E_NOT_FOUND;
    }
    natlet_status st =
        read_fields(values[kind], kind == STORE ? "key\0value\0" : "key\0", mem, cap, action);
    if (st == NATLET_E_JSON || (kind == STORE && action->value.ptr == NULL)) {
        *action = (natlet_seed_action){0};
        return NATLET_E_NOT_FOUND;
    }
    action->kind = with_fields[kind];
    return st;
}

/* ---- acting ---- */

/* The key in the backend, or the prefix of all keys, for an empty one. */
typedef struct full_key {
    uint8_t bytes[NATLET_BACKEND_KEY_BYTES_MAX];
    natlet_slice text;
    size_t id_len; /* with the colon */
} full_key;

/* A colon in an id would make the keys of one agent look like another's. */
static natlet_status make_key(full_key *full, natlet_slice id, natlet_slice key)
{
    bool has_colon = id.len > 0 && memchr(id.ptr, ':', id.len) != NULL;

    if (id.len == 0 || has_colon || id.len >= sizeof full->bytes ||
        key.len > sizeof full->bytes - 1 - id.len) {
        return NATLET_E_INVALID;
    }
    uint8_t *end = natlet__put(full->bytes, id);
    *end++ = ':';
    full->id_len = id.len + 1;
    end = natlet__put(end, key);
    full->text = (natlet_slice){full->bytes, (size_t)(end - full->bytes)};
    return NATLET_OK;
}

static bool is_answered(const natlet_mail *mail)
{
    return mail->kind == NATLET_MAIL_CALL || mail->reply.len > 0;
}

static void open_answer(natlet_json_out *out, void *mem, size_t cap, bool is_ok)
{
    natlet_json_out_init(out, mem, cap);
    natlet_json_out_open(out, '{');
    natlet_json_out_key(out, "ok");
    natlet_json_out_bool(out, is_ok);
}

/* An answer without a value. */
static natlet_status answer(natlet_cell *cell, const natlet_mail *mail, natlet_status st)
{
    uint8_t text[64];
    natlet_json_out out;

    if (!is_answered(mail)) {
        return st;
    }
    open_answer(&out, text, sizeof text, st >= 0);
    if (st < 0) {
        natlet_json_out_key(&out, "error");
        natlet_json_out_string(&out, natlet__text(natlet_status_name(st)));
    }
    natlet_json_out_close(&out, '}');
    natlet_status told = natlet_agent_reply(cell, mail, (natlet_slice){text, out.len});
    return st < 0 ? st : told;
}

/* What an answer is made of: a value, or keys of the backend. */
typedef struct content {
    const natlet_backend *backend;
    natlet_slice value; /* NULL: keys */
    natlet_slice prefix;
    natlet_json_out out;
} content;

static void write_key(void *self, natlet_slice key)
{
    content *c = self;

    natlet_json_out_string(&c->out,
                           (natlet_slice){key.ptr + c->prefix.len, key.len - c->prefix.len});
}

static natlet_status write_content(content *c, void *mem, size_t cap)
{
    natlet_status st = NATLET_OK;

    open_answer(&c->out, mem, cap, true);
    if (c->value.ptr != NULL) {
        natlet_json_out_key(&c->out, "value");
        natlet_json_out_raw(&c->out, c->value);
    } else {
        natlet_json_out_key(&c->out, "keys");
        natlet_json_out_open(&c->out, '[');
        st = c->backend->list(c->backend->self, c->prefix, write_key, c);
        natlet_json_out_close(&c->out, ']');
    }
    natlet_json_out_close(&c->out, '}');
    return st;
}

/* Measures, writes and sends it. */
static natlet_status answer_with(natlet_cell *cell, const natlet_mail *mail, content *c)
{
    natlet_status st = write_content(c, NULL, 0);

    if (st < 0) {
        return answer(cell, mail, st);
    }
    size_t len = c->out.len;
    natlet__scratch *scratch = natlet__scratch_take(cell, len);
    if (scratch == NULL) {
        return answer(cell, mail, NATLET_E_FULL);
    }
    st = write_content(c, scratch + 1, len);
    if (st >= 0 && c->out.len == len) {
        st = natlet_agent_reply(cell, mail, (natlet_slice){(uint8_t *)(scratch + 1), len});
    } else { /* somebody else changes what is kept */
        st = answer(cell, mail, st < 0 ? st : NATLET_E_IO);
    }
    natlet__scratch_give_back(cell, scratch);
    return st;
}

static natlet_status get(natlet_cell *cell, const natlet_backend *backend, natlet_slice key,
                         const natlet_mail *mail)
{
    content c = {.backend = backend};
    natlet_status st = backend->get(backend->self, key, &c.value);

    if (st >= 0 && !natlet__json_valid(c.value)) {
        st = NATLET_E_JSON;
    }
    return st < 0 || !is_answered(mail) ? answer(cell, mail, st) : answer_with(cell, mail, &c);
}

natlet_status natlet_seed_act(natlet_cell *cell, const natlet_backend *backend, natlet_slice id,
                              const natlet_seed_action *action, const natlet_mail *mail)
{
    full_key key;
    content all = {.backend = backend};

    if (cell->running == NULL) {
        return NATLET_E_STATE;
    }
    natlet_status st = make_key(&key, id, action->key);
    if (st < 0) {
        return answer(cell, mail, st);
    }
    switch (action->kind) {
    case NATLET_SEED_ACTION_STORE:
        return answer(cell, mail, backend->store(backend->self, key.text, action->value));
    case NATLET_SEED_ACTION_GET:
        return get(cell, backend, key.text, mail);
    case NATLET_SEED_ACTION_DELETE:
        return answer(cell, mail, backend->remove(backend->self, key.text));
    case NATLET_SEED_ACTION_CLEAR:
        return answer(cell, mail, backend->clear(backend->self, key.text));
    case NATLET_SEED_ACTION_LIST:
        all.prefix = key.text;
        return is_answered(mail) ? answer_with(cell, mail, &all) : NATLET_OK;
    case NATLET_SEED_ACTION_NONE:
        break;
    }
    return NATLET_E_INVALID;
}

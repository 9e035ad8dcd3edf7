/* Property: whatever is read as an envelope, an action or a configuration lies in its text
 * or in the memory that was lent, within what is promised to be enough; and an envelope
 * that is written again reads the same. */
/* covers: src/agent/envelope.c src/json/members.c src/json/text.c src/seed/action.c
 * src/seed/message.c src/seed/config.c src/seed/client.c */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "natlet/seed.h"
#include "json/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
    if (!holds) {
        abort();
    }
}

/* The text and memory of `cap` bytes, both exact. */
typedef struct places {
    natlet_slice text;
    uint8_t *mem;
    size_t cap;
} places;

static void expect_in(const places *p, natlet_slice part)
{
    int is_lent = part.ptr >= p->text.ptr && part.ptr + part.len <= p->text.ptr + p->text.len;
    int is_copied = part.ptr >= p->mem && part.ptr + part.len <= p->mem + p->cap;

    expect(part.len == 0 || is_lent || is_copied);
}

static void check_envelope(const places *p)
{
    natlet_mail mail = {.payload = p->text};
    natlet_envelope e;
    natlet_envelope again;
    natlet_status st = natlet_envelope_read(&mail, NATLET_ENVELOPE_ALWAYS, p->mem, p->text.len, &e);

    expect(st == NATLET_OK || st == NATLET_E_NOT_FOUND);
    if (st < 0) {
        return;
    }
    expect_in(p, e.id);
    expect_in(p, e.from);
    expect_in(p, e.to);
    expect_in(p, e.payload);
    expect(natlet__json_valid(e.payload));
    size_t len = natlet_envelope_write(&e, NULL, 0);
    uint8_t *text = malloc(2 * len);
    expect(text != NULL && natlet_envelope_write(&e, text, len) == len);
    mail = (natlet_mail){.payload = {text, len}};
    expect(natlet_envelope_read(&mail, NATLET_ENVELOPE_ALWAYS, text + len, len, &again) ==
           NATLET_OK);
    expect(natlet__equal(e.id, again.id) && natlet__equal(e.from, again.from) &&
           natlet__equal(e.to, again.to) && natlet__equal(e.payload, again.payload) &&
           e.timestamp == again.timestamp);
    free(text);
}

static void check_message(const places *p)
{
    natlet_mail mail = {.payload = p->text};
    natlet_seed_message m;

    expect(natlet_seed_read(&mail, (natlet_slice)NATLET_TEXT("me"), NATLET_ENVELOPE_ALWAYS, p->mem,
                            p->cap, &m) == NATLET_OK);
    expect_in(p, m.action.key);
    expect_in(p, m.action.value);
    expect_in(p, m.envelope.payload);
    expect((m.step == NATLET_SEED_STATE) == (m.action.kind != NATLET_SEED_ACTION_NONE));
    expect(m.action.kind != NATLET_SEED_ACTION_STORE || natlet__json_valid(m.action.value));
}

static void check_configs(const places *p)
{
    natlet_seed_config agent;
    natlet_client_config client;
    natlet_status st = natlet_seed_config_read(p->text, p->mem, p->text.len, &agent);

    expect(st == NATLET_OK || st == NATLET_E_JSON || st == NATLET_E_CONFIG);
    if (st == NATLET_OK) {
        expect_in(p, agent.id);
        expect_in(p, agent.path);
        expect(agent.id.len > 0 && agent.agent_type != NATLET_SEED_AGENT_NONE);
    }
    st = natlet_seed_client_read(p->text, p->mem, p->text.len, &client);
    expect(st == NATLET_OK || st == NATLET_E_JSON || st == NATLET_E_CONFIG);
    if (st == NATLET_OK) {
        expect(client.connect_ms > 0 && client.reconnect_ms > 0 && client.reconnects_max >= -1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    places p = {.text = {data, size}, .cap = 2 * size};

    p.mem = malloc(p.cap > 0 ? p.cap : 1);
    expect(p.mem != NULL);
    check_envelope(&p);
    check_message(&p);
    check_configs(&p);
    free(p.mem);
    return 0;
}

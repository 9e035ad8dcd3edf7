/* Goal: payloads are JSON exactly when they are to serde_json, mail and envelopes are
 * written byte for byte as serde_json writes them, and envelopes and actions on the
 * state are read as serde_json reads them.
 *
 * Method: the table that tests/oracle/serde wrote with serde_json.  Each text lies in an
 * exact block, so that a sanitizer sees a read of a byte too many. */
#include "natlet/envelope.h"
#include "natlet/seed.h"
#include "support/serde_goldens.h"
#include "support/test.h"

#define NS UINT64_C(1730678400123456789)

enum { ROOM = 4096 };

/* A text in a block of its own. */
typedef struct exact {
    uint8_t *ptr;
    natlet_slice text;
} exact;

static exact put_exact(const char *text, size_t len)
{
    exact e = {.ptr = malloc(len > 0 ? len : 1)};

    CHECK(e.ptr != NULL);
    if (e.ptr != NULL && len > 0) {
        memcpy(e.ptr, text, len);
    }
    e.text = (natlet_slice){e.ptr, e.ptr != NULL ? len : 0};
    return e;
}

static void check_text(size_t row, const char *got, size_t got_len, const char *want, size_t len)
{
    int failures = test_failures;

    test_slice(__FILE__, __LINE__, (natlet_slice){(const uint8_t *)got, got_len}, want, len);
    if (test_failures != failures) {
        printf("row %u\n", (unsigned)row);
    }
}

/* ---- payloads ---- */

typedef struct payload_row {
    const char *payload;
    size_t len;
    bool is_json;
    const char *whole;
    size_t whole_len;
} payload_row;

#define X(payload, len, is_json, whole, whole_len) {payload, len, is_json, whole, whole_len},
static const payload_row payloads[] = {SERDE_PAYLOADS(X)};
#undef X

/* What serde would write in another way stands in ours as it came. */
static void check_payload(size_t row, const payload_row *p)
{
    static const char head[] = "{\"id\":\"nats_1730678400123456789\",\"from\":\"nats\","
                               "\"to\":\"a.b\",\"payload\":";
    static const char tail[] = ",\"timestamp\":1730678400}";
    char got[ROOM];
    char want[ROOM];
    exact e = put_exact(p->payload, p->len);
    natlet_mail mail = {.subject = NATLET_TEXT("a.b"), .payload = e.text, .id_ns = NS};
    size_t want_len = p->whole_len;

    if (natlet_mail_is_json(&mail) != p->is_json) {
        printf("row %u: [%.*s]\n", (unsigned)row, (int)p->len, p->payload);
        CHECK(natlet_mail_is_json(&mail) == p->is_json);
    }
    memcpy(want, p->whole, p->whole_len);
    if (p->whole_len == 0) {
        memcpy(want, head, sizeof head - 1);
        memcpy(want + sizeof head - 1, p->payload, p->len);
        memcpy(want + sizeof head - 1 + p->len, tail, sizeof tail - 1);
        want_len = sizeof head - 1 + p->len + sizeof tail - 1;
    }
    size_t len = natlet_mail_to_json(&mail, got, sizeof got);
    check_text(row, got, len, want, want_len);
    free(e.ptr);
}

static void payloads_are_json_as_to_serde(void)
{
    size_t accepted = 0;

    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        check_payload(i, &payloads[i]);
        accepted += payloads[i].is_json;
    }
    CHECK(accepted >= 40);
    CHECK(sizeof payloads / sizeof *payloads - accepted >= 60);
}

static void check_subject(natlet_slice subject, const char *whole, size_t whole_len)
{
    char got[ROOM];
    natlet_mail mail = {.subject = subject, .payload = NATLET_TEXT("1"), .id_ns = NS};

    check_text(0, got, natlet_mail_to_json(&mail, got, sizeof got), whole, whole_len);
}

#define X(text, len, whole, whole_len)                                                             \
    check_subject((natlet_slice){(const uint8_t *)(text), len}, whole, whole_len);
static void strings_are_escaped_as_by_serde(void)
{
    SERDE_SUBJECTS(X)
}
#undef X

/* ---- envelopes ---- */

typedef struct envelope_row {
    const char *text;
    size_t len;
    bool is_envelope;
    const char *id;
    size_t id_len;
    const char *from;
    size_t from_len;
    const char *to;
    size_t to_len;
    uint64_t timestamp;
    const char *payload;
    size_t payload_len;
    const char *written;
    size_t written_len;
} envelope_row;

#define X(text, len, yes, id, id_len, from, from_len, to, to_len, time, payload, payload_len,      \
          written, written_len)                                                                    \
    {text, len,    yes,  id,      id_len,      from,    from_len,                                  \
     to,   to_len, time, payload, payload_len, written, written_len},
static const envelope_row envelopes[] = {SERDE_ENVELOPES(X)};
#undef X

static void check_parts(size_t row, const envelope_row *want, const natlet_envelope *got)
{
    check_text(row, (const char *)got->id.ptr, got->id.len, want->id, want->id_len);
    check_text(row, (const char *)got->from.ptr, got->from.len, want->from, want->from_len);
    check_text(row, (const char *)got->to.ptr, got->to.len, want->to, want->to_len);
    check_text(row, (const char *)got->payload.ptr, got->payload.len, want->payload,
               want->payload_len);
    CHECK(got->timestamp == want->timestamp);
}

static void check_envelope(size_t row, const envelope_row *want)
{
    char out[ROOM];
    exact e = put_exact(want->text, want->len);
    exact mem = put_exact(out, want->len);
    natlet_mail mail = {.subject = NATLET_TEXT("agent.b"), .payload = e.text};
    natlet_envelope got;
    natlet_status st = natlet_envelope_read(&mail, NATLET_ENVELOPE_AUTO, mem.ptr, want->len, &got);

    if ((st == NATLET_OK) != want->is_envelope) {
        printf("row %u: [%.*s]\n", (unsigned)row, (int)want->len, want->text);
    }
    CHECK_INT(st, want->is_envelope ? NATLET_OK : NATLET_E_NOT_FOUND);
    if (st == NATLET_OK) {
        check_parts(row, want, &got);
        bool is_view = got.payload.ptr >= e.ptr && got.payload.ptr < e.ptr + want->len;
        CHECK(is_view);
        if (want->written_len > 0) {
            size_t len = natlet_envelope_write(&got, out, sizeof out);
            check_text(row, out, len, want->written, want->written_len);
        }
    }
    free(e.ptr);
    free(mem.ptr);
}

static void envelopes_are_read_and_written_as_by_serde(void)
{
    size_t accepted = 0;

    for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes; i++) {
        check_envelope(i, &envelopes[i]);
        accepted += envelopes[i].is_envelope;
    }
    CHECK(accepted >= 7);
}

/* ---- actions ---- */

typedef struct action_row {
    const char *text;
    size_t len;
    natlet_seed_action_kind kind;
    const char *key;
    size_t key_len;
    const char *value; /* without blanks */
    size_t value_len;
} action_row;

#define X(text, len, kind, key, key_len, value, value_len)                                         \
    {text, len, NATLET_SEED_ACTION_##kind, key, key_len, value, value_len},
static const action_row actions[] = {SERDE_ACTIONS(X)};
#undef X

static void check_action(size_t row, const action_row *want)
{
    char value[ROOM];
    size_t value_len = 0;
    exact e = put_exact(want->text, want->len);
    exact mem = put_exact(value, want->len);
    natlet_seed_action got;
    natlet_status st = natlet_seed_action_read(e.text, mem.ptr, want->len, &got);

    if (got.kind != want->kind) {
        printf("row %u: [%.*s]\n", (unsigned)row, (int)want->len, want->text);
    }
    CHECK_INT(got.kind, want->kind);
    CHECK_INT(st, want->kind != NATLET_SEED_ACTION_NONE ? NATLET_OK : NATLET_E_NOT_FOUND);
    check_text(row, (const char *)got.key.ptr, got.key.len, want->key, want->key_len);
    for (size_t i = 0; i < got.value.len; i++) {
        if (got.value.ptr[i] != ' ') {
            value[value_len++] = (char)got.value.ptr[i];
        }
    }
    check_text(row, value, value_len, want->value, want->value_len);
    free(e.ptr);
    free(mem.ptr);
}

static void actions_are_read_as_by_serde(void)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        check_action(i, &actions[i]);
    }
}

int main(void)
{
    RUN(payloads_are_json_as_to_serde);
    RUN(strings_are_escaped_as_by_serde);
    RUN(envelopes_are_read_and_written_as_by_serde);
    RUN(actions_are_read_as_by_serde);
    return test_done();
}

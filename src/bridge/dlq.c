/* Dead letters on their way to a subject of their own.
 *
 * Everything about a letter was written by others: header fields are taken one by one,
 * values that we make are escaped, and nothing is longer than the memory taken at the
 * start. */
#include "agent/inspect.h"
#include "agent/witness.h"
#include "base/rfc3339.h"
#include "bridge/bridge.h"
#include "natlet/deadletters.h"
#include "natlet/headers.h"
#include "natlet/json.h"
#include "natlet/subject.h"

enum {
    DEFAULT_REASONS = NATLET_DLQ_BIT(NATLET_DEAD_REJECTED) | NATLET_DLQ_BIT(NATLET_DEAD_CRASHED) |
                      NATLET_DLQ_BIT(NATLET_DEAD_POISON) | NATLET_DLQ_BIT(NATLET_DEAD_RETRIES),
    VALUE_MAX = 192, /* of what we write; original subject and reply may be longer */
    KEY_MAX = 96,
};

typedef struct dlq {
    natlet__extra extra; /* first */
    natlet__witness witness;
    natlet_bridge *bridge;
    uint32_t reasons;
    size_t prefix_len; /* "<prefix>.dlq." */
    uint8_t *headers;
    size_t header_bytes;
    size_t bytes; /* of this struct, subject and headers */
    natlet_dlq_stats stats;
    uint8_t subject[NATLET_DLQ_PREFIX_BYTES_MAX + sizeof ".dlq." + NATLET_SUBJECT_BYTES_MAX];
} dlq;

/* ---- headers ---- */

static void add(dlq *q, natlet_headers *headers, const char *key, natlet_slice value)
{
    q->stats.fields_lost += natlet_headers_add(headers, natlet__text(key), value) < 0;
}

static void add_number(dlq *q, natlet_headers *headers, const char *key, uint64_t value)
{
    uint8_t digits[NATLET__DECIMAL_MAX];

    add(q, headers, key, (natlet_slice){digits, natlet__write_decimal(digits, value)});
}

/* What a name may not say in a header is written as %XX; what is too long is cut. */
static size_t escape(uint8_t out[VALUE_MAX], natlet_slice text)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = 0;

    for (size_t i = 0; i < text.len && len + 3 <= VALUE_MAX; i++) {
        uint8_t c = text.ptr[i];
        if (c > ' ' && c < 0x7f && c != '%') {
            out[len++] = c;
        } else {
            out[len++] = '%';
            out[len++] = (uint8_t)hex[c >> 4];
            out[len++] = (uint8_t)hex[c & 15];
        }
    }
    return len;
}

static void add_ours(dlq *q, natlet_headers *headers, const natlet_cell_event *event)
{
    const natlet_mail *mail = event->mail;
    char word[NATLET__DEAD_WORD_MAX];
    uint8_t value[VALUE_MAX];
    uint8_t time[NATLET__RFC3339_BYTES];
    natlet_json_out error;

    add(q, headers, "Natlet-Dlq-Reason",
        (natlet_slice){(const uint8_t *)word, natlet__dead_word(event->dead, word)});
    if (event->reason.kind != NATLET_EXIT_NORMAL) {
        natlet_json_out_init(&error, value, sizeof value);
        natlet__inspect_reason(&error, event->reason);
        add(q, headers, "Natlet-Dlq-Error",
            (natlet_slice){value, error.len <= sizeof value ? error.len : 0});
    }
    add_number(q, headers, "Natlet-Attempts", mail->attempt);
    if (event->name.len > 0) {
        add(q, headers, "Natlet-Agent", (natlet_slice){value, escape(value, event->name)});
    } else if (event->pid != 0) {
        add_number(q, headers, "Natlet-Agent", event->pid);
    }
    natlet__rfc3339_write(time, mail->id_ns);
    add(q, headers, "Natlet-Orig-Time", (natlet_slice){time, sizeof time});
    add(q, headers, "Natlet-Orig-Subject", mail->subject);
    if (mail->reply.len > 0) {
        add(q, headers, "Natlet-Orig-Reply", mail->reply);
    }
}

static bool is_ours(natlet_slice key)
{
    static const char *const heads[] = {"Natlet-Dlq-", "Natlet-Orig-"};
    static const char *const names[] = {"Natlet-Attempts", "Natlet-Agent"};

    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        if (natlet__starts_nocase(key, natlet__text(heads[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (natlet__equal_nocase(key, natlet__text(names[i]))) {
            return true;
        }
    }
    return false;
}

static natlet_status add_theirs(natlet_headers *headers, const natlet_header *field)
{
    static const natlet_slice orders = NATLET_TEXT("Nats-");
    static const natlet_slice mark = NATLET_TEXT("Natlet-Orig-");
    uint8_t key[KEY_MAX];

    if (!natlet__starts_nocase(field->key, orders)) {
        return natlet_headers_add(headers, field->key, field->value);
    }
    if (mark.len + field->key.len > sizeof key) {
        return NATLET_E_FULL;
    }
    (void)natlet__put(natlet__put(key, mark), field->key);
    return natlet_headers_add(headers, (natlet_slice){key, mark.len + field->key.len},
                              field->value);
}

static natlet_slice write_headers(dlq *q, const natlet_cell_event *event)
{
    natlet_headers headers;
    natlet_header field;
    size_t at = 0;

    (void)natlet_headers_init(&headers, q->headers, q->header_bytes);
    add_ours(q, &headers, event);
    while (natlet_headers_next(event->mail->headers, &at, &field)) {
        q->stats.fields_lost += !is_ours(field.key) && add_theirs(&headers, &field) < 0;
    }
    return natlet_headers_block(&headers);
}

/* ---- a dead letter ---- */

static natlet_status publish(dlq *q, const natlet_cell_event *event)
{
    const natlet_mail *mail = event->mail;
    natlet_msg msg = {.headers = write_headers(q, event), .payload = mail->payload};

    if (mail->subject.len > NATLET_SUBJECT_BYTES_MAX) {
        return NATLET_E_SUBJECT;
    }
    (void)natlet__put(q->subject + q->prefix_len, mail->subject);
    msg.subject = (natlet_slice){q->subject, q->prefix_len + mail->subject.len};
    natlet_status st = natlet_client_publish(q->bridge->client, &msg);
    if (st == NATLET_E_HEADERS_UNSUPPORTED) {
        msg.headers = (natlet_slice){0};
        st = natlet_client_publish(q->bridge->client, &msg);
    }
    return st;
}

static void see(natlet__witness *witness, const natlet_cell_event *event)
{
    void *at = (char *)witness - offsetof(dlq, witness);
    dlq *q = at;

    if (event->kind != NATLET_CELL_DEAD_LETTER || event->mail->kind != NATLET_MAIL_NATS ||
        (q->reasons & NATLET_DLQ_BIT(event->dead)) == 0) {
        return;
    }
    natlet_slice subject = event->mail->subject;
    if (subject.len >= q->prefix_len && memcmp(subject.ptr, q->subject, q->prefix_len) == 0) {
        q->stats.circular++;
        return;
    }
    natlet_status st = publish(q, event);
    if (st < 0) {
        q->stats.refused++;
        q->stats.last = st;
    } else {
        q->stats.published++;
    }
}

/* ---- life ---- */

static void end(natlet_bridge *bridge, natlet__extra *extra)
{
    dlq *q = (dlq *)extra;

    natlet__witness_end(bridge->cell, &q->witness);
    natlet__memory_give_back(&bridge->cell->rt->memory, q, q->bytes);
}

natlet_status natlet_bridge_dlq(natlet_bridge *bridge, natlet_slice prefix,
                                const natlet_dlq_options *options)
{
    static const natlet_slice middle = NATLET_TEXT(".dlq.");
    uint32_t header_bytes =
        options->header_bytes > 0 ? options->header_bytes : NATLET_DLQ_HEADER_BYTES_DEFAULT;
    size_t bytes = sizeof(dlq) + header_bytes;

    if (options->size != sizeof *options || header_bytes < NATLET_DLQ_HEADER_BYTES_MIN ||
        header_bytes > NATLET_HEADER_BYTES_MAX) {
        return NATLET_E_CONFIG;
    }
    if (prefix.len > NATLET_DLQ_PREFIX_BYTES_MAX ||
        natlet_subject_check(prefix, NATLET_SUBJECT_PUBLISH) != NATLET_SUBJECT_NONE) {
        return NATLET_E_SUBJECT;
    }
    if (natlet__extra_find(bridge, end) != NULL) {
        return NATLET_E_STATE;
    }
    dlq *q = natlet__memory_take(&bridge->cell->rt->memory, bytes);
    if (q == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    q->bridge = bridge;
    q->reasons = options->reasons != 0 ? options->reasons : DEFAULT_REASONS;
    q->headers = (uint8_t *)(q + 1);
    q->header_bytes = header_bytes;
    q->bytes = bytes;
    q->prefix_len = prefix.len + middle.len;
    (void)natlet__put(natlet__put(q->subject, prefix), middle);
    natlet__witness_begin(bridge->cell, &q->witness, see);
    natlet__extra_add(bridge, &q->extra, end);
    return NATLET_OK;
}

natlet_dlq_stats natlet_bridge_dlq_stats_now(const natlet_bridge *bridge)
{
    const dlq *q = (const dlq *)natlet__extra_find(bridge, end);

    return q != NULL ? q->stats : (natlet_dlq_stats){0};
}

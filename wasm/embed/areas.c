/* The module as a library for host languages: submission and completion areas
 * over one client (natlet/embed.h).
 *
 * The areas are a part of the runtime that is added before the client, so that
 * what the glue submitted is encoded and sent in the same turn. */
#include "areas.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "client/optional.h"
#include "client/origin.h"
#include "crypto/secret.h"
#include "natlet/app.h"

NATLET__OPTIONAL(natlet__embed_tls_start)

enum { TEXT_MAX = 1024, TEXT_AREA_BYTES = 4096, IDS_STEP = 64 };

typedef struct embed {
    natlet_runtime *rt;
    natlet_client *client;
    natlet_embed_areas areas;
    uint32_t records_wanted; /* by the configuration; what one read brings may need more */
    uint32_t sids;           /* address of a table: of the subscription with glue id i; 0: none */
    uint32_t ids_cap;
    uint8_t text[TEXT_AREA_BYTES]; /* short texts of this run's records */
    uint32_t text_len;
    bool is_info_due; /* connected in this turn: the INFO record is still to come */
} embed;

static embed the; /* there is one in a module; without rt it does not run */

static uint32_t address_of(const void *ptr)
{
    return (uint32_t)(uintptr_t)ptr;
}

static void *at_address(uint32_t address)
{
    return (void *)(uintptr_t)address;
}

uint32_t natlet_areas(void)
{
    return the.rt != NULL ? address_of(&the.areas) : 0;
}

/* Makes the table at *address, of *count items, `want` items long.  What is new is
 * zeroed. */
static bool grow(uint32_t *address, uint32_t *count, uint32_t item_bytes, uint32_t want)
{
    uint32_t old_bytes = *count * item_bytes;
    uint32_t bytes = want * item_bytes;
    uint8_t *grown = natlet__memory_resize(&the.rt->memory, at_address(*address), old_bytes, bytes);

    if (grown == NULL) {
        return false;
    }
    memset(grown + old_bytes, 0, bytes - old_bytes);
    *address = address_of(grown);
    *count = want;
    return true;
}

static void drop(uint32_t address, uint32_t bytes)
{
    natlet__memory_give_back(&the.rt->memory, at_address(address), bytes);
}

int32_t natlet_reserve(uint32_t bytes)
{
    natlet_embed_areas *a = &the.areas;
    uint32_t want = a->submitted + bytes;

    if (the.rt == NULL || bytes > NATLET_MESSAGE_BYTES_LIMIT) {
        return NATLET_E_INVALID;
    }
    return want <= a->submission_bytes || grow(&a->submission, &a->submission_bytes, 1, want)
               ? NATLET_OK
               : NATLET_E_NO_MEMORY;
}

natlet_embed_record *natlet__embed_append(uint8_t kind, uint32_t id, int32_t status)
{
    natlet_embed_areas *a = &the.areas;

    if (a->completed == a->completion_cap) {
        bool has_grown = grow(&a->completion, &a->completion_cap, sizeof(natlet_embed_record),
                              a->completion_cap * 2);
        NATLET_ASSERT(has_grown);
    }
    natlet_embed_record *record = at_address(a->completion);
    record += a->completed++;
    *record = (natlet_embed_record){.kind = kind, .id = id, .status = status};
    return record;
}

/* Appends a record with `text` as its payload, copied to where it stays until the
 * next run; what is beyond TEXT_MAX is cut. */
static void append_text(uint8_t kind, uint32_t id, int32_t status, natlet_slice text)
{
    natlet_embed_record *record = natlet__embed_append(kind, id, status);
    uint8_t *at = the.text + the.text_len;
    size_t room = TEXT_AREA_BYTES - the.text_len;

    room = room < TEXT_MAX ? room : TEXT_MAX;
    text.len = text.len < room ? text.len : room;
    natlet__put(at, text);
    record->flags = NATLET_REC_FLAG_COPIED;
    record->at = address_of(at);
    record->payload_len = (uint32_t)text.len;
    the.text_len += (uint32_t)text.len;
}

/* How far behind `from` a part begins; 0 if it is empty. */
static uint16_t skip_to(const uint8_t *from, natlet_slice part)
{
    return part.len > 0 ? (uint16_t)(part.ptr - from) : 0;
}

void natlet__embed_place(natlet_embed_record *record, const natlet_msg *msg)
{
    /* The first part that is not empty; the others lie behind it. */
    const uint8_t *from = msg->subject.len > 0   ? msg->subject.ptr
                          : msg->reply.len > 0   ? msg->reply.ptr
                          : msg->headers.len > 0 ? msg->headers.ptr
                                                 : msg->payload.ptr;

    record->flags = NATLET_REC_FLAG_COPIED;
    record->at = address_of(from);
    record->subject_len = (uint16_t)msg->subject.len;
    record->reply_skip = skip_to(from, msg->reply);
    record->reply_len = (uint16_t)msg->reply.len;
    record->body_skip = skip_to(from, msg->headers.len > 0 ? msg->headers : msg->payload);
    record->headers_len = (uint16_t)msg->headers.len;
    record->payload_len = (uint32_t)msg->payload.len;
}

/* A message in the client's window: by segment where recv left it unmoved.  The
 * payload, though it be empty, stands where its bytes would.
 *
 * Reading ends for this turn where bytes were joined, for they must stay until the
 * next one, and where the area was meant to end: so one window bounds its growth. */
static void place_received(natlet_embed_record *record, const natlet_msg *msg)
{
    natlet__origin origin;
    const uint8_t *from = msg->subject.ptr;
    size_t len = (size_t)(msg->payload.ptr - from) + msg->payload.len;

    natlet__embed_place(record, msg);
    bool is_whole = natlet__client_origin(the.client, from, len, &origin);
    if (is_whole) {
        record->flags = 0;
        record->segment = origin.segment;
        record->at = origin.offset;
    }
    if (!is_whole || the.areas.completed >= the.records_wanted) {
        natlet__client_hold(the.client);
    }
}

static void on_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    (void)sid;
    place_received(natlet__embed_append(NATLET_REC_MESSAGE, address_of(self), NATLET_OK), msg);
}

/* The place of an id in the table, or, for one that has none, of id 0, which is
 * nobody's. */
NATLET__NOINLINE static uint32_t *sid_at(uint32_t id)
{
    uint32_t *sids = at_address(the.sids);

    return &sids[id < the.ids_cap ? id : 0];
}

static void on_ended(void *self, uint32_t sid, natlet_status why)
{
    uint32_t id = address_of(self);
    uint32_t *own = sid_at(id);

    if (*own == sid) {
        *own = 0;
    }
    (void)natlet__embed_append(NATLET_REC_ENDED, id, why);
}

static void on_reply(void *self, natlet_status st, const natlet_msg *reply)
{
    natlet_embed_record *record = natlet__embed_append(NATLET_REC_REPLY, address_of(self), st);

    if (reply != NULL) {
        place_received(record, reply);
    }
}

static natlet_embed_record *append_done(uint16_t kind, uint32_t id, natlet_status st)
{
    natlet_embed_record *record = natlet__embed_append(NATLET_REC_DONE, id, st);

    record->segment = kind;
    return record;
}

static void on_done(uint16_t kind, void *self, natlet_status st, uint64_t elapsed_us)
{
    natlet_embed_record *record = append_done(kind, address_of(self), st);

    record->payload_len = elapsed_us < UINT32_MAX ? (uint32_t)elapsed_us : UINT32_MAX;
}

static void on_flushed(void *self, natlet_status st, uint64_t elapsed_us)
{
    on_done(NATLET_OP_FLUSH, self, st, elapsed_us);
}

static void on_drained(void *self, natlet_status st, uint64_t elapsed_us)
{
    on_done(NATLET_OP_DRAIN, self, st, elapsed_us);
}

static void on_event(void *self, const natlet_client_event *event)
{
    bool is_state = event->kind == NATLET_CLIENT_EV_STATE;

    (void)self;
    the.areas.state = event->state;
    the.is_info_due |= is_state && event->state == NATLET_CLIENT_CONNECTED;
    if (event->kind > NATLET_CLIENT_EV_ERROR) {
        append_text(NATLET_REC_EVENT, event->sid, (int32_t)event->kind, event->text);
        return;
    }
    append_text(is_state ? NATLET_REC_STATE : NATLET_REC_ERROR,
                is_state ? event->close_code : event->sid,
                is_state ? (int32_t)event->state : event->status, event->text);
}

static natlet_status take_sub(const natlet_embed_op *op, const natlet_msg *parts)
{
    const natlet_subscribe_options options = {.queue = parts->reply, .max = op->arg};
    const natlet_sink sink = {at_address(op->id), on_message, on_ended};

    if (op->id == 0 || op->id > NATLET_SUBSCRIPTIONS_MAX || *sid_at(op->id) != 0) {
        return NATLET_E_INVALID;
    }
    if (op->id >= the.ids_cap &&
        !grow(&the.sids, &the.ids_cap, sizeof(uint32_t), op->id + IDS_STEP)) {
        return NATLET_E_NO_MEMORY;
    }
    return natlet_client_subscribe(the.client, sid_at(op->id), parts->subject, &options, &sink);
}

/* Flags and reply of the operation are the options. */
static natlet_status take_request(const natlet_embed_op *op, const natlet_msg *parts)
{
    natlet_request_options options = {.timeout_ms = op->arg,
                                      .many = (op->flags & NATLET_OP_FLAG_MANY) != 0,
                                      .until_empty = (op->flags & NATLET_OP_FLAG_UNTIL_EMPTY) != 0,
                                      .own_inbox = (op->flags & NATLET_OP_FLAG_OWN_INBOX) != 0};

    if (parts->reply.len == 2 * sizeof(uint32_t)) {
        memcpy(&options.replies_max, parts->reply.ptr, 2 * sizeof(uint32_t));
    }
    return natlet_client_request_many(the.client, parts, &options, on_reply, at_address(op->id),
                                      NULL);
}

_Static_assert(offsetof(natlet_request_options, stall_ms) ==
                   offsetof(natlet_request_options, replies_max) + sizeof(uint32_t),
               "both numbers are copied at once");

static natlet_status take_drain(const natlet_embed_op *op)
{
    if ((op->flags & NATLET_OP_FLAG_ALL) != 0) {
        return natlet_client_drain(the.client, op->arg, on_drained, at_address(op->id));
    }
    return natlet_client_drain_subscription(the.client, *sid_at(op->id), op->arg, on_drained,
                                            at_address(op->id));
}

static natlet_status take_client_op(const natlet_embed_op *op, const natlet_msg *parts)
{
    switch (op->kind) {
    case NATLET_OP_PUB:
        return natlet_client_publish(the.client, parts);
    case NATLET_OP_SUB:
        return take_sub(op, parts);
    case NATLET_OP_UNSUB:
        return natlet_client_unsubscribe(the.client, *sid_at(op->id), op->arg);
    case NATLET_OP_REQUEST:
        return take_request(op, parts);
    case NATLET_OP_FLUSH:
        return natlet_client_flush(the.client, op->arg, on_flushed, at_address(op->id));
    case NATLET_OP_DRAIN:
        return take_drain(op);
    case NATLET_OP_CLOSE:
        natlet_client_close(the.client);
        return NATLET_OK;
    case NATLET_OP_RECONNECT:
        return natlet_client_reconnect(the.client);
    case NATLET_OP_SET_SERVERS:
        return natlet_client_set_servers(the.client, parts->subject);
    default:
        return NATLET_E_UNSUPPORTED;
    }
}

static natlet_status take_op(const natlet_embed_op *op, const natlet_msg *parts)
{
    if (op->kind >= NATLET_OP_SPAWN && op->kind != NATLET_OP_SET_SERVERS) {
        return natlet__embed_agents_take(op, parts);
    }
    return the.client != NULL ? take_client_op(op, parts) : NATLET_E_UNSUPPORTED;
}

_Static_assert(sizeof(natlet_msg) == 4 * sizeof(natlet_slice), "a message is its four parts");

/* The parts lie behind the head; false if the lengths do not add up, which only
 * broken glue can cause. */
static bool split(const natlet_embed_op *op, uint32_t room, natlet_msg *parts)
{
    const uint8_t *at = (const uint8_t *)(op + 1);
    natlet_slice *part = (natlet_slice *)parts;
    uint32_t left = op->bytes - (uint32_t)sizeof *op;

    if (op->bytes < sizeof *op || op->bytes > room || op->bytes % 8 != 0) {
        return false;
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t len = op->part_len[i];
        if (len > left) {
            return false;
        }
        part[i] = (natlet_slice){at, len};
        at += len;
        left -= len;
    }
    return true;
}

/* How a refused operation is told.  A SETTLE is refused when its agent was restarted
 * meanwhile, and then means nothing. */
static void refuse(const natlet_embed_op *op, natlet_status st)
{
    if (op->kind == NATLET_OP_REQUEST) {
        (void)natlet__embed_append(NATLET_REC_REPLY, op->id, st);
    } else if (op->kind != NATLET_OP_SETTLE) {
        (void)append_done(op->kind, op->id, st);
    }
}

/* Takes what was submitted, in order.  A full outbox stops it: the operation
 * stays and is tried again in the next turn.  A full mailbox does not: what would
 * empty it may be behind. */
static void take_submissions(void)
{
    natlet_embed_areas *a = &the.areas;

    NATLET_ASSERT(a->taken <= a->submitted && a->submitted <= a->submission_bytes);
    while (a->taken < a->submitted) {
        const natlet_embed_op *op = at_address(a->submission + a->taken);
        natlet_msg parts;
        NATLET_ASSERT(a->submitted - a->taken >= sizeof *op &&
                      split(op, a->submitted - a->taken, &parts));
        natlet_status st = take_op(op, &parts);
        if (st == NATLET_E_FULL) {
            a->refused++;
            if (op->kind < NATLET_OP_SPAWN) {
                return;
            }
        }
        if (st < 0) {
            refuse(op, st);
        }
        a->taken += op->bytes;
    }
    a->taken = 0;
    a->submitted = 0;
}

static void part_event(natlet__part *self, const natlet_host_event *event)
{
    (void)self;
    (void)event;
}

static bool part_turn(natlet__part *self, uint64_t until_us)
{
    (void)self;
    (void)until_us;
    take_submissions();
    return false;
}

/* Last in a turn: the server may send INFO again, and the client keeps only the
 * newest. */
static void append_info(void)
{
    natlet_slice info = natlet_client_info(the.client);
    natlet_embed_record *record = natlet__embed_append(NATLET_REC_INFO, 0, NATLET_OK);

    record->flags = NATLET_REC_FLAG_COPIED;
    record->at = address_of(info.ptr);
    record->payload_len = (uint32_t)info.len;
    the.is_info_due = false;
}

/* A run with budget 0 has no turn: what was submitted leaves with this flush,
 * which comes before the client's. */
static void part_flush(natlet__part *self)
{
    (void)self;
    take_submissions();
    if (the.is_info_due) {
        append_info();
    }
    the.areas.segment = the.rt->segments;
    the.areas.memory_bytes = (uint32_t)the.rt->memory.used_bytes;
}

static uint64_t part_due_us(natlet__part *self)
{
    (void)self;
    return UINT64_MAX;
}

static natlet_status take_areas(const natlet__embed_config *config)
{
    natlet_embed_areas *a = &the.areas;

    a->version = 1;
    the.records_wanted = config->completion_records;
    return grow(&a->submission, &a->submission_bytes, 1, config->submission_bytes) &&
                   grow(&a->completion, &a->completion_cap, sizeof(natlet_embed_record),
                        config->completion_records) &&
                   grow(&the.sids, &the.ids_cap, sizeof(uint32_t), IDS_STEP)
               ? NATLET_OK
               : NATLET_E_NO_MEMORY;
}

static natlet__part part = {
    .event = part_event, .turn = part_turn, .flush = part_flush, .due_us = part_due_us};

static void on_published(void *self, uint64_t first, uint64_t last, natlet_status st)
{
    (void)self;
    (void)natlet__embed_append(NATLET_REC_PUBLISHED, (uint32_t)(last - first) + 1, st);
}

static natlet_status track(const natlet__embed_config *config)
{
    const natlet_track_options options = {
        .offline_bytes_max = config->offline_bytes_max,
        .offline_ms = config->offline_ms,
        .on_published = config->report_publishes != 0 ? on_published : NULL,
    };

    return options.offline_bytes_max != 0 || options.on_published != NULL
               ? natlet_client_track(the.client, &options)
               : NATLET_OK;
}

static natlet_status start_client(natlet__embed_config *config)
{
    if (config->client.servers.len == 0) {
        return NATLET_OK; /* agents alone */
    }
    config->client.on_event = on_event;
    natlet_status st = natlet_client_new(&the.client, the.rt, &config->client);
    if (st == NATLET_OK) {
        st = track(config);
    }
    if (st == NATLET_OK && natlet__embed_tls_start != NULL) {
        st = natlet__embed_tls_start(the.client);
    }
    return st < 0 ? st : natlet_client_connect(the.client);
}

static natlet_status start(natlet_runtime *rt, natlet__embed_config *config)
{
    if (config->completion_records < 16 || config->completion_records > 65536 ||
        config->submission_bytes < 1024 || config->submission_bytes > NATLET_MESSAGE_BYTES_LIMIT) {
        return NATLET_E_CONFIG;
    }
    the.rt = rt;
    natlet__runtime_add(rt, &part);
    natlet_status st = take_areas(config);
    if (st == NATLET_OK) {
        st = start_client(config);
    }
    if (st == NATLET_OK) {
        st = natlet__embed_agents_init(rt, the.client, config);
    }
    if (st < 0) {
        natlet_app_fini(rt);
    }
    return st;
}

natlet_status natlet_app_init(natlet_runtime *rt, natlet_slice config)
{
    natlet__embed_config given;
    natlet_status st = natlet__config_read(&given, config);

    if (st == NATLET_OK) {
        st = start(rt, &given);
    }
    natlet__wipe(given.texts, sizeof given.texts); /* a password may be one of them */
    return st;
}

/* What was submitted during the turn, by handlers of nested glue, waits for the
 * next one; an operation that found no room wants it soon. */
uint32_t natlet_app_run(natlet_runtime *rt)
{
    (void)rt;
    the.text_len = 0;
    return the.areas.submitted > the.areas.taken ? 1 : NATLET_NEVER_MS;
}

natlet_status natlet_app_recover(natlet_runtime *rt)
{
    (void)rt;
    return natlet__embed_agents_recover();
}

void natlet_app_fini(natlet_runtime *rt)
{
    if (the.rt == NULL) {
        return;
    }
    natlet__embed_agents_detach();
    if (the.client != NULL) {
        natlet_client_free(the.client);
    }
    natlet__embed_agents_fini();
    natlet__runtime_remove(rt, &part);
    drop(the.areas.submission, the.areas.submission_bytes);
    drop(the.areas.completion, the.areas.completion_cap * sizeof(natlet_embed_record));
    drop(the.sids, the.ids_cap * sizeof(uint32_t));
    the = (embed){0};
}

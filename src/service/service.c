/* What a service owns are doors: one for each subscription, nine of them for monitoring.
 * A door belongs to the client, too, which says when its subscription is over; only then
 * its memory is given back, for until then messages may come. */
#include "natlet/service.h"

#include "base/bytes.h"
#include "base/rfc3339.h"
#include "base/runtime.h"
#include "base/utf8.h"
#include "client/client.h"
#include "natlet/headers.h"
#include "natlet/subject.h"

typedef struct door door;

typedef enum verb { PING, INFO, STATS, ENDPOINT } verb;

enum { VERBS = 3, CLOSE_BYTES = 2, NS_PER_US = 1000, CODE_MAX = 999 };

struct door {
    door *next;              /* of the service's; of an endpoint's: later ones */
    natlet_service *service; /* NULL: it is gone, and the subscription is to end */
    natlet_client *client;
    natlet__memory *memory;
    uint32_t sid; /* 0: it is over */
    verb verb;
    size_t bytes; /* of this block */
    /* Of an endpoint: */
    void (*handle)(void *self, natlet_service_request *request);
    void (*data)(void *self, natlet_json_out *out);
    void *self;
    natlet_slice about;    /* "name":..,"subject":..,"queue_group":.. */
    natlet_slice metadata; /* an object */
    uint32_t number;
    natlet_service_stats stats;
    size_t error_len;
    uint8_t error[NATLET_SERVICE_ERROR_MAX]; /* the last one */
};

struct natlet_service {
    natlet_client *client;
    natlet__memory *memory;
    door *doors;  /* the newest first */
    door *first;  /* endpoints, in their order */
    door **place; /* of the next one */
    uint32_t endpoints;
    uint64_t started_ns;
    void (*more)(void *self, natlet_json_out *out, bool stats);
    void *self;
    size_t bytes;      /* of this block */
    natlet_slice name; /* these lie behind it */
    natlet_slice queue;
    natlet_slice about; /* "name":..,"id":..,"version":..,"metadata":.. */
    natlet_slice description;
    char id[NATLET_SERVICE_ID_LEN];
};

/* ---- names ---- */

static bool is_name(natlet_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = natlet__lower(name.ptr[i]);
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_letter && c != '-' && c != '_') {
            return false;
        }
    }
    return name.len > 0;
}

/* Three numbers with dots, then what begins with - or + and has no odd character. */
static bool is_version(natlet_slice text)
{
    uint32_t parts = 0;

    while (parts < 3) {
        size_t len = 0;
        uint64_t number;
        while (len < text.len && text.ptr[len] >= '0' && text.ptr[len] <= '9') {
            len++;
        }
        if (!natlet__read_decimal(natlet__take(&text, len), UINT32_MAX, &number)) {
            return false;
        }
        parts++;
        if (parts < 3 && (text.len == 0 || natlet__take(&text, 1).ptr[0] != '.')) {
            return false;
        }
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        bool is_mark = c == '.' || c == '+' || (c == '-' && i == 0);
        if (!is_mark && !is_name((natlet_slice){text.ptr + i, 1})) {
            return false;
        }
    }
    return text.len == 0 || ((text.ptr[0] == '-' || text.ptr[0] == '+') && text.len > 1);
}

static bool are_texts(const natlet_service_pair *pairs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!natlet__utf8_valid(pairs[i].key) || !natlet__utf8_valid(pairs[i].value)) {
            return false;
        }
    }
    return true;
}

/* ---- JSON ---- */

static void put_pairs(natlet_json_out *out, const natlet_service_pair *pairs, uint32_t count)
{
    natlet_json_out_open(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        natlet_json_out_key_text(out, pairs[i].key);
        natlet_json_out_string(out, pairs[i].value);
    }
    natlet_json_out_close(out, '}');
}

bool natlet_service_element(natlet_json_out *out, const natlet_json_out *before)
{
    bool fits = out->cap == 0 || out->len <= out->cap;

    if (!fits) {
        *out = *before;
    }
    return fits;
}

static void put_counts(natlet_json_out *out, const door *endpoint)
{
    const natlet_service_stats *stats = &endpoint->stats;

    natlet_json_out_member_u64(out, "num_requests", stats->requests);
    natlet_json_out_member_u64(out, "num_errors", stats->errors);
    natlet_json_out_member(out, "last_error", (natlet_slice){endpoint->error, endpoint->error_len});
    natlet_json_out_member_u64(out, "processing_time", stats->processing_ns);
    natlet_json_out_member_u64(out, "average_processing_time",
                               stats->requests > 0 ? stats->processing_ns / stats->requests : 0);
    if (endpoint->data != NULL) {
        natlet_json_out_key(out, "data");
        endpoint->data(endpoint->self, out);
    }
}

static void put_endpoints(const natlet_service *service, natlet_json_out *out, bool stats)
{
    size_t cap = out->cap;

    natlet_json_out_key(out, "endpoints");
    natlet_json_out_open(out, '[');
    out->cap = cap > CLOSE_BYTES ? cap - CLOSE_BYTES : cap;
    for (const door *endpoint = service->first; endpoint != NULL; endpoint = endpoint->next) {
        const natlet_json_out before = *out;
        natlet_json_out_open(out, '{');
        natlet_json_out_raw(out, endpoint->about);
        if (stats) {
            put_counts(out, endpoint);
        } else {
            natlet_json_out_key(out, "metadata");
            natlet_json_out_raw(out, endpoint->metadata);
        }
        natlet_json_out_close(out, '}');
        (void)natlet_service_element(out, &before);
    }
    if (service->more != NULL) {
        service->more(service->self, out, stats);
    }
    out->cap = cap;
    natlet_json_out_close(out, ']');
}

static void put_answer(const natlet_service *service, verb asked, natlet_json_out *out)
{
    static const char *const types[VERBS] = {"io.nats.micro.v1.ping_response",
                                             "io.nats.micro.v1.info_response",
                                             "io.nats.micro.v1.stats_response"};
    uint8_t time[NATLET__RFC3339_BYTES];

    natlet_json_out_open(out, '{');
    natlet_json_out_member(out, "type", natlet__text(types[asked]));
    natlet_json_out_raw(out, service->about);
    if (asked == INFO) {
        natlet_json_out_member(out, "description", service->description);
        put_endpoints(service, out, false);
    } else if (asked == STATS) {
        natlet__rfc3339_write(time, service->started_ns);
        natlet_json_out_member(out, "started", (natlet_slice){time, sizeof time});
        put_endpoints(service, out, true);
    }
    natlet_json_out_close(out, '}');
}

/* ---- monitoring ---- */

/* Measures, then writes into a block of that size; beyond max_payload endpoints are left
 * out.  Nobody hears of an answer that finds no memory: they ask again. */
static void answer(const natlet_service *service, verb asked, natlet_slice reply)
{
    uint32_t max = natlet_client_max_payload(service->client);
    natlet_json_out out;

    natlet_json_out_init(&out, NULL, 0);
    put_answer(service, asked, &out);
    size_t bytes = out.len < max ? out.len : max;
    void *block = natlet__memory_take(service->memory, bytes);
    if (block == NULL) {
        return;
    }
    natlet_json_out_init(&out, block, bytes);
    put_answer(service, asked, &out);
    if (out.len <= bytes) {
        (void)natlet_client_publish(service->client,
                                    &(natlet_msg){.subject = reply, .payload = {block, out.len}});
    }
    natlet__memory_give_back(service->memory, block, bytes);
}

/* ---- requests ---- */

static door *find_endpoint(const natlet_service *service, uint32_t number)
{
    door *endpoint = service->first;

    while (endpoint != NULL && endpoint->number != number) {
        endpoint = endpoint->next;
    }
    return endpoint;
}

static void serve(door *endpoint, const natlet_msg *msg)
{
    natlet_service_request request = {msg, endpoint->service, endpoint->number};
    natlet_runtime *rt = endpoint->client->rt;
    uint64_t start_us = natlet__runtime_clock_us(rt);

    endpoint->stats.requests++;
    endpoint->handle(endpoint->self, &request);
    endpoint->stats.processing_ns += (natlet__runtime_clock_us(rt) - start_us) * NS_PER_US;
}

static void note_error(door *endpoint, natlet_slice text)
{
    endpoint->stats.errors++;
    endpoint->error_len = natlet__utf8_cut(text, sizeof endpoint->error);
    (void)natlet__put(endpoint->error, (natlet_slice){text.ptr, endpoint->error_len});
}

static natlet_status send(door *endpoint, const natlet_service_request *request,
                          natlet_slice headers, natlet_slice payload)
{
    const natlet_msg msg = {.subject = request->msg->reply, .headers = headers, .payload = payload};

    if (msg.subject.len == 0) {
        return NATLET_E_INVALID;
    }
    natlet_status st = natlet_client_publish(endpoint->client, &msg);
    if (st < 0) {
        note_error(endpoint, natlet__text(natlet_status_text(st)));
    }
    return st;
}

natlet_status natlet_service_respond(natlet_service_request *request, natlet_slice headers,
                                     natlet_slice payload)
{
    return send(find_endpoint(request->service, request->endpoint), request, headers, payload);
}

natlet_status natlet_service_fail(natlet_service_request *request, uint32_t code, natlet_slice text,
                                  natlet_slice payload)
{
    static const natlet_slice code_key = NATLET_TEXT("Nats-Service-Error-Code");
    static const natlet_slice text_key = NATLET_TEXT("Nats-Service-Error");
    door *endpoint = find_endpoint(request->service, request->endpoint);
    uint8_t digits[NATLET__DECIMAL_MAX];
    uint8_t block[NATLET_HEADER_BYTES_MIN + NATLET_SERVICE_ERROR_MAX + 64];
    natlet_headers headers;

    if (code == 0 || code > CODE_MAX) {
        return NATLET_E_INVALID;
    }
    text.len = natlet__utf8_cut(text, NATLET_SERVICE_ERROR_MAX);
    (void)natlet_headers_init(&headers, block, sizeof block);
    natlet_status st = natlet_headers_add(&headers, text_key, text);
    if (st < 0) {
        return st;
    }
    st = natlet_headers_add(&headers, code_key,
                            (natlet_slice){digits, natlet__write_decimal(digits, code)});
    NATLET_ASSERT(st == NATLET_OK);
    note_error(endpoint, natlet__utf8_valid(text) ? text : code_key);
    return send(endpoint, request, natlet_headers_block(&headers), payload);
}

/* ---- doors ---- */

static void on_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    door *d = self;

    if (d->service == NULL) { /* there was no room for the UNSUB: once more */
        (void)natlet_client_unsubscribe(d->client, sid, 0);
    } else if (d->verb == ENDPOINT) {
        serve(d, msg);
    } else if (msg->reply.len > 0) {
        answer(d->service, d->verb, msg->reply);
    }
}

static void on_ended(void *self, uint32_t sid, natlet_status why)
{
    door *d = self;

    (void)sid;
    (void)why;
    d->sid = 0;
    if (d->service == NULL) {
        natlet__memory_give_back(d->memory, d, d->bytes);
    }
}

static door *make_door(natlet_service *service, verb asked, size_t more_bytes)
{
    door *d = natlet__memory_take(service->memory, sizeof *d + more_bytes);

    if (d != NULL) {
        d->service = service;
        d->client = service->client;
        d->memory = service->memory;
        d->verb = asked;
        d->bytes = sizeof *d + more_bytes;
    }
    return d;
}

static natlet_status open_door(door *d, natlet_slice subject, natlet_slice queue)
{
    const natlet_subscribe_options options = {.queue = queue};
    const natlet_sink sink = {d, on_message, on_ended};
    natlet_status st = natlet_client_subscribe(d->client, &d->sid, subject, &options, &sink);

    if (st < 0) {
        natlet__memory_give_back(d->memory, d, d->bytes);
    }
    return st;
}

static void close_door(door *d)
{
    uint32_t sid = d->sid;

    d->service = NULL;
    if (sid == 0) {
        natlet__memory_give_back(d->memory, d, d->bytes);
    } else {
        (void)natlet_client_unsubscribe(d->client, sid, 0);
    }
}

static void close_all(door *d)
{
    while (d != NULL) {
        door *next = d->next;
        close_door(d);
        d = next;
    }
}

/* $SRV.PING, $SRV.PING.name, $SRV.PING.name.id */
static natlet_status open_monitor(natlet_service *service, verb asked, uint32_t names)
{
    static const natlet_slice heads[VERBS] = {NATLET_TEXT("$SRV.PING"), NATLET_TEXT("$SRV.INFO"),
                                              NATLET_TEXT("$SRV.STATS")};
    static const natlet_slice dot = NATLET_TEXT(".");
    const natlet_slice parts[] = {service->name,
                                  {(const uint8_t *)service->id, sizeof service->id}};
    size_t bytes = heads[asked].len + service->name.len + sizeof service->id + 2;
    door *d = make_door(service, asked, bytes);

    if (d == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    uint8_t *start = (uint8_t *)(d + 1);
    uint8_t *at = natlet__put(start, heads[asked]);
    for (uint32_t i = 0; i < names; i++) {
        at = natlet__put(natlet__put(at, dot), parts[i]);
    }
    natlet_status st = open_door(d, (natlet_slice){start, (size_t)(at - start)}, (natlet_slice){0});
    if (st == NATLET_OK) {
        d->next = service->doors;
        service->doors = d;
    }
    return st;
}

/* ---- life ---- */

static void put_about(natlet_json_out *out, const natlet_service_config *config, natlet_slice id)
{
    natlet_json_out_member(out, "name", config->name);
    natlet_json_out_member(out, "id", id);
    natlet_json_out_member(out, "version", config->version);
    natlet_json_out_key(out, "metadata");
    put_pairs(out, config->metadata, config->metadata_count);
}

static natlet_slice keep(uint8_t **at, natlet_slice text)
{
    natlet_slice kept = {*at, text.len};

    *at = natlet__put(*at, text);
    return kept;
}

static natlet_status check(const natlet_service_config *config)
{
    bool is_good =
        config->size == sizeof *config && is_name(config->name) && is_version(config->version) &&
        natlet__utf8_valid(config->description) &&
        are_texts(config->metadata, config->metadata_count) &&
        (config->queue.len == 0 || natlet_subject_check(config->queue, NATLET_SUBJECT_QUEUE) == 0);

    return is_good ? NATLET_OK : NATLET_E_CONFIG;
}

static natlet_service *make(natlet_client *client, const natlet_service_config *config)
{
    static const natlet_slice usual = NATLET_TEXT("q");
    natlet_slice queue = config->queue.len > 0 ? config->queue : usual;
    char id[NATLET_SERVICE_ID_LEN];
    natlet_slice id_text = {(const uint8_t *)id, sizeof id};
    natlet_json_out out;

    natlet__random_base62(&client->rt->random, id, sizeof id);
    natlet_json_out_init(&out, NULL, 0);
    put_about(&out, config, id_text);
    size_t bytes =
        sizeof(natlet_service) + out.len + config->name.len + queue.len + config->description.len;
    natlet_service *service = natlet__memory_take(&client->rt->memory, bytes);
    if (service == NULL) {
        return NULL;
    }
    uint8_t *at = (uint8_t *)(service + 1);
    service->about = (natlet_slice){at, out.len};
    natlet_json_out_init(&out, at, out.len);
    put_about(&out, config, id_text);
    at += out.len;
    service->name = keep(&at, config->name);
    service->queue = keep(&at, queue);
    service->description = keep(&at, config->description);
    memcpy(service->id, id, sizeof id);
    service->client = client;
    service->memory = &client->rt->memory;
    service->place = &service->first;
    service->bytes = bytes;
    service->more = config->more;
    service->self = config->self;
    service->started_ns = natlet_runtime_wall_ns(client->rt);
    return service;
}

natlet_status natlet_service_new(natlet_service **out, natlet_client *client,
                                 const natlet_service_config *config)
{
    natlet_status st = check(config);

    *out = NULL;
    if (st < 0) {
        return st;
    }
    natlet_service *service = make(client, config);
    if (service == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    for (uint32_t i = 0; st == NATLET_OK && i < VERBS * 3; i++) {
        st = open_monitor(service, (verb)(i / 3), i % 3);
    }
    if (st < 0) {
        natlet_service_free(service);
        return st;
    }
    *out = service;
    return NATLET_OK;
}

void natlet_service_free(natlet_service *service)
{
    if (service == NULL) {
        return;
    }
    close_all(service->first);
    close_all(service->doors);
    natlet__memory_give_back(service->memory, service, service->bytes);
}

static void put_endpoint(natlet_json_out *out, const natlet_service_endpoint *endpoint,
                         natlet_slice subject, natlet_slice queue)
{
    natlet_json_out_member(out, "name", endpoint->name);
    natlet_json_out_member(out, "subject", subject);
    natlet_json_out_member(out, "queue_group", queue);
}

/* What INFO and STATS say of it, written once. */
static door *make_endpoint(natlet_service *service, const natlet_service_endpoint *endpoint,
                           natlet_slice subject, natlet_slice queue)
{
    natlet_json_out about;
    natlet_json_out metadata;

    natlet_json_out_init(&about, NULL, 0);
    put_endpoint(&about, endpoint, subject, queue);
    natlet_json_out_init(&metadata, NULL, 0);
    put_pairs(&metadata, endpoint->metadata, endpoint->metadata_count);
    door *d = make_door(service, ENDPOINT, about.len + metadata.len);
    if (d == NULL) {
        return NULL;
    }
    uint8_t *at = (uint8_t *)(d + 1);
    d->about = (natlet_slice){at, about.len};
    d->metadata = (natlet_slice){at + about.len, metadata.len};
    natlet_json_out_init(&about, at, about.len);
    put_endpoint(&about, endpoint, subject, queue);
    natlet_json_out_init(&metadata, at + about.len, metadata.len);
    put_pairs(&metadata, endpoint->metadata, endpoint->metadata_count);
    d->handle = endpoint->handle;
    d->data = endpoint->data;
    d->self = endpoint->self;
    d->number = service->endpoints;
    return d;
}

natlet_status natlet_service_add(natlet_service *service, const natlet_service_endpoint *endpoint,
                                 uint32_t *number)
{
    natlet_slice subject = endpoint->subject.len > 0 ? endpoint->subject : endpoint->name;
    natlet_slice queue = endpoint->queue.len > 0 ? endpoint->queue : service->queue;

    if (!is_name(endpoint->name) || endpoint->handle == NULL ||
        !are_texts(endpoint->metadata, endpoint->metadata_count) || !natlet__utf8_valid(subject) ||
        !natlet__utf8_valid(queue)) {
        return NATLET_E_CONFIG;
    }
    queue.len = endpoint->no_queue ? 0 : queue.len;
    door *d = make_endpoint(service, endpoint, subject, queue);
    if (d == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    natlet_status st = open_door(d, subject, queue);
    if (st < 0) {
        return st;
    }
    *service->place = d;
    service->place = &d->next;
    service->endpoints++;
    if (number != NULL) {
        *number = d->number;
    }
    return NATLET_OK;
}

natlet_slice natlet_service_id(const natlet_service *service)
{
    return (natlet_slice){(const uint8_t *)service->id, sizeof service->id};
}

natlet_service_stats natlet_service_stats_now(const natlet_service *service, uint32_t number)
{
    const door *endpoint = find_endpoint(service, number);

    return endpoint != NULL ? endpoint->stats : (natlet_service_stats){0};
}

void natlet_service_reset(natlet_service *service)
{
    for (door *endpoint = service->first; endpoint != NULL; endpoint = endpoint->next) {
        endpoint->stats = (natlet_service_stats){0};
        endpoint->error_len = 0;
    }
    service->started_ns = natlet_runtime_wall_ns(service->client->rt);
}

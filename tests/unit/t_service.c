/* Goal: a micro service answers what ADR-32 asks of it, counts truthfully, and leaves
 * nothing behind.
 *
 * Method: a client on the test host, the server played by the rig. */
#include "natlet/service.h"

#include "support/client_rig.h"
#include "support/test.h"
#include "json/reader.h"

static rig r;
static natlet_service *service;

static const natlet_service_pair tags[] = {{NATLET_TEXT("zone"), NATLET_TEXT("\"x\"")}};

static const natlet_service_config usual = {
    .size = sizeof usual,
    .name = NATLET_TEXT("calc"),
    .version = NATLET_TEXT("1.2.3"),
    .description = NATLET_TEXT("adds"),
    .metadata = tags,
    .metadata_count = 1,
};

static natlet_slice at(const char *json, size_t len, const char *pointer)
{
    natlet_slice value = {0};

    CHECK(natlet_json_find((natlet_slice){(const uint8_t *)json, len}, rig_text(pointer), &value) ==
          NATLET_OK);
    return value;
}

static void begin(void)
{
    rig_connected(&r, RIG_NATS);
    CHECK(natlet_service_new(&service, r.client, &usual) == NATLET_OK);
    rig_run(&r);
}

static void end(void)
{
    natlet_service_free(service);
    natlet_client_free(r.client);
    r.client = NULL;
    rig_end(&r);
}

/* The sid that the client gave to `subject`, which it has just subscribed. */
static unsigned sid_of(const char *sent, const char *subject)
{
    char line[128];
    unsigned sid = 0;

    snprintf(line, sizeof line, "SUB %s ", subject);
    const char *found = strstr(sent, line);
    CHECK(found != NULL && sscanf(found + strlen(line), "%u", &sid) == 1);
    return sid;
}

/* What is answered to a request for `subject`: the payload, valid until the next call. */
static natlet_slice ask(unsigned sid, const char *subject, const char *payload)
{
    static char sent[65536];
    char line[256];
    unsigned head = 0;
    unsigned len = 0;

    rig_forget_sent(&r);
    snprintf(line, sizeof line, "MSG %s %u box %u\r\n%s\r\n", subject, sid,
             (unsigned)strlen(payload), payload);
    rig_say(&r, line);
    snprintf(sent, sizeof sent, "%s", rig_sent(&r));
    if (sscanf(sent, "HPUB box %u %u", &head, &len) != 2) {
        CHECK(sscanf(sent, "PUB box %u", &len) == 1);
    }
    return (natlet_slice){(const uint8_t *)strstr(sent, "\r\n") + 2, len};
}

#define AT(pointer) at((const char *)got.ptr, got.len, pointer)

static void nine_doors(void)
{
    char sent[2048];
    char subject[128];
    char id[NATLET_SERVICE_ID_LEN + 1] = "";

    begin();
    snprintf(sent, sizeof sent, "%s", rig_sent(&r));
    natlet_slice text = natlet_service_id(service);
    CHECK_INT(text.len, NATLET_SERVICE_ID_LEN);
    memcpy(id, text.ptr, text.len);
    static const char *const verbs[] = {"PING", "INFO", "STATS"};
    static const char *const types[] = {"\"io.nats.micro.v1.ping_response\"",
                                        "\"io.nats.micro.v1.info_response\"",
                                        "\"io.nats.micro.v1.stats_response\""};
    for (int verb = 0; verb < 3; verb++) {
        for (int names = 0; names < 3; names++) {
            snprintf(subject, sizeof subject, "$SRV.%s%s%s%s", verbs[verb],
                     names > 0 ? ".calc" : "", names > 1 ? "." : "", names > 1 ? id : "");
            natlet_slice got = ask(sid_of(sent, subject), subject, "");
            CHECK(natlet__json_valid(got));
            natlet_slice type = AT("/type");
            CHECK(type.len == strlen(types[verb]) && memcmp(type.ptr, types[verb], type.len) == 0);
            CHECK_SLICE(AT("/name"), "\"calc\"");
            CHECK_SLICE(AT("/version"), "\"1.2.3\"");
            CHECK_SLICE(AT("/metadata/zone"), "\"\\\"x\\\"\"");
            natlet_slice told = AT("/id");
            CHECK(told.len == sizeof id + 1 && memcmp(told.ptr + 1, id, told.len - 2) == 0);
        }
    }
    end();
}

static void calculate(void *self, natlet_service_request *request)
{
    natlet_slice text = request->msg->payload;
    natlet_status st;

    (void)self;
    test_host_advance_us(&r.host, 30);
    if (text.len == 4 && memcmp(text.ptr, "fail", 4) == 0) {
        CHECK(natlet_service_fail(request, 0, rig_text("x"), text) == NATLET_E_INVALID);
        CHECK(natlet_service_fail(request, 400, rig_text("a\r\nb"), text) == NATLET_E_HEADER);
        st = natlet_service_fail(request, 400, rig_text("bad sum"), rig_text("details"));
    } else {
        st = natlet_service_respond(request, (natlet_slice){0}, rig_text("42"));
    }
    CHECK(st == (request->msg->reply.len > 0 ? NATLET_OK : NATLET_E_INVALID));
}

static void put_data(void *self, natlet_json_out *out)
{
    (void)self;
    natlet_json_out_u64(out, 7);
}

static void endpoints_and_counts(void)
{
    char sent[2048];
    uint32_t number = 9;

    begin();
    const natlet_service_endpoint add = {.name = NATLET_TEXT("add"),
                                         .subject = NATLET_TEXT("calc.add"),
                                         .metadata = tags,
                                         .metadata_count = 1,
                                         .handle = calculate,
                                         .data = put_data};
    CHECK(natlet_service_add(service, &add, &number) == NATLET_OK);
    CHECK_INT(number, 0);
    natlet_service_endpoint own = {
        .name = NATLET_TEXT("all"), .no_queue = true, .handle = calculate};
    CHECK(natlet_service_add(service, &own, &number) == NATLET_OK);
    CHECK_INT(number, 1);
    own.queue = (natlet_slice)NATLET_TEXT("mine");
    own.no_queue = false;
    CHECK(natlet_service_add(service, &own, NULL) == NATLET_OK);
    rig_run(&r);
    snprintf(sent, sizeof sent, "%s", rig_sent(&r));
    unsigned sid = sid_of(sent, "calc.add q");
    unsigned info = sid_of(sent, "$SRV.INFO");
    unsigned stats = sid_of(sent, "$SRV.STATS");
    CHECK(sid_of(sent, "all") != sid_of(sent, "all mine"));

    natlet_slice got = ask(info, "$SRV.INFO", "");
    CHECK_SLICE(AT("/description"), "\"adds\"");
    CHECK_SLICE(AT("/endpoints/0"),
                "{\"name\":\"add\",\"subject\":\"calc.add\",\"queue_group\":\"q\","
                "\"metadata\":{\"zone\":\"\\\"x\\\"\"}}");
    CHECK_SLICE(AT("/endpoints/1/subject"), "\"all\"");
    CHECK_SLICE(AT("/endpoints/1/queue_group"), "\"\"");
    CHECK_SLICE(AT("/endpoints/2/queue_group"), "\"mine\"");

    got = ask(sid, "calc.add", "1+1");
    CHECK(got.len == 2 && memcmp(got.ptr, "42", 2) == 0);
    got = ask(sid, "calc.add", "fail");
    CHECK(strstr((const char *)got.ptr, "NATS/1.0\r\nNats-Service-Error: bad sum\r\n"
                                        "Nats-Service-Error-Code: 400\r\n\r\ndetails\r\n") != NULL);
    char line[64];
    snprintf(line, sizeof line, "MSG calc.add %u 1\r\nx\r\n", sid); /* nobody waits */
    rig_say(&r, line);
    got = ask(stats, "$SRV.STATS", "");
    CHECK_SLICE(AT("/endpoints/0"),
                "{\"name\":\"add\",\"subject\":\"calc.add\",\"queue_group\":\"q\","
                "\"num_requests\":3,\"num_errors\":1,\"last_error\":\"bad sum\","
                "\"processing_time\":90000,\"average_processing_time\":30000,\"data\":7}");
    natlet_slice started = AT("/started");
    CHECK(started.len == 32 && started.ptr[30] == 'Z');
    CHECK_INT(natlet_service_stats_now(service, 0).errors, 1);
    CHECK_INT(natlet_service_stats_now(service, 7).errors, 0);
    natlet_service_reset(service);
    CHECK_INT(natlet_service_stats_now(service, 0).requests, 0);
    got = ask(stats, "$SRV.STATS", "");
    CHECK_SLICE(AT("/endpoints/0/last_error"), "\"\"");
    end();
}

/* An answer is never longer than the server takes: endpoints are left out. */
static void answers_are_bounded(void)
{
    char sent[65536];

    begin();
    for (int i = 0; i < 40; i++) {
        const natlet_service_endpoint one = {.name = NATLET_TEXT("one"), .handle = calculate};
        CHECK(natlet_service_add(service, &one, NULL) == NATLET_OK);
    }
    rig_run(&r);
    snprintf(sent, sizeof sent, "%s", rig_sent(&r));
    unsigned stats = sid_of(sent, "$SRV.STATS");
    for (unsigned max = 400; max < 6500; max += max < 900 ? 1 : 61) {
        char info[128];
        snprintf(info, sizeof info,
                 "INFO {\"server_id\":\"S1\",\"headers\":true,\"max_payload\":%u}\r\n", max);
        rig_say(&r, info);
        natlet_slice got = ask(stats, "$SRV.STATS", "");
        CHECK(got.len <= max && natlet__json_valid(got));
    }
    rig_say(&r, "INFO {\"server_id\":\"S1\",\"headers\":true,\"max_payload\":100}\r\n");
    rig_forget_sent(&r);
    char line[64];
    snprintf(line, sizeof line, "MSG $SRV.STATS %u box 0\r\n\r\n", stats);
    rig_say(&r, line);
    CHECK_TEXT(rig_sent(&r), ""); /* not even the head fits */
    end();
}

static void what_is_no_service(void)
{
    static const char *const versions[] = {"",        "1",      "1.2",    "1.2.",
                                           "1.2.3.4", "1.2.x",  "1.2.3-", "01.2.3",
                                           "1.2.3 a", "v1.2.3", "1..3",   "1.2.3-a b"};
    static const char *const good[] = {"0.0.0", "1.2.3-rc.1", "1.2.3+b-1", "10.20.30-a+b"};
    static const char *const names[] = {"", "a b", "a.b", "\xc3\xa4", "a*"};
    natlet_service_config odd = usual;

    begin();
    natlet_service_free(service);
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        odd.version = rig_text(versions[i]);
        CHECK(natlet_service_new(&service, r.client, &odd) == NATLET_E_CONFIG && service == NULL);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        odd.version = rig_text(good[i]);
        CHECK(natlet_service_new(&service, r.client, &odd) == NATLET_OK);
        natlet_service_free(service);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        odd.name = rig_text(names[i]);
        CHECK(natlet_service_new(&service, r.client, &odd) == NATLET_E_CONFIG);
    }
    odd = usual;
    odd.description = rig_text("\xff");
    CHECK(natlet_service_new(&service, r.client, &odd) == NATLET_E_CONFIG);
    odd = usual;
    odd.queue = rig_text("a b");
    CHECK(natlet_service_new(&service, r.client, &odd) == NATLET_E_CONFIG);
    const natlet_service_pair bad[] = {{NATLET_TEXT("\xff"), NATLET_TEXT("")}};
    odd = usual;
    odd.metadata = bad;
    CHECK(natlet_service_new(&service, r.client, &odd) == NATLET_E_CONFIG);
    CHECK(natlet_service_new(&service, r.client, &usual) == NATLET_OK);
    natlet_service_endpoint endpoint = {.name = NATLET_TEXT("a"), .handle = calculate};
    endpoint.subject = rig_text("a b");
    CHECK(natlet_service_add(service, &endpoint, NULL) == NATLET_E_SUBJECT);
    endpoint.name = rig_text("a.b");
    CHECK(natlet_service_add(service, &endpoint, NULL) == NATLET_E_CONFIG);
    endpoint.name = rig_text("a");
    endpoint.handle = NULL;
    CHECK(natlet_service_add(service, &endpoint, NULL) == NATLET_E_CONFIG);
    end();
}

/* The client has no room for the UNSUBs; and a client that closes first. */
static void the_end_in_any_order(void)
{
    static uint8_t payload[60000];
    const natlet_msg large = {.subject = NATLET_TEXT("x"), .payload = {payload, sizeof payload}};
    const natlet_msg small = {.subject = NATLET_TEXT("x")};
    char sent[2048];
    char line[64];

    begin();
    snprintf(sent, sizeof sent, "%s", rig_sent(&r));
    test_conn_congest(r.conn, 0);
    while (natlet_client_publish(r.client, &large) == NATLET_OK) {
    }
    while (natlet_client_publish(r.client, &small) == NATLET_OK) {
    }
    natlet_service_free(service);
    service = NULL;
    test_conn_relieve(&r.host, r.conn);
    rig_run(&r);
    rig_forget_sent(&r);
    unsigned sid = sid_of(sent, "$SRV.PING");
    snprintf(line, sizeof line, "MSG $SRV.PING %u box 0\r\n\r\n", sid);
    rig_say(&r, line);
    snprintf(line, sizeof line, "UNSUB %u\r\n", sid);
    CHECK_TEXT(rig_sent(&r), line);
    end();

    begin();
    natlet_client_close(r.client);
    rig_run(&r);
    end();
}

static void memory_runs_out(void)
{
    for (uint32_t n = 1; n < 40; n++) {
        rig_connected(&r, RIG_NATS);
        r.memory.fail_at = r.memory.requests + n;
        natlet_status st = natlet_service_new(&service, r.client, &usual);
        CHECK(st == NATLET_OK || (st == NATLET_E_NO_MEMORY && service == NULL));
        if (st == NATLET_OK) {
            const natlet_service_endpoint one = {.name = NATLET_TEXT("one"), .handle = calculate};
            st = natlet_service_add(service, &one, NULL);
            CHECK(st == NATLET_OK || st == NATLET_E_NO_MEMORY);
        }
        end();
    }
}

int main(void)
{
    RUN(nine_doors);
    RUN(endpoints_and_counts);
    RUN(answers_are_bounded);
    RUN(what_is_no_service);
    RUN(the_end_in_any_order);
    RUN(memory_runs_out);
    return test_done();
}

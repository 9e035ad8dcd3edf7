/* Goal: a sign of life comes in time, and a silence is judged at its edges.
 *
 * Method: a client on the test host with its own clock, the server played by the rig. */
#include "natlet/presence.h"

#include "support/client_rig.h"
#include "support/test.h"

static rig r;
static natlet_presence *presence;
static natlet_peers *peers;

static natlet_slice text(const char *s)
{
    return rig_text(s);
}

static void end(void)
{
    natlet_presence_free(presence);
    natlet_peers_free(peers);
    presence = NULL;
    peers = NULL;
    natlet_client_free(r.client);
    r.client = NULL;
    rig_end(&r);
}

/* ---- to be seen ---- */

static const natlet_presence_config usual = {
    .size = sizeof usual, .subject = NATLET_TEXT("beat"), .id = NATLET_TEXT("n\"1")};

static uint32_t beats(void)
{
    uint32_t count = 0;

    for (const char *at = rig_sent(&r); (at = strstr(at, "PUB beat ")) != NULL; at++) {
        count++;
    }
    return count;
}

static void a_sign_of_life(void)
{
    rig_connected(&r, RIG_NATS);
    CHECK(natlet_presence_new(&presence, r.rt, r.client, &usual) == NATLET_OK);
    rig_run(&r);
    const char *sent = rig_sent(&r);
    CHECK(strstr(sent, "PUB beat ") != NULL);
    CHECK(strstr(sent, "{\"id\":\"n\\\"1\",\"status\":\"healthy\",\"timestamp\":\"20") != NULL);
    rig_wait_ms(&r, 26999);
    CHECK_INT(beats(), 0);
    rig_wait_ms(&r, 6001);
    CHECK_INT(beats(), 1);
    CHECK(natlet_presence_set(presence, NATLET_PRESENCE_DRAINING) == NATLET_OK);
    CHECK(natlet_presence_set(presence, NATLET_PRESENCE_LATE) == NATLET_E_INVALID);
    rig_run(&r);
    CHECK(strstr(rig_sent(&r), "\"status\":\"draining\"") != NULL);
    CHECK(natlet_presence_set(presence, NATLET_PRESENCE_DRAINING) == NATLET_OK);
    rig_run(&r);
    CHECK_INT(beats(), 0);
    CHECK_INT(natlet_presence_stats_now(presence).published, 3);
    end();
}

/* Many intervals: all within 10 %, and not all the same. */
static void intervals_are_spread(void)
{
    natlet_presence_config config = usual;
    uint32_t most = 0;
    uint32_t least = UINT32_MAX;

    rig_connected(&r, RIG_NATS);
    config.interval_ms = 1000;
    CHECK(natlet_presence_new(&presence, r.rt, r.client, &config) == NATLET_OK);
    rig_run(&r);
    (void)beats();
    uint32_t since = 0;
    for (uint32_t ms = 0; ms < 30000; ms++) {
        rig_wait_ms(&r, 1);
        since++;
        if (beats() > 0) {
            most = since > most ? since : most;
            least = since < least ? since : least;
            since = 0;
        }
    }
    CHECK(least >= 899 && most <= 1102 && most - least > 50);
    end();
}

static void offline_and_back(void)
{
    rig_connected(&r, RIG_NATS);
    CHECK(natlet_presence_new(&presence, r.rt, r.client, &usual) == NATLET_OK);
    rig_run(&r);
    (void)beats();
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK(natlet_presence_set(presence, NATLET_PRESENCE_UNHEALTHY) == NATLET_OK);
    rig_run(&r);
    CHECK_INT(natlet_presence_stats_now(presence).refused, 1);
    rig_wait_ms(&r, 600);
    rig_come_back(&r);
    rig_wait_ms(&r, 3000);
    CHECK(strstr(rig_sent(&r), "\"unhealthy\"") != NULL);
    end();
}

static void write_much(void *self, natlet_presence_status status, natlet_json_out *out)
{
    (void)status;
    natlet_json_out_open(out, '[');
    for (uint32_t i = 0; i < *(uint32_t *)self; i++) {
        natlet_json_out_u64(out, i);
    }
    natlet_json_out_close(out, ']');
}

static void documents_are_bounded(void)
{
    uint32_t much = 3;
    natlet_presence_config config = usual;

    config.bytes = 16;
    config.write = write_much;
    config.self = &much;
    rig_connected(&r, RIG_NATS);
    CHECK(natlet_presence_new(&presence, r.rt, r.client, &config) == NATLET_OK);
    rig_run(&r);
    CHECK(strstr(rig_sent(&r), "PUB beat 7\r\n[0,1,2]\r\n") != NULL);
    much = 30;
    CHECK(natlet_presence_set(presence, NATLET_PRESENCE_UNHEALTHY) == NATLET_OK);
    rig_run(&r);
    CHECK_TEXT(rig_sent(&r), "");
    CHECK_INT(natlet_presence_stats_now(presence).refused, 1);
    end();
}

static void what_is_out_of_range(void)
{
    natlet_presence_config config = usual;
    natlet_peers_config watch = {.size = sizeof watch, .subject = NATLET_TEXT("beat")};
    char longest[80];

    memset(longest, 'a', sizeof longest);
    rig_connected(&r, RIG_NATS);
    config.subject = text("a.*");
    CHECK(natlet_presence_new(&presence, r.rt, r.client, &config) == NATLET_E_SUBJECT);
    config = usual;
    config.interval_ms = NATLET_PRESENCE_INTERVAL_MS_MAX + 1;
    CHECK(natlet_presence_new(&presence, r.rt, r.client, &config) == NATLET_E_CONFIG);
    config = usual;
    config.id = text("\xff");
    CHECK(natlet_presence_new(&presence, r.rt, r.client, &config) == NATLET_E_CONFIG);
    watch.id = (natlet_slice){(const uint8_t *)longest, sizeof longest};
    CHECK(natlet_peers_new(&peers, r.rt, r.client, &watch) == NATLET_E_CONFIG);
    watch.id = (natlet_slice){0};
    watch.peers_max = NATLET_PRESENCE_PEERS_MAX + 1;
    CHECK(natlet_peers_new(&peers, r.rt, r.client, &watch) == NATLET_E_CONFIG);
    watch.peers_max = 0;
    watch.subject = text("a b");
    CHECK(natlet_peers_new(&peers, r.rt, r.client, &watch) == NATLET_E_SUBJECT);
    r.memory.fail_at = r.memory.requests + 1;
    CHECK(natlet_presence_new(&presence, r.rt, r.client, &usual) == NATLET_E_NO_MEMORY);
    r.memory.fail_at = r.memory.requests + 1;
    watch.subject = text("a");
    CHECK(natlet_peers_new(&peers, r.rt, r.client, &watch) == NATLET_E_NO_MEMORY);
    CHECK(presence == NULL && peers == NULL);
    end();
}

/* ---- to see ---- */

static void on_change(void *self, const natlet_peer *peer, natlet_presence_status before)
{
    (void)self;
    rig_note(&r, "%.*s: %s, was %s\n", (int)peer->id.len, (const char *)peer->id.ptr,
             natlet_presence_text(peer->status), natlet_presence_text(before));
}

static unsigned watch_with(uint32_t peers_max)
{
    const natlet_peers_config config = {.size = sizeof config,
                                        .subject = NATLET_TEXT("beat.>"),
                                        .id = NATLET_TEXT("/controller_id"),
                                        .interval_ms = 1000,
                                        .peers_max = peers_max,
                                        .on_change = on_change};
    unsigned sid = 0;

    rig_connected(&r, RIG_NATS);
    rig_forget_sent(&r);
    CHECK(natlet_peers_new(&peers, r.rt, r.client, &config) == NATLET_OK);
    rig_run(&r);
    CHECK(sscanf(rig_sent(&r), "SUB beat.> %u", &sid) == 1);
    return sid;
}

static void beat(unsigned sid, const char *payload)
{
    char line[512];

    snprintf(line, sizeof line, "MSG beat.x %u %u\r\n%s\r\n", sid, (unsigned)strlen(payload),
             payload);
    rig_say(&r, line);
}

static const char *const one = "{\"controller_id\":\"one\",\"status\":\"healthy\"}";
static const char *const two = "{\"controller_id\":\"two\"}";

static void a_silence_is_judged(void)
{
    unsigned sid = watch_with(0);

    CHECK(natlet_peers_status(peers, text("one")) == NATLET_PRESENCE_UNKNOWN);
    beat(sid, one);
    CHECK_TEXT(rig_log(&r), "one: healthy, was unknown\n");
    rig_wait_ms(&r, 1500);
    CHECK_TEXT(rig_log(&r), "");
    CHECK(natlet_peers_status(peers, text("one")) == NATLET_PRESENCE_HEALTHY);
    rig_wait_ms(&r, 1);
    CHECK_TEXT(rig_log(&r), "one: late, was healthy\n");
    rig_wait_ms(&r, 1499);
    CHECK_TEXT(rig_log(&r), "");
    CHECK(natlet_peers_status(peers, text("one")) == NATLET_PRESENCE_LATE);
    rig_wait_ms(&r, 1);
    CHECK_TEXT(rig_log(&r), "one: unhealthy, was late\n");
    natlet_peer peer;
    CHECK(natlet_peers_at(peers, 0, &peer) == NATLET_OK);
    CHECK_INT(peer.age_ms, 3001);
    CHECK_INT(peer.heard, 1);
    rig_wait_ms(&r, 100000);
    CHECK_TEXT(rig_log(&r), "");
    beat(sid, one);
    CHECK_TEXT(rig_log(&r), "one: healthy, was unhealthy\n");
    CHECK(natlet_peers_at(peers, 1, &peer) == NATLET_E_NOT_FOUND);
    CHECK(natlet_peers_at(peers, UINT32_MAX, &peer) == NATLET_E_NOT_FOUND);
    end();
}

static void what_peers_say_counts(void)
{
    unsigned sid = watch_with(0);

    beat(sid, one);
    beat(sid, "{\"controller_id\":\"one\",\"status\":\"unhealthy\"}");
    beat(sid, "{\"controller_id\":\"one\",\"status\":\"draining\"}");
    rig_wait_ms(&r, 2000); /* late, but that it drains says more */
    CHECK(natlet_peers_status(peers, text("one")) == NATLET_PRESENCE_DRAINING);
    rig_wait_ms(&r, 1001);
    beat(sid, "{\"controller_id\":7,\"status\":[]}");
    CHECK_TEXT(rig_log(&r), "one: healthy, was unknown\none: unhealthy, was healthy\n"
                            "one: draining, was unhealthy\none: unhealthy, was draining\n"
                            "7: healthy, was unknown\n");
    end();
}

static void the_table_is_bounded(void)
{
    unsigned sid = watch_with(2);
    char line[256];

    beat(sid, one);
    rig_wait_ms(&r, 100);
    beat(sid, two);
    beat(sid, "{\"controller_id\":\"three\"}"); /* both are alive */
    CHECK(natlet_peers_status(peers, text("three")) == NATLET_PRESENCE_UNKNOWN);
    rig_wait_ms(&r, 2901);
    beat(sid, two);
    beat(sid, "{\"controller_id\":\"three\"}"); /* one is silent for 3.001 s */
    CHECK(natlet_peers_status(peers, text("one")) == NATLET_PRESENCE_UNKNOWN);
    CHECK(natlet_peers_status(peers, text("three")) == NATLET_PRESENCE_HEALTHY);
    beat(sid, "");
    beat(sid, "{}");
    beat(sid, "no json");
    snprintf(line, sizeof line, "{\"controller_id\":\"%0*d\"}", 65, 1);
    beat(sid, line);
    natlet_peers_stats stats = natlet_peers_stats_now(peers);
    CHECK_INT(stats.peers, 2);
    CHECK_INT(stats.free_min, 0);
    CHECK_INT(stats.refused, 1);
    CHECK_INT(stats.replaced, 1);
    CHECK_INT(stats.ignored, 4);
    CHECK_INT(stats.heard, 9);
    CHECK(natlet_peers_forget(peers, text("two")) == NATLET_OK);
    CHECK(natlet_peers_forget(peers, text("two")) == NATLET_E_NOT_FOUND);
    CHECK_INT(natlet_peers_stats_now(peers).peers, 1);
    end();
}

/* The subject is the id; and a client that closes before the table goes. */
static void by_subject_and_after_the_client(void)
{
    const natlet_peers_config config = {.size = sizeof config, .subject = NATLET_TEXT("beat.*")};
    unsigned sid = 0;

    rig_connected(&r, RIG_NATS);
    rig_forget_sent(&r);
    CHECK(natlet_peers_new(&peers, r.rt, r.client, &config) == NATLET_OK);
    rig_run(&r);
    CHECK(sscanf(rig_sent(&r), "SUB beat.* %u", &sid) == 1);
    beat(sid, "not even JSON");
    CHECK(natlet_peers_status(peers, text("beat.x")) == NATLET_PRESENCE_HEALTHY);
    natlet_client_close(r.client);
    end();
    natlet_presence_free(NULL);
    natlet_peers_free(NULL);
}

int main(void)
{
    RUN(a_sign_of_life);
    RUN(intervals_are_spread);
    RUN(offline_and_back);
    RUN(documents_are_bounded);
    RUN(what_is_out_of_range);
    RUN(a_silence_is_judged);
    RUN(what_peers_say_counts);
    RUN(the_table_is_bounded);
    RUN(by_subject_and_after_the_client);
    return test_done();
}

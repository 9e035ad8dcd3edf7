/* Goal: without a server agents go on, and what they want from the network is refused or
 * waits, as the client was told; with the server it comes, in order.
 *
 * Method: two agents that play a ball on the test host, whose one server refuses, answers
 * or goes away. */
#include "natlet/bridge.h"
#include "support/client_rig.h"
#include "support/test.h"

enum { ROUNDS = 100 };

static rig r;
static natlet_cell *cell;
static natlet_bridge *bridge;
static uint32_t rounds;
static uint32_t refused; /* publishes: E_DISCONNECTED */
static uint32_t taken;

static const natlet_slice names[] = {NATLET_TEXT("ping"), NATLET_TEXT("pong")};

/* Tells the network of every round, and goes on whatever it says. */
static int32_t play(natlet_cell *c, void *state, natlet_mail *mail)
{
    char digits[16];
    int len = snprintf(digits, sizeof digits, "%u", (unsigned)++rounds);
    const natlet_msg msg = {.subject = NATLET_TEXT("rounds"),
                            .payload = {(const uint8_t *)digits, (size_t)len}};

    (void)state;
    natlet_status st = natlet_agent_publish(c, &msg);
    CHECK(st == NATLET_OK || st == NATLET_E_DISCONNECTED);
    taken += st == NATLET_OK;
    refused += st == NATLET_E_DISCONNECTED;
    if (rounds % ROUNDS == 0) {
        return NATLET_DONE;
    }
    return natlet_agent_send_name(c, names[rounds % 2], mail);
}

static const natlet_behaviour playing = {.name = "playing", .on_mail = play};

static void begin(bool keeps)
{
    static const natlet_supervisor_spec nobody = {0};
    static const natlet_track_options track = {.offline_bytes_max = 65536};
    const natlet_cell_config config = {.size = sizeof config};
    natlet_pid root;
    natlet_pid pid;

    rounds = refused = taken = 0;
    rig_init(&r, RIG_FRAMED);
    r.config.retry_first_connect = true;
    CHECK_INT(natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0), NATLET_OK);
    CHECK_INT(natlet_client_new(&r.client, r.rt, &r.config), NATLET_OK);
    if (keeps) {
        CHECK_INT(natlet_client_track(r.client, &track), NATLET_OK);
    }
    CHECK_INT(natlet_cell_new(&cell, r.rt, &config), NATLET_OK);
    CHECK_INT(natlet_bridge_new(&bridge, cell, r.client), NATLET_OK);
    CHECK_INT(natlet_supervisor_start(cell, &nobody, &root), NATLET_OK);
    for (int i = 0; i < 2; i++) {
        const natlet_child child = {.name = names[i], .behaviour = &playing};
        CHECK_INT(natlet_supervisor_add(cell, root, &child, &pid), NATLET_OK);
    }
    CHECK_INT(natlet_client_connect(r.client), NATLET_OK);
    rig_run(&r);
}

static void play_a_set(void)
{
    CHECK_INT(natlet_agent_send_name(cell, names[0], &(natlet_mail){0}), NATLET_OK);
    rig_run(&r);
}

static void end(void)
{
    CHECK_INT(natlet_cell_stats_now(cell).restarts, 0);
    CHECK_INT(natlet_cell_stats_now(cell).dead_total, 0);
    natlet_bridge_free(bridge);
    natlet_client_free(r.client);
    r.client = NULL;
    natlet_cell_free(cell);
    rig_end(&r);
}

static void agents_go_on_without_a_server(void)
{
    begin(false);
    play_a_set();
    for (int i = 0; i < 5; i++) {
        rig_fail_attempt(&r);
        play_a_set();
        (void)rig_wait_for_dial(&r, 60000);
    }
    CHECK_INT(rounds, 6 * ROUNDS);
    CHECK_INT(refused, 6 * ROUNDS);
    CHECK_INT(natlet_bridge_stats_now(bridge).out_refused, 6 * ROUNDS);
    rig_come_back(&r);
    rig_forget_sent(&r);
    play_a_set();
    CHECK_INT(taken, ROUNDS);
    CHECK(strncmp(rig_sent(&r), "PUB rounds 3\r\n601\r\n", 19) == 0);
    end();
}

/* Whether `sent` are the publishes of rounds 1 to `last`, in order, each once. */
static void check_rounds(const char *sent, unsigned last)
{
    char line[64];

    sent = strstr(sent, "PUB rounds 1\r\n1\r\n");
    CHECK(sent != NULL);
    for (unsigned n = 1; n <= last && sent != NULL; n++) {
        unsigned digits = n > 99 ? 3 : n > 9 ? 2 : 1;
        size_t len = (size_t)snprintf(line, sizeof line, "PUB rounds %u\r\n%u\r\n", digits, n);
        CHECK(strncmp(sent, line, len) == 0);
        sent += len;
    }
}

static void what_agents_publish_waits_if_it_is_told_to(void)
{
    begin(true);
    play_a_set();
    rig_fail_attempt(&r);
    play_a_set();
    CHECK_INT(taken, 2 * ROUNDS);
    (void)rig_wait_for_dial(&r, 60000);
    rig_come_back(&r);
    rig_run(&r);
    check_rounds(rig_sent(&r), 2 * ROUNDS);
    CHECK_INT(refused, 0);
    end();
}

static void a_server_that_goes_away_is_no_loss_to_agents(void)
{
    begin(false);
    rig_accept(&r);
    rig_greet(&r);
    play_a_set();
    CHECK_INT(taken, ROUNDS);
    rig_closed(&r, 1006, NATLET_E_IO);
    play_a_set();
    CHECK_INT(refused, ROUNDS);
    CHECK_INT(rounds, 2 * ROUNDS);
    end();
}

int main(void)
{
    RUN(agents_go_on_without_a_server);
    RUN(what_agents_publish_waits_if_it_is_told_to);
    RUN(a_server_that_goes_away_is_no_loss_to_agents);
    return test_done();
}

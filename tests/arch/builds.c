/* The seed's three builds as one program: agents alone; with WS its client, which
 * publishes and subscribes; with NATS what a full client does as well.  The address says
 * whether it is ws:// or nats://: TCP needs no code of its own.
 *
 * As a module it lives behind wasm/reactor.c; natively it runs, and two agents count to
 * ROUNDS.  builds.sh looks at what the linkers took. */
#include "natlet/app.h"
#include "natlet/cell.h"
#include "natlet/host.h"
#include "natlet/seed.h"
#if defined(WS) || defined(NATS)
#include "natlet/auth.h"
#include "natlet/bridge.h"
#include "natlet/client.h"
#endif

enum { ROUNDS = 1000 };

static natlet_cell *cell;
static uint32_t rounds;

static const natlet_slice names[] = {NATLET_TEXT("ping"), NATLET_TEXT("pong")};
static const natlet_slice ball = NATLET_TEXT("{\"type\":\"ping\"}");
static natlet_memory_backend *memory;
static natlet_backend backend;
static natlet_seed_agent players[2];

/* Plays the ball back to the other one. */
static int32_t play(natlet_cell *c, void *state, natlet_mail *mail,
                    const natlet_seed_message *message)
{
    (void)state;
    if (message->step != NATLET_SEED_PING || rounds == ROUNDS) {
        return NATLET_DONE;
    }
    rounds++;
#if defined(WS) || defined(NATS)
    (void)natlet_envelope_send(c, names[rounds % 2], ball);
#endif
    return natlet_agent_send_name(c, names[rounds % 2], &(natlet_mail){.payload = mail->payload});
}

static int32_t ping(natlet_cell *c, void *state, natlet_mail *mail)
{
    return natlet_seed_handle(c, &players[0], state, mail);
}

static int32_t pong(natlet_cell *c, void *state, natlet_mail *mail)
{
    return natlet_seed_handle(c, &players[1], state, mail);
}

static const natlet_behaviour behaviours[] = {{.name = "ping", .on_mail = ping},
                                              {.name = "pong", .on_mail = pong}};

static natlet_status start_agents(natlet_runtime *rt, const natlet_allocator *allocator)
{
    static const natlet_supervisor_spec nobody = {.intensity = 3};
    const natlet_cell_config config = {.size = sizeof config};
    natlet_pid root;
    natlet_pid pid;
    natlet_status st = natlet_cell_new(&cell, rt, &config);

    st = st < 0 ? st : natlet_memory_backend_new(&memory, allocator, NULL);
    st = st < 0 ? st : natlet_supervisor_start(cell, &nobody, &root);
    if (st < 0) {
        return st;
    }
    backend = natlet_memory_backend_of(memory);
    for (uint32_t i = 0; i < 2 && st >= 0; i++) {
        const natlet_child child = {.name = names[i], .behaviour = &behaviours[i]};
        players[i] = (natlet_seed_agent){.id = names[i], .backend = &backend, .on_message = play};
        st = natlet_supervisor_add(cell, root, &child, &pid);
    }
    return st < 0 ? st : natlet_agent_send_name(cell, names[0], &(natlet_mail){.payload = ball});
}

#if defined(WS) || defined(NATS)
static natlet_client *client;
static natlet_bridge *bridge;

static natlet_status start_client(natlet_runtime *rt, natlet_slice config)
{
    static uint8_t mem[512];
    static const natlet_slice subjects[] = {NATLET_TEXT("agent.ping"), NATLET_TEXT("agent.pong")};
    natlet_client_config c;
    natlet_status st = natlet_seed_client_read(config, mem, sizeof mem, &c);

    st = st < 0 ? st : natlet_client_new(&client, rt, &c);
    st = st < 0 ? st : natlet_client_connect(client);
    st = st < 0 ? st : natlet_bridge_new(&bridge, cell, client);
    for (uint32_t i = 0; i < 2 && st >= 0; i++) {
        st = natlet_bridge_subscribe(bridge, natlet_cell_find(cell, names[i]), subjects[i],
                                     (natlet_slice){0}, NULL);
    }
    return st;
}
#endif

#if defined(NATS)
/* What a full client can do as well: reports and an offline store, requests with one or
 * several answers, drain, credentials. */
static natlet_status use_all(const natlet_msg *msg)
{
    static natlet_signer signer;
    static const natlet_secret creds = {0};
    const natlet_authenticator who = natlet_creds_authenticator(&signer, &creds);
    const natlet_track_options track = {.offline_bytes_max = 65536};
    const natlet_request_options many = {.many = true};
    uint32_t id;
    int st = who.self == NULL ? 1 : 0;

    st += natlet_client_track(client, &track);
    st += natlet_client_request(client, msg, 1000, NULL, NULL, &id);
    st += natlet_client_request_many(client, msg, &many, NULL, NULL, &id);
    st += natlet_client_drain(client, 1000, NULL, NULL);
    st += natlet_agent_request(cell, msg, 1000, &id);
    return st < 0 ? NATLET_E_STATE : NATLET_OK;
}
#endif

static natlet_status start(natlet_runtime *rt, const natlet_allocator *allocator,
                           natlet_slice config)
{
    natlet_status st = start_agents(rt, allocator);

    (void)config;
#if defined(WS) || defined(NATS)
    st = st < 0 ? st : start_client(rt, config);
#endif
#if defined(NATS)
    st = st < 0 ? st : use_all(&(natlet_msg){.subject = names[0]});
#endif
    return st;
}

static void end(void)
{
#if defined(WS) || defined(NATS)
    natlet_bridge_free(bridge);
    natlet_client_free(client);
#endif
    natlet_cell_free(cell);
    natlet_memory_backend_free(memory);
}

#if defined(__wasm__)

static uint8_t block[65536];
static natlet_allocator of_block;

natlet_status natlet_app_init(natlet_runtime *rt, natlet_slice config)
{
    natlet_arena *arena;
    natlet_status st = natlet_arena_init(&arena, block, sizeof block, NULL);

    of_block = natlet_arena_allocator(arena);
    return st < 0 ? st : start(rt, &of_block, config);
}

uint32_t natlet_app_run(natlet_runtime *rt)
{
    (void)rt;
    return NATLET_NEVER_MS;
}

void natlet_app_fini(natlet_runtime *rt)
{
    (void)rt;
    end();
}

natlet_status natlet_app_recover(natlet_runtime *rt)
{
    (void)rt;
    return natlet_cell_recover(cell);
}

#else

#include <stdio.h>
#include <stdlib.h>

#include "posix/natlet_posix.h"

int main(int argc, char **argv)
{
    const natlet_allocator heap = natlet_posix_allocator();
    static const natlet_slice nowhere =
        NATLET_TEXT("{\"websocket_url\":\"ws://127.0.0.1:1/\",\"max_reconnects\":null}");
    natlet_host *host;
    natlet_runtime *rt;

    (void)argv;
    if (natlet_posix_new(&host, NULL) < 0 || natlet_runtime_new(&rt, host, &heap, 0) < 0 ||
        start(rt, &heap, nowhere) < 0) {
        return EXIT_FAILURE;
    }
    for (int turns = 0; rounds < ROUNDS && turns < 10 * ROUNDS; turns++) {
        (void)natlet_runtime_run(rt, 1000, 0);
    }
    end();
    natlet_runtime_free(rt);
    natlet_posix_free(host);
    (void)printf("%u\n", (unsigned)rounds);
    return rounds == ROUNDS && argc > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif

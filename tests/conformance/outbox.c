/* Publishes numbers under load while its server is killed again and again, and checks
 * what it is told about each of them.
 *
 *     outbox URL LOSSES
 *
 * Two clients: one publishes, keeps account and hears itself; the other listens.  On
 * one connection the server's answers are in order, so what the first is told was sent
 * it must have heard itself, without exception.  The listener may miss the end of what
 * a dying server took, and no more: that is counted.  "ready N" says that both are
 * connected for the N-th time and the listener's subscription is there.  After LOSSES
 * connections were lost, the next one is drained.  Each broken rule is a line "fault
 * ..."; the last line is a list of counts. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/runtime.h"
#include "natlet/client.h"
#include "support/hosted.h"

enum {
    BUDGET_US = 20000,
    BATCH = 40,       /* publishes a turn */
    DIGITS = 9,       /* of the number */
    PAYLOAD = 100,    /* bytes: the number, then dots */
    OPERATION = 115,  /* "PUB load 100" and both CRLFs with it */
    WINDOW = 16384,   /* bytes */
    STORE = 65536,    /* bytes that may wait: less than an outage brings */
    EPOCHS_MAX = 256, /* connections */
    FAULTS_SHOWN = 20,
};

enum { HEARD_SELF = 1, HEARD_OTHER = 2, SENT = 4, UNKNOWN = 8, REFUSED = 16 };

typedef struct program {
    natlet_runtime *rt;
    natlet_client *publisher, *listener;
    uint8_t *numbers; /* what is known of each */
    uint16_t *epochs; /* the connection that it was sent on */
    size_t numbers_cap;
    uint64_t told, heard_self, heard_other; /* last numbers */
    uint64_t sent, unknown, refused, lost, unknown_max;
    uint32_t faults;
    uint32_t losses, epoch;     /* of the publisher */
    uint32_t listener_connects; /* of the listener, up to its flush */
    bool is_listening;
    bool is_up;
    uint64_t hears_to; /* a drain ends the publisher's own subscription: behind this number */
    bool is_over;      /* the flush, then the drain */
    size_t memory[EPOCHS_MAX];    /* least in use while it lasted */
    uint64_t guarded[EPOCHS_MAX]; /* from this number on the listener was there; 0: never */
} program;

static void fault(program *p, const char *what, uint64_t number)
{
    p->faults++;
    if (p->faults <= FAULTS_SHOWN) {
        printf("fault %s %llu\n", what, (unsigned long long)number);
        (void)fflush(stdout);
    }
}

static void note_number(program *p, uint64_t number)
{
    if (number < p->numbers_cap) {
        return;
    }
    size_t cap = p->numbers_cap == 0 ? 1u << 16 : p->numbers_cap * 2;
    p->numbers = realloc(p->numbers, cap);
    p->epochs = realloc(p->epochs, cap * sizeof *p->epochs);
    if (p->numbers == NULL || p->epochs == NULL) {
        abort();
    }
    memset(p->numbers + p->numbers_cap, 0, cap - p->numbers_cap);
    p->numbers_cap = cap;
}

/* ---- what the publisher is told ---- */

static void on_published(void *self, uint64_t first, uint64_t last, natlet_status st)
{
    program *p = self;
    uint64_t count = last - first + 1;

    if (first != p->told + 1 || last < first || last > natlet_client_published(p->publisher)) {
        fault(p, "reported out of order", first);
        return;
    }
    p->told = last;
    for (uint64_t n = first; n <= last; n++) {
        if (st == NATLET_OK && n <= p->hears_to && (p->numbers[n] & HEARD_SELF) == 0) {
            fault(p, "sent, and never heard by itself", n);
        }
        if (st < 0 && st != NATLET_E_DISCONNECTED && (p->numbers[n] & 3) != 0) {
            fault(p, "refused, and yet heard", n);
        }
        p->numbers[n] |= st == NATLET_OK ? SENT : st == NATLET_E_DISCONNECTED ? UNKNOWN : REFUSED;
        p->epochs[n] = (uint16_t)p->epoch;
    }
    p->sent += st == NATLET_OK ? count : 0;
    p->refused += st < 0 && st != NATLET_E_DISCONNECTED ? count : 0;
    if (st == NATLET_E_DISCONNECTED) {
        p->unknown += count;
        p->unknown_max = count > p->unknown_max ? count : p->unknown_max;
        if (count * OPERATION > WINDOW) {
            fault(p, "more than a window is unknown", count);
        }
    }
}

/* ---- what is heard ---- */

static uint64_t number_of(const natlet_msg *msg)
{
    uint64_t number = 0;

    for (size_t i = 0; i < DIGITS && i < msg->payload.len; i++) {
        number = number * 10 + (uint64_t)(msg->payload.ptr[i] - '0');
    }
    return msg->payload.len == PAYLOAD ? number : 0;
}

static void hear(program *p, const natlet_msg *msg, uint64_t *last, uint8_t mark)
{
    uint64_t number = number_of(msg);

    if (number <= *last || number >= p->numbers_cap) {
        fault(p, "torn, twice or out of order", number);
        return;
    }
    if ((p->numbers[number] & REFUSED) != 0) {
        fault(p, "heard after it was refused", number);
    }
    *last = number;
    p->numbers[number] |= mark;
}

static void on_own(void *self, uint32_t sid, const natlet_msg *msg)
{
    program *p = self;

    (void)sid;
    hear(p, msg, &p->heard_self, HEARD_SELF);
}

static void on_other(void *self, uint32_t sid, const natlet_msg *msg)
{
    program *p = self;

    (void)sid;
    hear(p, msg, &p->heard_other, HEARD_OTHER);
}

/* ---- connections ---- */

static void say_ready(program *p)
{
    if (p->is_up && p->is_listening) {
        printf("ready %u\n", (unsigned)p->epoch);
        (void)fflush(stdout);
    }
}

/* The listener is subscribed: what is published from now on reaches it, and what the
 * publisher still keeps as well, if its connection comes later. */
static void on_listening(void *self, natlet_status st, uint64_t elapsed_us)
{
    program *p = self;

    (void)elapsed_us;
    if (st != NATLET_OK) {
        return;
    }
    p->is_listening = true;
    if (p->is_up) {
        p->guarded[p->epoch % EPOCHS_MAX] = natlet_client_published(p->publisher) + 1;
    }
    say_ready(p);
}

static void on_publisher(void *self, const natlet_client_event *event)
{
    program *p = self;

    if (event->kind != NATLET_CLIENT_EV_STATE) {
        return;
    }
    p->losses += p->is_up && event->state == NATLET_CLIENT_RECONNECTING;
    p->is_up = event->state == NATLET_CLIENT_CONNECTED;
    if (p->is_up) {
        p->epoch++;
        p->guarded[p->epoch % EPOCHS_MAX] = p->is_listening ? p->told + 1 : 0;
        say_ready(p);
    }
}

static void on_listener(void *self, const natlet_client_event *event)
{
    program *p = self;

    if (event->kind != NATLET_CLIENT_EV_STATE) {
        return;
    }
    p->is_listening = false;
    if (event->state == NATLET_CLIENT_CONNECTED) {
        (void)natlet_client_flush(p->listener, 5000, on_listening, p);
    }
}

static void on_over(void *self, natlet_status st, uint64_t elapsed_us)
{
    program *p = self;

    (void)elapsed_us;
    p->is_over = true;
    if (st != NATLET_OK) {
        fault(p, "the end failed", (uint64_t)-st);
    }
}

/* ---- the way ---- */

static natlet_client *start_client(program *p, const char *url, bool is_publisher)
{
    const natlet_track_options options = {
        .offline_bytes_max = STORE, .on_published = on_published, .self = p};
    const natlet_sink sink = {.self = p, .message = is_publisher ? on_own : on_other};
    natlet_client_config config;
    natlet_client *client;
    uint32_t sid;

    natlet_client_config_init(&config);
    config.servers = (natlet_slice){(const uint8_t *)url, strlen(url)};
    config.reconnect_ms = is_publisher ? 10 : 5;
    config.retry_first_connect = true;
    config.tx_bytes = WINDOW;
    config.on_event = is_publisher ? on_publisher : on_listener;
    config.self = p;
    if (natlet_client_new(&client, p->rt, &config) < 0 ||
        (is_publisher && natlet_client_track(client, &options) < 0) ||
        natlet_client_subscribe(client, &sid, (natlet_slice)NATLET_TEXT("load"), NULL, &sink) < 0 ||
        natlet_client_connect(client) < 0) {
        abort();
    }
    return client;
}

static void publish_batch(program *p)
{
    char payload[PAYLOAD + 1];
    const natlet_msg msg = {.subject = NATLET_TEXT("load"),
                            .payload = {(const uint8_t *)payload, PAYLOAD}};

    memset(payload, '.', sizeof payload);
    for (int i = 0; i < BATCH; i++) {
        uint64_t number = natlet_client_published(p->publisher) + 1;
        note_number(p, number);
        (void)snprintf(payload, DIGITS + 1, "%09llu", (unsigned long long)number);
        payload[DIGITS] = '.';
        natlet_status st = natlet_client_publish(p->publisher, &msg);
        if (st == NATLET_E_FULL) {
            return; /* room comes */
        }
        if (st < 0 || natlet_client_published(p->publisher) != number) {
            fault(p, "refused at once", number);
            return;
        }
    }
}

static void turn(program *p)
{
    (void)natlet_runtime_run(p->rt, BUDGET_US, 0);
    (void)natlet_runtime_run(p->rt, BUDGET_US, 1);
    size_t now = natlet_runtime_stats_now(p->rt).memory_bytes;
    size_t *least = &p->memory[p->epoch % EPOCHS_MAX];
    *least = *least == 0 || now < *least ? now : *least;
}

/* The least that was in use in any of five connections. */
static size_t least_memory(const program *p, uint32_t first)
{
    size_t least = SIZE_MAX;

    for (uint32_t i = first; i < first + 5 && i <= p->epoch; i++) {
        least = p->memory[i % EPOCHS_MAX] < least ? p->memory[i % EPOCHS_MAX] : least;
    }
    return least;
}

/* The listener hears what was sent while it was there, up to a point: what is missing
 * behind the last one heard of a connection died with the server. */
static void judge_listener(program *p)
{
    uint32_t silent = 0; /* the connection of which the rest is missing */

    for (uint64_t n = 1; n <= p->told; n++) {
        uint32_t epoch = p->epochs[n];
        uint64_t from = p->guarded[epoch % EPOCHS_MAX];
        if ((p->numbers[n] & SENT) == 0 || from == 0 || n < from) {
            continue;
        }
        if ((p->numbers[n] & HEARD_OTHER) != 0) {
            if (epoch == silent) {
                fault(p, "missing in the middle, before", n);
            }
            continue;
        }
        silent = epoch;
        p->lost++;
        if (epoch == p->epoch) {
            fault(p, "sent to a server that lives, and not heard", n);
        }
    }
}

static void wait_over(program *p)
{
    p->is_over = false;
    for (int i = 0; i < 20000 && !p->is_over; i++) {
        turn(p);
    }
}

static void finish(program *p)
{
    if (natlet_client_flush(p->publisher, 10000, on_over, p) < 0) {
        fault(p, "cannot flush", 0);
    }
    wait_over(p);
    if (p->told != natlet_client_published(p->publisher)) {
        fault(p, "flushed, and not told", p->told + 1);
    }
    p->hears_to = p->told;
    if (natlet_client_drain(p->publisher, 10000, on_over, p) < 0) {
        fault(p, "cannot drain", 0);
    }
    publish_batch(p); /* a drain takes it along */
    wait_over(p);
    for (int i = 0; i < 1000 && p->heard_other < p->told; i++) {
        turn(p);
    }
    if (p->told != natlet_client_published(p->publisher)) {
        fault(p, "never told", p->told + 1);
    }
    judge_listener(p);
}

static void print_counts(const program *p)
{
    natlet_client_stats stats = natlet_client_stats_now(p->publisher);

    printf("counts {\"published\":%llu,\"sent\":%llu,\"unknown\":%llu,\"refused\":%llu,"
           "\"lost\":%llu,\"unknown_max\":%llu,\"full\":%llu,\"connects\":%u,\"faults\":%u,"
           "\"memory_first\":%zu,\"memory_last\":%zu,\"offline_max\":%u}\n",
           (unsigned long long)p->told, (unsigned long long)p->sent, (unsigned long long)p->unknown,
           (unsigned long long)p->refused, (unsigned long long)p->lost,
           (unsigned long long)p->unknown_max, (unsigned long long)stats.refused,
           (unsigned)stats.connects, (unsigned)p->faults, least_memory(p, 1),
           least_memory(p, p->epoch > 5 ? p->epoch - 5 : 1), (unsigned)stats.offline_max);
}

int main(int argc, char **argv)
{
    static program p = {.hears_to = UINT64_MAX};
    natlet_allocator libc = hosted_allocator();

    if (argc < 3 || natlet_runtime_new(&p.rt, hosted_door(), &libc, 0) < 0) {
        printf("usage: outbox URL LOSSES\n");
        return EXIT_FAILURE;
    }
    uint32_t losses = (uint32_t)strtoul(argv[2], NULL, 10);
    size_t memory_empty = natlet_runtime_stats_now(p.rt).memory_bytes;
    p.listener = start_client(&p, argv[1], false);
    p.publisher = start_client(&p, argv[1], true);
    while (p.losses < losses || !p.is_up || !p.is_listening) {
        publish_batch(&p);
        turn(&p);
    }
    finish(&p);
    print_counts(&p);
    natlet_client_close(p.publisher);
    natlet_client_close(p.listener);
    (void)natlet_runtime_run(p.rt, BUDGET_US, 0);
    bool has_timer = natlet_runtime_run(p.rt, BUDGET_US, 0) != NATLET_NEVER_MS;
    natlet_client_free(p.publisher);
    natlet_client_free(p.listener);
    printf("left %zu bytes, %d timers\n",
           natlet_runtime_stats_now(p.rt).memory_bytes - memory_empty, has_timer ? 1 : 0);
    natlet_runtime_free(p.rt);
    free(p.numbers);
    free(p.epochs);
    return EXIT_SUCCESS;
}

#include "guest.h"

#include <string.h>

/* ---- the host, called under watch ---- */

static void enter(guest *g)
{
    g->is_inside = true;
}

static int32_t leave(guest *g, int32_t answer)
{
    g->is_inside = false;
    return answer;
}

int32_t host_recv(guest *g, uint32_t conn, uint8_t *buf, uint32_t cap)
{
    enter(g);
    return leave(g, g->host->recv(g->host->self, conn, buf, cap));
}

int32_t host_send(guest *g, uint32_t conn, const uint8_t *buf, uint32_t len)
{
    enter(g);
    return leave(g, g->host->send(g->host->self, conn, buf, len));
}

int32_t host_close(guest *g, uint32_t conn, uint32_t code, const char *why, uint32_t len)
{
    enter(g);
    return leave(g, g->host->close(g->host->self, conn, code, why, len));
}

int32_t host_poll(guest *g, natlet_host_event *events, uint32_t cap, int32_t timeout_ms)
{
    enter(g);
    return leave(g, g->host->poll(g->host->self, events, cap, timeout_ms));
}

int32_t host_random(guest *g, uint8_t *buf, uint32_t len)
{
    enter(g);
    return leave(g, g->host->random(g->host->self, buf, len));
}

int32_t host_hello(guest *g, natlet_host_info *info)
{
    enter(g);
    return leave(g, g->host->hello(g->host->self, NATLET_ABI, info));
}

static double host_clock(guest *g)
{
    enter(g);
    double ms = g->host->clock(g->host->self, NATLET_CLOCK_MONOTONIC);
    (void)leave(g, 0);
    return ms;
}

/* ---- verdicts ---- */

static uint32_t append(char *line, uint32_t len, const char *text)
{
    while (*text != '\0' && len < TEXT_BYTES) {
        line[len++] = *text++;
    }
    return len;
}

static void report(guest *g, const char *verdict, const char *mark, const char *detail)
{
    char line[TEXT_BYTES];
    uint32_t len = append(line, 0, verdict);

    len = append(line, len, guest_rules[g->rule].name);
    len = append(line, len, mark);
    len = append(line, len, detail);
    g->say(g, line, len);
}

static void end_rule(guest *g)
{
    for (uint32_t i = 0; i < LINKS_MAX; i++) {
        if (g->links[i].id != 0 && g->links[i].closes == 0) {
            (void)host_close(g, g->links[i].id, 1000, "", 0);
        }
    }
    g->rule++;
    g->broken = NULL;
    g->is_clearing = true;
    g->step_ms = g->now_ms;
}

void pass(guest *g)
{
    if (g->broken != NULL) {
        fail(g, g->broken);
        return;
    }
    report(g, "ok ", "", "");
    end_rule(g);
}

void fail(guest *g, const char *why)
{
    g->failed++;
    report(g, "not ok ", "  ", why);
    end_rule(g);
}

void settle(guest *g, bool has_held, const char *why)
{
    if (has_held) {
        pass(g);
    } else {
        fail(g, why);
    }
}

void skip(guest *g, const char *why)
{
    report(g, "ok ", " # SKIP ", why);
    end_rule(g);
}

void next_step(guest *g)
{
    g->step++;
    g->step_ms = g->now_ms;
}

double since(const guest *g)
{
    return g->now_ms - g->step_ms;
}

/* ---- bytes ---- */

uint8_t pattern_at(uint64_t at)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7);
}

static uint32_t fill(guest *g, const char *text)
{
    uint32_t len = (uint32_t)strlen(text);

    memcpy(g->scratch, text, len);
    return len;
}

static void wipe(guest *g)
{
    memset(g->scratch, 0xee, SCRATCH_BYTES);
}

int32_t send_pattern(guest *g, link *c, uint32_t len)
{
    len = len < SCRATCH_BYTES ? len : SCRATCH_BYTES;
    for (uint32_t i = 0; i < len; i++) {
        g->scratch[i] = pattern_at(c->sent + i);
    }
    int32_t n = host_send(g, c->id, g->scratch, len);
    wipe(g);
    if (n > (int32_t)len) {
        g->broken = "send took more than there was";
    }
    c->sent += n > 0 ? (uint32_t)n : 0;
    return n;
}

void read_all(guest *g, link *c)
{
    int32_t n;

    while ((n = host_recv(g, c->id, g->scratch, SCRATCH_BYTES - 1)) > 0) {
        for (int32_t i = 0; i < n; i++) {
            c->is_wrong |= g->scratch[i] != pattern_at(c->got + (uint32_t)i);
        }
        if (g->scratch[SCRATCH_BYTES - 1] != 0xee) {
            g->broken = "recv wrote more than it was allowed to";
        }
        c->got += (uint32_t)n;
        wipe(g);
    }
    if (n == NATLET_E_CLOSED) {
        c->is_ended = true;
    } else if (n != NATLET_E_AGAIN) {
        g->broken = "recv said neither E_AGAIN nor E_CLOSED";
    }
}

/* ---- connections ---- */

int32_t dial_with(guest *g, uint32_t i, const char *url, const uint8_t *options, uint32_t len)
{
    link *c = &g->links[i];
    uint32_t url_len = fill(g, url);

    *c = (link){.id = ++g->generation << 16 | (i + 1), .command = c->command};
    if (len > 0) {
        memcpy(g->scratch + url_len, options, len);
    }
    g->is_inside = true;
    int32_t st = g->host->open(g->host->self, c->id, g->transport, (const char *)g->scratch,
                               url_len, g->scratch + url_len, len);
    g->is_inside = false;
    wipe(g);
    if (st != NATLET_OK) {
        c->id = 0;
    }
    return st;
}

int32_t dial(guest *g, uint32_t i, const char *command)
{
    g->links[i].command = command;
    return dial_with(g, i, g->url, NULL, 0);
}

static void on_open(guest *g, link *c)
{
    if (c->command == NULL) {
        return;
    }
    uint32_t len = fill(g, c->command);
    if (host_send(g, c->id, g->scratch, len) != (int32_t)len) {
        g->broken = "a new connection does not take 32 bytes";
    }
    wipe(g);
}

/* H7: OPEN at most once and first, CLOSED once and last. */
static void on_event(guest *g, link *c, const natlet_host_event *ev)
{
    if (c->closes > 0) {
        g->broken = "an event came after CLOSED";
    }
    if (ev->type == NATLET_EV_OPEN && c->events > 0) {
        g->broken = "OPEN was not the first event";
    }
    if ((ev->type == NATLET_EV_READABLE || ev->type == NATLET_EV_WRITABLE) && c->opens == 0) {
        g->broken = "READABLE or WRITABLE came before OPEN";
    }
    c->events++;
    c->opens += ev->type == NATLET_EV_OPEN;
    c->readables += ev->type == NATLET_EV_READABLE;
    c->writables += ev->type == NATLET_EV_WRITABLE;
    if (ev->type == NATLET_EV_OPEN) {
        on_open(g, c);
    } else if (ev->type == NATLET_EV_CLOSED) {
        c->closes++;
        c->close_code = ev->a;
        c->close_status = (int32_t)ev->b;
    }
}

static void hand_out(guest *g, const natlet_host_event *ev)
{
    g->hints += ev->type == NATLET_EV_HINT;
    g->wakes += ev->type == NATLET_EV_WAKE;
    if (ev->conn == 0) {
        return;
    }
    for (uint32_t i = 0; i < LINKS_MAX; i++) {
        if (g->links[i].id == ev->conn) {
            on_event(g, &g->links[i], ev);
            return;
        }
    }
    g->strays++;
}

/* ---- turns ---- */

static void take_events(guest *g, int32_t timeout_ms)
{
    int32_t count;

    do {
        count = host_poll(g, g->events, EVENTS_MAX, timeout_ms);
        g->now_ms = host_clock(g);
        if (count < 0 || count > EVENTS_MAX) {
            g->broken = "poll failed, or wrote more than there is room for";
            return;
        }
        for (int32_t i = 0; i < count; i++) {
            hand_out(g, &g->events[i]);
        }
        timeout_ms = 0;
    } while (count == EVENTS_MAX);
}

/* Between two rules: whatever is open closes, and is forgotten. */
static void clear(guest *g)
{
    bool is_clear = true;

    for (uint32_t i = 0; i < LINKS_MAX; i++) {
        is_clear = is_clear && (g->links[i].id == 0 || g->links[i].closes > 0);
    }
    if (!is_clear && since(g) > 5000) {
        g->broken = "after the rule before, CLOSED did not come within 5 s of close";
        is_clear = true;
    }
    if (is_clear) {
        memset(g->links, 0, sizeof g->links);
        g->strays = g->hints = g->wakes = 0;
        g->step = 0;
        g->step_ms = g->now_ms;
        g->is_clearing = false;
        g->is_done = g->rule == guest_rule_count;
    }
}

void guest_turn(guest *g, int32_t timeout_ms)
{
    g->wait_ms = 10;
    take_events(g, timeout_ms);
    if (g->is_clearing) {
        clear(g);
    } else if (!g->is_done && since(g) > 15000) {
        fail(g, g->broken != NULL ? g->broken : "nothing happened for 15 s");
    } else if (!g->is_done) {
        guest_rules[g->rule].run(g);
    }
}

/* Cuts the next word off `text`; NULL when there is none. */
static char *next_word(char **text)
{
    char *word = *text;

    while (*word == ' ') {
        word++;
    }
    char *end = word;
    while (*end != ' ' && *end != '\0') {
        end++;
    }
    *text = *end == '\0' ? end : end + 1;
    *end = '\0';
    return *word == '\0' ? NULL : word;
}

bool guest_init(guest *g, const natlet_host *host, const char *config, uint32_t len)
{
    char *rest = g->config;

    if (len >= TEXT_BYTES) {
        return false;
    }
    memcpy(g->config, config, len);
    g->config[len] = '\0';
    const char *transport = next_word(&rest);
    g->url = next_word(&rest);
    g->refused_url = next_word(&rest);
    g->denied_url = next_word(&rest);
    if (g->denied_url == NULL || transport[0] < '1' || transport[0] > '4') {
        return false;
    }
    g->transport = (uint32_t)(transport[0] - '0');
    g->host = host;
    g->info.size = sizeof g->info;
    wipe(g);
    if (host_hello(g, &g->info) < 0) {
        return false;
    }
    g->now_ms = host_clock(g);
    g->step_ms = g->now_ms;
    return true;
}

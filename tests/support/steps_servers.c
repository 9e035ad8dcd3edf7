/* Steps of the theme "servers": a pool that is looked at and replaced, and a count of
 * numbered messages that tells a lost one from one that came twice. */
#include <stdio.h>

#include "base/bytes.h"
#include "base/runtime.h"
#include "support/steps.h"

enum { CENSUS_MAX = 65536 };

static uint8_t times[CENSUS_MAX];
static uint64_t distinct;
static uint64_t repeated;

static void on_number(void *self, uint32_t sid, const natlet_msg *msg)
{
    uint64_t number = CENSUS_MAX;

    (void)self;
    (void)sid;
    if (!natlet__read_decimal(msg->payload, CENSUS_MAX - 1, &number)) {
        printf("not a number");
        steps_end_line();
        return;
    }
    distinct += times[number] == 0;
    repeated += times[number] > 0;
    times[number] = 1;
}

/* census SUBJECT [QUEUE]: counts messages that are numbers */
static void do_census(steps_client *c, const step *s)
{
    const natlet_sink sink = {.self = c, .message = on_number};
    const natlet_subscribe_options options = {.queue = s->words[2]};
    uint32_t sid;

    steps_print_status("census",
                       natlet_client_subscribe(c->client, &sid, s->words[1], &options, &sink));
}

static bool has_distinct(const steps_client *c, uint64_t count)
{
    (void)c;
    return distinct >= count;
}

/* counted COUNT: until so many different numbers came; how many came again is told */
static void do_counted(steps_client *c, const step *s)
{
    steps_run_until(c, has_distinct, steps_number(s, 1, 1));
    printf("counted %llu repeated %llu", (unsigned long long)distinct,
           (unsigned long long)repeated);
    steps_end_line();
}

/* pulse SUBJECT COUNT MS: numbers, one every so many milliseconds */
static void do_pulse(steps_client *c, const step *s)
{
    uint8_t text[NATLET__DECIMAL_MAX];
    natlet_status st = NATLET_OK;

    for (uint64_t i = 0; i < steps_number(s, 2, 1) && st == NATLET_OK; i++) {
        const natlet_msg msg = {.subject = s->words[1],
                                .payload = {text, natlet__write_decimal(text, i)}};
        st = natlet_client_publish(c->client, &msg);
        uint64_t end_us = natlet__runtime_clock_us(c->rt) + steps_number(s, 3, 1) * UINT64_C(1000);
        while (natlet__runtime_clock_us(c->rt) < end_us) {
            (void)natlet_runtime_run(c->rt, STEPS_BUDGET_US, 1);
        }
    }
    steps_print_status("pulse", st);
}

static bool has_migrated(const steps_client *c, uint64_t count)
{
    return natlet_client_stats_now(c->client).migrations >= count;
}

/* migrated [COUNT]: until it has moved so often, and is done with it */
static void do_migrated(steps_client *c, const step *s)
{
    steps_run_until(c, has_migrated, steps_number(s, 1, 1));
}

static bool has_servers(const steps_client *c, uint64_t count)
{
    return natlet_client_server_count(c->client) == count;
}

/* servers COUNT: until the pool has so many */
static void do_servers(steps_client *c, const step *s)
{
    steps_run_until(c, has_servers, steps_number(s, 1, 1));
}

/* pool: a line for each server */
static void do_pool(steps_client *c, const step *s)
{
    natlet_server_info info;

    (void)s;
    for (uint32_t i = 0; natlet_client_server_at(c->client, i, &info) == NATLET_OK; i++) {
        printf("server %.*s%s%s", (int)info.url.len, (const char *)info.url.ptr,
               info.is_current ? " current" : "", info.is_discovered ? " discovered" : "");
        steps_end_line();
    }
}

/* set-servers URLS */
static void do_set_servers(steps_client *c, const step *s)
{
    steps_print_status("set-servers", natlet_client_set_servers(c->client, s->words[1]));
}

static int32_t choose_last(void *self, uint32_t proposed)
{
    steps_client *c = self;

    (void)proposed;
    return (int32_t)natlet_client_server_count(c->client) - 1;
}

/* choose-last: the last server of the pool is always next */
static void do_choose_last(steps_client *c, const step *s)
{
    (void)s;
    c->config.choose_server = choose_last;
}

const steps_entry steps_servers[] = {
    {"census", do_census},           {"counted", do_counted},         {"pulse", do_pulse},
    {"migrated", do_migrated},       {"servers", do_servers},         {"pool", do_pool},
    {"set-servers", do_set_servers}, {"choose-last", do_choose_last}, {NULL, NULL},
};

/* A sign of life, again and again: a part of the runtime with one point in time. */
#include "natlet/presence.h"

#include "base/bytes.h"
#include "base/rfc3339.h"
#include "base/runtime.h"
#include "base/utf8.h"
#include "natlet/subject.h"

enum { US_PER_MS = 1000, JITTER = 10, RETRY = 10 };

struct natlet_presence {
    natlet__part part; /* first */
    natlet_runtime *rt;
    natlet_client *client;
    uint64_t due_us;
    uint64_t interval_us;
    natlet_presence_status status;
    void (*write)(void *self, natlet_presence_status status, natlet_json_out *out);
    void *self;
    natlet_presence_stats stats;
    natlet_slice subject, id; /* these lie behind it, and then the document */
    uint8_t *document;
    size_t document_bytes;
    size_t bytes; /* of all */
};

static const char *const texts[] = {
#define X(name, value, text) text,
    NATLET_PRESENCE_MAP(X)
#undef X
};

const char *natlet_presence_text(natlet_presence_status status)
{
    return (uint32_t)status < sizeof texts / sizeof *texts ? texts[status] : "unknown";
}

static void write_usual(void *self, natlet_presence_status status, natlet_json_out *out)
{
    const natlet_presence *presence = self;
    uint8_t time[NATLET__RFC3339_BYTES];

    natlet__rfc3339_write(time, natlet_runtime_wall_ns(presence->rt));
    natlet_json_out_open(out, '{');
    natlet_json_out_key(out, "id");
    natlet_json_out_string(out, presence->id);
    natlet_json_out_key(out, "status");
    natlet_json_out_string(out, natlet__text(natlet_presence_text(status)));
    natlet_json_out_key(out, "timestamp");
    natlet_json_out_string(out, (natlet_slice){time, sizeof time});
    natlet_json_out_close(out, '}');
}

static natlet_status publish(natlet_presence *presence)
{
    natlet_json_out out;

    natlet_json_out_init(&out, presence->document, presence->document_bytes);
    presence->write(presence->self, presence->status, &out);
    if (out.len > presence->document_bytes) {
        return NATLET_E_TOO_LARGE;
    }
    return natlet_client_publish(
        presence->client,
        &(natlet_msg){.subject = presence->subject, .payload = {presence->document, out.len}});
}

/* Between 90 and 110 % of the interval. */
static uint64_t next_us(natlet_presence *presence)
{
    uint64_t spread = presence->interval_us / JITTER;

    return presence->interval_us - spread +
           natlet__random_below(&presence->rt->random, (uint32_t)(2 * spread));
}

/* ---- a part of the runtime ---- */

static void part_event(natlet__part *part, const natlet_host_event *event)
{
    (void)part;
    (void)event;
}

static bool part_turn(natlet__part *part, uint64_t until_us)
{
    natlet_presence *presence = (natlet_presence *)part;
    uint64_t now_us = natlet_runtime_now_us(presence->rt);

    (void)until_us;
    if (now_us < presence->due_us) {
        return false;
    }
    if (publish(presence) == NATLET_OK) {
        presence->stats.published++;
        presence->due_us = now_us + next_us(presence);
    } else {
        presence->stats.refused++;
        presence->due_us = now_us + presence->interval_us / RETRY;
    }
    return false;
}

static void part_flush(natlet__part *part)
{
    (void)part;
}

static uint64_t part_due_us(natlet__part *part)
{
    return ((const natlet_presence *)part)->due_us;
}

/* ---- life ---- */

natlet_status natlet_presence_new(natlet_presence **out, natlet_runtime *rt, natlet_client *client,
                                  const natlet_presence_config *config)
{
    uint32_t interval_ms =
        config->interval_ms > 0 ? config->interval_ms : NATLET_PRESENCE_INTERVAL_MS_DEFAULT;
    uint32_t document = config->bytes > 0 ? config->bytes : NATLET_PRESENCE_BYTES_DEFAULT;

    *out = NULL;
    if (natlet_subject_check(config->subject, NATLET_SUBJECT_PUBLISH) != NATLET_SUBJECT_NONE) {
        return NATLET_E_SUBJECT;
    }
    if (config->size != sizeof *config || interval_ms > NATLET_PRESENCE_INTERVAL_MS_MAX ||
        document > NATLET_MESSAGE_BYTES_MAX || config->id.len > NATLET_PRESENCE_ID_BYTES_MAX ||
        !natlet__utf8_valid(config->id)) {
        return NATLET_E_CONFIG;
    }
    size_t bytes = sizeof(natlet_presence) + config->subject.len + config->id.len + document;
    natlet_presence *presence = natlet__memory_take(&rt->memory, bytes);
    if (presence == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    uint8_t *text = (uint8_t *)(presence + 1);
    presence->subject = (natlet_slice){text, config->subject.len};
    presence->id = (natlet_slice){natlet__put(text, config->subject), config->id.len};
    presence->document = natlet__put(text + config->subject.len, config->id);
    presence->document_bytes = document;
    presence->bytes = bytes;
    presence->rt = rt;
    presence->client = client;
    presence->interval_us = (uint64_t)interval_ms * US_PER_MS;
    presence->status = NATLET_PRESENCE_HEALTHY;
    presence->write = config->write != NULL ? config->write : write_usual;
    presence->self = config->write != NULL ? config->self : presence;
    presence->part = (natlet__part){
        .event = part_event, .turn = part_turn, .flush = part_flush, .due_us = part_due_us};
    natlet__runtime_add(rt, &presence->part);
    *out = presence;
    return NATLET_OK;
}

void natlet_presence_free(natlet_presence *presence)
{
    if (presence != NULL) {
        natlet__runtime_remove(presence->rt, &presence->part);
        natlet__memory_give_back(&presence->rt->memory, presence, presence->bytes);
    }
}

natlet_status natlet_presence_set(natlet_presence *presence, natlet_presence_status status)
{
    if (status != NATLET_PRESENCE_HEALTHY && status != NATLET_PRESENCE_UNHEALTHY &&
        status != NATLET_PRESENCE_DRAINING) {
        return NATLET_E_INVALID;
    }
    if (status != presence->status) {
        presence->status = status;
        presence->due_us = 0;
    }
    return NATLET_OK;
}

natlet_presence_stats natlet_presence_stats_now(const natlet_presence *presence)
{
    return presence->stats;
}

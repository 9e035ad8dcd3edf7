/* A micro service (ADR-32): endpoints that answer requests, and that any tool finds,
 * describes and counts by asking $SRV.PING, $SRV.INFO and $SRV.STATS.
 *
 * It lives on a client; its answers go out as publishes do, and what the client refuses
 * is counted.  Free it before the client. */
#ifndef NATLET_SERVICE_H
#define NATLET_SERVICE_H

#include "natlet/client.h"
#include "natlet/json.h"

typedef struct natlet_service natlet_service;
typedef struct natlet_service_request natlet_service_request;

#define NATLET_SERVICE_ID_LEN 22u
#define NATLET_SERVICE_ERROR_MAX 128u /* bytes of an error's text; more is cut */

/* One member of metadata: both UTF-8. */
typedef struct natlet_service_pair {
    natlet_slice key, value;
} natlet_service_pair;

/* Zeroed fields take their defaults.  All of it is copied. */
typedef struct natlet_service_config {
    uint32_t size;            /* sizeof(natlet_service_config) */
    natlet_slice name;        /* A-Z a-z 0-9 - _ */
    natlet_slice version;     /* as semver.org has it: "1.0.0" */
    natlet_slice description; /* may be empty */
    natlet_slice queue;       /* of endpoints that name none: "q" */
    const natlet_service_pair *metadata;
    uint32_t metadata_count;
    /* May be NULL.  Writes further endpoints into the list of an answer to INFO, or with
     * `stats` to STATS, each as one object; natlet_service_element keeps the list whole. */
    void (*more)(void *self, natlet_json_out *out, bool stats);
    void *self;
} natlet_service_config;

typedef struct natlet_service_endpoint {
    natlet_slice name;    /* as the service's */
    natlet_slice subject; /* empty: the name */
    natlet_slice queue;   /* empty: the service's */
    bool no_queue;        /* every instance gets every request */
    const natlet_service_pair *metadata;
    uint32_t metadata_count;
    /* A request came.  Answer it by natlet_service_respond or _fail before this returns;
     * to answer later, copy msg->reply and publish to it. */
    void (*handle)(void *self, natlet_service_request *request);
    /* May be NULL.  Writes one JSON value: "data" of this endpoint in STATS. */
    void (*data)(void *self, natlet_json_out *out);
    void *self;
} natlet_service_endpoint;

struct natlet_service_request {
    const natlet_msg *msg;
    natlet_service *service;
    uint32_t endpoint; /* its number */
};

typedef struct natlet_service_stats {
    uint64_t requests;
    uint64_t errors; /* by natlet_service_fail, and answers that the client refused */
    uint64_t processing_ns;
} natlet_service_stats;

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a service without endpoints; it answers PING, INFO and STATS from now on, each
 * asked of all services, of this name, and of this one.
 *
 * Returns OK; E_CONFIG (name, version, queue, or metadata that is not UTF-8); E_NO_MEMORY;
 * or as natlet_client_subscribe.  On failure *out is NULL. */
natlet_status natlet_service_new(natlet_service **out, natlet_client *client,
                                 const natlet_service_config *config);

/* Stops answering and frees.  Not from a callback of this service. */
void natlet_service_free(natlet_service *service);

/* Adds an endpoint; *number (may be NULL) counts from 0.
 *
 * Returns OK; E_CONFIG (the name, or metadata); E_NO_MEMORY; or as
 * natlet_client_subscribe. */
natlet_status natlet_service_add(natlet_service *service, const natlet_service_endpoint *endpoint,
                                 uint32_t *number);

/* Answers a request; `headers` may be empty.  Returns as natlet_client_publish, or
 * E_INVALID (it asks for no answer). */
natlet_status natlet_service_respond(natlet_service_request *request, natlet_slice headers,
                                     natlet_slice payload);

/* Answers with an error, by the headers Nats-Service-Error-Code (1..999) and
 * Nats-Service-Error, and counts it.  Returns as natlet_service_respond, or E_HEADER
 * (`text` cannot stand in a header). */
natlet_status natlet_service_fail(natlet_service_request *request, uint32_t code, natlet_slice text,
                                  natlet_slice payload);

/* 22 characters, others for each service; valid as long as it. */
natlet_slice natlet_service_id(const natlet_service *service);

/* What an endpoint has done since the start or the last reset; all zero if there is none
 * of that number. */
natlet_service_stats natlet_service_stats_now(const natlet_service *service, uint32_t number);

/* Begins to count anew; `started` in STATS is now. */
void natlet_service_reset(natlet_service *service);

/* For `more`: what was written since `before` stays if it fits, else it is taken back.
 * Returns whether it stays. */
bool natlet_service_element(natlet_json_out *out, const natlet_json_out *before);

#ifdef __cplusplus
}
#endif

#endif

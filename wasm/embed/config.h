/* The JSON configuration that a host hands to natlet_init. */
#ifndef NATLET_WASM_CONFIG_H
#define NATLET_WASM_CONFIG_H

#include "natlet/client.h"

typedef struct natlet__embed_config {
    natlet_client_config client;
    uint32_t submission_bytes;   /* 65 536 */
    uint32_t completion_records; /* 1 024 */
    uint32_t cell_bytes;         /* pool for the mail of agents: 262 144 */
    uint32_t agents_max;         /* 256 */
    uint32_t offline_bytes_max;  /* natlet_track_options; 0 */
    uint32_t offline_ms;         /* 0 */
    uint32_t report_publishes;   /* 1: by PUBLISHED records; 0 */
    /* Texts that cannot be borrowed from the document: an array of servers, joined
     * with commas, and strings with escapes. */
    uint32_t texts_len;
    uint8_t texts[2048];
} natlet__embed_config;

/* Reads one JSON object; its members are the fields' names, "servers" a string
 * or an array of strings.  Slices borrow from `text` and from config->texts.
 *
 * Returns OK; E_JSON; E_CONFIG (an unknown member, a value of the wrong type or
 * range, or texts is full). */
natlet_status natlet__config_read(natlet__embed_config *config, natlet_slice text);

#endif

/* The agents of the demo: a weather station in one wasm module. */
#ifndef NATLET_DEMO_STATION_H
#define NATLET_DEMO_STATION_H

#include "natlet.h"

/* What the agents share: they live in one cell and run one at a time. */
typedef struct station {
    natlet_runtime *rt;
    natlet_cell *cell;
    natlet_client *client;
    natlet_bridge *bridge;
    uint32_t readings;    /* how many the meter publishes */
    uint32_t interval_ms; /* between two of them */
} station;

extern const natlet_behaviour meter;      /* publishes demo.readings */
extern const natlet_behaviour aggregator; /* sums them up; answers demo.stats */
extern const natlet_behaviour clerk;      /* books demo.orders; bad ones crash it */
extern const natlet_behaviour reporter;   /* answers demo.report with figures */

#endif

/* Memory for the time of one handler, from the cell's pool.
 *
 * Internal.  It belongs to the running agent: if the handler traps, it goes with the
 * incarnation. */
#ifndef NATLET_SEED_SCRATCH_H
#define NATLET_SEED_SCRATCH_H

#include "agent/kernel.h"

typedef struct natlet__scratch {
    natlet__tie tie; /* the bytes follow the struct */
} natlet__scratch;

/* Takes `bytes` from within a handler; NULL: there is no room. */
natlet__scratch *natlet__scratch_take(natlet_cell *cell, size_t bytes);
void natlet__scratch_give_back(natlet_cell *cell, natlet__scratch *scratch);

#endif

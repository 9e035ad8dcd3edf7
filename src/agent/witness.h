/* Looking on at a cell's events from inside the library.
 *
 * Internal.  A witness stands in front of the program's on_event, so that a program
 * without one has nothing of this.  It sees an event first; the program sees it then. */
#ifndef NATLET_AGENT_WITNESS_H
#define NATLET_AGENT_WITNESS_H

#include "natlet/cell.h"

typedef struct natlet__witness natlet__witness;

struct natlet__witness {
    /* As on_event: it may publish, but must not touch agents. */
    void (*see)(natlet__witness *witness, const natlet_cell_event *event);
    void (*on_event)(void *self, const natlet_cell_event *event); /* of who comes next */
    void *self;
};

void natlet__witness_begin(natlet_cell *cell, natlet__witness *witness,
                           void (*see)(natlet__witness *witness, const natlet_cell_event *event));

/* In any order. */
void natlet__witness_end(natlet_cell *cell, natlet__witness *witness);

#endif

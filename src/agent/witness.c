#include "agent/witness.h"

#include "agent/kernel.h"

static void pass_on(void *self, const natlet_cell_event *event)
{
    natlet__witness *witness = self;

    witness->see(witness, event);
    if (witness->on_event != NULL) {
        witness->on_event(witness->self, event);
    }
}

void natlet__witness_begin(natlet_cell *cell, natlet__witness *witness,
                           void (*see)(natlet__witness *witness, const natlet_cell_event *event))
{
    *witness = (natlet__witness){see, cell->config.on_event, cell->config.self};
    cell->config.on_event = pass_on;
    cell->config.self = witness;
}

void natlet__witness_end(natlet_cell *cell, natlet__witness *witness)
{
    void (**on_event)(void *, const natlet_cell_event *) = &cell->config.on_event;
    void **self = &cell->config.self;

    while (*self != witness) {
        NATLET_ASSERT(*on_event == pass_on);
        natlet__witness *before = *self;
        on_event = &before->on_event;
        self = &before->self;
    }
    *on_event = witness->on_event;
    *self = witness->self;
}

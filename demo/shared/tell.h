/* What the demos share: a line in the host's log for what happens to agents, and
 * numbers of the configuration. */
#ifndef NATLET_DEMO_TELL_H
#define NATLET_DEMO_TELL_H

#include "natlet.h"

/* Writes the three, one behind the other, to the host's log; at most 128 bytes. */
void tell(natlet_slice name, const char *text, const char *why);

/* A cell's on_event: tells it. */
void tell_event(void *self, const natlet_cell_event *event);

/* A whole number at `pointer`; `otherwise` if there is none. */
uint32_t number_of(natlet_slice config, natlet_slice pointer, uint32_t otherwise);

#endif

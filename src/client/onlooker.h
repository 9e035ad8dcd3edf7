/* Looking on at a client's events from inside the library.
 *
 * Internal.  An onlooker stands in front of the program's on_event, so that a program
 * without one has nothing of this.  It sees an event first; the program sees it then. */
#ifndef NATLET_CLIENT_ONLOOKER_H
#define NATLET_CLIENT_ONLOOKER_H

#include "natlet/client.h"

typedef struct natlet__onlooker natlet__onlooker;

struct natlet__onlooker {
    void (*see)(natlet__onlooker *onlooker, const natlet_client_event *event);
    /* Of who comes next: all that the client calls with this self. */
    void (*on_event)(void *self, const natlet_client_event *event);
    int32_t (*choose_server)(void *self, uint32_t proposed);
    uint32_t (*reconnect_delay)(void *self, uint32_t attempt);
    void *self;
};

void natlet__onlooker_begin(natlet_client *client, natlet__onlooker *onlooker,
                            void (*see)(natlet__onlooker *onlooker,
                                        const natlet_client_event *event));

/* The last one first. */
void natlet__onlooker_end(natlet_client *client, natlet__onlooker *onlooker);

#endif

/* The host behind the command: the imports of a module, or Linux.  Both tell of a
 * wish to end the program by NATLET_HINT_TERMINATE. */
#ifndef NATLET_CLI_DOOR_H
#define NATLET_CLI_DOOR_H

#include "natlet/host.h"

/* Opens the only one.  Returns NULL if it cannot be had. */
const natlet_host *cli_door_open(void);

void cli_door_close(void);

#endif

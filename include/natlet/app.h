/* The hooks of a program that lives inside a reactor module.
 *
 * Link wasm/reactor.c with these three functions instead of the embedding areas,
 * and the module is the program: natlet_init calls natlet_app_init once, every
 * natlet_run calls natlet_app_run after the runtime's turn, natlet_fini ends it. */
#ifndef NATLET_APP_H
#define NATLET_APP_H

#include "natlet/runtime.h"
#include "natlet/slice.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Builds the program on `rt`.  `config` is the host's JSON, valid during the call.
 * Returns OK, or a status below 0, with which natlet_init ends. */
natlet_status natlet_app_init(natlet_runtime *rt, natlet_slice config);

/* Called after each turn.  Returns the milliseconds until it wants the next one,
 * NATLET_NEVER_MS if it waits for nothing. */
uint32_t natlet_app_run(natlet_runtime *rt);

/* Frees what natlet_app_init made. */
void natlet_app_fini(natlet_runtime *rt);

/* After a trap.  Returns OK if the program's cell crashed the agent that is to
 * blame, else E_POISONED, as a program without agents always does. */
natlet_status natlet_app_recover(natlet_runtime *rt);

#ifdef __cplusplus
}
#endif

#endif

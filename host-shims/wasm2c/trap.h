/* Where wabt's runtime goes when the module traps; it does not come back.
 *
 * Internal.  Put in front of that runtime by build.sh. */
#ifndef NATLET_WASM2C_TRAP_H
#define NATLET_WASM2C_TRAP_H

#include <wasm-rt.h>

void natlet__wasm2c_trap(wasm_rt_trap_t code);

#endif

/* What wasm2c calls things: 1.0.32 (Debian 12) one way, later ones another.
 *
 * Internal.  The module is always named `guest`. */
#ifndef NATLET_WASM2C_NAMES_H
#define NATLET_WASM2C_NAMES_H

#if defined(NATLET_WASM2C_1_0_32)
#define DOOR(name) Z_natlet_host1Z_##name
#define WASI(name) Z_wasi_snapshot_preview1Z_##name
#define GUEST(name) Z_guestZ_##name
#define GUEST_START Z_guestZ__start
#define GUEST_INSTANCE Z_guest_instance_t
#define GUEST_INSTANTIATE Z_guest_instantiate
#define GUEST_FREE Z_guest_free
#define GUEST_PREPARE Z_guest_init_module
typedef struct Z_natlet_host1_instance_t door;
typedef struct Z_wasi_snapshot_preview1_instance_t wasi;
#else
#define DOOR(name) w2c_natlet__host1_##name
#define WASI(name) w2c_wasi__snapshot__preview1_##name
#define GUEST(name) w2c_guest_##name
#define GUEST_START w2c_guest_0x5Fstart
#define GUEST_INSTANCE w2c_guest
#define GUEST_INSTANTIATE wasm2c_guest_instantiate
#define GUEST_FREE wasm2c_guest_free
#define GUEST_PREPARE() ((void)0)
typedef struct w2c_natlet__host1 door;
typedef struct w2c_wasi__snapshot__preview1 wasi;
#endif

#endif

/* CRC-16/XMODEM: polynomial 0x1021, no reflection, 0 at the start.  Internal. */
#ifndef NATLET_BASE_CRC16_H
#define NATLET_BASE_CRC16_H

#include "natlet/slice.h"

uint16_t natlet__crc16(natlet_slice bytes);

#endif

#include "base/crc16.h"

uint16_t natlet__crc16(natlet_slice bytes)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (uint32_t)bytes.ptr[i] << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc << 1 ^ ((crc & 0x8000) != 0 ? 0x1021u : 0);
        }
        crc &= 0xffff;
    }
    return (uint16_t)crc;
}

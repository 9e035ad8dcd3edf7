/* Goal: the CRC that nkeys have, CRC-16/XMODEM.
 * Method: its published check value and values of another implementation; then the
 * defining property: a text with its CRC behind it, high byte first, has CRC 0, and
 * no damage within 16 bits does. */
#include "base/crc16.h"
#include "support/test.h"

static uint16_t crc_of(const char *text)
{
    return natlet__crc16((natlet_slice){(const uint8_t *)text, strlen(text)});
}

static void vectors(void)
{
    CHECK_INT(crc_of("123456789"), 0x31c3);
    CHECK_INT(crc_of(""), 0);
    CHECK_INT(crc_of("A"), 0x58e5);
    CHECK_INT(natlet__crc16((natlet_slice){(const uint8_t *)"\0\0\0", 3}), 0);
    CHECK_INT(natlet__crc16((natlet_slice){(const uint8_t *)"\x00\x01", 2}), 0x1021);
    CHECK_INT(natlet__crc16((natlet_slice){(const uint8_t *)"\xff\xff", 2}), 0x1d0f);
}

static void finds_every_short_damage(void)
{
    uint8_t text[] = "natlet..";
    natlet_slice all = {text, 8};
    uint16_t crc = natlet__crc16((natlet_slice){text, 6});
    int missed = 0;

    text[6] = (uint8_t)(crc >> 8);
    text[7] = (uint8_t)crc;
    CHECK_INT(natlet__crc16(all), 0);
    for (size_t at = 0; at + 1 < all.len; at++) {
        for (uint32_t flip = 1; flip <= 0xffff; flip++) {
            text[at] ^= (uint8_t)(flip >> 8);
            text[at + 1] ^= (uint8_t)flip;
            missed += natlet__crc16(all) == 0;
            text[at] ^= (uint8_t)(flip >> 8);
            text[at + 1] ^= (uint8_t)flip;
        }
    }
    CHECK_INT(missed, 0);
}

int main(void)
{
    RUN(vectors);
    RUN(finds_every_short_damage);
    return test_done();
}

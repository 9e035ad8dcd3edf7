/* covers: src/ws/handshake.c */
/* Properties: the verdict on an answer is the same however the window grew, what
 * is accepted bears our key, and a request is whole or not there.  The first byte
 * says where to cut. */
#include "ws/handshake.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct verdict {
    natlet_status st;
    uint16_t http_status;
    size_t used;
} verdict;

static natlet_status show(natlet__handshake *h, const uint8_t *bytes, size_t len, size_t *used)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    natlet_slice in = {exact, len};

    if (len > 0) {
        memcpy(exact, bytes, len);
    }
    natlet_status st = natlet__handshake_read(h, &in);
    *used = len - in.len;
    if (st != NATLET_OK && *used != 0) {
        abort();
    }
    free(exact);
    return st;
}

/* A window of `cut` bytes that grows by `step`. */
static verdict judge(const uint8_t *bytes, size_t len, size_t cut, size_t step)
{
    natlet__handshake h;
    verdict v;
    size_t at = cut;

    natlet__handshake_init(&h, (const uint8_t *)"the sample nonce");
    while ((v.st = show(&h, bytes, at, &v.used)) == NATLET_MORE && at < len) {
        at = len - at < step ? len : at + step;
    }
    v.http_status = h.http_status;
    return v;
}

static bool is_same(verdict a, verdict b)
{
    return a.st == b.st && a.http_status == b.http_status && a.used == b.used;
}

static bool contains(const uint8_t *bytes, size_t len, const char *text)
{
    size_t n = strlen(text);

    for (size_t at = 0; at + n <= len; at++) {
        if (memcmp(bytes + at, text, n) == 0) {
            return true;
        }
    }
    return false;
}

static void check_answer(const uint8_t *bytes, size_t len, uint8_t cut)
{
    verdict whole = judge(bytes, len, len, 1);

    if (!is_same(whole, judge(bytes, len, 0, (size_t)cut + 1)) ||
        !is_same(whole, judge(bytes, len, cut % (len + 1), len + 1))) {
        abort();
    }
    if (whole.st == NATLET_OK &&
        (whole.used > NATLET__HANDSHAKE_ANSWER_MAX || memcmp(bytes, "HTTP/1.1 101", 12) != 0 ||
         !contains(bytes, whole.used, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") ||
         memcmp(bytes + whole.used - 4, "\r\n\r\n", 4) != 0)) {
        abort();
    }
    if ((whole.st == NATLET_E_UPGRADE) != (whole.http_status >= 200)) {
        abort();
    }
}

/* The input as path, as host and as room. */
static void check_request(const uint8_t *bytes, size_t len, uint8_t room)
{
    natlet__handshake h;
    natlet_slice text = {bytes, len};
    uint8_t out[512];
    uint8_t *exact = malloc((size_t)room + 1);
    natlet__handshake_request request = {.host = text, .path = text, .port = room};

    natlet__handshake_init(&h, (const uint8_t *)"the sample nonce");
    size_t used = natlet__handshake_write(&h, exact, (size_t)room + 1, &request);
    if (used > (size_t)room + 1) {
        abort();
    }
    free(exact);
    used = natlet__handshake_write(&h, out, sizeof out, &request);
    for (size_t i = 0; used > 0 && i < len; i++) {
        if (bytes[i] <= ' ') {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1) {
        check_answer(data + 1, size - 1, data[0]);
        check_request(data + 1, size - 1, data[0]);
    }
    return 0;
}

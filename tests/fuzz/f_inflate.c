/* covers: src/ws/deflate.c */
/* Properties: what a message becomes does not depend on how it is cut and how much room
 * there is; it never exceeds its limit, nor the room; after a failure a new message is
 * read as by a new inflater; what our deflater made of the input becomes the input again.
 * The first byte says where to cut, the second how much room there is. */
#include "ws/deflate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INFLATED_MAX = 20000, INPUT_MAX = 4096 };

typedef struct outcome {
    natlet_status st;
    size_t len;
    uint8_t bytes[INFLATED_MAX];
} outcome;

static natlet__inflater *inflater;
static natlet__deflater *deflater;
static outcome whole, cut;

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

static void set_up(void)
{
    static const natlet__deflate_shape shape = {9, 1, 6};

    if (inflater == NULL) {
        inflater = natlet__inflater_init(calloc(1, natlet__inflater_bytes()));
        deflater = natlet__deflater_init(calloc(1, natlet__deflater_bytes(&shape)), &shape);
    }
    must(inflater != NULL && deflater != NULL);
}

/* Feeds a copy of its exact size into rooms of exact size. */
static void feed(outcome *o, const uint8_t *bytes, size_t len, int is_last, size_t room)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    uint8_t *out = malloc(room);
    natlet_slice in = {exact, len};
    size_t n;

    if (len > 0) {
        memcpy(exact, bytes, len);
    }
    do {
        o->st = natlet__inflater_read(inflater, &in, is_last, out, room, &n);
        must(n <= room && o->len + n <= INFLATED_MAX);
        memcpy(o->bytes + o->len, out, n);
        o->len += n;
        must(o->st != NATLET_EVENT || n == room);
        must(o->st != NATLET_MORE || (in.len == 0 && !is_last));
    } while (o->st == NATLET_EVENT);
    free(out);
    free(exact);
}

static void read_message(outcome *o, natlet_slice in, size_t at, size_t room)
{
    o->len = 0;
    o->st = NATLET_MORE;
    natlet__inflater_start(inflater, INFLATED_MAX);
    if (at > 0) {
        feed(o, in.ptr, at, 0, room);
    }
    if (o->st == NATLET_MORE) {
        feed(o, in.ptr + at, in.len - at, 1, room);
    }
}

static void there_and_back(natlet_slice in)
{
    static uint8_t packed[INPUT_MAX + NATLET__DEFLATE_TAIL];
    size_t len = natlet__deflater_message(deflater, in, packed);

    if (len > 0) {
        must(len < in.len);
        read_message(&whole, (natlet_slice){packed, len}, 0, INFLATED_MAX);
        must(whole.st == NATLET_OK && whole.len == in.len &&
             memcmp(whole.bytes, in.ptr, in.len) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || size > INPUT_MAX) {
        return 0;
    }
    set_up();
    const natlet_slice in = {data + 2, size - 2};
    read_message(&whole, in, 0, INFLATED_MAX + 1);
    read_message(&cut, in, data[0] % in.len, (size_t)data[1] + 1);
    must(whole.st == cut.st);
    must(whole.st != NATLET_OK ||
         (whole.len == cut.len && memcmp(whole.bytes, cut.bytes, cut.len) == 0));
    (void)natlet__deflate_is_agreed(in);
    there_and_back(in);
    return 0;
}

/* The clerk books what arrives on demo.orders, and trusts it more than it should:
 * an order that is not JSON crashes it by a status, one with quantity 0 by a
 * trap, for nobody checks before the division.  The supervisor puts it right. */
#include "station.h"

typedef struct book {
    uint64_t orders;
    uint64_t unit_price_total;
} book;

static natlet_status read_number(natlet_mail *mail, natlet_slice pointer, uint64_t *value)
{
    natlet_slice text;
    natlet_status st = natlet_mail_json_get(mail, pointer, &text);

    if (st < 0) {
        return st;
    }
    return natlet_json_u64(text, UINT32_MAX, value) ? NATLET_OK : NATLET_E_JSON;
}

static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    static const natlet_slice price_pointer = NATLET_TEXT("/price");
    static const natlet_slice quantity_pointer = NATLET_TEXT("/quantity");
    book *b = state;
    uint64_t price;
    uint64_t quantity;

    (void)cell;
    natlet_status st = read_number(mail, price_pointer, &price);
    if (st == NATLET_OK) {
        st = read_number(mail, quantity_pointer, &quantity);
    }
    if (st < 0) {
        return st; /* a crash */
    }
    b->orders++;
    b->unit_price_total += price / quantity; /* and a trap, for a quantity of 0 */
    return NATLET_DONE;
}

const natlet_behaviour clerk = {.name = "clerk", .state_bytes = sizeof(book), .on_mail = on_mail};

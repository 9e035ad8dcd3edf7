/* A guest that asks for what it must not get.  Each import is called with wrong arguments in
 * natlet_on_start; the first answer that is not the one of natlet/guest.h ends it with the
 * number of its line, negated. */
#include "natlet/guest.h"

#define AT(address) ((const void *)(uintptr_t)(address))
#define TO(address) ((void *)(uintptr_t)(address))
#define EXPECT(call, want)                                                                         \
    do {                                                                                           \
        if ((call) != (want)) {                                                                    \
            return -__LINE__;                                                                      \
        }                                                                                          \
    } while (0)

#define BEYOND 0xfffffff0u
#define EDGE (__builtin_wasm_memory_size(0) * 65536 - 8) /* eight bytes are left */

static uint8_t large[NATLET_GUEST_STATE_BYTES_MAX + 1];
static natlet_guest_mail mail;

static int32_t check_open(void)
{
    char name[2] = {'a', 0};

    EXPECT(natlet_mailbox_open(AT(BEYOND), 16), NATLET_GUEST_E_FAULT);
    EXPECT(natlet_mailbox_open(AT(EDGE), 9), NATLET_GUEST_E_FAULT);
    EXPECT(natlet_mailbox_open(AT(BEYOND), UINT32_MAX), NATLET_GUEST_E_SUBJECT);
    EXPECT(natlet_mailbox_open((const char *)large, NATLET_GUEST_NAME_BYTES_MAX + 1),
           NATLET_GUEST_E_SUBJECT);
    EXPECT(natlet_mailbox_open("\xff", 1), NATLET_GUEST_E_SUBJECT);
    EXPECT(natlet_mailbox_open("", 0), NATLET_GUEST_OWN);
    EXPECT(natlet_mailbox_open("x", 1), 1);
    EXPECT(natlet_mailbox_open("x", 1), 1);
    for (int32_t box = 2; box <= NATLET_GUEST_BOXES_MAX; box++) {
        name[1] = (char)(' ' + box);
        EXPECT(natlet_mailbox_open(name, 2), box);
    }
    EXPECT(natlet_mailbox_open("one more", 8), NATLET_GUEST_E_LIMIT);
    EXPECT(natlet_mailbox_open("x", 1), 1);
    return 0;
}

static int32_t send(int32_t box, const char *subject, uint32_t len)
{
    return natlet_mailbox_send(box, subject, len, large, 1, NATLET_GUEST_NORMAL);
}

static int32_t check_send(void)
{
    EXPECT(send(0, AT(BEYOND), 16), NATLET_GUEST_E_FAULT);
    EXPECT(send(0, "", 0), NATLET_GUEST_E_SUBJECT);
    EXPECT(send(0, (const char *)large, 4097), NATLET_GUEST_E_SUBJECT);
    EXPECT(send(0, "a..b", 4), NATLET_GUEST_E_SUBJECT);
    EXPECT(send(0, "a.*", 3), NATLET_GUEST_E_SUBJECT);
    EXPECT(send(0, "a.>", 3), NATLET_GUEST_E_SUBJECT);
    EXPECT(send(0, "a b", 3), NATLET_GUEST_E_SUBJECT);
    EXPECT(send(0, "a\r\nPING", 7), NATLET_GUEST_E_SUBJECT);
    EXPECT(send(-1, "a", 1), NATLET_GUEST_E_NOT_FOUND);
    EXPECT(send(1000, "a", 1), NATLET_GUEST_E_NOT_FOUND);
    EXPECT(natlet_mailbox_send(0, "a", 1, AT(BEYOND), 64, 0), NATLET_GUEST_E_FAULT);
    EXPECT(natlet_mailbox_send(0, "a", 1, AT(EDGE), 9, 0), NATLET_GUEST_E_FAULT);
    EXPECT(natlet_mailbox_send(0, "a", 1, large, 1, 3), NATLET_GUEST_E_INVALID);
    EXPECT(natlet_mailbox_send(0, "a", 1, large, 1, -1), NATLET_GUEST_E_INVALID);
    for (int i = 0; i < 3; i++) { /* of 4 MiB that a turn may send */
        EXPECT(natlet_mailbox_send(0, "a", 1, large, sizeof large - 1, 0), 0);
    }
    EXPECT(natlet_mailbox_send(0, "a", 1, large, sizeof large - 1, 0), NATLET_GUEST_E_FULL);
    return 0;
}

static int32_t call(uint32_t timeout_ms)
{
    return natlet_mailbox_call(0, "a.quiet", 7, large, 1, timeout_ms);
}

static int32_t check_call(void)
{
    EXPECT(call(0), NATLET_GUEST_E_INVALID);
    EXPECT(call(3600001), NATLET_GUEST_E_INVALID);
    for (int32_t ref = 1; ref <= NATLET_GUEST_CALLS_MAX; ref++) {
        EXPECT(call(1000), ref);
    }
    EXPECT(call(1000), NATLET_GUEST_E_LIMIT);
    return 0;
}

static int32_t check_next(void)
{
    EXPECT(natlet_mailbox_next(0, large, sizeof large, &mail), NATLET_GUEST_E_AGAIN);
    EXPECT(natlet_mailbox_next(1, large, sizeof large, &mail), NATLET_GUEST_E_NOT_FOUND);
    EXPECT(natlet_mailbox_settle(0, 0, NATLET_GUEST_DONE, 0), NATLET_GUEST_E_STATE);
    EXPECT(natlet_mailbox_settle(1, 0, NATLET_GUEST_DONE, 0), NATLET_GUEST_E_NOT_FOUND);
    return 0;
}

static int32_t check_state(void)
{
    EXPECT(natlet_mailbox_state_get(large, 16), NATLET_GUEST_E_NOT_FOUND);
    EXPECT(natlet_mailbox_state_put(large, sizeof large), NATLET_GUEST_E_TOO_LARGE);
    EXPECT(natlet_mailbox_state_put(AT(BEYOND), 64), NATLET_GUEST_E_FAULT);
    EXPECT(natlet_mailbox_state_put(AT(EDGE), 9), NATLET_GUEST_E_FAULT);
    EXPECT(natlet_mailbox_state_put(large, sizeof large - 1), 0);
    EXPECT(natlet_mailbox_state_get(large, 16), NATLET_GUEST_E_TOO_LARGE);
    EXPECT(natlet_mailbox_state_get(TO(BEYOND), 64), NATLET_GUEST_E_FAULT);
    EXPECT(natlet_mailbox_state_put(large, 3), 0);
    EXPECT(natlet_mailbox_state_get(large, sizeof large), 3);
    return 0;
}

int32_t natlet_on_start(void)
{
    int32_t st = check_open();

    natlet_mailbox_log(1, AT(BEYOND), 100); /* says nothing, and breaks nothing */
    st = st < 0 ? st : check_send();
    st = st < 0 ? st : check_call();
    st = st < 0 ? st : check_next();
    st = st < 0 ? st : check_state();
    return st < 0 ? st : natlet_mailbox_now(NATLET_GUEST_MONOTONIC) > 0 ? 0 : -__LINE__;
}

/* With mail there is: too small a buffer takes nothing, a mail is settled once. */
int32_t natlet_on_mail(int32_t box)
{
    int32_t len = natlet_mailbox_next(box, large, 0, &mail);

    if (len == NATLET_GUEST_E_AGAIN) {
        return 0;
    }
    EXPECT(len, NATLET_GUEST_E_TOO_LARGE);
    if (mail.kind == NATLET_GUEST_REPLY) { /* leave them */
        return 0;
    }
    EXPECT(natlet_mailbox_next(box, TO(BEYOND), 64, &mail), NATLET_GUEST_E_FAULT);
    EXPECT(natlet_mailbox_next(box, large, 64, TO(BEYOND)), NATLET_GUEST_E_FAULT);
    EXPECT(natlet_mailbox_next(box, TO(EDGE), 9, &mail), NATLET_GUEST_E_FAULT);
    EXPECT(natlet_mailbox_settle(box, mail.token, NATLET_GUEST_DONE, 0), NATLET_GUEST_E_STATE);
    EXPECT(natlet_mailbox_next(box, large, 64, &mail), (int32_t)mail.payload_len);
    EXPECT(natlet_mailbox_next(box, large, 64, &mail), NATLET_GUEST_E_AGAIN);
    EXPECT(natlet_mailbox_settle(box, mail.token + 1, NATLET_GUEST_DONE, 0), NATLET_GUEST_E_STATE);
    EXPECT(natlet_mailbox_settle(box, mail.token, 4, 0), NATLET_GUEST_E_INVALID);
    EXPECT(natlet_mailbox_settle(box, mail.token, NATLET_GUEST_ERROR, 0), NATLET_GUEST_E_INVALID);
    EXPECT(natlet_mailbox_settle(box, mail.token, NATLET_GUEST_DONE, 0), 0);
    EXPECT(natlet_mailbox_settle(box, mail.token, NATLET_GUEST_DONE, 0), NATLET_GUEST_E_STATE);
    return 0;
}

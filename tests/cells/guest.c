/* A guest that does what its mail says, and worse.  The payload is a word, and for some a
 * blank and a text:
 *
 *     echo T       answers T                    count        saves and answers how often
 *     ask S        requests S, answers that     fetch NAME   calls an agent, answers that
 *     tell NAME    sends it "echo told"         reject, stop, fail
 *     trap, null, stack                         trap, after a send and a save
 *     loop                                      for ever
 *     grow         takes all memory, says so    greed        takes all memory, traps
 *     more         takes a page                 lame         saves what it cannot start with
 *     smash        overwrites all its memory    hold         keeps the mail
 *     chatter      sends more than a turn may   log T        logs T
 *     now          answers the seconds of now */
#include "natlet/guest.h"

#include <stdbool.h>
#include <string.h>

enum { PAGE_BYTES = 65536, MAGIC = 0x6e61746c };

typedef struct text {
    const uint8_t *ptr;
    uint32_t len;
} text;

static uint8_t buffer[4096];
static uint8_t reply_to[256]; /* of the mail that waits for a call */
static uint32_t reply_len;
static uint32_t waiting; /* its token */
static uint32_t count;
static volatile uint32_t magic = MAGIC;
static volatile uint32_t sink;

static bool is(text word, const char *name)
{
    return word.len == strlen(name) && memcmp(word.ptr, name, word.len) == 0;
}

static int32_t publish(text subject, text payload)
{
    return subject.len == 0
               ? 0
               : natlet_mailbox_send(NATLET_GUEST_OWN, (const char *)subject.ptr, subject.len,
                                     payload.ptr, payload.len, NATLET_GUEST_NORMAL);
}

static int32_t save(uint32_t value)
{
    return natlet_mailbox_state_put((const uint8_t *)&value, sizeof value);
}

static text decimal(uint32_t value)
{
    static uint8_t digits[10];
    uint32_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return (text){digits + at, (uint32_t)sizeof digits - at};
}

/* ---- what no guest should do ---- */

static uint32_t (*volatile deeper)(uint32_t);

__attribute__((noinline)) static uint32_t dig(uint32_t depth)
{
    volatile uint8_t room[256] = {0};

    return deeper(depth + 1) + room[depth % sizeof room];
}

static bool grow(void)
{
    return __builtin_wasm_memory_grow(0, 1) != (size_t)-1;
}

extern uint8_t __global_base; /* the linker's: where data begins, behind the stack */

static void smash(void)
{
    size_t bytes = __builtin_wasm_memory_size(0) * PAGE_BYTES;

    for (size_t at = (size_t)(uintptr_t)&__global_base; at < bytes; at++) {
        *(volatile uint8_t *)(uintptr_t)at = 0xff;
    }
}

static int32_t chatter(void)
{
    const text subject = {(const uint8_t *)"cells.chatter", 13};
    uint32_t sent = 0;

    while (publish(subject, decimal(sent)) == 0) {
        sent++;
    }
    return sent == NATLET_GUEST_EFFECTS_MAX ? 0 : -1;
}

/* Each of them ends the instance; false: it is another word. */
static bool misbehave(text word)
{
    if (is(word, "loop")) {
        while (magic != 0) {
        }
    } else if (is(word, "stack")) {
        deeper = dig;
        sink = dig(0);
    } else if (is(word, "null")) {
        ((void (*)(void))(uintptr_t)(magic - MAGIC))();
    } else if (is(word, "greed")) {
        while (grow()) {
        }
        __builtin_trap();
    } else if (is(word, "trap")) {
        (void)save(1000000);
        (void)publish((text){(const uint8_t *)"cells.never", 11}, word);
        __builtin_trap();
    } else {
        return false;
    }
    return true;
}

/* ---- what guests do ---- */

static int32_t call(const natlet_guest_mail *mail, text reply, text rest, bool is_agent)
{
    const text echo = {(const uint8_t *)"echo fetched", 12};
    int32_t box =
        is_agent ? natlet_mailbox_open((const char *)rest.ptr, rest.len) : NATLET_GUEST_OWN;

    if (reply.len > sizeof reply_to || box < 0) {
        return -1;
    }
    memcpy(reply_to, reply.ptr, reply.len);
    reply_len = reply.len;
    waiting = mail->token;
    int32_t ref =
        natlet_mailbox_call(box, (const char *)rest.ptr, rest.len, echo.ptr, echo.len, 300);
    return ref > 0 ? 0 : ref;
}

static int32_t tell(text name)
{
    const text told = {(const uint8_t *)"echo told", 9};
    int32_t box = natlet_mailbox_open((const char *)name.ptr, name.len);

    return box < 0 ? box : natlet_mailbox_send(box, "", 0, told.ptr, told.len, NATLET_GUEST_HIGH);
}

static int32_t settle(uint32_t token, int32_t how, int32_t code)
{
    return natlet_mailbox_settle(NATLET_GUEST_OWN, token, how, code);
}

static int32_t do_work(uint32_t token, text word, text rest, text reply)
{
    int32_t st = 0;

    if (is(word, "echo")) {
        st = publish(reply, rest);
    } else if (is(word, "count")) {
        st = save(++count);
        st = st < 0 ? st : publish(reply, decimal(count));
    } else if (is(word, "tell")) {
        st = tell(rest);
    } else if (is(word, "now")) {
        st = publish(reply, decimal((uint32_t)(natlet_mailbox_now(NATLET_GUEST_UNIX) / 1000)));
    } else if (is(word, "chatter")) {
        st = chatter();
    } else if (is(word, "lame")) {
        st = natlet_mailbox_state_put(rest.ptr, 1);
    } else if (is(word, "more")) {
        st = grow() ? 0 : -1;
    } else if (is(word, "smash")) {
        smash();
    } else if (is(word, "log")) {
        natlet_mailbox_log(2, (const char *)rest.ptr, rest.len);
    } else if (is(word, "grow")) {
        while (grow()) {
        }
        return NATLET_GUEST_E_NO_MEMORY;
    } else if (is(word, "reject")) {
        return settle(token, NATLET_GUEST_REJECT, 0);
    } else if (is(word, "stop")) {
        return settle(token, NATLET_GUEST_STOP, 0);
    } else {
        return settle(token, NATLET_GUEST_ERROR, -7); /* fail, and what we do not know */
    }
    return st < 0 ? st : settle(token, NATLET_GUEST_DONE, 0);
}

static int32_t on_message(const natlet_guest_mail *mail)
{
    const text reply = {buffer + mail->subject_len, mail->reply_len};
    const text payload = {reply.ptr + mail->reply_len + mail->headers_len, mail->payload_len};
    const uint8_t *blank = memchr(payload.ptr, ' ', payload.len);
    uint32_t len = blank != NULL ? (uint32_t)(blank - payload.ptr) : payload.len;
    const text word = {payload.ptr, len};
    const text rest = {payload.ptr + len + 1, blank != NULL ? payload.len - len - 1 : 0};

    if (misbehave(word) || is(word, "hold")) {
        return 0;
    }
    if (is(word, "ask") || is(word, "fetch")) {
        return call(mail, reply, rest, is(word, "fetch"));
    }
    return do_work(mail->token, word, rest, reply);
}

static int32_t on_reply(const natlet_guest_mail *mail)
{
    const text answer = {buffer + mail->subject_len + mail->reply_len + mail->headers_len,
                         mail->payload_len};
    const text status = decimal((uint32_t)-mail->status);
    int32_t st = publish((text){reply_to, reply_len}, mail->status == 0 ? answer : status);

    return st < 0 ? st : settle(waiting, NATLET_GUEST_DONE, 0);
}

int32_t natlet_on_mail(int32_t box)
{
    natlet_guest_mail mail;

    for (;;) {
        int32_t len = natlet_mailbox_next(box, buffer, sizeof buffer, &mail);
        if (len == NATLET_GUEST_E_AGAIN) {
            return 0;
        }
        if (magic != MAGIC) {
            __builtin_trap();
        }
        int32_t st = len < 0                           ? len
                     : mail.kind == NATLET_GUEST_REPLY ? on_reply(&mail)
                                                       : on_message(&mail);
        if (st < 0) {
            return st;
        }
    }
}

int32_t natlet_on_start(void)
{
    int32_t len = natlet_mailbox_state_get((uint8_t *)&count, sizeof count);

    return len == (int32_t)sizeof count || len == NATLET_GUEST_E_NOT_FOUND ? 0 : -1;
}

void natlet_on_stop(void)
{
    const text line = {(const uint8_t *)"stopped", 7};

    natlet_mailbox_log(2, (const char *)line.ptr, line.len);
    (void)save(count);
}

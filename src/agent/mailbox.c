/* Each lane is a queue of its own, and so is the stash; mail is in exactly one, or in
 * none. */
#include "agent/mailbox.h"

#include "base/assert.h"
#include "base/compiler.h"
#include "natlet/limits.h"

enum { NORMAL = NATLET_PRIORITY_NORMAL, SYS = NATLET_PRIORITY_SYS };

/* The shares of a round, and the order in which they are used up. */
static const uint8_t share[NATLET_PRIORITIES] = {
    [NATLET_PRIORITY_NORMAL] = 2, [NATLET_PRIORITY_HIGH] = 4, [NATLET_PRIORITY_LOW] = 1};
static const uint8_t order[] = {NATLET_PRIORITY_HIGH, NATLET_PRIORITY_NORMAL, NATLET_PRIORITY_LOW};

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value > 0 ? value : otherwise;
}

uint32_t natlet__mailbox_init(natlet__mailbox *box, const natlet_mailbox_config *config)
{
    uint32_t normal = or_default(config->normal, NATLET_MAILBOX_NORMAL_DEFAULT);
    uint32_t sys = or_default(config->sys, NATLET_MAILBOX_SYS_DEFAULT);
    uint32_t places = normal + config->high + config->low + sys;

    box->bytes_max = or_default(config->bytes_max, NATLET_MAILBOX_BYTES_DEFAULT);
    box->lanes[NORMAL].cap = (uint16_t)normal;
    box->lanes[NATLET_PRIORITY_HIGH].cap = config->high;
    box->lanes[NATLET_PRIORITY_LOW].cap = config->low;
    box->lanes[SYS].cap = (uint16_t)sys;
    box->stash.cap = (uint16_t)or_default(config->stash, NATLET_MAILBOX_STASH_DEFAULT);
    return places <= UINT16_MAX && box->bytes_max <= NATLET_MESSAGE_BYTES_LIMIT ? places : 0;
}

natlet__lane *natlet__mailbox_lane(natlet__mailbox *box, uint8_t priority)
{
    natlet__lane *lane = &box->lanes[priority];

    return lane->cap > 0 ? lane : &box->lanes[NORMAL];
}

natlet_status natlet__mailbox_fits(natlet__mailbox *box, uint8_t priority, uint64_t bytes)
{
    const natlet__lane *lane = natlet__mailbox_lane(box, priority);

    NATLET_ASSERT(priority < SYS);
    if (lane->used < lane->cap && bytes <= box->bytes_max - box->bytes) {
        return NATLET_OK;
    }
    return bytes <= box->bytes_max ? NATLET_E_FULL : NATLET_E_TOO_LARGE;
}

natlet_status natlet__mailbox_room(natlet__mailbox *box, uint8_t priority, uint64_t bytes)
{
    natlet_status st = natlet__mailbox_fits(box, priority, bytes);

    box->refused += st < 0;
    return st;
}

/* Notes that `taken` places of the lane are used or promised. */
NATLET__SMALL void note_use(natlet__lane *lane, uint32_t taken)
{
    NATLET_ASSERT(taken <= lane->cap);
    lane->used_max = taken > lane->used_max ? (uint16_t)taken : lane->used_max;
}

static void note_bytes(natlet__mailbox *box)
{
    box->bytes_used_max = box->bytes > box->bytes_used_max ? box->bytes : box->bytes_used_max;
}

static void append(natlet__mailbox *box, natlet__lane *lane, natlet_mail *mail)
{
    natlet__block *block = natlet__block_of(mail);

    if (lane->used++ == 0) {
        lane->first = block;
    } else {
        lane->last->next = block;
    }
    lane->last = block;
    box->queued++;
    box->bytes += mail->bytes;
    note_bytes(box);
}

void natlet__mailbox_push(natlet__mailbox *box, natlet_mail *mail)
{
    natlet__lane *lane = natlet__mailbox_lane(box, mail->priority);

    append(box, lane, mail);
    note_use(lane, lane->used);
}

natlet_status natlet__mailbox_reserve(natlet__mailbox *box)
{
    natlet__lane *sys = &box->lanes[SYS];
    uint32_t taken = (uint32_t)sys->used + box->reserved;

    if (taken >= sys->cap) { /* a DOWN that came back from NORMAL had no place here */
        box->refused++;
        return NATLET_E_FULL;
    }
    box->reserved++;
    note_use(sys, taken + 1);
    return NATLET_OK;
}

NATLET__NOINLINE void natlet__mailbox_unreserve(natlet__mailbox *box)
{
    NATLET_ASSERT(box->reserved > 0);
    box->reserved--;
}

void natlet__mailbox_push_reserved(natlet__mailbox *box, natlet_mail *mail)
{
    natlet__mailbox_unreserve(box);
    append(box, &box->lanes[SYS], mail);
}

natlet_mail *natlet__mailbox_take_first(natlet__mailbox *box, natlet__lane *lane)
{
    natlet_mail *mail = (natlet_mail *)(lane->first + 1);

    lane->first = lane->first->next;
    lane->used--;
    NATLET_ASSERT(box->bytes >= mail->bytes);
    box->queued--;
    box->bytes -= mail->bytes;
    return mail;
}

natlet_mail *natlet__mailbox_take_sys(natlet__mailbox *box)
{
    natlet__lane *sys = &box->lanes[SYS];

    return sys->used > 0 ? natlet__mailbox_take_first(box, sys) : NULL;
}

void natlet__mailbox_replace(natlet__mailbox *box, natlet__lane *lane, natlet__block *before,
                             natlet_mail *old, natlet_mail *mail)
{
    natlet__block *block = natlet__block_of(mail);

    block->next = natlet__block_of(old)->next;
    if (before == NULL) {
        lane->first = block;
    } else {
        before->next = block;
    }
    lane->last = lane->last == natlet__block_of(old) ? block : lane->last;
    box->bytes = box->bytes - old->bytes + mail->bytes;
    note_bytes(box);
}

bool natlet__mailbox_stash(natlet__mailbox *box, natlet_mail *mail)
{
    natlet__lane *stash = &box->stash;

    if (stash->used == stash->cap || mail->bytes > box->bytes_max - box->bytes) {
        box->stash_refused++;
        return false;
    }
    append(box, stash, mail);
    note_use(stash, stash->used);
    box->queued--; /* it waits to be unstashed */
    return true;
}

void natlet__mailbox_unstash(natlet__mailbox *box)
{
    box->queued += (uint32_t)box->stash.used - box->unstashed;
    box->unstashed = box->stash.used;
}

/* There is mail that can be taken, and not in SYS.  If no lane that has some has credit, a
 * new round begins. */
static natlet__lane *next_lane(natlet__mailbox *box)
{
    if (box->unstashed > 0) {
        box->unstashed--;
        return &box->stash;
    }
    for (;;) {
        for (uint32_t i = 0; i < sizeof order; i++) {
            natlet__lane *lane = &box->lanes[order[i]];
            if (lane->used > 0 && lane->credit > 0) {
                lane->credit--;
                return lane;
            }
        }
        for (uint32_t i = 0; i < sizeof order; i++) {
            box->lanes[order[i]].credit = share[order[i]];
        }
    }
}

void natlet__mailbox_put_back(natlet__mailbox *box, natlet_mail *mail)
{
    NATLET_ASSERT(box->returned == NULL);
    box->returned = mail;
    box->queued++;
}

natlet_mail *natlet__mailbox_take(natlet__mailbox *box)
{
    natlet_mail *returned = box->returned;

    if (box->queued == 0) {
        return NULL;
    }
    if (returned != NULL && box->lanes[SYS].used == 0) {
        box->returned = NULL;
        box->queued--;
        return returned;
    }
    return natlet__mailbox_take_first(box,
                                      box->lanes[SYS].used > 0 ? &box->lanes[SYS] : next_lane(box));
}

void natlet__mailbox_append(natlet__mailbox *box, natlet_mail *mail)
{
    append(box, natlet__mailbox_lane(box, mail->priority), mail);
}

natlet_mail *natlet__mailbox_take_kind(natlet__mailbox *box, natlet_priority lane,
                                       natlet_mail_kind kind, uint32_t tag)
{
    natlet__lane *from = &box->lanes[lane];
    natlet_mail *found = NULL;

    for (uint32_t left = from->used; left > 0; left--) { /* once around keeps the order */
        natlet_mail *mail = natlet__mailbox_take_first(box, from);
        if (found == NULL && mail->kind == kind && (tag == 0 || mail->tag == tag)) {
            found = mail;
        } else {
            append(box, from, mail);
        }
    }
    return found;
}

natlet_mailbox_stats natlet__mailbox_stats_now(const natlet__mailbox *box)
{
    natlet_mailbox_stats stats = {
        .stash_used = box->stash.used,
        .stash_free_min = (uint16_t)(box->stash.cap - box->stash.used_max),
        .bytes = box->bytes,
        .bytes_free_min = box->bytes_max - box->bytes_used_max,
        .refused = box->refused,
        .dropped = box->dropped,
        .coalesced = box->coalesced,
        .stash_refused = box->stash_refused,
        .pauses = box->pauses,
        .is_paused = box->is_paused,
    };

    for (uint32_t i = 0; i < NATLET_PRIORITIES; i++) {
        stats.used[i] = box->lanes[i].used;
        stats.free_min[i] = (uint16_t)(box->lanes[i].cap - box->lanes[i].used_max);
    }
    if (box->returned != NULL) {
        stats.used[NORMAL]++;
    }
    return stats;
}

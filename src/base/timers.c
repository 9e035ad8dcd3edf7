/* The set is one tree in which no timer is due before its parent.  Two trees
 * are merged by making the later root the first child of the earlier one; taking
 * a root out merges its children.  Children form a list through `next`; `prev`
 * of the first one leads to the parent, which is how a timer in the middle finds
 * the link that holds it. */
#include "base/timers.h"

#include <stddef.h>

#include "base/assert.h"

static bool is_before(const natlet__timer *a, const natlet__timer *b)
{
    return a->due_us < b->due_us || (a->due_us == b->due_us && a->order < b->order);
}

/* Merges two trees, one of which may be NULL; neither has siblings. */
static natlet__timer *merge(natlet__timer *a, natlet__timer *b)
{
    if (a == NULL || b == NULL) {
        return a != NULL ? a : b;
    }
    natlet__timer *parent = is_before(a, b) ? a : b;
    natlet__timer *child = parent == a ? b : a;

    child->next = parent->child;
    child->prev = parent;
    if (child->next != NULL) {
        child->next->prev = child;
    }
    parent->child = child;
    return parent;
}

/* Cuts the first tree off a list of siblings. */
static natlet__timer *pop(natlet__timer **list)
{
    natlet__timer *first = *list;

    if (first != NULL) {
        *list = first->next;
        first->next = NULL;
        first->prev = NULL;
    }
    return first;
}

/* Merges a list of siblings into one tree: neighbours first, then the pairs from
 * the last to the first.  This order is what bounds the cost to O(log n),
 * amortized; merging one by one would degrade to a list. */
static natlet__timer *merge_all(natlet__timer *list)
{
    natlet__timer *pairs = NULL; /* linked through next, the last one first */
    natlet__timer *root = NULL;

    while (list != NULL) {
        natlet__timer *first = pop(&list);
        natlet__timer *pair = merge(first, pop(&list));
        pair->next = pairs;
        pairs = pair;
    }
    while (pairs != NULL) {
        root = merge(root, pop(&pairs));
    }
    return root;
}

/* Cuts `t`, which is not the root, out of the list that holds it. */
static void unlink_from_siblings(natlet__timer *t)
{
    if (t->prev->child == t) {
        t->prev->child = t->next;
    } else {
        t->prev->next = t->next;
    }
    if (t->next != NULL) {
        t->next->prev = t->prev;
    }
}

void natlet__timers_stop(natlet__timers *set, natlet__timer *t)
{
    if (!t->running) {
        return;
    }
    natlet__timer *orphans = merge_all(t->child);
    if (t == set->root) {
        set->root = orphans;
    } else {
        unlink_from_siblings(t);
        set->root = merge(set->root, orphans);
    }
    t->child = NULL;
    t->next = NULL;
    t->prev = NULL;
    t->running = false;
}

void natlet__timers_start(natlet__timers *set, natlet__timer *t, uint64_t due_us)
{
    natlet__timers_stop(set, t);
    NATLET_ASSERT(t->child == NULL && t->next == NULL && t->prev == NULL);
    t->due_us = due_us;
    t->order = set->started++;
    t->running = true;
    set->root = merge(set->root, t);
}

uint64_t natlet__timers_due(const natlet__timers *set)
{
    return set->root != NULL ? set->root->due_us : NATLET__NEVER_US;
}

natlet__timer *natlet__timers_take(natlet__timers *set, uint64_t now_us)
{
    natlet__timer *first = set->root;

    if (first == NULL || first->due_us > now_us) {
        return NULL;
    }
    natlet__timers_stop(set, first);
    return first;
}

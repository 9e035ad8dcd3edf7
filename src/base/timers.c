/* The set is one tree in which no timer is due before its parent.  Two trees
 * are merged by making the later root the first child of the earlier one; taking
 * a root out merges its children.  `next` and `link` of a root mean nothing. */
#include "base/timers.h"

#include <stddef.h>

#include "base/assert.h"

static bool is_before(const natlet__timer *a, const natlet__timer *b)
{
    return a->due_us < b->due_us || (a->due_us == b->due_us && a->order < b->order);
}

/* Merges two trees, one of which may be NULL. */
static natlet__timer *merge(natlet__timer *a, natlet__timer *b)
{
    if (a == NULL || b == NULL) {
        return a != NULL ? a : b;
    }
    natlet__timer *parent = is_before(a, b) ? a : b;
    natlet__timer *child = parent == a ? b : a;

    child->next = parent->child;
    child->link = &parent->child;
    if (child->next != NULL) {
        child->next->link = &child->next;
    }
    parent->child = child;
    return parent;
}

/* Merges a list of siblings into one tree: neighbours first, then the pairs from
 * the last to the first.  This order is what bounds the cost to O(log n),
 * amortized; merging one by one would degrade to a list. */
static natlet__timer *merge_all(natlet__timer *list)
{
    natlet__timer *pairs = NULL; /* linked through next, the last one first */
    natlet__timer *root = NULL;

    while (list != NULL) {
        natlet__timer *second = list->next;
        natlet__timer *rest = second != NULL ? second->next : NULL;
        natlet__timer *pair = merge(list, second);
        pair->next = pairs;
        pairs = pair;
        list = rest;
    }
    while (pairs != NULL) {
        natlet__timer *rest = pairs->next;
        root = merge(root, pairs);
        pairs = rest;
    }
    return root;
}

void natlet__timers_stop(natlet__timers *set, natlet__timer *t)
{
    if (!t->running) {
        return;
    }
    if (t == set->root) {
        set->root = NULL;
    } else {
        *t->link = t->next;
        if (t->next != NULL) {
            t->next->link = t->link;
        }
    }
    set->root = merge(set->root, merge_all(t->child));
    t->running = false;
}

void natlet__timers_start(natlet__timers *set, natlet__timer *t, uint64_t due_us)
{
    natlet__timers_stop(set, t);
    t->child = NULL;
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

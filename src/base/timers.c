/* The set is one binary tree in which no timer is due before its parent.  Trees are
 * merged along their right sides, and each timer passed on the way changes its sides:
 * that alone keeps the ways short, O(log n) on average (Sleator and Tarjan's skew
 * heap), without any count of heights. */
#include "base/timers.h"

#include <stddef.h>

static bool is_before(const natlet__timer *a, const natlet__timer *b)
{
    return a->due_us < b->due_us || (a->due_us == b->due_us && a->order < b->order);
}

static void put(natlet__timer **link, natlet__timer *t)
{
    *link = t;
    if (t != NULL) {
        t->link = link;
    }
}

/* Merges the tree `other` into the one at *link; both may be empty. */
static void merge(natlet__timer **link, natlet__timer *other)
{
    while (other != NULL) {
        natlet__timer *first = *link;
        if (first == NULL || is_before(other, first)) {
            first = other;
            other = *link;
            put(link, first);
        }
        natlet__timer *right = first->right;
        put(&first->right, first->left);
        put(&first->left, right);
        link = &first->left;
    }
}

void natlet__timers_stop(natlet__timers *set, natlet__timer *t)
{
    (void)set;
    if (t->running) {
        t->running = false;
        put(t->link, t->left);
        merge(t->link, t->right);
    }
}

void natlet__timers_start(natlet__timers *set, natlet__timer *t, uint64_t due_us)
{
    natlet__timers_stop(set, t);
    t->left = t->right = NULL;
    t->due_us = due_us;
    t->order = set->started++;
    t->running = true;
    merge(&set->root, t);
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

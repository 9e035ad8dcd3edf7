/* Steps that tests/conformance/client.c has for requests, subscriptions and flushes. */
#ifndef STEPS_SUBS_H
#define STEPS_SUBS_H

#include "support/steps.h"

extern const steps_entry steps_subs[];
extern const steps_entry steps_inject[];

#endif

/* Steps of tests/conformance/client.c about who the client is, all before connect. */
#ifndef STEPS_AUTH_H
#define STEPS_AUTH_H

#include "support/steps.h"

extern const steps_entry steps_auth[];

#endif

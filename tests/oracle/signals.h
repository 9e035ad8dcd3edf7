/* The scenarios of tests/oracle that begin with `signals`. */
#ifndef ORACLE_SIGNALS_H
#define ORACLE_SIGNALS_H

#include "oracle/terms.h"

/* Plays one and writes its trace. */
void play_signals(const term *scenario, uint32_t number);

#endif

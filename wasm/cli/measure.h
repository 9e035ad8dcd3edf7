/* What a bench has measured: so many messages in such a time, and how long their
 * round trips took.  It tells people of it, meanwhile and in the end. */
#ifndef NATLET_CLI_MEASURE_H
#define NATLET_CLI_MEASURE_H

#include "natlet/host.h"
#include "wasm/cli/histogram.h"
#include "wasm/cli/options.h"

typedef struct cli_measure {
    const char *name; /* "pub" */
    const cli_options *options;
    const natlet_host *door; /* its clock */
    natlet_slice subject;
    natlet_slice server;
    uint32_t clients;
    uint64_t total, done; /* messages */
    uint64_t told;        /* messages done when people were told last */
    uint64_t bytes;       /* of payload, done */
    uint64_t begin_ns, end_ns;
    cli_histogram *trips; /* NULL: one way */
} cli_measure;

uint64_t cli_measure_now_ns(const cli_measure *m);

/* One line on standard error, if there is news and it is wanted. */
void cli_measure_tell(cli_measure *m);

/* The result, on standard output. */
void cli_measure_print(const cli_measure *m);

#endif

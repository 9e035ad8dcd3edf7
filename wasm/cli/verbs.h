/* The verbs of the command.  Each returns the exit status. */
#ifndef NATLET_CLI_VERBS_H
#define NATLET_CLI_VERBS_H

#include "wasm/cli/options.h"

int cli_pub(const cli_options *options);
int cli_sub(const cli_options *options);
int cli_request(const cli_options *options);
int cli_reply(const cli_options *options);
int cli_rtt(const cli_options *options);
int cli_info(const cli_options *options);
int cli_events(const cli_options *options);
int cli_bench_pub(const cli_options *options);
int cli_bench_sub(const cli_options *options);
int cli_bench_request(const cli_options *options);
int cli_subjects_check(const cli_options *options);

#endif

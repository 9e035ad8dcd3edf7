/* A message as people or programs read it. */
#ifndef NATLET_CLI_MESSAGE_H
#define NATLET_CLI_MESSAGE_H

#include "natlet/json.h"
#include "natlet/slice.h"
#include "wasm/cli/text.h"

/* A string of what the wire brought, which need not be UTF-8. */
void cli_message_string(natlet_json_out *json, natlet_slice text);

/* Appends one line: {"subject","reply","headers":{"K":["v"]},"data"}, absent keys
 * left out; "data_base64" instead of "data" exactly when the payload is not UTF-8. */
void cli_message_json(cli_text *out, const natlet_msg *msg);

/* Appends `number`, subject and reply, headers and payload, and a blank line. */
void cli_message_lines(cli_text *out, const natlet_msg *msg, uint64_t number);

#endif

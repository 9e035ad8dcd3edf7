/* Pieces of natlet/inspect.h for what shows agents elsewhere.  Internal. */
#ifndef NATLET_AGENT_INSPECT_H
#define NATLET_AGENT_INSPECT_H

#include "natlet/cell.h"
#include "natlet/json.h"

enum { NATLET__DEAD_WORD_MAX = 16 };

/* Writes the reason's name in small letters, "overflow"; returns its length. */
size_t natlet__dead_word(natlet_dead_reason reason, char word[NATLET__DEAD_WORD_MAX]);

/* Whether what was written since `before` fits; if not it is taken back. */
bool natlet__inspect_fits(natlet_json_out *out, const natlet_json_out *before);

/* Keeps room for the end of a list; returns the cap, to be set again before that end. */
size_t natlet__inspect_hold(natlet_json_out *out);

/* A string; what is not UTF-8 as {"raw":"<base64>"}. */
void natlet__inspect_text(natlet_json_out *out, natlet_slice text);

/* {"kind":"trap","code":-99,"text":"the agent trapped"} */
void natlet__inspect_reason(natlet_json_out *out, natlet_reason why);

/* The agent as an object. */
void natlet__inspect_info(natlet_json_out *out, const natlet_agent_info *info);

#endif

/* The reporter answers demo.report with what cell, bridge and client count. */
#include "station.h"

enum { CHILDREN_MAX = 8 };

typedef struct reporter_state {
    const station *of;
} reporter_state;

static int32_t start(natlet_cell *cell, void *state, void *arg)
{
    (void)cell;
    ((reporter_state *)state)->of = arg;
    return NATLET_DONE;
}

static void write_number(natlet_json_out *out, const char *key, uint64_t value)
{
    natlet_json_out_key(out, key);
    natlet_json_out_u64(out, value);
}

static void write_children(natlet_json_out *out, const natlet_cell *cell)
{
    natlet_agent_info trees[1];
    natlet_agent_info children[CHILDREN_MAX];
    uint32_t count = 0;

    if (natlet_cell_children(cell, 0, trees, 1) > 0) {
        count = natlet_cell_children(cell, trees[0].pid, children, CHILDREN_MAX);
    }
    natlet_json_out_key(out, "agents");
    natlet_json_out_open(out, '[');
    for (uint32_t i = 0; i < count && i < CHILDREN_MAX; i++) {
        natlet_json_out_open(out, '{');
        natlet_json_out_key(out, "name");
        natlet_json_out_string(out, children[i].name);
        write_number(out, "handled", children[i].handled);
        write_number(out, "restarts", children[i].restarts);
        natlet_json_out_close(out, '}');
    }
    natlet_json_out_close(out, ']');
}

static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    const station *of = ((reporter_state *)state)->of;
    natlet_cell_stats in_cell = natlet_cell_stats_now(cell);
    natlet_client_stats in_client = natlet_client_stats_now(of->client);
    natlet_runtime_stats in_runtime = natlet_runtime_stats_now(of->rt);
    uint8_t text[1024];
    natlet_json_out out;

    natlet_json_out_init(&out, text, sizeof text);
    natlet_json_out_open(&out, '{');
    write_number(&out, "out_messages", in_client.out_messages);
    write_number(&out, "in_messages", in_client.in_messages);
    write_number(&out, "received_bytes", in_client.received_bytes);
    write_number(&out, "copied_bytes", in_client.copied_bytes);
    write_number(&out, "recv_calls", in_client.recv_calls);
    write_number(&out, "send_calls", in_client.send_calls);
    write_number(&out, "restarts", in_cell.restarts);
    write_number(&out, "dead_letters", in_cell.dead_total);
    write_number(&out, "pool_max", in_cell.pool_max);
    write_number(&out, "memory_max", in_runtime.memory_max);
    write_children(&out, cell);
    natlet_json_out_close(&out, '}');
    return natlet_agent_reply(cell, mail, (natlet_slice){text, out.len});
}

const natlet_behaviour reporter = {
    .name = "reporter", .state_bytes = sizeof(reporter_state), .init = start, .on_mail = on_mail};

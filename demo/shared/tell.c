#include "tell.h"

#include <string.h>

static natlet_slice slice_of(const char *text)
{
    return (natlet_slice){(const uint8_t *)text, strlen(text)};
}

void tell(natlet_slice name, const char *text, const char *why)
{
    const natlet_host *host = natlet_host_imports();
    const natlet_slice parts[] = {name, slice_of(text), slice_of(why)};
    char line[128];
    uint32_t len = 0;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t room = sizeof line - len;
        size_t n = parts[i].len < room ? parts[i].len : room;
        memcpy(line + len, parts[i].ptr, n);
        len += (uint32_t)n;
    }
    host->log(host->self, NATLET_LOG_INFO, line, len);
}

void tell_event(void *self, const natlet_cell_event *event)
{
    static const natlet_slice nameless = NATLET_TEXT("supervisor");
    natlet_slice name = event->name.len > 0 ? event->name : nameless;

    (void)self;
    switch (event->kind) {
    case NATLET_CELL_STARTED:
        tell(name, " started", "");
        break;
    case NATLET_CELL_EXITED:
        tell(name, " ended: ", natlet_exit_text(event->reason.kind));
        break;
    case NATLET_CELL_DEAD_LETTER:
        tell(name, ": dead letter, ", natlet_dead_text(event->dead));
        break;
    case NATLET_CELL_CLOSED:
        tell(nameless, " closed", "");
        break;
    case NATLET_CELL_START_FAILED:
        tell(name, " could not start", "");
        break;
    }
}

uint32_t number_of(natlet_slice config, natlet_slice pointer, uint32_t otherwise)
{
    natlet_slice raw;
    uint64_t value;

    if (natlet_json_find(config, pointer, &raw) < 0 || !natlet_json_u64(raw, UINT32_MAX, &value)) {
        return otherwise;
    }
    return (uint32_t)value;
}

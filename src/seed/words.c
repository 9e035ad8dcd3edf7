#include "natlet/seed.h"

#include "base/bytes.h"

#define X(name, value, text) text,
static const char *const tasks[] = {NULL, NATLET_SEED_TASK_MAP(X)};
static const char *const types[] = {NULL, NATLET_SEED_TYPE_MAP(X)};
static const char *const priorities[] = {NULL, NATLET_SEED_PRIORITY_MAP(X)};
static const char *const agents[] = {NULL, NATLET_SEED_AGENT_MAP(X)};
#undef X

#define COUNT(words) (sizeof(words) / sizeof *(words))

static uint32_t word_of(const char *const *words, size_t count, natlet_slice text)
{
    for (uint32_t i = 1; i < count; i++) {
        if (natlet__equal(natlet__text(words[i]), text)) {
            return i;
        }
    }
    return 0;
}

static const char *text_of(const char *const *words, size_t count, uint32_t word)
{
    return word < count ? words[word] : NULL;
}

natlet_seed_task natlet_seed_task_of(natlet_slice text)
{
    return (natlet_seed_task)word_of(tasks, COUNT(tasks), text);
}

const char *natlet_seed_task_text(natlet_seed_task task)
{
    return text_of(tasks, COUNT(tasks), task);
}

natlet_seed_type natlet_seed_type_of(natlet_slice text)
{
    return (natlet_seed_type)word_of(types, COUNT(types), text);
}

const char *natlet_seed_type_text(natlet_seed_type type)
{
    return text_of(types, COUNT(types), type);
}

natlet_seed_priority natlet_seed_priority_of(natlet_slice text)
{
    return (natlet_seed_priority)word_of(priorities, COUNT(priorities), text);
}

const char *natlet_seed_priority_text(natlet_seed_priority priority)
{
    return text_of(priorities, COUNT(priorities), priority);
}

natlet_seed_agent_type natlet_seed_agent_type_of(natlet_slice text)
{
    return (natlet_seed_agent_type)word_of(agents, COUNT(agents), text);
}

const char *natlet_seed_agent_type_text(natlet_seed_agent_type type)
{
    return text_of(agents, COUNT(agents), type);
}

natlet_priority natlet_seed_lane(natlet_seed_priority priority)
{
    switch (priority) {
    case NATLET_SEED_PRIORITY_CRITICAL:
    case NATLET_SEED_PRIORITY_HIGH:
        return NATLET_PRIORITY_HIGH;
    case NATLET_SEED_PRIORITY_LOW:
        return NATLET_PRIORITY_LOW;
    case NATLET_SEED_PRIORITY_NONE:
    case NATLET_SEED_PRIORITY_MEDIUM:
    case NATLET_SEED_PRIORITY_NORMAL:
        break;
    }
    return NATLET_PRIORITY_NORMAL;
}

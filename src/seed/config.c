/* An agent's configuration, as serde_json reads and writes it. */
#include "base/bytes.h"
#include "natlet/json.h"
#include "natlet/seed.h"
#include "json/members.h"

enum { ID, BACKEND, NATS, LLM, TYPE, MEMBERS };
static const char members[] = "id\0memory_backend_type\0nats_enabled\0llm_enabled\0agent_type\0";

/* Memory for texts with escapes, used up from its front. */
typedef struct texts {
    uint8_t *mem;
    size_t cap;
} texts;

static natlet_status read_text(texts *t, natlet_slice value, natlet_slice *text)
{
    natlet_status st = natlet_json_text(value, t->mem, t->cap, text);

    if (st == NATLET_OK && text->ptr == t->mem) {
        t->mem += text->len;
        t->cap -= text->len;
    }
    return st == NATLET_E_JSON ? NATLET_E_CONFIG : st;
}

/* What is missing leaves *flag as it is, unless it must be there. */
static natlet_status read_flag(natlet_slice value, bool is_needed, bool *flag)
{
    static const natlet_slice words[] = {NATLET_TEXT("false"), NATLET_TEXT("true")};

    if (value.ptr == NULL && !is_needed) {
        return NATLET_OK;
    }
    *flag = natlet__equal(value, words[true]);
    return *flag || natlet__equal(value, words[false]) ? NATLET_OK : NATLET_E_CONFIG;
}

/* "InMemory", {"InMemory":null} or {"File":{"path":"..."}}. */
static natlet_status read_backend(texts *t, natlet_slice value, natlet_slice *path)
{
    static const natlet_slice null = NATLET_TEXT("null");
    enum { IN_MEMORY, FILES };
    natlet_slice kinds[FILES + 1];
    natlet_slice folder;
    natlet__json_rest rest;

    if (natlet__json_is(value, "InMemory")) {
        return NATLET_OK;
    }
    if (natlet__json_members(value, "InMemory\0File\0", kinds, &rest) < 0 || rest.is_twice ||
        rest.others > 0 || (kinds[IN_MEMORY].ptr == NULL) == (kinds[FILES].ptr == NULL)) {
        return NATLET_E_CONFIG;
    }
    if (kinds[IN_MEMORY].ptr != NULL) {
        return natlet__equal(kinds[IN_MEMORY], null) ? NATLET_OK : NATLET_E_CONFIG;
    }
    if (natlet__json_members(kinds[FILES], "path\0", &folder, &rest) < 0 || rest.is_twice) {
        return NATLET_E_CONFIG;
    }
    natlet_status st = read_text(t, folder, path);
    return st == NATLET_OK && path->len == 0 ? NATLET_E_CONFIG : st;
}

static natlet_status read_type(texts *t, natlet_slice value, natlet_seed_agent_type *type)
{
    natlet_slice word;

    *type = NATLET_SEED_AGENT_GENERIC;
    if (value.ptr == NULL) {
        return NATLET_OK;
    }
    natlet_status st = read_text(t, value, &word);
    if (st == NATLET_OK) {
        *type = natlet_seed_agent_type_of(word);
    }
    return st == NATLET_OK && *type == NATLET_SEED_AGENT_NONE ? NATLET_E_CONFIG : st;
}

/* One token of a subject, and no colon, which ends an id in a key. */
static bool is_id(natlet_slice id)
{
    bool is_wildcard = id.len == 1 && (id.ptr[0] == '*' || id.ptr[0] == '>');

    return id.len > 0 && id.len < NATLET_BACKEND_KEY_BYTES_MAX - 1 && !is_wildcard &&
           natlet__is_clean(id, '!') && memchr(id.ptr, '.', id.len) == NULL &&
           memchr(id.ptr, ':', id.len) == NULL;
}

natlet_status natlet_seed_config_read(natlet_slice text, void *mem, size_t cap,
                                      natlet_seed_config *config)
{
    natlet_slice values[MEMBERS];
    natlet__json_rest rest;
    texts t = {mem, cap};

    *config = (natlet_seed_config){0};
    if (natlet__json_members(text, members, values, &rest) < 0) {
        return NATLET_E_JSON;
    }
    natlet_status st = rest.is_twice ? NATLET_E_CONFIG : read_text(&t, values[ID], &config->id);
    if (st == NATLET_OK) {
        st = is_id(config->id) ? read_backend(&t, values[BACKEND], &config->path) : NATLET_E_CONFIG;
    }
    if (st == NATLET_OK) {
        st = read_flag(values[NATS], true, &config->nats_enabled);
    }
    if (st == NATLET_OK) {
        st = read_flag(values[LLM], false, &config->llm_enabled);
    }
    return st == NATLET_OK ? read_type(&t, values[TYPE], &config->agent_type) : st;
}

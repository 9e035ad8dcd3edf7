/* Goal: the pool is tried in turn, learns what INFO names without losing what
 * the user configured, and never changes scheme or path on its own.
 *
 * Method: the pool's URLs in order, as one text. */
#include "client/servers.h"

#include "support/test.h"
#include "support/test_host.h"

static test_memory memory;
static natlet__memory budget;
static natlet__servers pool;

static natlet_slice text(const char *chars)
{
    return (natlet_slice){(const uint8_t *)chars, strlen(chars)};
}

static natlet_status fill(const char *urls)
{
    test_memory_init(&memory);
    budget = (natlet__memory){.allocator = memory.allocator};
    pool = (natlet__servers){.memory = &budget};
    return natlet__servers_fill(&pool, text(urls), NULL);
}

static void empty(void)
{
    natlet__servers_clear(&pool);
    CHECK_INT(memory.live_blocks, 0);
    CHECK_INT(memory.errors, 0);
}

/* "a b*": all in order, the one in use marked. */
static const char *shown(void)
{
    static char out[4096];
    size_t len = 0;

    for (uint32_t i = 0; i < pool.count; i++) {
        natlet_slice url = natlet__server_url(&pool.list[i]);
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%.*s%s", i > 0 ? " " : "",
                                (int)url.len, (const char *)url.ptr, i == pool.at ? "*" : "");
    }
    out[len] = '\0';
    return out;
}

static uint32_t merge(const char *a, const char *b)
{
    const natlet_slice names[] = {text(a), text(b)};

    return natlet__servers_merge(&pool, names, b[0] != '\0' ? 2 : a[0] != '\0' ? 1 : 0);
}

static void reads_lists(void)
{
    CHECK(fill("a, ws://u:p@b/x ,nats://A:4222,tls://t0ken@c") == NATLET_OK);
    CHECK_TEXT(shown(), "nats://a:4222* ws://b:80/x tls://c:4222");
    CHECK_SLICE(natlet__server_userinfo(&pool.list[1]), "u:p");
    CHECK_SLICE(natlet__server_userinfo(&pool.list[2]), "t0ken");
    CHECK_INT(natlet__server_userinfo(&pool.list[0]).len, 0);
    empty();
    CHECK(fill("") == NATLET_E_URL);
    empty();
    CHECK(fill("a,") == NATLET_E_URL);
    empty();
    CHECK(fill("a,,b") == NATLET_E_URL);
    empty();
}

static void takes_turns(void)
{
    CHECK(fill("a,b,c") == NATLET_OK);
    pool.at = 2;
    natlet__servers_advance(&pool);
    CHECK_TEXT(shown(), "nats://a:4222* nats://b:4222 nats://c:4222");
    natlet__servers_advance(&pool);
    natlet__servers_drop(&pool, pool.at); /* b: the next one is c */
    CHECK_TEXT(shown(), "nats://a:4222* nats://c:4222");
    natlet__servers_advance(&pool);
    CHECK_TEXT(shown(), "nats://a:4222 nats://c:4222*");
    natlet__servers_advance(&pool);
    natlet__servers_drop(&pool, pool.at); /* a, the first: the next one is c */
    natlet__servers_advance(&pool);
    CHECK_TEXT(shown(), "nats://c:4222*");
    natlet__servers_drop(&pool, pool.at);
    CHECK(natlet__servers_now(&pool) == NULL);
    empty();
}

static void learns_from_info(void)
{
    CHECK(fill("wss://u:p@one/path,wss://two/path") == NATLET_OK);
    CHECK_INT(merge("ONE:443", "three:9"), 1);
    CHECK_TEXT(shown(), "wss://one:443/path* wss://two:443/path wss://three:9/path");
    CHECK_SLICE(natlet__server_userinfo(&pool.list[2]), "u:p");
    CHECK_INT(merge("four:1", ""), 1); /* three is gone, what was configured stays */
    CHECK_TEXT(shown(), "wss://one:443/path* wss://two:443/path wss://four:1/path");
    pool.at = 2;
    CHECK_INT(merge("five:1", ""), 1); /* four is in use */
    CHECK_TEXT(shown(), "wss://one:443/path wss://two:443/path wss://four:1/path* "
                        "wss://five:1/path");
    CHECK_INT(merge("bad name", "evil:x"), 0);
    CHECK_INT(merge("[::1]:7", ""), 1);
    CHECK_TEXT(shown(), "wss://one:443/path wss://two:443/path wss://four:1/path* "
                        "wss://[::1]:7/path");
    empty();
}

static void long_names_and_paths_do_not_add_up(void)
{
    char list[NATLET_URL_BYTES_MAX + 1];
    char name[NATLET_URL_BYTES_MAX + 1];

    memset(list, 'p', sizeof list);
    memcpy(list, "ws://h/", 7);
    list[400] = '\0';
    memset(name, 'n', sizeof name);
    name[NATLET_URL_BYTES_MAX - 394] = '\0';
    CHECK(fill(list) == NATLET_OK);
    CHECK_INT(merge(name, ""), 1);
    name[NATLET_URL_BYTES_MAX - 394] = 'n';
    name[NATLET_URL_BYTES_MAX] = '\0';
    CHECK_INT(merge(name, ""), 0);
    empty();
}

static void has_a_limit(void)
{
    char list[NATLET_SERVERS_MAX * 8];
    size_t len = 0;

    for (unsigned i = 0; i < NATLET_SERVERS_MAX; i++) {
        len += (size_t)snprintf(list + len, sizeof list - len, "%sh%u", i > 0 ? "," : "", i);
    }
    CHECK(fill(list) == NATLET_OK);
    CHECK_INT(merge("more:1", ""), 0);
    CHECK_INT(pool.count, NATLET_SERVERS_MAX);
    CHECK(natlet__servers_fill(&pool, text("other"), NULL) == NATLET_E_CONFIG);
    empty();
}

static void shuffles(void)
{
    static test_host host;
    natlet__random numbers;
    int first[3] = {0};

    test_host_init(&host, 3);
    CHECK(natlet__random_init(&numbers, &host.host) == NATLET_OK);
    CHECK(fill("a,b,c") == NATLET_OK);
    for (int i = 0; i < 300; i++) {
        natlet__servers_clear(&pool);
        CHECK(natlet__servers_fill(&pool, text("a,b,c"), &numbers) == NATLET_OK);
        CHECK_INT(pool.count, 3);
        first[natlet__server_url(&pool.list[0]).ptr[7] - 'a']++;
    }
    CHECK(first[0] > 60 && first[1] > 60 && first[2] > 60);
    empty();
    test_host_free(&host);
}

int main(void)
{
    RUN(reads_lists);
    RUN(takes_turns);
    RUN(learns_from_info);
    RUN(long_names_and_paths_do_not_add_up);
    RUN(has_a_limit);
    RUN(shuffles);
    return test_done();
}

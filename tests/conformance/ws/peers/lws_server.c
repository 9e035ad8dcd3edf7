/* A server on libwebsockets that exchanges COUNT messages with one client, which sends each
 * back, then closes with 1000.  Prints its port, and at the end how many came back right.
 *
 *     lws_server COUNT */
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 17 };

static struct {
    unsigned count, now; /* messages to exchange, and exchanged */
    bool is_pinged, is_over, is_wrong;
    size_t heard; /* bytes of the one that comes back */
    unsigned char out[LWS_PRE + LARGEST];
} state;

/* As messageOf in ../peers.mjs. */
static size_t make_message(unsigned char *out, unsigned i)
{
    size_t len = i % 97 == 96 ? 65530 + i % 20 : i * 7919u % 3000;

    for (size_t at = 0; at < len; at++) {
        out[at] = (unsigned char)(i + at * 7);
    }
    return len;
}

static int say(struct lws *wsi)
{
    unsigned char *out = state.out + LWS_PRE;

    if (state.now == state.count) {
        lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1;
    }
    if (state.now % 50 == 49 && !state.is_pinged) {
        state.is_pinged = true;
        (void)lws_callback_on_writable(wsi);
        return lws_write(wsi, out, 9, LWS_WRITE_PING) < 0 ? -1 : 0;
    }
    state.is_pinged = false;
    state.heard = 0;
    size_t len = make_message(out, state.now);
    return lws_write(wsi, out, len, LWS_WRITE_BINARY) < 0 ? -1 : 0;
}

static int hear(struct lws *wsi, const unsigned char *in, size_t len)
{
    static unsigned char want[LARGEST];
    size_t want_len = make_message(want, state.now);

    if (state.heard + len > want_len || memcmp(want + state.heard, in, len) != 0) {
        state.is_wrong = true;
        return -1;
    }
    state.heard += len;
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0) {
        return 0;
    }
    state.is_wrong = state.heard != want_len || !lws_frame_is_binary(wsi);
    state.now++;
    (void)lws_callback_on_writable(wsi);
    return state.is_wrong ? -1 : 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    (void)user;
    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
        (void)lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return say(wsi);
    case LWS_CALLBACK_RECEIVE:
        return hear(wsi, in, len);
    case LWS_CALLBACK_CLOSED:
        state.is_over = true;
        return 0;
    default:
        return 0;
    }
}

int main(int argc, char **argv)
{
    static const struct lws_protocols protocols[] = {
        {.name = "echo", .callback = on_event, .rx_buffer_size = LARGEST}, {.name = NULL}};
    struct lws_context_creation_info info = {
        .port = 0, .iface = "127.0.0.1", .protocols = protocols};

    state.count = argc == 2 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    lws_set_log_level(0, NULL);
    struct lws_context *context = lws_create_context(&info);
    if (context == NULL) {
        return EXIT_FAILURE;
    }
    printf("port %d\n", lws_get_vhost_listen_port(lws_get_vhost_by_name(context, "default")));
    (void)fflush(stdout);
    while (!state.is_over && lws_service(context, 0) >= 0) {
    }
    printf("%u right\n", state.is_wrong ? 0 : state.now);
    lws_context_destroy(context);
    return EXIT_SUCCESS;
}

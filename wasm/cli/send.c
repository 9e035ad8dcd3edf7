/* pub and request: what sends first. */
#include "wasm/cli/verbs.h"

#include <string.h>

#include "base/bytes.h"
#include "wasm/cli/message.h"
#include "wasm/cli/session.h"

/* Beyond it no server takes a message (nats-server's bound for max_payload). */
#define PAYLOAD_BYTES_MAX 67108864u

/* The payload is the second operand, or standard input if that is "-" or absent. */
static natlet_msg read_message(const cli_options *options, cli_text *input)
{
    bool is_given = options->operand_count > 2 && strcmp(options->operands[2], "-") != 0;
    natlet_msg msg = {
        .subject = natlet__text(options->operands[1]),
        .headers = natlet_headers_block(&options->headers),
    };

    if (options->reply != NULL) {
        msg.reply = natlet__text(options->reply);
    }
    if (!is_given) {
        cli_text_read(input, PAYLOAD_BYTES_MAX);
    }
    msg.payload = is_given ? natlet__text(options->operands[2]) : cli_text_slice(input);
    return msg;
}

/* What `msg` takes in the outbox, all told. */
static size_t wire_bytes(const natlet_msg *msg)
{
    return NATLET_LINE_BYTES_MAX + msg->headers.len + msg->payload.len;
}

/* ---- pub ---- */

static void end_flush(void *self, natlet_status st, uint64_t elapsed_us)
{
    (void)elapsed_us;
    cli_finish(self, st);
}

/* Publishes `count` times, at the pace of the connection, and waits until the
 * server has read all of it. */
static natlet_status publish_all(cli_session *session, const natlet_msg *msg, uint64_t count)
{
    natlet_status st = NATLET_OK;

    while (count > 0 && !session->is_closed && session->terminations == 0) {
        st = natlet_client_publish(session->client, msg);
        if (st == NATLET_E_FULL) {
            cli_turn(session);
        } else if (st < 0) {
            return st;
        } else {
            count--;
        }
    }
    if (!session->is_closed) {
        st = natlet_client_flush(session->client, session->options->timeout_ms, end_flush, session);
        if (st < 0) {
            return st;
        }
    }
    return cli_wait(session);
}

int cli_pub(const cli_options *options)
{
    cli_text input = {0};
    natlet_msg msg = read_message(options, &input);
    cli_session session = {.options = options, .outbox_bytes = wire_bytes(&msg)};
    int code = 1;

    if (cli_open(&session)) {
        natlet_status st = publish_all(&session, &msg, options->count > 0 ? options->count : 1);
        code = st < 0 ? cli_failed(&session, "cannot publish to ", msg.subject, st) : 0;
    }
    cli_close(&session);
    cli_text_free(&input);
    return code;
}

/* ---- request ---- */

typedef struct request {
    cli_session session;
    natlet_msg msg;
    uint64_t left; /* requests still to send */
    uint64_t number;
    cli_text out;
} request;

static void send_request(request *req);

static void print_reply(request *req, const natlet_msg *reply)
{
    req->number++;
    if (req->session.options->json) {
        cli_message_json(&req->out, reply);
    } else {
        cli_text_add(&req->out, reply->payload);
        cli_text_puts(&req->out, "\n");
    }
    cli_text_print(&req->out);
}

static void end_request(void *self, natlet_status st, const natlet_msg *reply)
{
    request *req = self;

    if (reply != NULL) {
        print_reply(req, reply);
    }
    if (st == NATLET_MORE) {
        return;
    }
    if (st >= 0 && req->left > 0) {
        send_request(req);
    } else {
        cli_finish(&req->session, st);
    }
}

static void send_request(request *req)
{
    const cli_options *given = req->session.options;
    const natlet_request_options options = {
        .timeout_ms = given->timeout_ms,
        .replies_max = (uint32_t)given->replies,
        .stall_ms = given->stall_ms,
    };

    req->left--;
    natlet_status st = natlet_client_request_many(req->session.client, &req->msg, &options,
                                                  end_request, req, NULL);
    if (st < 0) {
        cli_finish(&req->session, st);
    }
}

int cli_request(const cli_options *options)
{
    cli_text input = {0};
    request req = {.session = {.options = options}, .msg = read_message(options, &input)};
    int code = 1;

    req.left = options->count > 0 ? options->count : 1;
    req.session.outbox_bytes = wire_bytes(&req.msg);
    if (cli_open(&req.session)) {
        send_request(&req);
        natlet_status st = cli_wait(&req.session);
        code = st < 0 ? cli_failed(&req.session, "no reply from ", req.msg.subject, st) : 0;
    }
    cli_close(&req.session);
    cli_text_free(&req.out);
    cli_text_free(&input);
    return code;
}

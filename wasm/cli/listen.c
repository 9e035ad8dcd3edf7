/* sub and reply: what listens, comes back after a broken connection, and ends
 * in order when it is asked to. */
#include "wasm/cli/verbs.h"

#include <string.h>

#include "base/bytes.h"
#include "wasm/cli/message.h"
#include "wasm/cli/session.h"

enum { US_PER_MS = 1000 };

typedef struct listener {
    cli_session session; /* first: its alarm hands it back */
    natlet_slice subject;
    bool answers;
    natlet_slice answer; /* of `reply`, but with --echo */
    uint64_t number;     /* of the last message */
    uint64_t heard_us;   /* when it came, or when listening began */
    cli_text out;
} listener;

static void print_message(listener *l, const natlet_msg *msg)
{
    l->number++;
    if (l->session.options->json) {
        cli_message_json(&l->out, msg);
    } else if (l->session.options->raw) {
        cli_text_add(&l->out, msg->payload);
        cli_text_puts(&l->out, "\n");
    } else {
        cli_message_lines(&l->out, msg, l->number);
    }
    cli_text_print(&l->out);
}

/* A refusal other than for a full outbox is the same for every message. */
static void send_answer(listener *l, const natlet_msg *msg)
{
    const cli_options *options = l->session.options;
    natlet_msg answer = {
        .subject = msg->reply,
        .headers = natlet_headers_block(&options->headers),
        .payload = options->echo ? msg->payload : l->answer,
    };
    natlet_status st = natlet_client_publish(l->session.client, &answer);

    if (st < 0 && st != NATLET_E_DRAINING) {
        cli_text line = cli_notice("one answer was not sent: ");
        cli_text_puts(&line, natlet_status_text(st));
        cli_notice_end(&line);
    }
}

static void take_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    listener *l = self;

    (void)sid;
    l->heard_us = natlet_runtime_now_us(l->session.rt);
    print_message(l, msg);
    if (l->answers && msg->reply.len > 0) {
        send_answer(l, msg);
    }
}

/* When the connection is closed for good, an event follows that says why. */
static void end_subscription(void *self, uint32_t sid, natlet_status why)
{
    listener *l = self;

    (void)sid;
    if (!l->session.is_leaving && why != NATLET_E_CLOSED) {
        cli_finish(&l->session, why);
    }
}

/* ---- --wait ---- */

static uint64_t end_silence(cli_session *session, uint64_t now_us)
{
    const listener *l = (const listener *)session; /* its first member */
    uint64_t due_us = l->heard_us + (uint64_t)session->options->wait_ms * US_PER_MS;

    if (now_us < due_us) {
        return due_us;
    }
    cli_finish(session, NATLET_OK);
    return UINT64_MAX;
}

static void await_silence(listener *l)
{
    if (l->session.options->wait_ms != 0) {
        l->heard_us = natlet_runtime_now_us(l->session.rt);
        l->session.alarm = end_silence;
        l->session.alarm_us = l->heard_us;
    }
}

/* The server has read the subscription: from here on nothing is missed. */
static void note_subscribed(void *self, natlet_status st, uint64_t elapsed_us)
{
    listener *l = self;

    (void)elapsed_us;
    if (st >= 0 && !l->session.is_finished) { /* a refusal came first */
        cli_text line = cli_notice("listening on ");
        cli_text_add(&line, l->subject);
        cli_notice_end(&line);
        await_silence(l);
    }
}

static void end_drain(void *self, natlet_status st, uint64_t elapsed_us)
{
    (void)st;
    (void)elapsed_us;
    cli_finish(self, NATLET_OK);
}

/* What is on its way is still shown and answered.  A second termination does not
 * wait for it. */
static void leave(listener *l)
{
    cli_session *session = &l->session;

    session->is_leaving = true;
    session->alarm = NULL;
    uint32_t drain_ms = session->options->drain_ms;
    if (drain_ms == 0) {
        drain_ms = session->options->timeout_ms;
    }
    if (natlet_client_drain(session->client, drain_ms, end_drain, session) >= 0) {
        (void)cli_wait(session);
    }
}

static natlet_status listen_to_end(listener *l)
{
    const cli_options *options = l->session.options;
    natlet_subscribe_options how = {.max = options->count};
    natlet_sink sink = {.self = l, .message = take_message, .ended = end_subscription};
    uint32_t sid;

    if (options->queue != NULL) {
        how.queue = natlet__text(options->queue);
    }
    natlet_status st = natlet_client_subscribe(l->session.client, &sid, l->subject, &how, &sink);
    if (st >= 0) {
        st = natlet_client_flush(l->session.client, options->timeout_ms, note_subscribed, l);
    }
    return st < 0 ? st : cli_wait(&l->session);
}

static int run_listener(listener *l)
{
    int code = 1;

    l->session.comes_back = true;
    if (cli_open(&l->session)) {
        natlet_status st = listen_to_end(l);
        if (st < 0 && st != NATLET_E_CANCELLED) {
            code = cli_failed(&l->session, "cannot listen on ", l->subject, st);
        } else {
            leave(l);
            code = 0;
        }
    }
    cli_close(&l->session);
    cli_text_free(&l->out);
    return code;
}

int cli_sub(const cli_options *options)
{
    listener l = {.session = {.options = options}, .subject = natlet__text(options->operands[1])};

    return run_listener(&l);
}

int cli_reply(const cli_options *options)
{
    listener l = {
        .session = {.options = options},
        .subject = natlet__text(options->operands[1]),
        .answers = true,
    };

    if (options->operand_count > 2) {
        l.answer = natlet__text(options->operands[2]);
    }
    return run_listener(&l);
}

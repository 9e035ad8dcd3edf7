/* The floor of the benchmark: what server and kernel leave to a client that does
 * next to nothing.
 *
 *     raw publish|receive ws|tcp PORT SUBJECT BYTES
 *
 * It sends prebuilt operations in blocks, over WebSocket as one frame a block,
 * masked on the fly, and of what it receives it reads the sizes only.  It trusts
 * its server and nothing else is it fit for.  The conversation on standard input
 * and output is natlet_bench's. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A block fits a frame with a length of 16 bits. */
enum { BLOCK_BYTES = 65535, READ_BYTES = 262144, HEAD_MAX = 14, LINE_MAX = 32 };

static int sock;
static bool is_ws;
static uint8_t in[READ_BYTES];
static size_t in_len, in_at; /* filled, and read so far */
static uint64_t frame_left;  /* of the WebSocket frame being read */

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

/* ---- bytes out ---- */

static void send_all(const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(sock, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            fail("send");
        }
        bytes += sent;
        len -= (size_t)sent;
    }
}

/* A client's frame (RFC 6455, 5.2); the mask differs from frame to frame, which
 * is all that a measurement needs of it. */
static void send_frame(const uint8_t *bytes, size_t len)
{
    static uint8_t out[HEAD_MAX + BLOCK_BYTES];
    static uint64_t mask = 0x9e3779b97f4a7c15u;
    size_t at = 2;

    out[0] = 0x82;
    if (len < 126) {
        out[1] = (uint8_t)(0x80 | len);
    } else {
        out[1] = 0x80 | 126;
        out[2] = (uint8_t)(len >> 8);
        out[3] = (uint8_t)len;
        at = 4;
    }
    mask = mask * 6364136223846793005u + 1442695040888963407u;
    uint64_t key = mask >> 32;
    key |= key << 32;
    memcpy(out + at, &key, 4);
    at += 4;
    size_t i = 0;
    for (; i + sizeof key <= len; i += sizeof key) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        word ^= key;
        memcpy(out + at + i, &word, sizeof word);
    }
    for (; i < len; i++) {
        out[at + i] = bytes[i] ^ out[at - 4 + i % 4];
    }
    send_all(out, at + len);
}

static void send_block(const uint8_t *bytes, size_t len)
{
    if (is_ws) {
        send_frame(bytes, len);
    } else {
        send_all(bytes, len);
    }
}

static void send_text(const char *text)
{
    send_block((const uint8_t *)text, strlen(text));
}

/* ---- bytes in ---- */

static void fill(void)
{
    memmove(in, in + in_at, in_len - in_at);
    in_len -= in_at;
    in_at = 0;
    ssize_t got = recv(sock, in + in_len, sizeof in - in_len, 0);
    if (got <= 0) {
        fail("recv");
    }
    in_len += (size_t)got;
}

static void need(size_t bytes)
{
    while (in_len - in_at < bytes) {
        fill();
    }
}

/* At the end of a frame the head of the next one is cut out, so that what is left
 * is protocol; a server's head is 2, 4 or 10 bytes. */
static void next_frame(void)
{
    need(2);
    size_t len = in[in_at + 1];
    size_t head = len < 126 ? 2 : len == 126 ? 4 : 10;
    need(head);
    if (head > 2) {
        len = 0;
        for (size_t i = 2; i < head; i++) {
            len = len << 8 | in[in_at + i];
        }
    }
    in_at += head;
    frame_left = len;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void skip(size_t bytes)
{
    while (bytes > 0) {
        if (is_ws && frame_left == 0) {
            next_frame();
        }
        need(1);
        size_t step = min_size(bytes, in_len - in_at);
        step = is_ws ? min_size(step, frame_left) : step;
        in_at += step;
        frame_left -= is_ws ? step : 0;
        bytes -= step;
    }
}

/* The next control line without its end, in `line`. */
static size_t read_line(char *line, size_t cap)
{
    size_t len = 0;

    do {
        if (is_ws && frame_left == 0) {
            next_frame();
        }
        need(1);
        line[len++ % cap] = (char)in[in_at];
        in_at++;
        frame_left -= is_ws ? 1 : 0;
    } while (line[(len - 1) % cap] != '\n');
    return len;
}

/* The way for the one operation that counts: a line that lies whole in buffer and
 * frame is read where it is. */
static bool read_message_fast(void)
{
    size_t room = is_ws ? min_size(in_len - in_at, frame_left) : in_len - in_at;
    const uint8_t *start = in + in_at;
    const uint8_t *lf = room > 0 ? memchr(start, '\n', room) : NULL;

    if (lf == NULL || start[0] != 'M') {
        return false;
    }
    size_t size = 0;
    size_t scale = 1;
    for (const uint8_t *c = lf - 2; *c != ' '; c--, scale *= 10) {
        size += (size_t)(*c - '0') * scale;
    }
    skip((size_t)(lf - start) + 1 + size + 2);
    return true;
}

static bool read_message(void)
{
    char line[4096];

    if (read_message_fast()) {
        return true;
    }
    size_t len = read_line(line, sizeof line);
    if (line[0] == 'M') {
        line[len] = '\0';
        skip(strtoul(strrchr(line, ' '), NULL, 10) + 2);
        return true;
    }
    if (line[0] == 'P' && line[1] == 'I') {
        send_text("PONG\r\n");
    }
    return false;
}

static void wait_for(const char *start)
{
    char line[4096];

    do {
        (void)read_line(line, sizeof line);
    } while (memcmp(line, start, strlen(start)) != 0);
}

/* ---- the conversation ---- */

static void upgrade(void)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    char line[4096];

    send_all((const uint8_t *)request, sizeof request - 1);
    while (read_line(line, sizeof line) > 2) {
    }
}

static void connect_to(uint16_t port, bool wants_ws)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sock = socket(AF_INET, SOCK_STREAM, 0);
    if (sock < 0 || connect(sock, (const struct sockaddr *)&address, sizeof address) < 0) {
        fail("connect");
    }
    (void)setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (wants_ws) {
        upgrade();
    }
    is_ws = wants_ws;
    send_text("CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n");
    wait_for("PONG");
}

static size_t build_operation(uint8_t *out, const char *subject, size_t bytes)
{
    int head = sprintf((char *)out, "PUB %s %zu\r\n", subject, bytes);

    memset(out + head, 'x', bytes);
    memcpy(out + (size_t)head + bytes, "\r\n", 2);
    return (size_t)head + bytes + 2;
}

/* Whole operations to a block, one only where it is larger than a block. */
static void publish(const uint8_t *block, size_t operation, uint64_t per_block, uint64_t count)
{
    for (; count >= per_block; count -= per_block) {
        for (size_t at = 0; at < operation * per_block; at += BLOCK_BYTES) {
            send_block(block + at, min_size(operation * per_block - at, BLOCK_BYTES));
        }
    }
    for (; count > 0; count--) {
        for (size_t at = 0; at < operation; at += BLOCK_BYTES) {
            send_block(block + at, min_size(operation - at, BLOCK_BYTES));
        }
    }
    send_text("PING\r\n");
    wait_for("PONG");
}

static void receive(uint64_t count)
{
    while (count > 0) {
        count -= read_message() ? 1 : 0;
    }
}

static void say(const char *word)
{
    printf("%s\n", word);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[LINE_MAX];
    char sub[256];

    if (argc != 6) {
        return EXIT_FAILURE;
    }
    bool receives = strcmp(argv[1], "receive") == 0;
    size_t bytes = strtoul(argv[5], NULL, 10);
    uint8_t *block = malloc(BLOCK_BYTES + 2 * (bytes + 512));
    if (block == NULL) {
        return EXIT_FAILURE;
    }
    size_t operation = build_operation(block, argv[4], bytes);
    uint64_t per_block = operation < BLOCK_BYTES ? BLOCK_BYTES / operation : 1;
    for (uint64_t i = 1; i < per_block; i++) {
        memcpy(block + i * operation, block, operation);
    }
    connect_to((uint16_t)strtoul(argv[3], NULL, 10), strcmp(argv[2], "ws") == 0);
    if (receives) {
        (void)snprintf(sub, sizeof sub, "SUB %s 1\r\nPING\r\n", argv[4]);
        send_text(sub);
        wait_for("PONG");
    }
    say("ready");
    while (fgets(line, sizeof line, stdin) != NULL) {
        uint64_t count = strtoull(line, NULL, 10);
        if (receives) {
            receive(count);
        } else {
            publish(block, operation, per_block, count);
        }
        say("done");
    }
    free(block);
    return EXIT_SUCCESS;
}

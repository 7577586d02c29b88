/* The TFTP client: one file read, block after block. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "models/app/tftp.h"

#define TIMEOUT_DEFAULT (5 * SIM_SEC)
#define REQUEST_MAX 512 /* RFC 2347 */

struct TftpClient {
    Node *node;
    UdpSock *sock;
    TftpEvents ev;
    UdpAddr server; /* port 69 until the first answer, then where that came from */
    bool is_locked, is_done;
    SimTime start, timeout;
    unsigned tries;
    uint16_t block; /* received last */
    uint32_t asked; /* block size; 0: none */
    uint32_t room;  /* of in */
    uint8_t *in;
    uint8_t last[REQUEST_MAX]; /* what is repeated after a timeout: the request or an acknowledgment */
    size_t last_len;
    Timer timer;
    TftpResult r;
};

size_t tftp_get_encode(uint8_t *p, size_t room, const TftpGetOptions *o)
{
    TftpMsg m = {.op = TFTP_RRQ, .filename = o->filename, .mode = o->mode ? o->mode : "octet"};
    char blksize[16], timeout[16];

    if (o->blksize) {
        g_snprintf(blksize, sizeof blksize, "%u", o->blksize);
        m.options[m.n_options++] = (TftpOption){"blksize", blksize};
    }
    if (o->timeout_s) {
        g_snprintf(timeout, sizeof timeout, "%u", o->timeout_s);
        m.options[m.n_options++] = (TftpOption){"timeout", timeout};
    }
    if (o->tsize)
        m.options[m.n_options++] = (TftpOption){"tsize", "0"};
    return tftp_encoded_len(&m) <= room ? tftp_encode(p, &m) : 0;
}

/* Told by the timer: not while the socket is calling us, because whoever is told may free the client. */
static void finish(TftpClient *c, bool ok)
{
    if (c->is_done)
        return;
    c->is_done = true;
    c->r.ok = ok;
    c->r.time = node_now(c->node) - c->start;
    c->r.server = c->server;
    timer_arm_after(&c->timer, 0);
}

static void send_last(TftpClient *c)
{
    udpsock_send(c->sock, &(UdpSend){.to = &c->server, .bytes = c->last, .len = (uint32_t)c->last_len});
    timer_arm_after(&c->timer, c->timeout);
}

static void on_timer(Timer *t)
{
    TftpClient *c = HS_CONTAINER_OF(t, TftpClient, timer);

    if (c->is_done) {
        if (c->ev.done)
            c->ev.done(c->ev.user, &c->r);
        return;
    }
    if (c->last_len == 0 || ++c->tries > TFTP_RETRIES) {
        finish(c, false);
        return;
    }
    c->r.retransmits++;
    send_last(c);
}

static void send_ack(TftpClient *c, uint16_t block)
{
    wire_put16(c->last, TFTP_ACK);
    wire_put16(c->last + 2, block);
    c->last_len = 4;
    send_last(c);
}

static void send_error(TftpClient *c, UdpAddr to, uint16_t code, const char *text)
{
    TftpMsg m = {.op = TFTP_ERROR, .error_code = code, .error_msg = text};
    uint8_t buf[128];

    udpsock_send(c->sock, &(UdpSend){.to = &to, .bytes = buf, .len = (uint32_t)tftp_encode(buf, &m)});
}

static void fail(TftpClient *c, uint16_t code, const char *text)
{
    c->r.error_code = code;
    g_strlcpy(c->r.error_msg, text, sizeof c->r.error_msg);
    finish(c, false);
}

/* Only before the first block, and only what was asked for: otherwise error 8 (RFC 2347). */
static bool take_options(TftpClient *c, const TftpMsg *m)
{
    uint32_t blksize = c->r.blksize;
    int64_t tsize = -1;

    for (unsigned i = 0; i < m->n_options; i++) {
        const char *name = m->options[i].name;
        guint64 v;

        if (!g_ascii_string_to_unsigned(m->options[i].value, 10, 0, INT64_MAX, &v, NULL))
            return false;
        if (!g_ascii_strcasecmp(name, "blksize")) {
            if (v < TFTP_BLKSIZE_MIN || v > c->asked)
                return false;
            blksize = (uint32_t)v;
        } else if (!g_ascii_strcasecmp(name, "tsize")) {
            tsize = (int64_t)v;
        } else if (g_ascii_strcasecmp(name, "timeout")) {
            return false;
        }
    }
    c->r.tsize = tsize;
    c->r.blksize = blksize;
    return true;
}

static void on_oack(TftpClient *c, const TftpMsg *m)
{
    if (c->r.blocks)
        return;
    if (!take_options(c, m)) {
        send_error(c, c->server, TFTP_ERR_OPTION, "Bad option");
        fail(c, TFTP_ERR_OPTION, "Bad option");
        return;
    }
    c->tries = 0;
    send_ack(c, 0);
}

static void on_data(TftpClient *c, const TftpMsg *m)
{
    if (m->block != (uint16_t)(c->block + 1)) {
        if (m->block == c->block && c->r.blocks) /* our acknowledgment was lost */
            send_ack(c, m->block);
        return;
    }
    if (m->data_len > c->r.blksize) {
        send_error(c, c->server, TFTP_ERR_ILLEGAL, "Illegal TFTP operation");
        fail(c, TFTP_ERR_ILLEGAL, "Illegal TFTP operation");
        return;
    }
    c->block = m->block;
    c->tries = 0;
    c->r.blocks++;
    c->r.bytes += m->data_len;
    if (c->ev.data)
        c->ev.data(c->ev.user, m->data, m->data_len);
    send_ack(c, m->block);
    if (m->data_len < c->r.blksize)
        finish(c, true);
}

/* RFC 1350 section 6, dallying: the last acknowledgment may be lost. Answered again as long as the client
 * exists. */
static void dally(TftpClient *c, const TftpMsg *m)
{
    if (c->r.ok && m->op == TFTP_DATA && m->block == c->block)
        udpsock_send(c->sock, &(UdpSend){.to = &c->server, .bytes = c->last, .len = (uint32_t)c->last_len});
}

static void on_message(TftpClient *c, size_t n, const UdpRecv *info)
{
    TftpMsg m;

    if (info->from.ip != c->server.ip)
        return;
    if (c->is_locked && info->from.port != c->server.port) { /* RFC 1350 section 4 */
        if (n >= 2 &&
            wire_get16(c->in) == TFTP_ERROR) /* 7: errors are not answered: two clients would never end */
            return;
        send_error(c, info->from, TFTP_ERR_UNKNOWN_TID, "Unknown transfer ID");
        return;
    }
    if (tftp_decode(&m, c->in, n) < 0)
        return;
    c->server.port = info->from.port;
    c->is_locked = true;
    if (c->is_done)
        dally(c, &m);
    else if (m.op == TFTP_DATA)
        on_data(c, &m);
    else if (m.op == TFTP_OACK)
        on_oack(c, &m);
    else if (m.op == TFTP_ERROR)
        fail(c, m.error_code, m.error_msg);
}

static void on_wake(void *user, UdpSock *sock)
{
    TftpClient *c = user;
    UdpRecv info;
    int n;

    while ((n = udpsock_recv(sock, c->in, c->room, &info)) != -EAGAIN)
        if (n >= 0)
            on_message(c, (size_t)n, &info);
}

TftpClient *tftp_get(Udp *udp, Ip4 *ip, const TftpGetOptions *o, const TftpEvents *ev)
{
    TftpClient *c = g_new0(TftpClient, 1);

    c->node = ip4_node(ip);
    if (ev)
        c->ev = *ev;
    c->server = o->server;
    if (!c->server.port)
        c->server.port = TFTP_PORT;
    c->timeout = o->timeout_s ? (SimTime)o->timeout_s * SIM_SEC : TIMEOUT_DEFAULT;
    c->start = node_now(c->node);
    c->r.tsize = -1;
    c->r.error_code = -1;
    timer_init(&c->timer, c->node, on_timer);
    c->asked = o->blksize;
    c->room = 4 + HS_MAX(o->blksize, 600); /* options and error texts have room too */
    c->in = g_malloc(c->room);
    c->r.blksize = TFTP_BLOCK_LEN;
    c->last_len = tftp_get_encode(c->last, sizeof c->last, o);
    c->sock = udpsock_new(udp);
    udpsock_on_wake(c->sock, on_wake, c);
    if (udpsock_bind(c->sock, (UdpAddr){0, o->port})) {
        tftp_client_free(c);
        return NULL;
    }
    if (c->last_len)
        send_last(c);
    else
        timer_arm_after(&c->timer, 0); /* a request too long for TFTP: done, and not ok */
    return c;
}

void tftp_client_free(TftpClient *c)
{
    if (!c)
        return;
    timer_clear(&c->timer);
    udpsock_close(c->sock);
    g_free(c->in);
    g_free(c);
}

/* The TFTP server: requests on its port, each transfer in a session with a port of its own (RFC 1350 section
 * 4). */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "models/app/tftp.h"

typedef struct File {
    char *name;
    const uint8_t *bytes; /* NULL: synthetic */
    uint64_t len;
} File;

/* One transfer, on a port of its own (RFC 1350 section 4: the transfer identifier). */
typedef struct Session {
    TftpServer *server;
    struct Session *next, **link;
    UdpSock *sock;
    const uint8_t *bytes;
    uint8_t *converted;  /* netascii: the file as it goes over the line */
    uint64_t len, acked; /* acked: bytes */
    uint64_t block;      /* sent and not yet acknowledged; 0: the OACK */
    uint32_t blksize;
    unsigned tries;
    SimTime timeout;
    uint8_t oack[128];
    size_t oack_len;
    bool is_over; /* freed by its timer: not while its socket is calling us */
    Timer timer;
} Session;

struct TftpServer {
    Udp *udp;
    Node *node;
    UdpSock *sock;
    SimTime timeout;
    GArray *files; /* of File */
    Session *sessions;
    TftpServerStats stats;
};

/* ---- transfers ---- */

static void session_free(Session *s)
{
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    timer_clear(&s->timer);
    udpsock_close(s->sock);
    g_free(s->converted);
    g_free(s);
}

static void session_end(Session *s, bool ok)
{
    if (s->is_over)
        return;
    s->is_over = true;
    if (ok)
        s->server->stats.completed++;
    else
        s->server->stats.aborted++;
    timer_arm_after(&s->timer, 0);
}

static uint32_t block_len(const Session *s)
{
    return (uint32_t)HS_MIN((uint64_t)s->blksize, s->len - s->acked);
}

/* The block under way, or the OACK; with the payload of a synthetic file written out behind the header. */
static void session_send(Session *s)
{
    uint32_t n = block_len(s);
    uint8_t *buf;

    if (s->block == 0) {
        udpsock_send(s->sock, &(UdpSend){.bytes = s->oack, .len = (uint32_t)s->oack_len});
    } else {
        buf = g_malloc(4 + n);
        wire_put16(buf, TFTP_DATA);
        wire_put16(buf + 2, (uint16_t)s->block);
        if (s->bytes)
            memcpy(buf + 4, s->bytes + s->acked, n);
        else
            payload_fill(buf + 4, s->acked, n);
        udpsock_send(s->sock, &(UdpSend){.bytes = buf, .len = 4 + n});
        g_free(buf);
    }
    timer_arm_after(&s->timer, s->timeout);
}

static void session_on_timer(Timer *t)
{
    Session *s = HS_CONTAINER_OF(t, Session, timer);

    if (s->is_over) {
        session_free(s);
    } else if (++s->tries > TFTP_RETRIES) {
        session_end(s, false);
    } else {
        s->server->stats.retransmits++;
        session_send(s);
    }
}

static void on_ack(Session *s, uint16_t block)
{
    uint32_t n;

    if (block != (uint16_t)s->block)
        return; /* an old one again: the apprentice would repeat the block now */
    s->tries = 0;
    if (s->block) {
        n = block_len(s);
        s->acked += n;
        if (n < s->blksize) { /* the short block was the last */
            session_end(s, true);
            return;
        }
    }
    s->block++;
    session_send(s);
}

static void session_on_wake(void *user, UdpSock *sock)
{
    Session *s = user;
    uint8_t buf[600];
    UdpRecv info;
    TftpMsg m;
    int n;

    while ((n = udpsock_recv(sock, buf, sizeof buf, &info)) != -EAGAIN) {
        if (s->is_over)
            continue;
        if (n < 0) { /* the client's port is closed */
            session_end(s, false);
            continue;
        }
        if (tftp_decode(&m, buf, (size_t)n) < 0)
            continue;
        if (m.op == TFTP_ACK)
            on_ack(s, m.block);
        else if (m.op == TFTP_ERROR)
            session_end(s, false);
    }
}

/* ---- requests ---- */

static void send_error(TftpServer *s, UdpSock *from, UdpAddr to, uint16_t code, const char *text)
{
    TftpMsg m = {.op = TFTP_ERROR, .error_code = code, .error_msg = text};
    uint8_t buf[128];

    s->stats.errors++;
    udpsock_send(from, &(UdpSend){.to = &to, .bytes = buf, .len = (uint32_t)tftp_encode(buf, &m)});
}

static const File *find(const TftpServer *s, const char *name)
{
    for (unsigned i = 0; i < s->files->len; i++)
        if (!strcmp(g_array_index(s->files, File, i).name, name))
            return &g_array_index(s->files, File, i);
    return NULL;
}

static bool number(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
    return g_ascii_string_to_unsigned(s, 10, min, max, out, NULL);
}

/* RFC 764's lines: LF becomes CR LF, CR becomes CR NUL. */
static void to_netascii(Session *s)
{
    GByteArray *a = g_byte_array_new();

    for (uint64_t i = 0; i < s->len; i++) {
        uint8_t c = s->bytes ? s->bytes[i] : payload_byte(i);

        if (c == '\n')
            g_byte_array_append(a, (const uint8_t *)"\r\n", 2);
        else if (c == '\r')
            g_byte_array_append(a, (const uint8_t *)"\r\0", 2);
        else
            g_byte_array_append(a, &c, 1);
    }
    s->len = a->len;
    s->bytes = s->converted = g_byte_array_free(a, FALSE);
}

/* What of the options we take; the others are left out of the answer, as if never asked (RFC 2347). */
static void negotiate(Session *s, const TftpMsg *req)
{
    TftpMsg oack = {.op = TFTP_OACK};
    char value[TFTP_MAX_OPTIONS][24];

    for (unsigned i = 0; i < req->n_options; i++) {
        const TftpOption *o = &req->options[i];
        char *text = value[oack.n_options];
        const char *name;
        uint64_t v;

        if (!g_ascii_strcasecmp(o->name, "blksize") &&
            number(o->value, TFTP_BLKSIZE_MIN, TFTP_BLKSIZE_MAX, &v)) {
            s->blksize = (uint32_t)v;
            name = "blksize";
        } else if (!g_ascii_strcasecmp(o->name, "timeout") && number(o->value, 1, 255, &v)) {
            s->timeout = (SimTime)v * SIM_SEC;
            name = "timeout";
        } else if (!g_ascii_strcasecmp(o->name, "tsize") && number(o->value, 0, UINT64_MAX, &v)) {
            v = s->len;
            name = "tsize";
        } else {
            continue;
        }
        g_snprintf(text, sizeof value[0], "%" G_GUINT64_FORMAT, v);
        oack.options[oack.n_options++] = (TftpOption){name, text};
    }
    if (oack.n_options && tftp_encoded_len(&oack) <= sizeof s->oack)
        s->oack_len = tftp_encode(s->oack, &oack);
}

static void start(TftpServer *server, const TftpMsg *req, const File *f, const UdpRecv *info)
{
    Session *s = g_new0(Session, 1);

    s->server = server;
    s->sock = udpsock_new(server->udp);
    if (udpsock_bind(s->sock, (UdpAddr){info->to.ip, 0}) || udpsock_connect(s->sock, info->from)) {
        udpsock_close(s->sock);
        g_free(s);
        return;
    }
    udpsock_on_wake(s->sock, session_on_wake, s);
    s->next = server->sessions;
    s->link = &server->sessions;
    if (s->next)
        s->next->link = &s->next;
    server->sessions = s;
    s->bytes = f->bytes;
    s->len = f->len;
    s->blksize = TFTP_BLOCK_LEN;
    s->timeout = server->timeout;
    timer_init(&s->timer, server->node, session_on_timer);
    if (!g_ascii_strcasecmp(req->mode, "netascii"))
        to_netascii(s);
    negotiate(s, req);
    s->block = s->oack_len ? 0 : 1;
    session_send(s);
}

static void on_request(TftpServer *s, const TftpMsg *m, const UdpRecv *info)
{
    const File *f;

    s->stats.requests++;
    if (m->op == TFTP_WRQ) {
        send_error(s, s->sock, info->from, TFTP_ERR_ACCESS, "Access violation");
        return;
    }
    if (g_ascii_strcasecmp(m->mode, "octet") && g_ascii_strcasecmp(m->mode, "netascii")) {
        send_error(s, s->sock, info->from, TFTP_ERR_ILLEGAL, "Illegal TFTP operation");
        return;
    }
    f = find(s, m->filename);
    if (f)
        start(s, m, f, info);
    else
        send_error(s, s->sock, info->from, TFTP_ERR_NOT_FOUND, "File not found");
}

static void on_wake(void *user, UdpSock *sock)
{
    TftpServer *s = user;
    uint8_t buf[600]; /* RFC 2347: a request fits into 512 bytes */
    UdpRecv info;
    TftpMsg m;
    int n;

    while ((n = udpsock_recv(sock, buf, sizeof buf, &info)) != -EAGAIN) {
        if (n < 0)
            continue;
        if (tftp_decode(&m, buf, (size_t)n) < 0 || (m.op != TFTP_RRQ && m.op != TFTP_WRQ)) {
            if (n >= 2 && wire_get16(buf) != TFTP_ERROR) /* errors are not answered */
                send_error(s, sock, info.from, TFTP_ERR_ILLEGAL, "Illegal TFTP operation");
            continue;
        }
        on_request(s, &m, &info);
    }
}

/* ---- life ---- */

TftpServer *tftp_server_new(Udp *udp, Ip4 *ip, uint16_t port, SimTime timeout)
{
    TftpServer *s = g_new0(TftpServer, 1);

    s->udp = udp;
    s->node = ip4_node(ip);
    s->timeout = timeout ? timeout : SIM_SEC;
    s->files = g_array_new(FALSE, FALSE, sizeof(File));
    s->sock = udpsock_new(udp);
    udpsock_on_wake(s->sock, on_wake, s);
    if (udpsock_bind(s->sock, (UdpAddr){0, port ? port : TFTP_PORT})) {
        tftp_server_free(s);
        return NULL;
    }
    return s;
}

void tftp_server_free(TftpServer *s)
{
    if (!s)
        return;
    while (s->sessions)
        session_free(s->sessions);
    udpsock_close(s->sock);
    for (unsigned i = 0; i < s->files->len; i++)
        g_free(g_array_index(s->files, File, i).name);
    g_array_free(s->files, TRUE);
    g_free(s);
}

void tftp_server_add_file(TftpServer *s, const char *name, const void *bytes, uint64_t len)
{
    File f = {g_strdup(name), bytes, len};

    g_array_append_val(s->files, f);
}

void tftp_server_stats(const TftpServer *s, TftpServerStats *out)
{
    *out = s->stats;
}

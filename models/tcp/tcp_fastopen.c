/* Fast Open, the server's part (RFC 7413 4.2; Linux net/ipv4/tcp_fastopen.c): cookies, the child that a SYN
 * with data makes, and the limit of connections that have not completed their handshake (5.1). */
#include <errno.h>
#include <string.h>

#include "models/ip/route_metrics.h"
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_ip.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_timer.h"

#define COOKIE_LEN 8
#define RST_PENALTY (60 * SIM_SEC)

/* ---- cookies ---- */

static uint64_t get64le(const uint8_t *p)
{
    uint64_t v = 0;

    for (unsigned i = 8; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

/* SipHash over client and server address, as fastopen_cookie_gen does (IPv4: 8 bytes, IPv6: 32). */
void tcp_fastopen_make_cookie(Tcp *t, const uint8_t key[16], const InetAddr *client, const InetAddr *server,
                              bool is_v6, uint8_t out[8])
{
    SipKey k = {get64le(key), get64le(key + 8)};
    uint8_t path[32];
    uint64_t h;
    size_t n = 0;

    for (unsigned i = is_v6 ? 0 : 3; i < 4; i++, n += 4)
        wire_put32(path + n, client->w[i]);
    for (unsigned i = is_v6 ? 0 : 3; i < 4; i++, n += 4)
        wire_put32(path + n, server->w[i]);
    h = siphash(&k, path, n);
    for (unsigned i = 0; i < COOKIE_LEN; i++)
        out[i] = (uint8_t)(h >> (8 * i));
}

/* tcp_fastopen_init_key_once */
static void init_keys_once(Tcp *t)
{
    TcpSysctl *own;

    if (t->sysctl->n_fastopen_keys)
        return;
    own = tcp_sysctl(t);
    for (unsigned i = 0; i < 16; i += 8) {
        uint64_t v = node_draw(t->node, TCP_STREAM);

        memcpy(own->tcp_fastopen_key[0] + i, &v, 8);
    }
    own->n_fastopen_keys = 1;
}

/* The listener's own keys, else the host's; the first is primary, the second one is still accepted. */
static const uint8_t *keys_of(const TcpConn *listener, unsigned i)
{
    Tcp *t = listener->tcp;
    const TcpListen *l = listener->listen;

    if (l && l->n_fastopen_keys)
        return i < l->n_fastopen_keys ? l->fastopen_key[i] : NULL;
    init_keys_once(t);
    return i < t->sysctl->n_fastopen_keys ? t->sysctl->tcp_fastopen_key[i] : NULL;
}

int tcp_fastopen_set_key(TcpConn *c, const uint8_t *key, unsigned len)
{
    TcpListen *l;

    if (len != 16 && len != 32)
        return -EINVAL;
    l = tcp_listen_get(c);
    l->n_fastopen_keys = (uint8_t)(len / 16);
    memcpy(l->fastopen_key, key, len);
    return 0;
}

void tcp_fastopen_cookie_of(const TcpIn *in, TcpFastopenCookie *out)
{
    const TcpOptions *o = &in->opt;

    *out = (TcpFastopenCookie){.len = TCP_FASTOPEN_NONE};
    if (!in->has_opts || !o->has_fastopen || o->fastopen_cookie_len & 1)
        return;
    out->exp = o->is_fastopen_experimental;
    if (o->fastopen_cookie_len == 0 || o->fastopen_cookie_len >= 4) {
        out->len = o->fastopen_cookie_len;
        memcpy(out->val, o->fastopen_cookie, out->len);
    }
}

static void make_cookie(const TcpReq *r, const uint8_t *key, TcpFastopenCookie *out)
{
    tcp_fastopen_make_cookie(r->tcp, key, &r->remote, &r->local, r->is_v6, out->val);
    out->len = COOKIE_LEN;
}

/* tcp_fastopen_cookie_gen_check: which key made it, 1 or 2; 0: none of ours. *valid is the primary key's. */
static int check_cookie(const TcpConn *listener, const TcpReq *r, const TcpFastopenCookie *got,
                        TcpFastopenCookie *valid)
{
    const uint8_t *key;

    make_cookie(r, keys_of(listener, 0), valid);
    for (unsigned i = 0; i < 2 && (key = keys_of(listener, i)); i++) {
        TcpFastopenCookie c;

        make_cookie(r, key, &c);
        if (got->len == COOKIE_LEN && memcmp(got->val, c.val, COOKIE_LEN) == 0)
            return (int)i + 1;
    }
    return 0;
}

/* ---- the limit ---- */

/* tcp_fastopen_queue_check. A child that was reset counts for a minute more, so that resets with forged
 * addresses do not make room for themselves. */
bool tcp_fastopen_has_space(TcpConn *listener)
{
    TcpListen *l = listener->listen;
    TcpReq *oldest;

    if (!l->fastopen_max_qlen)
        return false;
    if (l->fastopen_qlen < l->fastopen_max_qlen)
        return true;
    oldest = l->rst_head;
    if (!oldest || oldest->rst_until > node_now(listener->tcp->node)) {
        TCP_INC(listener->tcp, TcpExtTCPFastOpenListenOverflow);
        return false;
    }
    l->rst_head = oldest->next;
    if (!l->rst_head)
        l->rst_tail = NULL;
    l->fastopen_qlen--;
    tcp_req_free(oldest);
    return true;
}

static void tfo_list_remove(TcpListen *l, TcpReq *r)
{
    for (TcpReq **p = &l->tfo_head; *p; p = &(*p)->next)
        if (*p == r) {
            *p = r->next;
            r->next = NULL;
            return;
        }
}

/* reqsk_fastopen_remove: the child's handshake is over (or the child is). */
void tcp_fastopen_remove_child(TcpConn *listener, TcpReq *r, bool reset)
{
    TcpConn *child = r->child;
    bool was_accepted = child && !child->parent;
    TcpListen *l = listener ? listener->listen : NULL;

    if (child)
        child->fastopen_req = NULL;
    r->child = NULL;
    r->tfo_listener = 0;
    if (l) {
        tfo_list_remove(l, r);
        if (l->fastopen_qlen)
            l->fastopen_qlen--;
    }
    if (!l || !was_accepted || !reset || listener->state != TCP_LISTEN) {
        tcp_req_free(r);
        return;
    }
    r->rst_until = node_now(r->tcp->node) + RST_PENALTY;
    r->next = NULL;
    if (l->rst_tail)
        l->rst_tail->next = r;
    else
        l->rst_head = r;
    l->rst_tail = r;
    l->fastopen_qlen++;
}

/* ---- the child ---- */

void tcp_fastopen_add_skb(TcpConn *c, TcpIn *in)
{
    TcpIn data = *in;

    if (in->end_seq == c->rcv_nxt)
        return;
    /* Counted once, here: tcp_create_openreq_child has counted the SYN, tcp_rcv_synsent_state_process its
     * answer. */
    c->stats.segs_in = in->gso_segs;
    if (in->len) /* not reset in Linux: a SYN-ACK's data counts twice */
        c->stats.data_segs_in += in->gso_segs;
    data.pkt = in->pkt ? packet_ref(in->pkt) : NULL;
    data.seq++;
    data.flags &= (uint16_t)~TCP_SYN;
    tcp_rcvq_append(c, &data);
    packet_unref(data.pkt);
    c->rcv_nxt = in->end_seq;
    c->sflags |= TCP_S_SYN_DATA_ACKED;
    c->stats.bytes_received = in->len;
    if (in->flags & TCP_FIN)
        tcp_rcvq_fin(c);
}

static TcpConn *create_child(TcpConn *listener, TcpIn *in, TcpReq *r)
{
    TcpConn *child = tcp_req_make_child(listener, r, in);
    TcpListen *l = listener->listen;

    if (!child)
        return NULL;
    tcp_conn_hold(child);
    l->fastopen_qlen++;
    child->fastopen_req = r;
    child->sflags |= TCP_S_TFO_CHILD;
    child->parent = listener;
    r->child = child;
    r->tfo_listener = 1;
    r->next = l->tfo_head;
    l->tfo_head = r;
    /* RFC 7323 2.2: the window of a SYN is never scaled. */
    child->snd_wnd = child->max_window = in->window;
    /* The request is in no table and has no timer: the child retransmits the SYN-ACK. */
    r->timeout_ms = TCP_TIMEOUT_INIT_MS;
    tcp_timer_arm_rtx(child, TCP_TIMER_RETRANS, (SimTime)r->timeout_ms * TCP_JIFFY_NS);
    tcp_ack_init_buffer_and_metrics(child, 0);
    child->rcv_nxt = in->seq + 1;
    tcp_fastopen_add_skb(child, in);
    r->rcv_nxt = child->rcv_nxt;
    child->win.rcv_wup = child->rcv_nxt;
    return child;
}

/* tcp_fastopen_no_cookie: the host, the socket or the route trusts the peer's address without one. */
static bool needs_no_cookie(const TcpConn *listener, const TcpReq *r)
{
    TcpPath path;

    if (listener->tcp->sysctl->tcp_fastopen & TCP_FASTOPEN_SERVER_NO_COOKIE ||
        listener->sflags & TCP_S_FASTOPEN_NO_COOKIE)
        return true;
    return tcp_ip_path(listener->tcp, &r->local, &r->remote, &path) &&
           route_metrics_get(path.metrics, ROUTE_FASTOPEN_NO_COOKIE);
}

TcpConn *tcp_fastopen_try(TcpConn *listener, TcpIn *in, TcpReq *r, TcpFastopenCookie *foc)
{
    Tcp *t = listener->tcp;
    uint32_t tfo = t->sysctl->tcp_fastopen;
    TcpFastopenCookie valid = {.len = TCP_FASTOPEN_NONE};
    bool has_data = in->end_seq != in->seq + 1, asks = foc->len != TCP_FASTOPEN_NONE;
    TcpConn *child;
    int key = 0;

    if (foc->len == 0)
        TCP_INC(t, TcpExtTCPFastOpenCookieReqd);
    if (!(tfo & TCP_FASTOPEN_SERVER) || !(has_data || asks) || !tcp_fastopen_has_space(listener)) {
        foc->len = TCP_FASTOPEN_NONE;
        return NULL;
    }
    if (needs_no_cookie(listener, r)) {
        key = 1;
    } else if (foc->len == 0) {
        make_cookie(r, keys_of(listener, 0), &valid);
    } else if (asks) {
        key = check_cookie(listener, r, foc, &valid);
        if (!key)
            TCP_INC(t, TcpExtTCPFastOpenPassiveFail);
    }
    if (key) {
        child = create_child(listener, in, r);
        if (child) {
            if (key == 2) { /* made with the backup key: the peer gets a new one */
                valid.exp = foc->exp;
                *foc = valid;
                TCP_INC(t, TcpExtTCPFastOpenPassiveAltKey);
            } else {
                foc->len = TCP_FASTOPEN_NONE;
            }
            TCP_INC(t, TcpExtTCPFastOpenPassive);
            return child;
        }
        TCP_INC(t, TcpExtTCPFastOpenPassiveFail);
    }
    valid.exp = foc->exp;
    *foc = valid;
    return NULL;
}

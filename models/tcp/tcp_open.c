/* bind, listen, accept, connect (Linux __inet_bind, inet_listen, inet_csk_accept, inet_stream_connect with
 * tcp_v4_connect and tcp_v6_connect). */
#include <errno.h>

#include "models/ip/ip4.h"
#include "models/ip/ip6.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_sockopt.h"

static bool is_v6(const TcpConn *c)
{
    return c->sflags & TCP_S_V6;
}

static bool is_multicast(const InetAddr *a)
{
    if (inet_is_ip4(a))
        return ipv4_addr_is_multicast(inet_ip4(a)) || inet_ip4(a) == IPV4_BROADCAST;
    return a->w[0] >> 24 == 0xff;
}

/* ---- bind ---- */

/* The address of an AF_INET socket is always an IPv4 one; :: of an AF_INET6 socket covers both. */
static int check_family(const TcpConn *c, const InetEndpoint *a)
{
    if (a->is_v6 == is_v6(c))
        return 0;
    return is_v6(c) ? -EINVAL /* sockaddr_in is too short */ : -EAFNOSUPPORT;
}

int tcp_bind(TcpConn *c, const InetEndpoint *a)
{
    InetAddr none = is_v6(c) ? (InetAddr){{0}} : inet_from_ip4(0);
    const uint32_t before = c->sflags;
    int err = check_family(c, a);

    if (err)
        return err;
    if (is_v6(c) && inet_is_ip4(&a->addr) && c->sflags & TCP_S_V6ONLY)
        return -EINVAL;
    if (is_v6(c) && !inet_is_ip4(&a->addr) && is_multicast(&a->addr))
        return -EINVAL;
    if (!inet_is_any(&a->addr) && !(c->sflags & TCP_S_FREEBIND) && !tcp_ip_may_bind(c->tcp, &a->addr))
        return -EADDRNOTAVAIL;
    if (c->state != TCP_CLOSE || tcp_table_port(c))
        return -EINVAL;
    c->local = a->addr;
    /* Both locks are taken before the port is, as SO_REUSEADDR's rules look at them. */
    if (!inet_is_any(&a->addr))
        c->sflags |= TCP_S_BIND_ADDR;
    if (a->port)
        c->sflags |= TCP_S_BIND_PORT;
    if (is_v6(c) && !inet_is_any(&a->addr) && !inet_is_ip4(&a->addr)) /* __inet6_bind */
        c->sflags |= TCP_S_V6ONLY;
    err = tcp_table_bind(c, a->port);
    if (err) {
        c->sflags = before;
        c->local = none;
        return -EADDRINUSE;
    }
    c->remote = none;
    c->remote_port = 0;
    return 0;
}

/* ---- listen ---- */

/* tcp_fastopen says: listeners take Fast Open without having asked for it. */
static void tune_fastopen(TcpConn *c, int backlog)
{
    uint32_t tfo = c->tcp->sysctl->tcp_fastopen;

    if (!(tfo & TCP_FASTOPEN_WITHOUT_OPTION) || !(tfo & TCP_FASTOPEN_SERVER) || c->listen->fastopen_max_qlen)
        return;
    c->listen->fastopen_max_qlen = HS_MIN((uint32_t)backlog, c->tcp->sysctl->somaxconn);
}

int tcp_listen(TcpConn *c, int backlog)
{
    uint32_t limit = c->tcp->sysctl->somaxconn;
    int err;

    if ((unsigned)backlog > limit)
        backlog = (int)limit;
    if (c->sock_state != TCP_SS_UNCONNECTED || (c->state != TCP_CLOSE && c->state != TCP_LISTEN))
        return -EINVAL;
    tcp_mstamp_refresh(c);
    tcp_listen_get(c)->max_ack_backlog = (uint32_t)backlog;
    if (c->state == TCP_LISTEN)
        return 0;
    tune_fastopen(c, backlog);
    /* The port may have been taken by a second socket with SO_REUSEADDR meanwhile: asked again. */
    tcp_set_state(c, TCP_LISTEN);
    err = tcp_table_bind(c, tcp_table_port(c));
    if (err) {
        tcp_set_state(c, TCP_CLOSE);
        return -EADDRINUSE;
    }
    tcp_listen_start(c, backlog);
    return 0;
}

TcpConn *tcp_accept(TcpConn *c, int *err)
{
    TcpConn *child;

    if (c->state != TCP_LISTEN) {
        *err = -EINVAL;
        return NULL;
    }
    child = tcp_listen_accept(c);
    *err = child ? 0 : -EAGAIN;
    if (child)
        child->sock_state = TCP_SS_CONNECTED;
    return child;
}

/* ---- connect ---- */

/* Where to: mapped addresses mean IPv4, and the unspecified address this host. */
static int set_destination(TcpConn *c, const InetEndpoint *to)
{
    InetAddr a = to->addr;
    bool wire_v6;

    if (is_v6(c) && inet_is_any(&a))
        a = inet_is_ip4(&a) || inet_is_ip4(&c->local) ? inet_from_ip4(0x7f000001) : (InetAddr){{0, 0, 0, 1}};
    wire_v6 = !inet_is_ip4(&a);
    if (is_v6(c) && !wire_v6 && c->sflags & TCP_S_V6ONLY)
        return -ENETUNREACH;
    if (is_multicast(&a))
        return -ENETUNREACH;
    if (!wire_v6 && inet_is_any(&a)) { /* RFC 1122 3.2.1.3: as source only; Linux takes it for this host */
        if (ip4_sysctl_get(c->tcp->ip4)->connect_zero_is_error)
            return -EINVAL;
        a = inet_is_any(&c->local) ? inet_from_ip4(0x7f000001) : c->local;
    }
    if (c->ts.ts_recent_stamp && !inet_eq(&c->remote, &a)) { /* another peer: what we know of time is void */
        c->ts.ts_recent = 0;
        c->ts.ts_recent_stamp = 0;
        c->write_seq = 0;
    }
    c->remote = a;
    c->remote_port = to->port;
    if (wire_v6)
        c->sflags |= TCP_S_WIRE_V6;
    else
        c->sflags &= ~(uint32_t)TCP_S_WIRE_V6;
    return 0;
}

static void forget_destination(TcpConn *c)
{
    c->remote = is_v6(c) ? (InetAddr){{0}} : inet_from_ip4(0);
    c->remote_port = 0;
    if (!(c->sflags & TCP_S_BIND_ADDR))
        c->local = c->remote;
}

/* Linux tcp_v4_connect from the route on. */
static int start_connect(TcpConn *c, const InetEndpoint *to)
{
    int err = set_destination(c, to);

    if (err)
        return err;
    err = tcp_ip_route(c);
    if (err) {
        forget_destination(c);
        return err;
    }
    /* until the peer tells its own; what every IPv6 link carries is more than IPv4's 536 (tcp_v6_connect) */
    c->mss_clamp =
        c->sflags & TCP_S_WIRE_V6 ? IPV6_MIN_MTU - IPV6_HDR_LEN - TCP_MIN_HDR_LEN : TCP_MSS_DEFAULT;
    tcp_set_state(c, TCP_SYN_SENT);
    err = tcp_table_connect_port(c);
    if (!err) {
        if (!c->write_seq)
            c->write_seq = tcp_isn(c->tcp, &c->local, &c->remote, c->local_port, c->remote_port,
                                   c->sflags & TCP_S_WIRE_V6);
        c->ts.tsoffset = tcp_isn_ts_offset(c->tcp, &c->local, &c->remote, c->sflags & TCP_S_WIRE_V6);
        if (tcp_fastopen_defer_connect(c, &err))
            return err;
    }
    if (!err)
        err = tcp_output_connect(c);
    if (err) {
        tcp_set_state(c, TCP_CLOSE);
        forget_destination(c);
    }
    return err;
}

static int connect_failed(TcpConn *c)
{
    int err = tcp_take_error(c);

    c->sock_state = TCP_SS_UNCONNECTED;
    if (tcp_disconnect(c))
        c->sock_state = TCP_SS_DISCONNECTING;
    return err ? -err : -ECONNABORTED;
}

/* Linux __inet_stream_connect; is_sendmsg: from MSG_FASTOPEN, which speaks of a deferred connect differently.
 */
int tcp_connect_from(TcpConn *c, const InetEndpoint *to, bool is_sendmsg)
{
    int err;

    switch (c->sock_state) {
    case TCP_SS_CONNECTED:
        return -EISCONN;
    case TCP_SS_CONNECTING:
        if (c->sflags & TCP_S_DEFER_CONNECT)
            err = is_sendmsg ? -EINPROGRESS : -EISCONN;
        else
            err = -EALREADY;
        break;
    case TCP_SS_UNCONNECTED:
        if (c->state != TCP_CLOSE)
            return -EISCONN;
        err = check_family(c, to);
        if (err)
            return err;
        tcp_mstamp_refresh(c);
        tcp_conn_hold(c);
        err = start_connect(c, to);
        tcp_conn_let(c);
        if (err)
            return err;
        c->sock_state = TCP_SS_CONNECTING;
        if (c->sflags & TCP_S_DEFER_CONNECT)
            return 0;
        err = -EINPROGRESS;
        break;
    default:
        return -EINVAL;
    }
    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV)
        return err;
    if (c->state == TCP_CLOSE)
        return connect_failed(c);
    c->sock_state = TCP_SS_CONNECTED;
    return 0;
}

int tcp_connect(TcpConn *c, const InetEndpoint *to)
{
    return tcp_connect_from(c, to, false);
}

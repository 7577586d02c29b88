/* Which connection the script's packets belong to: only one at a time, and it changes with socket(), with the
 * first packet that comes to a listener, and with accept() (section 8 of the language). */
#include "models/wire/ipv4.h"
#include "packetdrill/pd_run_priv.h"

#define SOCK_TYPE_MASK 0xf
#define SOCK_STREAM 1
#define SOCK_DGRAM 2

PdConn *pd_conn_new(PdRun *r, int domain, int type, int protocol)
{
    PdConn *c = g_new0(PdConn, 1);

    c->script_fd = c->live_fd = -1;
    c->domain = domain;
    c->type = type & SOCK_TYPE_MASK;
    c->protocol = protocol;
    c->tuple.src = r->host.local;
    c->tuple.dst = r->host.remote;
    pd_map_init(&c->map);
    g_ptr_array_add(r->conns, c);
    r->conn = c;
    return c;
}

void pd_conn_free(void *conn)
{
    PdConn *c = conn;

    pd_map_clear(&c->map);
    g_free(c);
}

PdConn *pd_conn_by_fd(PdRun *r, int script_fd)
{
    /* The newest: labels are used again after close. */
    for (guint i = r->conns->len; i > 0; i--) {
        PdConn *c = r->conns->pdata[i - 1];

        if (c->script_fd == script_fd && !c->closed)
            return c;
    }
    return NULL;
}

void pd_conn_disconnect(PdConn *c)
{
    bool resets = c->type == SOCK_STREAM && (c->state == PD_CONN_ACTIVE || c->state == PD_CONN_PASSIVE);

    c->state = PD_CONN_FRESH;
    c->is_disconnected = resets;
    if (!resets)
        pd_conn_leave(c);
}

void pd_conn_leave(PdConn *c)
{
    c->is_disconnected = false;
    c->tuple.src_port = c->tuple.dst_port = 0;
    c->has_remote_isn = false;
    pd_map_clear(&c->map);
    pd_map_init(&c->map);
}

static void new_child(PdRun *r, uint16_t local_port)
{
    PdConn *listener = r->conn;
    PdConn *c = pd_conn_new(r, listener ? listener->domain : 0, listener ? listener->type : 0,
                            listener ? listener->protocol : 0);

    c->state = PD_CONN_PASSIVE;
    c->tuple.src_port = local_port;
    c->tuple.dst_port = r->next_port++;
}

PdConn *pd_conn_by_ports(PdRun *r, uint16_t local_port, uint16_t remote_port)
{
    PdConn *before = r->conn, *c = NULL;

    for (guint i = r->conns->len; i > 0 && !c; i--) {
        PdConn *x = r->conns->pdata[i - 1];

        if (x->type == SOCK_DGRAM || x->tuple.dst_port != remote_port)
            continue;
        /* An active open whose port the stack chooses takes the first that comes. */
        if (x->tuple.src_port == local_port || (x->state == PD_CONN_CONNECTING && !x->tuple.src_port))
            c = x;
    }
    if (!c) {
        c = pd_conn_new(r, before ? before->domain : 0, SOCK_STREAM, 0);
        c->state = PD_CONN_PASSIVE;
        c->tuple.dst_port = remote_port;
    } else if (c->state == PD_CONN_CONNECTING) {
        c->state = PD_CONN_ACTIVE;
    }
    c->tuple.src_port = local_port;
    r->conn = before;
    return c;
}

bool pd_conn_on_inbound(PdRun *r, const PdPacket *p, char **why)
{
    PdConn *c = r->conn;

    if (r->config->many_connections && p->has_ports && p->proto == PD_TCP)
        r->conn = c = pd_conn_by_ports(r, p->dst_port, p->src_port);

    if (p->proto == PD_ICMP && c)
        return true;
    if (!c) {
        new_child(r, r->host.bind_port);
    } else if (c->state == PD_CONN_LISTENING) {
        new_child(r, c->bound_port ? c->bound_port : r->host.bind_port);
    } else if (c->type == SOCK_DGRAM && c->state == PD_CONN_FRESH) {
        /* A datagram socket listens as soon as it is bound, and goes on being the one under test. */
        c->state = PD_CONN_PASSIVE;
        c->tuple.src_port = c->bound_port ? c->bound_port : r->host.bind_port;
        c->tuple.dst_port = r->next_port++;
    } else if (c->state == PD_CONN_FRESH) {
        /* Nobody listens: a packet to a closed port, as if there were no socket. */
        new_child(r, r->host.bind_port);
    } else if (c->state == PD_CONN_CONNECTING) {
        *why = g_strdup(
            "the socket under test connects, but the script has not expected its first packet yet: its port "
            "is not known");
        return false;
    }
    c = r->conn;
    if (p->proto != PD_TCP)
        return true;
    if (!c->has_remote_isn && c->state == PD_CONN_PASSIVE &&
        (!r->config->many_connections || p->tcp.flags & TCP_SYN)) {
        c->has_remote_isn = true;
        pd_map_learn_remote(&c->map, p->tcp.seq);
    } else if (!c->has_remote_isn && (p->tcp.flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
        /* A SYN without ACK (simultaneous open) leaves the remote ISN at 0. */
        c->has_remote_isn = true;
        pd_map_learn_remote(&c->map, p->tcp.seq);
    }
    return true;
}

bool pd_conn_owns(PdRun *r, const PdSeen *s)
{
    PdConn *c = r->conn;

    if (!c || c->state == PD_CONN_LISTENING || !pd_addr_equal(&s->tuple.dst, &c->tuple.dst))
        return false;
    if (s->ip_proto == IP_PROTO_ICMP || s->ip_proto == IP_PROTO_ICMPV6)
        return pd_addr_equal(&s->tuple.src, &c->tuple.src);
    /* The reset that a disconnect sends (Linux tcp_disconnect) may be in the script or not. */
    if (c->state == PD_CONN_FRESH)
        return c->is_disconnected && s->ip_proto == IP_PROTO_TCP && (s->tcp.flags & TCP_RST) &&
               pd_tuple_equal(&s->tuple, &c->tuple);
    if (c->state == PD_CONN_CONNECTING) {
        bool is_tcp = s->ip_proto == IP_PROTO_TCP;

        /* The first packet of an active open tells which port (and address) the stack chose. */
        if (s->tuple.dst_port != c->tuple.dst_port || is_tcp != (c->type != SOCK_DGRAM) ||
            (is_tcp && (s->tcp.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN))
            return false;
        c->tuple = s->tuple;
        c->state = PD_CONN_ACTIVE;
        return true;
    }
    return pd_tuple_equal(&s->tuple, &c->tuple);
}

void pd_conn_on_outbound(PdRun *r, const PdPacket *expected, const PdSeen *s)
{
    PdConn *c = r->conn;
    const uint16_t mask = TCP_SYN | TCP_ACK;

    if (expected->proto != PD_TCP || s->ip_proto != IP_PROTO_TCP ||
        (c->map.has_local && !r->config->many_connections))
        return;
    if ((c->state == PD_CONN_ACTIVE && (s->tcp.flags & mask) == TCP_SYN) ||
        (c->state == PD_CONN_PASSIVE && (expected->tcp.flags & mask) == mask &&
         (s->tcp.flags & mask) == mask))
        pd_map_learn_local(&c->map, expected->tcp.seq, s->tcp.seq);
}

/* What IP says of the packet that a message in TCP's error queue is about: IP_PKTINFO, IP_TTL and the like
 * (Linux ip_recv_error, ipv6_recv_error, ip_cmsg_recv_offset, ip6_datagram_recv_ctl). The options count that
 * are set when the message is read. Streams hand over nothing of the kind with their data. */
#include <netinet/in.h>
#include <string.h>

#include "models/node/socket_priv.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_life.h"

#define OPT_IP_ORIGDSTADDR 20
#define OPT_IPV6_FLOWINFO 11
#define OPT_IPV6_ORIGDSTADDR 74

static int option(const SockFile *f, int level, int name)
{
    int v[2] = {0}; /* SO_TIMESTAMPING has two parts */
    unsigned len = sizeof(v);

    return tcp_getsockopt(f->tcp, level, name, v, &len) == 0 ? v[0] : 0;
}

static bool wants(const SockFile *f, int level, int name)
{
    return option(f, level, name) != 0;
}

static struct in6_addr as_in6(const InetAddr *a)
{
    struct in6_addr to;

    for (unsigned i = 0; i < 4; i++)
        to.s6_addr32[i] = GUINT32_TO_BE(a->w[i]);
    return to;
}

static void give4(SockCall *c, unsigned *n, const SockFile *f, const TcpErrMsg *m)
{
    const TcpErrWay *w = &m->way;
    struct in_addr to = {GUINT32_TO_BE(inet_ip4(&w->to))};
    int ttl = w->ttl;

    if (wants(f, IPPROTO_IP, IP_PKTINFO)) {
        struct in_pktinfo pi = {.ipi_ifindex = (int)w->ifindex, .ipi_addr = to};

        /* ipv4_datagram_support_cmsg fills it in, and is asked by AF_INET sockets about timestamps alone */
        if (!m->is_v6 && !m->has_offender)
            pi.ipi_spec_dst.s_addr = GUINT32_TO_BE(inet_ip4(&w->from));
        sockcall_give_cmsg(c, n, IPPROTO_IP, IP_PKTINFO, &pi, sizeof(pi));
    }
    if (wants(f, IPPROTO_IP, IP_RECVTTL))
        sockcall_give_cmsg(c, n, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
    if (wants(f, IPPROTO_IP, IP_RECVTOS))
        sockcall_give_cmsg(c, n, IPPROTO_IP, IP_TOS, &w->tos, sizeof(w->tos));
    if (wants(f, IPPROTO_IP, OPT_IP_ORIGDSTADDR)) {
        struct sockaddr_in sa = {
            .sin_family = AF_INET, .sin_port = GUINT16_TO_BE(w->to_port), .sin_addr = to};

        sockcall_give_cmsg(c, n, IPPROTO_IP, OPT_IP_ORIGDSTADDR, &sa, sizeof(sa));
    }
}

static void give6(SockCall *c, unsigned *n, const SockFile *f, const TcpErrWay *w)
{
    int hops = w->ttl, tclass = w->tos;
    uint32_t flowinfo = GUINT32_TO_BE(w->flowinfo);

    if (wants(f, IPPROTO_IPV6, IPV6_RECVHOPLIMIT))
        sockcall_give_cmsg(c, n, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof(hops));
    if (wants(f, IPPROTO_IPV6, IPV6_RECVTCLASS))
        sockcall_give_cmsg(c, n, IPPROTO_IPV6, IPV6_TCLASS, &tclass, sizeof(tclass));
    if (flowinfo && wants(f, IPPROTO_IPV6, OPT_IPV6_FLOWINFO))
        sockcall_give_cmsg(c, n, IPPROTO_IPV6, OPT_IPV6_FLOWINFO, &flowinfo, sizeof(flowinfo));
    if (wants(f, IPPROTO_IPV6, OPT_IPV6_ORIGDSTADDR)) {
        struct sockaddr_in6 sa = {
            .sin6_family = AF_INET6, .sin6_port = GUINT16_TO_BE(w->to_port), .sin6_addr = as_in6(&w->to)};

        sockcall_give_cmsg(c, n, IPPROTO_IPV6, OPT_IPV6_ORIGDSTADDR, &sa, sizeof(sa));
    }
}

void socket_give_err_way(SockCall *c, unsigned *n, SockFile *f, TcpErrMsg *m)
{
    const TcpErrWay *w = &m->way;

    if (!w->is_known)
        return;
    /* ip6_datagram_support_cmsg asks for a device only, ipv4_datagram_support_cmsg for
     * SOF_TIMESTAMPING_OPT_CMSG too */
    if (!m->is_v6 && !m->has_offender &&
        !(w->ifindex && option(f, SOL_SOCKET, SO_TIMESTAMPING) & TCP_TS_OPT_CMSG))
        return;
    if (m->is_v6 && wants(f, IPPROTO_IPV6, IPV6_RECVPKTINFO)) {
        struct in6_pktinfo pi = {.ipi6_addr = as_in6(&w->to), .ipi6_ifindex = w->ifindex};

        sockcall_give_cmsg(c, n, IPPROTO_IPV6, IPV6_PKTINFO, &pi, sizeof(pi));
    }
    if (w->is_ip6)
        give6(c, n, f, w);
    else
        give4(c, n, f, m);
    m->has_offender = true;
    m->offender = w->from;
}

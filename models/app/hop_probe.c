#include "models/app/hop_probe.h"

#include <errno.h>
#include <glib.h>

struct HopProber {
    Ip4 *ip;
    UdpSock *sock; /* NULL: ICMP */
    uint32_t dst;
    uint16_t id;
    HopReplyFn fn;
    void *user;
};

static void tell(HopProber *hp, uint32_t token, const Ip4Error *e)
{
    HopReply r = {.token = token, .from = e->reporter};

    if (e->dst != hp->dst || token >= HOP_PROBE_TOKENS)
        return;
    if (e->icmp_type == ICMP_TIME_EXCEEDED) {
        r.answer = HOP_ROUTER;
    } else if (e->icmp_type == ICMP_DEST_UNREACH) {
        bool is_there = hp->sock && e->icmp_code == ICMP_UNREACH_PORT && e->reporter == hp->dst;

        r.answer = is_there ? HOP_TARGET : HOP_UNREACHABLE;
        r.icmp_code = e->icmp_code;
        r.mtu = e->mtu;
    } else {
        return;
    }
    hp->fn(hp->user, &r);
}

static void on_udp_error(void *user, UdpSock *s, const Ip4Error *e)
{
    udpsock_take_error(s);
    tell(user, (uint32_t)(uint16_t)(udp_dst_port(e->l4) - HOP_PROBE_PORT), e);
}

/* Somebody listens there after all: it is the target, too. */
static void on_udp_data(void *user, UdpSock *s)
{
    HopProber *hp = user;
    UdpRecv info;

    while (udpsock_recv(s, NULL, 0, &info) >= 0)
        if (info.from.ip == hp->dst)
            hp->fn(hp->user, &(HopReply){
                                 .token = (uint32_t)(uint16_t)(info.from.port - HOP_PROBE_PORT),
                                 .from = info.from.ip,
                                 .answer = HOP_TARGET,
                             });
}

static void on_echo_error(void *user, const Ip4Error *e)
{
    tell(user, icmp_seq(e->l4), e);
}

static void on_echo_reply(void *user, Packet *pkt, const Ip4Rx *rx)
{
    HopProber *hp = user;
    const uint8_t *h = packet_cdata(pkt);
    HopReply r = {.token = icmp_seq(h), .from = rx->src, .answer = HOP_TARGET};
    bool is_reply = icmp_type(h) == ICMP_ECHO_REPLY;

    packet_unref(pkt);
    if (is_reply && r.token < HOP_PROBE_TOKENS)
        hp->fn(hp->user, &r);
}

HopProber *hop_prober_new(Ip4 *ip, Udp *udp, uint32_t dst, HopReplyFn fn, void *user)
{
    HopProber *hp = g_new0(HopProber, 1);

    hp->ip = ip;
    hp->dst = dst;
    hp->fn = fn;
    hp->user = user;
    if (udp) {
        hp->sock = udpsock_new(udp);
        udpsock_opt(hp->sock)->recverr = true;
        udpsock_opt(hp->sock)->mtu_discover = PMTUDISC_DONT;
        udpsock_on_icmp(hp->sock, on_udp_error, hp);
        udpsock_on_wake(hp->sock, on_udp_data, hp);
    } else {
        hp->id = icmp4_echo_open(ip, 0, on_echo_reply, on_echo_error, hp);
    }
    return hp;
}

void hop_prober_free(HopProber *hp)
{
    if (!hp)
        return;
    if (hp->sock)
        udpsock_close(hp->sock);
    else if (hp->id)
        icmp4_echo_close(hp->ip, hp->id);
    g_free(hp);
}

static int send_echo(HopProber *hp, uint16_t seq, uint8_t ttl, uint32_t payload)
{
    Node *node = ip4_node(hp->ip);
    Packet *pkt = packet_new(ip4_pool(hp->ip), node->id, node->birth_next++, PKT_HEADROOM);
    IcmpMsg m = {.type = ICMP_ECHO, .id = hp->id, .seq = seq};

    icmp_encode(packet_put(pkt, ICMP_HDR_LEN), &m);
    packet_add_synthetic(pkt, 0, payload);
    return icmp4_send_query(hp->ip, pkt, &(Ip4Tx){.dst = hp->dst, .proto = IP_PROTO_ICMP, .ttl = ttl});
}

int hop_prober_send(HopProber *hp, uint32_t token, uint8_t ttl, uint32_t total_len)
{
    uint32_t headers = IPV4_MIN_HDR_LEN + 8, payload = total_len > headers ? total_len - headers : 0;

    hs_assert(token < HOP_PROBE_TOKENS);
    if (!hp->sock)
        return hp->id ? send_echo(hp, (uint16_t)token, ttl, payload) : -EAGAIN;
    return udpsock_send(hp->sock, &(UdpSend){
                                      .to = &(UdpAddr){hp->dst, (uint16_t)(HOP_PROBE_PORT + token)},
                                      .len = payload,
                                      .ttl = ttl,
                                  });
}

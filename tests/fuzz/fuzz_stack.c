/* Arbitrary frames into a small live network: whatever arrives, nothing breaks, nothing leaks, no storm
 * begins, and what hosts say themselves is well-formed and allowed.
 *
 *   client ─┐          ┌═ trunk ═┐          ┌─ router ── PPP, 576 bytes ── far
 *           ├─ sw1 ════╡         ╞════ sw2 ─┤      └──── hub ── old
 *   peer  ──┘          └═ trunk ═┘          └─ server
 *
 * The first byte of an input says how its frames are repaired, so that they get beyond the checks of lengths
 * and sums; then follow records: where, how long after the one before, a mask for the repairs, the length (2
 * bytes), the frame. */
#include <glib.h>

#include "models/app/ping.h"
#include "models/app/tftp.h"
#include "models/app/udp_echo.h"
#include "models/app/udp_source.h"
#include "models/ether/nic_vlan.h"
#include "models/ether/rarp.h"
#include "models/ether/rstp.h"
#include "models/ether/switch_vlan.h"
#include "models/node/net.h"
#include "models/wire/bpdu.h"
#include "models/wire/eth.h"
#include "models/wire/udp.h"
#include "sim/packet/checksum.h"

#define GROUP IPV4_ADDR(224, 1, 2, 3)
#define FRAME_MAX 1514
#define RECORD_LEN 5
#define RECORDS_MAX 64
#define EVENTS_BASE 20000 /* of the network by itself; each frame may cause EVENTS_EACH more */
#define EVENTS_EACH 2000

enum {
    FIX_DST_MAC = 1 << 0, /* to the device where it arrives; at a switch, to some host */
    FIX_SRC_MAC = 1 << 1, /* from somebody there */
    FIX_IP = 1 << 2,      /* version, length, checksum */
    FIX_DST_IP = 1 << 3,  /* addresses that mean something here, chosen by the last byte */
    FIX_SRC_IP = 1 << 4,
    FIX_L4 = 1 << 5,    /* length and checksum of UDP, checksum of ICMP */
    FIX_QUOTE = 1 << 6, /* what an ICMP error quotes was sent by its receiver */
    FIX_TYPE = 1 << 7,  /* EtherType: one of those that somebody reads; PPP: the shortest header */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLIENT, PEER, SERVER, ROUTER, FAR, OLD, HOSTS };

typedef struct Lab {
    Net *net;
    Host *host[HOSTS];
    Switch *sw[2];
    LinkPort *port[16];
    NetDev *dev[16]; /* NULL: the switch's port */
    unsigned n_ports;
    RarpClient rarp_client;
    RarpServer rarp_server;
    UdpSock *sock[4];
    ProbeSink sink;
} Lab;

/* ---- what hosts say ---- */

static void check_icmp_error(const uint8_t *h, uint32_t len)
{
    const uint8_t *q = h + ICMP_HDR_LEN;
    uint32_t n = len - ICMP_HDR_LEN;

    hs_assert(n >= IPV4_MIN_HDR_LEN && ipv4_hdr_len(q) <= n);
    hs_assert(!(ipv4_frag(q) & IPV4_OFFSET_MASK)); /* RFC 1122 3.2.2 */
    hs_assert(!ipv4_addr_is_multicast(ipv4_src(q)) && ipv4_src(q) != 0 && ipv4_src(q) != IPV4_BROADCAST);
    hs_assert(!ipv4_addr_is_multicast(ipv4_dst(q)) && ipv4_dst(q) != IPV4_BROADCAST);
    if (ipv4_proto(q) == IP_PROTO_ICMP && n > ipv4_hdr_len(q))
        hs_assert(!icmp_is_error(q[ipv4_hdr_len(q)]));
}

/* An IP packet on its way out of a host. */
static void check_ip(const Packet *pkt, const Node *node, const uint8_t *p, uint32_t len)
{
    uint32_t total, hlen;

    hs_assert(len >= IPV4_MIN_HDR_LEN && p[0] >> 4 == 4);
    total = ipv4_total_len(p), hlen = ipv4_hdr_len(p);
    hs_assert(hlen >= IPV4_MIN_HDR_LEN && total >= hlen && total <= len);
    hs_assert(checksum_fold(checksum_add(0, p, hlen)) == 0xffff);
    hs_assert(!ipv4_addr_is_multicast(ipv4_src(p)) && ipv4_src(p) != IPV4_BROADCAST);
    hs_assert(ipv4_ttl(p) > 0);
    if (pkt->birth_node != node->id || ipv4_is_fragment(p))
        return;
    hs_assert(ip4_is_local(host_ip4(host_of_node((Node *)node)), ipv4_src(p)));
    p += hlen, total -= hlen;
    if (ipv4_proto(p - hlen) == IP_PROTO_ICMP) {
        hs_assert(total >= ICMP_HDR_LEN);
        hs_assert(checksum_fold(checksum_add(0, p, total)) == 0xffff);
        if (icmp_is_error(p[0]))
            check_icmp_error(p, total);
    } else {
        uint32_t sum = ipv4_pseudo_sum(ipv4_src(p - hlen), ipv4_dst(p - hlen), IP_PROTO_UDP, total);

        hs_assert(ipv4_proto(p - hlen) == IP_PROTO_UDP && total >= UDP_HDR_LEN && udp_len(p) == total);
        hs_assert(checksum_fold(checksum_add(sum, p, total)) == 0xffff);
    }
}

static void on_frame(ProbeSink *sink, const ProbeRecord *r)
{
    uint8_t b[FRAME_MAX + 100], *p = b;
    uint32_t len = packet_copy(r->pkt, 0, b, sizeof b);
    uint16_t type;

    if (r->node->kind != NET_HOST && r->node->kind != NET_ROUTER)
        return;
    if (r->point->linktype == 1) {
        hs_assert(len >= ETH_MIN_FRAME && len <= ETH_HDR_LEN + 4 + ETH_MTU);
        hs_assert(memcmp(p + 6, r->point->mac, 6) == 0);
        type = eth_type(p);
        p += ETH_HDR_LEN, len -= ETH_HDR_LEN;
        if (type == ETH_TYPE_VLAN) {
            type = wire_get16(p + 2);
            p += 4, len -= 4;
        }
    } else {
        hs_assert(len >= 4 && wire_get16(p + 2) == 0x0021);
        type = ETH_TYPE_IPV4;
        p += 4, len -= 4;
    }
    if (type == ETH_TYPE_IPV4)
        check_ip(r->pkt, r->node, p, len);
    else
        hs_assert((type == ETH_TYPE_ARP || type == ETH_TYPE_RARP) && len >= ARP_LEN);
}

/* ---- the network ---- */

static void plug(Lab *l, Node *a, Node *b, NetLinkKind kind, const char *addr_a, const char *addr_b)
{
    const char *addr[2] = {addr_a, addr_b};
    NetLinkConfig c;
    char *error = NULL;
    NetLink *link;

    netlinkconfig_init(&c);
    c.kind = kind;
    c.end[0].node = a;
    c.end[1].node = b;
    for (int i = 0; i < 2; i++) {
        if (!net_segment_of(l->net, a) && !net_segment_of(l->net, b)) { /* a hub has them itself */
            c.dir[i].rate_bps = UINT64_C(100000000);
            c.dir[i].delay = 100 * SIM_US;
        }
        c.dir[i].mtu = kind == NET_LINK_PPP ? 576 : 0;
        if (addr[i])
            c.end[i].has_addr = ipv4_prefix_parse(addr[i], &c.end[i].addr);
    }
    link = net_link(l->net, &c, &error);
    hs_assert(link);
    for (unsigned i = 0; i < 2; i++) {
        /* Between switches nobody lies: there a forged agreement makes a loop, as it would in a real one. */
        if (switch_of_node(a) && switch_of_node(b))
            break;
        if (netlink_port(link, i) && c.end[i].node->kind != NET_HUB) {
            l->port[l->n_ports] = netlink_port(link, i);
            l->dev[l->n_ports++] = netlink_dev(link, i);
        }
    }
}

static void on_rarp_client(void *user, Ip4If *ifp, Packet *pkt)
{
    rarpclient_input(user, pkt);
}

static void on_rarp_server(void *user, Ip4If *ifp, Packet *pkt)
{
    rarpserver_input(user, pkt);
}

static void on_rarp_done(void *user, uint32_t addr, uint32_t server)
{
}

static void on_wake(void *user, UdpSock *s)
{
    uint8_t b[64];

    while (udpsock_readable(s))
        udpsock_recv(s, b, sizeof b, &(UdpRecv){0});
}

static Ip4If *if_of(Lab *l, int host, const char *dev)
{
    return ip4_if_by_name(host_ip4(l->host[host]), dev);
}

static void make_sockets(Lab *l)
{
    for (int i = 0; i < 4; i++) {
        l->sock[i] = udpsock_new(host_udp(l->host[i < 2 ? CLIENT : i == 2 ? SERVER : ROUTER]));
        udpsock_on_wake(l->sock[i], on_wake, NULL);
    }
    udpsock_bind(l->sock[0], (UdpAddr){0, 5000});
    udpsock_bind(l->sock[1], (UdpAddr){0, 5001});
    udpsock_connect(l->sock[1], (UdpAddr){IPV4_ADDR(10, 0, 0, 4), 7});
    udpsock_opt(l->sock[2])->broadcast = true;
    udpsock_bind(l->sock[2], (UdpAddr){0, 5000});
    udpsock_join(l->sock[2], GROUP, if_of(l, SERVER, "eth0"));
    udpsock_opt(l->sock[3])->recverr = true;
    udpsock_bind(l->sock[3], (UdpAddr){0, 5000});
}

static void lab_init(Lab *l)
{
    static const char *const names[HOSTS] = {"client", "peer", "server", "router", "far", "old"};
    char *error = NULL;
    Node *n[HOSTS], *hub;
    NicVlan *vlan;

    *l = (Lab){.net = net_new(1), .sink = {.mask = PROBE_BIT(PROBE_FRAME_TX), .record = on_frame}};
    for (int i = 0; i < HOSTS; i++) {
        l->host[i] = i == ROUTER ? net_router(l->net, names[i], &error) : net_host(l->net, names[i], &error);
        n[i] = host_node(l->host[i]);
    }
    for (int i = 0; i < 2; i++)
        l->sw[i] = net_switch(l->net, i ? "sw2" : "sw1", &error);
    hub = net_hub(l->net, "hub", NULL, &error);
    for (int i = 0; i < 2; i++)
        plug(l, &l->sw[0]->node, &l->sw[1]->node, NET_LINK_ETHERNET, NULL, NULL);
    plug(l, n[CLIENT], &l->sw[0]->node, NET_LINK_ETHERNET, "10.0.0.2/24", NULL);
    plug(l, n[PEER], &l->sw[0]->node, NET_LINK_ETHERNET, "10.0.0.3/24", NULL);
    plug(l, n[SERVER], &l->sw[1]->node, NET_LINK_ETHERNET, "10.0.0.4/24", NULL);
    plug(l, n[ROUTER], &l->sw[1]->node, NET_LINK_ETHERNET, "10.0.0.1/24", NULL);
    plug(l, n[ROUTER], n[FAR], NET_LINK_PPP, "10.0.2.1/24", "10.0.2.2/24");
    plug(l, n[ROUTER], hub, NET_LINK_ETHERNET, "10.0.3.1/24", NULL);
    plug(l, n[OLD], hub, NET_LINK_ETHERNET, "10.0.3.2/24", NULL);
    for (unsigned s = 0; s < 2; s++) {
        for (unsigned i = 0; i < 2; i++)
            switch_vlan_set_trunk(l->sw[s]->ports[i], NULL, 0, 10);
        switch_vlan_set_access(l->sw[s]->ports[2], 10);
        switch_vlan_set_access(l->sw[s]->ports[3], 10);
        switch_set_stp(l->sw[s], SWITCH_STP_RSTP);
    }
    switch_vlan_set_trunk(l->sw[1]->ports[3], (const uint16_t[]){10, 20}, 2, 10);
    vlan = nic_vlan_new(nic_of_dev(host_dev(l->host[ROUTER], "eth0")), 20, NULL);
    ip4_addr_add(host_ip4(l->host[ROUTER]), ip4_add_dev(host_ip4(l->host[ROUTER]), (NetDev *)vlan),
                 (Ipv4Prefix){IPV4_ADDR(10, 0, 20, 1), 24}, &error);
    if (!net_prepare(l->net, &error))
        hs_assert(!"net_prepare");
    probes_attach(net_probes(l->net), &l->sink);
    make_sockets(l);

    rarpserver_init(&l->rarp_server, host_dev(l->host[ROUTER], "eth1"), IPV4_ADDR(10, 0, 3, 1));
    rarpserver_set(&l->rarp_server, host_dev(l->host[OLD], "eth0")->mac, IPV4_ADDR(10, 0, 3, 2));
    rarpclient_init(&l->rarp_client, host_dev(l->host[OLD], "eth0"), on_rarp_done, NULL);
    ip4_if_set_tap(if_of(l, ROUTER, "eth1"), ETH_TYPE_RARP, on_rarp_server, &l->rarp_server);
    ip4_if_set_tap(if_of(l, OLD, "eth0"), ETH_TYPE_RARP, on_rarp_client, &l->rarp_client);
}

/* ---- frames ---- */

static const uint32_t addresses[] = {
    IPV4_ADDR(10, 0, 0, 1),   IPV4_ADDR(10, 0, 0, 2),
    IPV4_ADDR(10, 0, 0, 3),   IPV4_ADDR(10, 0, 0, 4),
    IPV4_ADDR(10, 0, 2, 1),   IPV4_ADDR(10, 0, 2, 2),
    IPV4_ADDR(10, 0, 3, 1),   IPV4_ADDR(10, 0, 3, 2),
    IPV4_ADDR(10, 0, 20, 1),  IPV4_ADDR(10, 0, 20, 9),
    IPV4_ADDR(10, 0, 0, 255), IPV4_ADDR(10, 0, 3, 255),
    IPV4_BROADCAST,           GROUP,
    IPV4_ALL_HOSTS,           IPV4_ADDR(10, 0, 0, 77),
    IPV4_ADDR(192, 0, 2, 1),  IPV4_ADDR(127, 0, 0, 1),
    IPV4_ADDR(0, 0, 0, 0),    IPV4_ADDR(10, 0, 0, 0),
};

static uint32_t an_address(uint32_t addr)
{
    return addresses[addr % HS_ARRAY_LEN(addresses)];
}

static void fix_l4(uint8_t *p, uint32_t hlen, uint32_t total)
{
    uint8_t *l4 = p + hlen;
    uint32_t n = total - hlen, sum;

    if (ipv4_frag(p) & (IPV4_OFFSET_MASK | IPV4_FLAG_MF))
        return;
    if (ipv4_proto(p) == IP_PROTO_ICMP && n >= ICMP_HDR_LEN) {
        wire_put16(l4 + 2, 0);
        wire_put16(l4 + 2, (uint16_t)~checksum_fold(checksum_add(0, l4, n)));
    } else if (ipv4_proto(p) == IP_PROTO_UDP && n >= UDP_HDR_LEN) {
        wire_put16(l4 + 4, (uint16_t)n);
        wire_put16(l4 + 6, 0);
        sum = ipv4_pseudo_sum(ipv4_src(p), ipv4_dst(p), IP_PROTO_UDP, n);
        wire_put16(l4 + 6, (uint16_t)~checksum_fold(checksum_add(sum, l4, n)));
    }
}

static void fix_ip(uint8_t *p, uint32_t len, unsigned fix)
{
    uint32_t hlen;

    if (len < IPV4_MIN_HDR_LEN)
        return;
    if (fix & FIX_DST_IP)
        ipv4_set_dst(p, an_address(ipv4_dst(p)));
    if (fix & FIX_SRC_IP)
        ipv4_set_src(p, an_address(ipv4_src(p)));
    hlen = (p[0] & 15) * 4u;
    if (hlen < IPV4_MIN_HDR_LEN || hlen > len)
        hlen = IPV4_MIN_HDR_LEN;
    p[0] = (uint8_t)(0x40 | hlen / 4);
    ipv4_set_total_len(p, (uint16_t)len);
    if ((fix & FIX_QUOTE) && ipv4_proto(p) == IP_PROTO_ICMP && len >= hlen + ICMP_HDR_LEN &&
        icmp_is_error(p[hlen]))
        fix_ip(p + hlen + ICMP_HDR_LEN, len - hlen - ICMP_HDR_LEN, fix & (FIX_DST_IP | FIX_SRC_IP | FIX_L4));
    if ((fix & FIX_QUOTE) && len >= hlen + ICMP_HDR_LEN + IPV4_MIN_HDR_LEN)
        ipv4_set_src(p + hlen + ICMP_HDR_LEN, ipv4_dst(p));
    if (fix & FIX_L4)
        fix_l4(p, hlen, len);
    ipv4_fill_checksum(p);
}

static void repair(const Lab *l, unsigned at, uint8_t *f, uint32_t len, unsigned fix)
{
    static const uint16_t types[] = {ETH_TYPE_IPV4, ETH_TYPE_ARP, ETH_TYPE_RARP, ETH_TYPE_VLAN};
    const NetDev *dev = l->dev[at];
    bool is_ppp = l->port[at]->point.linktype != 1;
    uint32_t head = is_ppp ? 4 : ETH_HDR_LEN;

    if (len < head)
        return;
    if (is_ppp && (fix & FIX_TYPE)) { /* RFC 1661 6.5: one byte is enough */
        f[0] = 0x21;
        head = 1;
    } else if (is_ppp) {
        memcpy(f, (const uint8_t[]){0xff, 0x03, 0x00, 0x21}, 4);
    } else {
        if ((fix & FIX_DST_MAC) && !(f[0] & 1))
            memcpy(f, dev ? dev->mac.b : host_dev_at(l->host[f[5] % HOSTS], 1)->mac.b, 6);
        if (fix & FIX_SRC_MAC)
            memcpy(f + 6, host_dev_at(l->host[f[11] % HOSTS], 1)->mac.b, 6);
        if (fix & FIX_TYPE)
            wire_put16(f + 12, types[f[13] % HS_ARRAY_LEN(types)]);
        if (eth_type(f) == ETH_TYPE_VLAN && len >= head + 4)
            head += 4;
    }
    if ((fix & FIX_IP) && (is_ppp || wire_get16(f + head - 2) == ETH_TYPE_IPV4))
        fix_ip(f + head, len - head, fix);
}

/* A bridge protocol message that a switch believes may make a loop for a while, as in a real network: what a
 * short-lived false root said goes round between two switches until it is too old (count to infinity). */
static bool is_bpdu(const Lab *l, unsigned at, const uint8_t *f)
{
    return !l->dev[at] && mac_equal(eth_dst(f), MAC_BRIDGE_GROUP);
}

/* false: a storm. */
static bool run_for(Lab *l, SimTime t, unsigned n_frames)
{
    Sim *sim = net_sim(l->net);
    uint64_t most = EVENTS_BASE + n_frames * EVENTS_EACH, so_far = sim_events(sim);

    return so_far < most &&
           sim_run(sim, &(SimLimits){.until = sim_now(sim) + t, .events = most - so_far}) != SIM_STOP_EVENTS;
}

/* ---- after the run ---- */

static uint64_t counter(Host *h, const char *name)
{
    uint64_t v = 0;

    hs_assert(host_counter(h, name, &v));
    return v;
}

static void check_counters(Host *h)
{
    hs_assert(counter(h, "IpInDelivers") + counter(h, "IpForwDatagrams") + counter(h, "IpInHdrErrors") +
                  counter(h, "IpInAddrErrors") <=
              counter(h, "IpInReceives"));
    hs_assert(counter(h, "IpReasmOKs") <= counter(h, "IpReasmReqds"));
    hs_assert(counter(h, "IpFragCreates") >= 2 * counter(h, "IpFragOKs"));
    hs_assert(counter(h, "IcmpInErrors") <= counter(h, "IcmpInMsgs"));
    hs_assert(counter(h, "IcmpOutMsgs") ==
              counter(h, "IcmpOutDestUnreachs") + counter(h, "IcmpOutTimeExcds") +
                  counter(h, "IcmpOutParmProbs") + counter(h, "IcmpOutSrcQuenchs") +
                  counter(h, "IcmpOutRedirects") + counter(h, "IcmpOutEchos") +
                  counter(h, "IcmpOutEchoReps") + counter(h, "IcmpOutTimestamps") +
                  counter(h, "IcmpOutTimestampReps") + counter(h, "IcmpOutAddrMasks") +
                  counter(h, "IcmpOutAddrMaskReps"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Lab l;
    unsigned n = 0;
    uint8_t strategy = size ? data[0] : 0, frame[FRAME_MAX];
    TftpServer *tftpd;
    TftpClient *tftp;
    UdpEcho *echo;
    UdpSource *source;
    Ping *ping;
    PacketPoolInfo pool;
    bool is_calm = true, may_storm = false;

    lab_init(&l);
    Sim *sim = net_sim(l.net);
    sim_run(sim, &(SimLimits){.until = 4 * SIM_SEC}); /* the tree stands */

    Host *client = l.host[CLIENT], *server = l.host[SERVER];
    tftpd = tftp_server_new(host_udp(server), host_ip4(server), 0, 0);
    tftp_server_add_file(tftpd, "f", NULL, 2000);
    echo = udp_echo_new(host_udp(server), UDP_ECHO_PORT);
    tftp = tftp_get(host_udp(client), host_ip4(client),
                    &(TftpGetOptions){.server = {IPV4_ADDR(10, 0, 0, 4), 0}, .port = 1492, .filename = "f"},
                    &(TftpEvents){0});
    ping = ping_new(
        host_ip4(client),
        &(PingOptions){.dst = IPV4_ADDR(10, 0, 2, 2), .count = 3, .size = 1000, .first_seq = 1, .id = 77},
        &(PingEvents){0});
    source = udp_source_new(
        host_udp(server), host_ip4(server),
        &(UdpSourceOptions){.to = {GROUP, 5000}, .port = 5002, .size = 100, .gap = SIM_SEC, .count = 3}, NULL,
        NULL);
    udpsock_send(l.sock[1], &(UdpSend){.len = 2000}); /* connected, echoed in fragments */
    udpsock_send(l.sock[0], &(UdpSend){.to = &(UdpAddr){IPV4_LOOPBACK, 5000}, .len = 100});
    udpsock_send(l.sock[0],
                 &(UdpSend){.to = &(UdpAddr){IPV4_ADDR(10, 0, 0, 77), 9}, .len = 100}); /* nobody */
    rarpclient_start(&l.rarp_client, 2);

    data += size != 0, size -= size != 0;
    while (is_calm && size >= RECORD_LEN && n++ < RECORDS_MAX) {
        unsigned at = data[0] % l.n_ports, fix = strategy ^ data[2];
        SimTime wait = data[1] & 0x80 ? (data[1] & 0x7f) * 100 * SIM_MS : data[1] * 10 * SIM_US;
        uint32_t len = wire_get16(data + 3) % (FRAME_MAX + 1);

        data += RECORD_LEN, size -= RECORD_LEN;
        len = (uint32_t)HS_MIN(len, size);
        memcpy(frame, data, len);
        data += len, size -= len;
        if (l.port[at]->point.linktype == 1 && len < ETH_MIN_FRAME && len > 4) { /* as cards do */
            memset(frame + len, 0, ETH_MIN_FRAME - len);
            repair(&l, at, frame, len, fix);
            len = ETH_MIN_FRAME;
        } else {
            repair(&l, at, frame, len, fix);
        }
        is_calm = run_for(&l, wait, n);
        may_storm |= len >= ETH_HDR_LEN && is_bpdu(&l, at, frame);
        if (is_calm)
            l.port[at]->ops->receive(l.port[at], packet_from_bytes(net_packets(l.net), 1000, n, frame, len));
    }
    is_calm = is_calm && run_for(&l, 70 * SIM_SEC, n); /* longer than reassembly and every retry */
    hs_assert(is_calm || may_storm);

    for (int i = 0; i < HOSTS; i++)
        check_counters(l.host[i]);
    tftp_client_free(tftp);
    tftp_server_free(tftpd);
    udp_echo_free(echo);
    udp_source_free(source);
    ping_free(ping);
    for (int i = 0; i < 4; i++)
        udpsock_close(l.sock[i]);
    rarpclient_clear(&l.rarp_client);
    rarpserver_clear(&l.rarp_server);
    packetpool_get_info(net_packets(l.net), &pool);
    for (int i = 0; is_calm && pool.live && i < 3;
         i++) { /* the spanning tree goes on for ever: a message under way */
        sim_run(sim, &(SimLimits){.until = sim_now(sim) + SIM_MS});
        packetpool_get_info(net_packets(l.net), &pool);
    }
    hs_assert(pool.live == 0 || !is_calm);
    probes_detach(net_probes(l.net), &l.sink);
    net_free(l.net);
    return 0;
}

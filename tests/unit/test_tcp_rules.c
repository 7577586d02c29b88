/* Rules of TCP that a packetdrill script cannot see: what is absolute on the wire (sequence numbers, IP
 * identifications), what only a variable knows, and options that take structures. scripts/mutate-tcp breaks
 * each of them. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "models/tcp/tcp_ack.h"
#include "tests/unit/tcp_peer.h"

static TcpConn *connect_to(Peer *p, uint16_t port)
{
    TcpConn *c = tcp_socket(p->tcp, false);
    InetEndpoint e = peer_endpoint(PEER_ADDR, port);

    g_assert_cmpint(tcp_connect(c, &e), ==, -EINPROGRESS);
    return c;
}

/* RFC 6528 3: M counts 64 ns ticks (Linux seq_scale); only M differs between two times. */
static void test_isn_moves(void)
{
    Peer *p = peer_new(1);
    InetAddr local = inet_from_ip4(peer_ip(PEER_HOST)), remote = inet_from_ip4(peer_ip(PEER_ADDR));
    uint32_t before = tcp_isn(p->tcp, &local, &remote, 1000, 80, false);

    peer_run(p, SIM_MS);
    g_assert_cmpuint(tcp_isn(p->tcp, &local, &remote, 1000, 80, false) - before, ==, 1000000 / 64);
    /* hopscope.tcp_isn 1: RFC 793's clock of 4 us, whoever asks; 2: as told */
    tcp_sysctl(p->tcp)->isn_mode = 1;
    g_assert_cmpuint(tcp_isn(p->tcp, &local, &remote, 1000, 80, false), ==, 1000000 / 4000);
    g_assert_cmpuint(tcp_isn(p->tcp, &remote, &local, 80, 1000, false), ==, 1000000 / 4000);
    tcp_sysctl(p->tcp)->isn_mode = 2;
    tcp_sysctl(p->tcp)->isn_fixed = 4711;
    g_assert_cmpuint(tcp_isn(p->tcp, &local, &remote, 1000, 80, false), ==, 4711);
    peer_free(p);
}

/* Linux tcp_disconnect: the next connection begins behind the largest window of the old one, so that segments
 * of the old one cannot be taken for its own. */
static void test_reconnect_is_behind(void)
{
    Peer *p = peer_new(1);
    TcpConn *c = connect_to(p, 80);
    const PeerSeg *s = peer_next(p);
    uint32_t isn = s->tcp.seq;

    peer_send(p, &(PeerIn){.src_port = 80,
                           .dst_port = s->tcp.src_port,
                           .flags = TCP_SYN | TCP_ACK,
                           .seq = 5000,
                           .ack = isn + 1,
                           .window = 50000});
    g_assert_cmpint(tcp_state(c), ==, TCP_ESTABLISHED);
    g_assert_cmpint(tcp_disconnect(c), ==, 0);
    g_assert_cmpuint(c->write_seq, ==, isn + 1 + 50000 + 2);
    tcp_close(c);
    peer_free(p);
}

/* RFC 1213: what Linux shows (tcpRtoMin 200, tcpRtoMax 120000, tcpMaxConn -1). */
static void test_constant_counters(void)
{
    Peer *p = peer_new(1);

    g_assert_cmpuint(tcp_mib(p->tcp, MIB_TcpRtoAlgorithm), ==, 1);
    g_assert_cmpuint(tcp_mib(p->tcp, MIB_TcpRtoMin), ==, 200);
    g_assert_cmpuint(tcp_mib(p->tcp, MIB_TcpRtoMax), ==, 120000);
    g_assert_cmpuint(tcp_mib(p->tcp, MIB_TcpMaxConn), ==, UINT64_MAX);
    peer_free(p);
}

/* Linux ip_select_ident_segs: an aggregate uses as many identifications as it has segments. */
static void test_ip_ids(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5), *c;
    const PeerSeg *s;
    uint16_t id;
    int err;

    ip4_sysctl(p->ip)->ip_id_global = false; /* as Linux counts */

    peer_send(
        p, &(PeerIn){.flags = TCP_SYN, .seq = 1000, .window = 65535, .opt = {.has_mss = true, .mss = 1000}});
    s = peer_next(p);
    g_assert_cmpuint(s->ip.id, ==, 0); /* a SYN-ACK of a request socket */
    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001, .ack = s->tcp.seq + 1, .window = 65535});
    c = tcp_accept(l, &err);
    g_assert_nonnull(c);
    g_assert_cmpint(tcp_send(c, &(TcpSend){.len = 3500}), ==, 3500);
    s = peer_next(p);
    id = s->ip.id;
    g_assert_cmpuint(s->len, ==, 3500);
    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001, .ack = s->tcp.seq + 3500, .window = 65535});
    g_assert_cmpint(tcp_send(c, &(TcpSend){.len = 500}), ==, 500);
    s = peer_next(p);
    g_assert_cmpuint((uint16_t)(s->ip.id - id), ==, 4);
    tcp_close(c);
    tcp_close(l);
    peer_free(p);
}

/* Linux do_tcp_setsockopt TCP_FASTOPEN_KEY: one key or two. */
static void test_fastopen_keys(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = tcp_socket(p->tcp, false);
    uint8_t keys[48] = {1, 2, 3}, got[32];
    unsigned len = sizeof(got);

    g_assert_cmpint(tcp_setsockopt(l, IPPROTO_TCP, 33, keys, 32), ==, 0);
    g_assert_cmpint(tcp_getsockopt(l, IPPROTO_TCP, 33, got, &len), ==, 0);
    g_assert_cmpmem(got, len, keys, 32);
    g_assert_cmpint(tcp_setsockopt(l, IPPROTO_TCP, 33, keys, 16), ==, 0);
    g_assert_cmpint(tcp_setsockopt(l, IPPROTO_TCP, 33, keys, 48), ==, -EINVAL);
    g_assert_cmpint(tcp_setsockopt(l, IPPROTO_TCP, 33, keys, 24), ==, -EINVAL);
    tcp_close(l);
    peer_free(p);
}

typedef struct Sig { /* struct tcp_md5sig */
    struct sockaddr_storage addr;
    uint8_t flags, prefix_len;
    uint16_t key_len;
    int32_t ifindex;
    uint8_t key[80];
} Sig;

static void set_key(TcpConn *c, const char *ip, uint8_t prefix_len, const char *key)
{
    Sig s = {.flags = 1, .prefix_len = prefix_len, .key_len = (uint16_t)strlen(key)};
    struct sockaddr_in *a = (struct sockaddr_in *)&s.addr;

    a->sin_family = AF_INET;
    a->sin_addr.s_addr = htonl(peer_ip(ip));
    memcpy(s.key, key, s.key_len);
    g_assert_cmpint(tcp_md5_set(c, &s, sizeof(s), true), ==, 0);
}

/* Linux __tcp_md5_do_lookup: the longest prefix, in whatever order the keys were given. */
static void test_md5_longest_prefix(void)
{
    Peer *p = peer_new(1);
    TcpConn *a = tcp_socket(p->tcp, false), *b = tcp_socket(p->tcp, false);
    InetAddr peer = inet_from_ip4(peer_ip("192.0.2.9"));

    set_key(a, "192.0.2.0", 24, "narrow");
    set_key(a, "192.0.0.0", 16, "wide");
    g_assert_cmpmem(tcp_md5_find(a, &peer)->key, 6, "narrow", 6);
    set_key(b, "192.0.0.0", 16, "wide");
    set_key(b, "192.0.2.0", 24, "narrow");
    g_assert_cmpmem(tcp_md5_find(b, &peer)->key, 6, "narrow", 6);
    tcp_close(a);
    tcp_close(b);
    peer_free(p);
}

/* Linux tcp_enter_loss: a timeout after many duplicates, while reordering was assumed, says that the estimate
 * is too high. */
static void test_timeout_corrects_reordering(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5), *c;
    uint32_t isn;
    int err;

    peer_send(p, &(PeerIn){.flags = TCP_SYN,
                           .seq = 1000,
                           .window = 65535,
                           .opt = {.has_mss = true, .mss = 1000, .has_sack_permitted = true}});
    isn = peer_next(p)->tcp.seq;
    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001, .ack = isn + 1, .window = 65535});
    c = tcp_accept(l, &err);
    g_assert_nonnull(c);
    g_assert_cmpint(tcp_send(c, &(TcpSend){.len = 10000}), ==, 10000);
    for (unsigned sacked = 2; sacked <= 3; sacked++) {
        c->sack.reordering = 8;
        c->sacked_out = sacked;
        c->rec.ca_state = TCP_CA_DISORDER;
        tcp_recovery_enter_loss(c);
        g_assert_cmpuint(c->sack.reordering, ==, sacked < 3 ? 8 : 3);
        c->sacked_out = 0;
    }
    tcp_close(c);
    tcp_close(l);
    peer_free(p);
}

/* hopscope.tcp_synq_pow2: the power of two above the backlog, and at least 16, as Linux before 4.4. */
static void test_synq_pow2(void)
{
    Peer *p = peer_new(1);
    TcpConn *l;

    tcp_sysctl(p->tcp)->synq_pow2 = true;
    l = peer_listen(p, 5);
    g_assert_cmpuint(l->listen->max_qlen, ==, 16);
    g_assert_cmpint(tcp_listen(l, 100), ==, 0);
    tcp_close(l);
    peer_free(p);
}

/* RFC 1122 4.2.3.10: a SYN that came by broadcast is not answered. */
static void test_no_broadcast(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5);
    uint8_t bytes[40];
    const Ipv4Hdr ip = {.ttl = 64,
                        .proto = IP_PROTO_TCP,
                        .total_len = 40,
                        .src = peer_ip(PEER_ADDR),
                        .dst = peer_ip(PEER_HOST)};
    const TcpHdr h = {.src_port = 40000, .dst_port = 8080, .flags = TCP_SYN, .window = 1000};
    Packet *pkt;

    ipv4_encode(bytes, &ip);
    tcp_encode(bytes + 20, &h);
    tcp_fill_checksum(bytes + 20, 20, ipv4_pseudo_sum(ip.src, ip.dst, IP_PROTO_TCP, 20));
    pkt = packet_from_bytes(p->pool, 0, 0, bytes, 40);
    pkt->flags |= PKT_MULTICAST;
    p->dev.input(&p->dev, pkt, ETH_TYPE_IPV4);
    peer_nothing(p);
    tcp_close(l);
    peer_free(p);
}

/* Linux compute_score: a listener on another address of the host does not hear. */
static void test_listener_address(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = tcp_socket(p->tcp, false);
    InetEndpoint e = peer_endpoint("127.0.0.1", 8080);

    l->sflags |= TCP_S_FREEBIND;
    g_assert_cmpint(tcp_bind(l, &e), ==, 0);
    g_assert_cmpint(tcp_listen(l, 5), ==, 0);
    peer_send(p, &(PeerIn){.flags = TCP_SYN, .seq = 1000, .window = 1000});
    g_assert_cmpuint(peer_next(p)->tcp.flags, ==, TCP_RST | TCP_ACK);
    tcp_close(l);
    peer_free(p);
}

/* Linux __inet_hash_connect: even ports; the odd ones are for bind(). */
static void test_even_ports(void)
{
    Peer *p = peer_new(1);
    TcpConn *c[8];

    for (unsigned i = 0; i < 8; i++) {
        c[i] = connect_to(p, (uint16_t)(80 + i));
        g_assert_cmpuint(c[i]->local_port % 2, ==, 0);
    }
    for (unsigned i = 0; i < 8; i++)
        tcp_close(c[i]);
    peer_free(p);
}

/* RFC 2385 4.0: the signature takes the place of the timestamps (Linux tcp_syn_options). */
static void test_md5_without_timestamps(void)
{
    Peer *p = peer_new(1);
    TcpConn *plain = connect_to(p, 80), *c = tcp_socket(p->tcp, false);
    InetEndpoint e = peer_endpoint(PEER_ADDR, 81);

    g_assert_true(peer_next(p)->opt.has_timestamps);
    set_key(c, PEER_ADDR, 32, "secret");
    g_assert_cmpint(tcp_connect(c, &e), ==, -EINPROGRESS);
    g_assert_false(peer_next(p)->opt.has_timestamps);
    tcp_close(plain);
    tcp_close(c);
    peer_free(p);
}

static TcpConn *accept_one(Peer *p, TcpConn *l)
{
    TcpConn *c;
    uint32_t isn;
    int err;

    peer_send(p, &(PeerIn){.flags = TCP_SYN, .seq = 1000, .window = 65535});
    isn = peer_next(p)->tcp.seq;
    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001, .ack = isn + 1, .window = 65535});
    c = tcp_accept(l, &err);
    g_assert_nonnull(c);
    return c;
}

/* tcp(7): MSG_TRUNC throws the bytes away instead of handing them over. */
static void test_msg_trunc(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5), *c = accept_one(p, l);
    char bytes[4] = "abc";
    TcpRecv r = {.bytes = bytes, .len = sizeof(bytes), .flags = MSG_TRUNC | MSG_DONTWAIT};

    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001, .ack = c->snd_una, .window = 65535, .len = 8});
    g_assert_cmpint(tcp_recv(c, &r), ==, 4);
    g_assert_cmpstr(bytes, ==, "abc");
    r.flags = MSG_DONTWAIT;
    g_assert_cmpint(tcp_recv(c, &r), ==, 4);
    g_assert_cmpmem(bytes, 4, "\0\0\0", 4);
    tcp_close(c);
    tcp_close(l);
    peer_free(p);
}

/* Linux tcp_adjust_pcount: without SACK the count of duplicate ACKs shrinks with the packets out. */
static void test_pcount_without_sack(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5), *c = accept_one(p, l);
    const TcpSeg none = {0};

    g_assert_false(c->sack.is_sack_ok);
    c->packets_out = 5;
    c->sacked_out = 2;
    tcpsndq_adjust_pcount(c, &none, 1);
    g_assert_cmpuint(c->packets_out, ==, 4);
    g_assert_cmpuint(c->sacked_out, ==, 1);
    tcpsndq_adjust_pcount(c, &none, 2);
    g_assert_cmpuint(c->sacked_out, ==, 0);
    c->packets_out = 0;
    tcp_close(c);
    tcp_close(l);
    peer_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/rules/isn-moves", test_isn_moves);
    g_test_add_func("/tcp/rules/reconnect-is-behind", test_reconnect_is_behind);
    g_test_add_func("/tcp/rules/constant-counters", test_constant_counters);
    g_test_add_func("/tcp/rules/ip-ids", test_ip_ids);
    g_test_add_func("/tcp/rules/fastopen-keys", test_fastopen_keys);
    g_test_add_func("/tcp/rules/md5-longest-prefix", test_md5_longest_prefix);
    g_test_add_func("/tcp/rules/md5-without-timestamps", test_md5_without_timestamps);
    g_test_add_func("/tcp/rules/msg-trunc", test_msg_trunc);
    g_test_add_func("/tcp/rules/pcount-without-sack", test_pcount_without_sack);
    g_test_add_func("/tcp/rules/timeout-corrects-reordering", test_timeout_corrects_reordering);
    g_test_add_func("/tcp/rules/synq-pow2", test_synq_pow2);
    g_test_add_func("/tcp/rules/no-broadcast", test_no_broadcast);
    g_test_add_func("/tcp/rules/listener-address", test_listener_address);
    g_test_add_func("/tcp/rules/even-ports", test_even_ports);
    return g_test_run();
}

/* Signed segments (RFC 2385) and what is remembered of a destination (tcp_metrics). The digest is checked
 * against GLib's MD5 over bytes put together here, field by field as RFC 2385 2.0 lists them. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/unit/tcp_peer.h"

#define MIB(p, name) tcp_mib((p)->tcp, MIB_##name)

typedef struct Sig { /* struct tcp_md5sig */
    struct sockaddr_storage addr;
    uint8_t flags, prefix_len;
    uint16_t key_len;
    int32_t ifindex;
    uint8_t key[80];
} Sig;

static Sig sig_for(const char *ip, const char *key)
{
    Sig s = {.key_len = (uint16_t)strlen(key)};
    struct sockaddr_in *a = (struct sockaddr_in *)&s.addr;

    a->sin_family = AF_INET;
    a->sin_addr.s_addr = htonl(peer_ip(ip));
    memcpy(s.key, key, s.key_len);
    return s;
}

/* The digest of a header without payload. */
static void rfc2385(uint8_t out[16], const TcpHdr *h, uint32_t src, uint32_t dst, unsigned len,
                    const char *key)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_MD5);
    uint8_t pseudo[12], hdr[60];
    TcpHdr copy = *h;
    gsize n = 16;

    wire_put32(pseudo, src);
    wire_put32(pseudo + 4, dst);
    wire_put16(pseudo + 8, IP_PROTO_TCP);
    wire_put16(pseudo + 10, (uint16_t)len);
    copy.checksum = 0;
    tcp_encode(hdr, &copy);
    g_checksum_update(sum, pseudo, 12);
    g_checksum_update(sum, hdr, 20);
    g_checksum_update(sum, (const guchar *)key, (gssize)strlen(key));
    g_checksum_get_digest(sum, out, &n);
    g_checksum_free(sum);
}

static void send_signed(Peer *p, uint16_t flags, uint32_t seq, uint32_t ack, const char *key)
{
    PeerIn in = {.flags = flags, .seq = seq, .ack = ack, .window = 1000, .opt = {.has_md5 = true}};
    TcpHdr h = {.src_port = 40000,
                .dst_port = 8080,
                .seq = seq,
                .ack = ack,
                .flags = flags,
                .window = 1000,
                .options_len = 20};

    rfc2385(in.opt.md5, &h, peer_ip(PEER_ADDR), peer_ip(PEER_HOST), 40, key);
    peer_send(p, &in);
}

static void test_md5(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5), *c;
    Sig s = sig_for(PEER_ADDR, "secret");
    const PeerSeg *a;
    uint8_t want[16];
    uint32_t isn;
    int err;

    g_assert_cmpint(tcp_md5_set(l, &s, sizeof(s) - 1, false), ==, -EINVAL);
    g_assert_cmpint(tcp_md5_set(l, &s, sizeof(s), false), ==, 0);
    peer_send(p, &(PeerIn){.flags = TCP_SYN, .seq = 1000, .window = 1000});
    peer_nothing(p);
    g_assert_cmpuint(MIB(p, TcpExtTCPMD5NotFound), ==, 1);
    send_signed(p, TCP_SYN, 1000, 0, "Secret");
    peer_nothing(p);
    g_assert_cmpuint(MIB(p, TcpExtTCPMD5Failure), ==, 1);
    send_signed(p, TCP_SYN, 1000, 0, "secret");
    a = peer_next(p);
    isn = a->tcp.seq;
    g_assert_true(a->opt.has_md5);
    rfc2385(want, &a->tcp, a->ip.src, a->ip.dst, a->tcp.hdr_len, "secret");
    g_assert_cmpmem(a->opt.md5, 16, want, 16);
    send_signed(p, TCP_ACK, 1001, isn + 1, "secret");
    c = tcp_accept(l, &err);
    g_assert_nonnull(c);
    g_assert_nonnull(c->md5);
    tcp_close(c);
    a = peer_next(p);
    rfc2385(want, &a->tcp, a->ip.src, a->ip.dst, a->tcp.hdr_len, "secret");
    g_assert_cmpmem(a->opt.md5, 16, want, 16);
    /* What is left of the connection signs as well (tcp_v4_timewait_ack). */
    send_signed(p, TCP_FIN | TCP_ACK, 1001, isn + 2, "secret");
    g_assert_cmpuint(p->tcp->n_tw, ==, 1);
    g_assert_cmpuint(p->tcp->tw_head->remote_port, ==, 40000);
    a = peer_next(p);
    g_assert_cmpuint(a->tcp.ack, ==, 1002);
    rfc2385(want, &a->tcp, a->ip.src, a->ip.dst, a->tcp.hdr_len, "secret");
    g_assert_cmpmem(a->opt.md5, 16, want, 16);
    s.key_len = 0; /* taken back */
    g_assert_cmpint(tcp_md5_set(l, &s, sizeof(s), false), ==, 0);
    g_assert_cmpint(tcp_md5_set(l, &s, sizeof(s), false), ==, -ENOENT);
    tcp_close(l);
    peer_free(p);
}

static void test_md5_prefix(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5);
    Sig wide = sig_for("192.0.0.0", "wide"), narrow = sig_for("192.0.2.0", "narrow");
    InetAddr in = inet_from_ip4(peer_ip("192.0.2.9")), out = inet_from_ip4(peer_ip("192.0.3.9"));
    InetAddr far = inet_from_ip4(peer_ip("193.0.3.9"));

    wide.flags = narrow.flags = 1;
    wide.prefix_len = 16;
    narrow.prefix_len = 24;
    g_assert_cmpint(tcp_md5_set(l, &wide, sizeof(wide), true), ==, 0);
    g_assert_cmpint(tcp_md5_set(l, &narrow, sizeof(narrow), true), ==, 0);
    g_assert_cmpmem(tcp_md5_find(l, &in)->key, 6, "narrow", 6);
    g_assert_cmpmem(tcp_md5_find(l, &out)->key, 4, "wide", 4);
    g_assert_null(tcp_md5_find(l, &far));
    wide.prefix_len = 33;
    g_assert_cmpint(tcp_md5_set(l, &wide, sizeof(wide), true), ==, -EINVAL);
    tcp_close(l);
    peer_free(p);
}

/* ---- metrics ---- */

static TcpConn *with(Peer *p, uint32_t srtt_us, uint32_t mdev_us)
{
    TcpConn *c = tcp_socket(p->tcp, false);

    c->local = inet_from_ip4(peer_ip(PEER_HOST));
    c->remote = inet_from_ip4(peer_ip(PEER_ADDR));
    c->rtt.srtt_us = srtt_us;
    c->rtt.mdev_us = mdev_us;
    return c;
}

/* The RTO of a connection begins with what the last one measured: srtt + max(2 srtt, 200 ms), as Linux
 * computes it. */
static void test_metrics_rtt(void)
{
    Peer *p = peer_new(1);
    TcpConn *a = with(p, 8 * 500000, 1000), *b = with(p, 8 * 100000, 50000), *n = with(p, 0, 0);
    TcpReq r = {.local = a->local, .remote = a->remote};

    tcp_metrics_init(n);
    g_assert_cmpuint(n->rtt.rto_ms, ==, 3000); /* RFC 6298 5.7: no sample at all */
    g_assert_false(tcp_metrics_peer_is_proven(p->tcp, &r));
    tcp_metrics_update(a);
    g_assert_true(tcp_metrics_peer_is_proven(p->tcp, &r));
    tcp_metrics_init(b);
    g_assert_cmpuint(b->rtt.rto_ms, ==, 500 + 1000);
    tcp_metrics_flush(p->tcp);
    b->rtt.rto_ms = 300;
    tcp_metrics_init(b);
    g_assert_cmpuint(b->rtt.rto_ms, ==, 300);
    tcp_close(a);
    tcp_close(b);
    tcp_close(n);
    peer_free(p);
}

/* ssthresh is only kept when tcp_no_ssthresh_metrics_save is off; nothing with tcp_no_metrics_save. */
static void test_metrics_ssthresh(void)
{
    Peer *p = peer_new(1);
    TcpConn *a = with(p, 8 * 50000, 1000), *b = with(p, 8 * 50000, 1000);

    a->cc.s.ssthresh = 20;
    a->cc.s.cwnd = 30;
    tcp_metrics_update(a);
    tcp_metrics_init(b);
    g_assert_cmpuint(b->cc.s.ssthresh, ==, TCP_INFINITE_SSTHRESH);
    tcp_sysctl(p->tcp)->tcp_no_ssthresh_metrics_save = 0;
    tcp_metrics_update(a);
    tcp_metrics_init(b);
    g_assert_cmpuint(b->cc.s.ssthresh, ==, 20); /* max(cwnd / 2, ssthresh) */
    tcp_metrics_flush(p->tcp);
    tcp_sysctl(p->tcp)->tcp_no_metrics_save = 1;
    tcp_metrics_update(a);
    tcp_metrics_init(b);
    g_assert_cmpuint(b->cc.s.ssthresh, ==, TCP_INFINITE_SSTHRESH);
    tcp_close(a);
    tcp_close(b);
    peer_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/md5/handshake", test_md5);
    g_test_add_func("/tcp/md5/prefix", test_md5_prefix);
    g_test_add_func("/tcp/metrics/rtt", test_metrics_rtt);
    g_test_add_func("/tcp/metrics/ssthresh", test_metrics_ssthresh);
    return g_test_run();
}

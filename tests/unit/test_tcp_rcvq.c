/* Receiving, without a network: segments are put into a connection made by hand; what is queued, what the
 * application reads, which SACK blocks would be sent and what Linux would charge are looked at. */
#include "models/tcp/tcp_input.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>

#include "models/tcp/tcp_life.h"
#include "sim/engine/sim.h"

#define ISN 1000u
#define MSS 1000u

typedef struct World {
    Sim *sim;
    Node node;
    Tcp *t;
    TcpShared shared;
    TcpConn *c;
} World;

static void world_init(World *w)
{
    TcpConn *c;

    memset(w, 0, sizeof(*w));
    w->sim = sim_new(1);
    node_init(&w->node, w->sim, "h");
    w->t = g_new0(Tcp, 1);
    w->t->node = &w->node;
    w->node.part->packets = packetpool_new();
    w->t->sysctl = &tcp_sysctl_default;
    w->t->shared = &w->shared;
    w->shared.rcvsegs = poolset_get(&w->node.part->pools, "tcp.rcvseg", sizeof(TcpRcvSeg), 16);
    w->shared.sacks = poolset_get(&w->node.part->pools, "tcp.sack", TCP_NUM_SACKS * sizeof(TcpSackBlock), 16);
    w->c = c = g_new0(TcpConn, 1);
    c->tcp = w->t;
    c->state = TCP_ESTABLISHED;
    c->rcv_nxt = c->copied_seq = ISN;
    c->advmss = 1460;
    c->ack.rcv_mss = 536;
    c->sack.is_sack_ok = true;
    c->rcvlowat = 1;
    c->tcp_header_len = TCP_MIN_HDR_LEN;
    c->rtt.rto_ms = 1000;
    c->win = (TcpWindow){
        .rcvbuf = 131072,
        .scaling_ratio = 128,
        .rcv_wnd = 64240,
        .rcv_wup = ISN,
        .rcv_mwnd_seq = ISN + 64240,
        .window_clamp = 65536,
        .rcv_ssthresh = 64240,
        .space_space = 14600,
    };
}

static void world_clear(World *w)
{
    tcp_rcvq_purge(w->c);
    g_assert_cmpuint(w->c->rcv.rmem_alloc, ==, 0);
    g_assert_cmpint(w->t->mem_pages8, ==, 0);
    g_free(w->c->urg);
    g_free(w->c);
    packetpool_free(w->node.part->packets);
    g_free(w->t->rare);
    g_free(w->t);
    node_clear(&w->node);
    sim_free(w->sim);
}

/* The byte at offset o of the stream is o mod 251, so that order can be checked. */
static TcpIn segment(World *w, uint32_t off, uint32_t len, uint16_t flags)
{
    Packet *p = packet_new(w->node.part->packets, 0, 0, 0);

    if (len)
        packet_add_synthetic(p, off, len);
    return (TcpIn){
        .pkt = p,
        .seq = ISN + off,
        .end_seq = ISN + off + len + ((flags & TCP_FIN) != 0),
        .len = len,
        .flags = (uint16_t)(TCP_ACK | flags),
        .hdr_len = TCP_MIN_HDR_LEN,
        .gso_segs = 1,
    };
}

static void arrive(World *w, uint32_t off, uint32_t len, uint16_t flags)
{
    TcpIn in = segment(w, off, len, flags);

    tcp_urg_input(w->c, &in);
    tcp_rcvq_data(w->c, &in);
    packet_unref(in.pkt);
}

static void arrive_urgent(World *w, uint32_t off, uint32_t len, uint16_t urgent)
{
    TcpIn in = segment(w, off, len, TCP_URG);

    in.urgent = urgent;
    tcp_urg_input(w->c, &in);
    tcp_rcvq_data(w->c, &in);
    packet_unref(in.pkt);
}

/* Reads n at most and checks that they are the bytes from off on. There is no network: no ACK and no window
 * update may be due. */
static int64_t read_at(World *w, uint32_t off, size_t n, int flags)
{
    uint8_t buf[8192];
    TcpRecv r = {.bytes = buf, .len = n, .flags = flags};
    uint32_t clamp = w->c->win.window_clamp;
    int64_t got;

    w->c->ack.pending = 0;
    w->c->win.window_clamp = 0;
    got = tcp_recv(w->c, &r);
    w->c->win.window_clamp = clamp;
    if (got > 0)
        g_assert_true(payload_matches(buf, off, (size_t)got));
    return got;
}

static void assert_sacks(const World *w, const char *expected)
{
    g_autoptr(GString) s = g_string_new(NULL);

    for (unsigned i = 0; i < w->c->rcv.num_sacks; i++) {
        const TcpSackBlock *b = &w->c->rcv.selective_acks[i];

        g_string_append_printf(s, "%s%u:%u", i ? " " : "", b->left - ISN, b->right - ISN);
    }
    g_assert_cmpstr(s->str, ==, expected);
}

static void assert_dsack(const World *w, uint32_t left, uint32_t right)
{
    g_assert_cmpuint(w->c->rcv.dsack, ==, 1);
    g_assert_cmpuint(w->c->rcv.duplicate_sack.left - ISN, ==, left);
    g_assert_cmpuint(w->c->rcv.duplicate_sack.right - ISN, ==, right);
}

static void test_in_order(void)
{
    World w;

    world_init(&w);
    g_assert_cmpint(read_at(&w, 0, 10, 0), ==, -EAGAIN);
    arrive(&w, 0, 1000, 0);
    arrive(&w, 1000, 500, TCP_PSH);
    g_assert_cmpuint(w.c->rcv_nxt, ==, ISN + 1500);
    g_assert_cmpint(read_at(&w, 0, 100, MSG_PEEK), ==, 100);
    g_assert_cmpint(read_at(&w, 0, 1200, 0), ==, 1200);
    g_assert_cmpint(read_at(&w, 1200, 1200, 0), ==, 300);
    g_assert_cmpuint(w.c->rcv.rmem_alloc, ==, 0);
    g_assert_cmpuint(w.c->stats.bytes_received, ==, 1500);
    world_clear(&w);
}

/* RFC 2018 4: the block that changed last comes first; one that joins others takes their place. */
static void test_sack_order(void)
{
    World w;

    world_init(&w);
    arrive(&w, 2000, 1000, 0);
    arrive(&w, 4000, 1000, 0);
    arrive(&w, 6000, 1000, 0);
    assert_sacks(&w, "6000:7000 4000:5000 2000:3000");
    arrive(&w, 5000, 1000, 0);
    assert_sacks(&w, "4000:7000 2000:3000");
    arrive(&w, 0, 2000, 0); /* reaches the first island */
    g_assert_cmpuint(w.c->rcv_nxt, ==, ISN + 3000);
    assert_sacks(&w, "4000:7000");
    g_assert_false(w.c->ack.pending & TCP_ACK_NOW);
    arrive(&w, 3000, 1000, 0);
    assert_sacks(&w, "");
    /* RFC 5681 4.2: an immediate ACK when all gaps are filled */
    g_assert_true(w.c->ack.pending & TCP_ACK_NOW);
    g_assert_cmpint(read_at(&w, 0, 8000, 0), ==, 7000);
    world_clear(&w);
}

/* Four islands are remembered; a fifth pushes out the one touched longest ago. */
static void test_sack_full(void)
{
    World w;

    world_init(&w);
    for (uint32_t i = 1; i <= 5; i++)
        arrive(&w, i * 2000, 1000, 0);
    assert_sacks(&w, "10000:11000 8000:9000 6000:7000 4000:5000");
    world_clear(&w);
}

/* RFC 2883 4: what came twice is told once, before the blocks. */
static void test_dsack(void)
{
    World w;

    world_init(&w);
    arrive(&w, 0, 2000, 0);
    arrive(&w, 500, 1000, 0); /* all of it is old */
    assert_dsack(&w, 500, 1500);
    g_assert_cmpuint(tcp_mib(w.t, MIB_TcpExtTCPDSACKOldSent), ==, 1);
    arrive(&w, 1000, 2000, 0); /* the first half is */
    assert_dsack(&w, 1000, 2000);
    g_assert_cmpuint(w.c->rcv_nxt, ==, ISN + 3000);

    arrive(&w, 5000, 1000, 0);
    g_assert_cmpuint(w.c->rcv.dsack, ==, 0);
    arrive(&w, 5000, 1000, 0); /* within an island: RFC 2883 4.1.2 */
    assert_dsack(&w, 5000, 6000);
    g_assert_cmpuint(tcp_mib(w.t, MIB_TcpExtTCPDSACKOfoSent), ==, 1);
    arrive(&w, 5500, 1000, 0); /* overlaps its end */
    assert_dsack(&w, 5500, 6000);
    assert_sacks(&w, "5000:6500");
    arrive(&w, 4000, 4000, 0); /* covers all of it */
    assert_dsack(&w, 5000, 6500);
    assert_sacks(&w, "4000:8000");
    arrive(&w, 3000, 2000, 0); /* fills the gap and 1000 more */
    assert_dsack(&w, 4000, 5000);
    g_assert_cmpint(read_at(&w, 0, 8192, 0), ==, 8000);
    world_clear(&w);
}

/* Everything that begins at the same place and is longer replaces; random cuts arrive in random order: the
 * stream is whole in the end, each byte once. */
static void test_any_order(void)
{
    GRand *r = g_rand_new_with_seed(7);

    for (unsigned round = 0; round < 200; round++) {
        World w;
        uint32_t end = 6000;

        world_init(&w);
        for (unsigned i = 0; i < 60; i++) {
            uint32_t off = (uint32_t)g_rand_int_range(r, 0, (gint32)end);
            uint32_t len = (uint32_t)g_rand_int_range(r, 1, 1400);

            arrive(&w, off, HS_MIN(len, end - off), 0);
            for (unsigned b = 0; b < w.c->rcv.num_sacks; b++)
                g_assert_true(tcp_after(w.c->rcv.selective_acks[b].left, w.c->rcv_nxt));
        }
        for (uint32_t off = 0; off < end; off += 1000)
            arrive(&w, off, 1000, 0);
        g_assert_cmpuint(w.c->rcv_nxt, ==, ISN + end);
        g_assert_true(rbtree_is_empty(&w.c->rcv.ooo));
        assert_sacks(&w, "");
        g_assert_cmpint(read_at(&w, 0, 8192, 0), ==, end);
        world_clear(&w);
    }
    g_rand_free(r);
}

/* A FIN before its turn waits like data; it ends the stream when it is due, and all that was sent beyond is
 * forgotten. */
static void test_fin(void)
{
    World w;

    world_init(&w);
    arrive(&w, 1000, 500, TCP_FIN);
    assert_sacks(&w, "1000:1501");
    arrive(&w, 3000, 500, 0);
    arrive(&w, 0, 1000, 0);
    g_assert_cmpuint(w.c->state, ==, TCP_CLOSE_WAIT);
    g_assert_true(rbtree_is_empty(&w.c->rcv.ooo));
    g_assert_cmpint(read_at(&w, 0, 8000, 0), ==, 1500);
    g_assert_cmpint(read_at(&w, 0, 8000, 0), ==, 0);
    world_clear(&w);
}

/* The byte before the pointer is urgent (BSD's reading, which Linux keeps): cut out, and read with MSG_OOB.
 */
static void test_urgent(void)
{
    World w;
    uint8_t byte = 0;
    TcpRecv r = {.bytes = &byte, .len = 1, .flags = MSG_OOB};

    world_init(&w);
    arrive_urgent(&w, 0, 100, 51);
    g_assert_cmpint(read_at(&w, 0, 200, 0), ==, 50); /* up to the mark */
    g_assert_cmpint(tcp_recv(w.c, &r), ==, 1);
    g_assert_cmpuint(byte, ==, 50);
    g_assert_cmpint(tcp_recv(w.c, &r), ==, -EINVAL); /* once only */
    g_assert_cmpint(read_at(&w, 51, 200, 0), ==, 49);
    world_clear(&w);

    world_init(&w);
    w.c->sflags |= TCP_S_OOBINLINE;
    arrive_urgent(&w, 0, 100, 51);
    g_assert_cmpint(read_at(&w, 0, 200, 0), ==, 50);
    g_assert_cmpint(read_at(&w, 50, 200, 0), ==, 50);
    g_assert_cmpint(tcp_recv(w.c, &r), ==, -EINVAL);
    world_clear(&w);
}

/* Measured on Linux 6.18 through a TUN device: sk_rmem_alloc after one segment without options. */
static void test_truesize(void)
{
    static const struct {
        uint32_t len, truesize;
    } table[] = {{1, 832},     {500, 1280},  {1000, 2304}, {1460, 2304},
                 {2000, 4352}, {4000, 8448}, {9000, 12544}};
    World w;

    for (size_t i = 0; i < HS_ARRAY_LEN(table); i++) {
        world_init(&w);
        arrive(&w, 0, table[i].len, 0);
        g_assert_cmpuint(w.c->rcv.rmem_alloc, ==, table[i].truesize);
        world_clear(&w);
    }
    /* Tiny segments share a buffer. */
    world_init(&w);
    for (uint32_t i = 0; i < 10; i++)
        arrive(&w, i, 1, 0);
    g_assert_cmpuint(w.c->rcv.rmem_alloc, ==, 832);
    g_assert_cmpuint(tcp_mib(w.t, MIB_TcpExtTCPRcvCoalesce), ==, 9);
    g_assert_cmpint(read_at(&w, 0, 9, 0), ==, 9);
    g_assert_cmpuint(w.c->rcv.rmem_alloc, ==, 832); /* until the last byte of it is read */
    world_clear(&w);
}

/* A full buffer: what is small is squeezed; then what came out of order goes, the furthest first. */
static void test_prune(void)
{
    World w;

    world_init(&w);
    w.c->win.rcvbuf = 20000;
    w.c->win.is_rcvbuf_locked = true;
    for (uint32_t i = 0; i < 5; i++) /* 5 x 4352 */
        arrive(&w, 20000 + 3000 * i, 2000, 0);
    /* Before the last, 17408 + 2000 bytes of payload were within the limit (Linux tcp_can_ingest): it may end
     * up beyond. */
    g_assert_cmpuint(w.c->rcv.rmem_alloc, ==, 5 * 4352);
    g_assert_cmpuint(tcp_mib(w.t, MIB_TcpExtPruneCalled), ==, 0);
    arrive(&w, 0, 2000, 0);
    g_assert_cmpuint(tcp_mib(w.t, MIB_TcpExtPruneCalled), ==, 1);
    g_assert_cmpuint(tcp_mib(w.t, MIB_TcpExtOfoPruned), ==, 1);
    g_assert_cmpuint(w.c->rcv_nxt, ==, ISN + 2000);
    assert_sacks(&w, "");
    world_clear(&w);

    /* Segments of 400 bytes, one buffer of 1280 each, become few pages. */
    world_init(&w);
    w.c->win.rcvbuf = 25000;
    w.c->win.is_rcvbuf_locked = true;
    for (uint32_t i = 0; i < 21; i++)
        arrive(&w, 400 * i, 400, 0);
    g_assert_cmpuint(tcp_mib(w.t, MIB_TcpExtTCPRcvCollapsed), >, 0);
    g_assert_cmpuint(w.c->rcv_nxt, ==, ISN + 400 * 21);
    g_assert_cmpuint(w.c->rcv.rmem_alloc, <, 25000);
    g_assert_cmpint(read_at(&w, 0, 8000, 0), ==, 8000);
    g_assert_cmpint(read_at(&w, 8000, 8000, 0), ==, 400);
    world_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/rcvq/in-order", test_in_order);
    g_test_add_func("/tcp/rcvq/sack-order", test_sack_order);
    g_test_add_func("/tcp/rcvq/sack-full", test_sack_full);
    g_test_add_func("/tcp/rcvq/dsack", test_dsack);
    g_test_add_func("/tcp/rcvq/any-order", test_any_order);
    g_test_add_func("/tcp/rcvq/fin", test_fin);
    g_test_add_func("/tcp/rcvq/urgent", test_urgent);
    g_test_add_func("/tcp/rcvq/truesize", test_truesize);
    g_test_add_func("/tcp/rcvq/prune", test_prune);
    return g_test_run();
}

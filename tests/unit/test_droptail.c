/* Drop-tail, and marking at a threshold. */
#include <glib.h>
#include <string.h>

#include "models/link/linkmark.h"
#include "models/queue/queue.h"
#include "models/wire/eth.h"
#include "models/wire/ipv4.h"
#include "models/wire/vlan.h"

static const QueueOwner owner = {.mark = linkmark_ce};

static Queue *make(double packets, double bytes, double ecn)
{
    char *error = NULL;
    Queue *q = queue_new(queue_ops_by_name("droptail"), (double[]){packets, bytes, ecn},
                         (bool[]){packets != 0, bytes != 0, ecn != 0}, &error);

    g_assert_cmpstr(error, ==, NULL);
    q->owner = &owner;
    return q;
}

static Packet *plain(PacketPool *pool, uint64_t id, uint32_t len)
{
    Packet *p = packet_new(pool, 0, id, 16);

    packet_add_synthetic(p, 0, len);
    return p;
}

static void offer(Queue *q, PacketPool *pool, uint64_t id, uint32_t len, QueueVerdict want)
{
    Packet *p = plain(pool, id, len);
    QueueVerdict v = queue_enqueue(q, p, 5);

    g_assert_cmpint(v, ==, want);
    if (v != QUEUE_OK)
        packet_unref(p);
}

static void expect(Queue *q, uint64_t id)
{
    Packet *p = queue_dequeue(q, 6);

    g_assert_nonnull(p);
    g_assert_cmpuint(p->birth_id, ==, id);
    packet_unref(p);
}

static uint64_t live(const PacketPool *pool)
{
    PacketPoolInfo info;

    packetpool_get_info(pool, &info);
    return info.live;
}

static void test_packets(void)
{
    PacketPool *pool = packetpool_new();
    Queue *q = make(3, 0, 0);

    g_assert_cmpint(q->ops->next(q, 5), ==, SIM_NEVER);
    g_assert_null(queue_dequeue(q, 5));
    for (uint64_t id = 1; id <= 5; id++)
        offer(q, pool, id, (uint32_t)id * 100, id <= 3 ? QUEUE_OK : QUEUE_FULL);
    g_assert_cmpuint(q->packets, ==, 3);
    g_assert_cmpuint(q->bytes, ==, 600);
    g_assert_cmpint(q->ops->next(q, 5), ==, 5);
    expect(q, 1);
    offer(q, pool, 6, 50, QUEUE_OK);
    expect(q, 2);
    expect(q, 3);
    expect(q, 6);
    g_assert_cmpuint(q->packets, ==, 0);
    g_assert_cmpuint(q->bytes, ==, 0);
    g_assert_cmpuint(q->stats.enqueued_packets, ==, 4);
    g_assert_cmpuint(q->stats.enqueued_bytes, ==, 650);
    g_assert_cmpuint(queue_signals(q).dropped_packets, ==, 2);
    g_assert_cmpuint(queue_signals(q).dropped_bytes, ==, 900);
    g_assert_cmpuint(q->stats.peak_packets, ==, 3);
    g_assert_cmpuint(q->stats.peak_bytes, ==, 600);
    queue_free(q);
    g_assert_cmpuint(live(pool), ==, 0);
    packetpool_free(pool);
}

/* By bytes: what fits exactly is taken, one byte more is not, and a smaller one after that may still fit
 * (Linux bfifo). */
static void test_bytes(void)
{
    PacketPool *pool = packetpool_new();
    Queue *q = make(0, 1000, 0);

    offer(q, pool, 1, 600, QUEUE_OK);
    offer(q, pool, 2, 401, QUEUE_FULL);
    offer(q, pool, 3, 400, QUEUE_OK);
    offer(q, pool, 4, 1, QUEUE_FULL);
    queue_free(q); /* with what waits */
    g_assert_cmpuint(live(pool), ==, 0);
    q = make(0, 5000, 0); /* no limit on packets is implied */
    for (uint64_t id = 1; id <= 2500; id++)
        offer(q, pool, id, 2, QUEUE_OK);
    queue_free(q);
    q = make(2, 5000, 0); /* both */
    offer(q, pool, 1, 2, QUEUE_OK);
    offer(q, pool, 2, 2, QUEUE_OK);
    offer(q, pool, 3, 2, QUEUE_FULL);
    queue_free(q);
    packetpool_free(pool);
}

/* Linux txqueuelen unless said otherwise; order survives the ring's growth and wrap-around. */
static void test_default(void)
{
    PacketPool *pool = packetpool_new();
    Queue *q = make(0, 0, 0);
    uint64_t out = 1, in = 1;

    for (; in <= 1000; in++)
        offer(q, pool, in, 100, QUEUE_OK);
    offer(q, pool, 0, 100, QUEUE_FULL);
    for (int round = 0; round < 3000; round++) {
        expect(q, out++);
        if (round % 3)
            offer(q, pool, in++, 100, QUEUE_OK);
        if (!q->packets)
            break;
    }
    while (out < in)
        expect(q, out++);
    queue_free(q);
    packetpool_free(pool);
}

static Packet *ip(PacketPool *pool, uint8_t ecn, bool vlan)
{
    Packet *p = packet_new(pool, 0, 1, 16);
    Ipv4Hdr h = {.ttl = 64, .proto = 17, .total_len = 120, .src = 0x0a000001, .dst = 0x0a000002};
    uint8_t *d = packet_put(p, 14);

    memset(d, 0, 14);
    wire_put16(d + 12, vlan ? ETH_TYPE_VLAN : ETH_TYPE_IPV4);
    if (vlan) {
        d = packet_put(p, 4);
        wire_put16(d, 7);
        wire_put16(d + 2, ETH_TYPE_IPV4);
    }
    d = packet_put(p, 20);
    ipv4_encode(d, &h);
    ipv4_set_ecn(d, ecn);
    packet_add_synthetic(p, 0, 100);
    return p;
}

/* Packets that join two or more are marked, if they are ECN-capable and not yet marked; the header checksum
 * stays right, and a shared packet is marked in a copy of its own. */
static void test_mark(void)
{
    PacketPool *pool = packetpool_new();

    for (int vlan = 0; vlan < 2; vlan++) {
        static const uint8_t ecn[] = {IP_ECN_ECT0,    IP_ECN_ECT1, IP_ECN_ECT0,
                                      IP_ECN_NOT_ECT, IP_ECN_ECT1, IP_ECN_CE};
        static const uint8_t want[] = {IP_ECN_ECT0,    IP_ECN_ECT1, IP_ECN_CE,
                                       IP_ECN_NOT_ECT, IP_ECN_CE,   IP_ECN_CE};
        Queue *q = make(0, 0, 2);
        Packet *mine[6];

        for (int i = 0; i < 6; i++) {
            mine[i] = ip(pool, ecn[i], vlan);
            g_assert_cmpint(queue_enqueue(q, packet_ref(mine[i]), 0), ==, QUEUE_OK);
        }
        g_assert_cmpuint(queue_signals(q).marked_packets, ==, 2);
        for (int i = 0; i < 6; i++) {
            Packet *p = queue_dequeue(q, 0);
            const uint8_t *h = packet_cdata(p) + 14 + 4 * vlan;

            g_assert_cmpuint(ipv4_ecn(h), ==, want[i]);
            g_assert_cmpint(ipv4_check(h), ==, WIRE_OK);
            g_assert_cmpuint(ipv4_ecn(packet_cdata(mine[i]) + 14 + 4 * vlan), ==, ecn[i]);
            g_assert_cmpint(p == mine[i], ==, ecn[i] == want[i]);
            packet_unref(p);
            packet_unref(mine[i]);
        }
        queue_free(q);
    }
    g_assert_cmpuint(live(pool), ==, 0);
    packetpool_free(pool);
}

/* What is no IPv4 in Ethernet, or cut short, is left alone; so is everything where nobody knows headers. */
static void test_mark_others(void)
{
    PacketPool *pool = packetpool_new();
    Queue *q = make(0, 0, 1);
    Packet *p = ip(pool, IP_ECN_ECT0, false);

    wire_put16(packet_data(p) + 12, ETH_TYPE_ARP);
    g_assert_false(queue_mark(q, &p));
    wire_put16(packet_data(p) + 12, ETH_TYPE_IPV4);
    q->owner = NULL;
    g_assert_false(queue_mark(q, &p));
    q->owner = &owner;
    g_assert_true(queue_mark(q, &p));
    g_assert_true(queue_mark(q, &p)); /* again: it is marked, but that is no new mark */
    g_assert_cmpuint(queue_signals(q).marked_packets, ==, 1);
    for (uint32_t n = 33; n; n--) {
        packet_trim(p, n);
        g_assert_false(queue_mark(q, &p));
    }
    packet_unref(p);
    p = packet_new(pool, 0, 1, 16); /* VLAN tags to the end */
    for (int i = 0; i < 20; i++)
        wire_put16(packet_put(p, 2), ETH_TYPE_VLAN);
    g_assert_false(queue_mark(q, &p));
    packet_unref(p);
    queue_free(q);
    packetpool_free(pool);
}

static void test_errors(void)
{
    static const double bad[] = {0, -1, 0.5, 5e9};

    for (size_t i = 0; i < HS_ARRAY_LEN(bad); i++) {
        for (int k = 0; k < 3; k++) {
            double values[3] = {0};
            bool set[3] = {false};
            char *error = NULL;

            values[k] = bad[i];
            set[k] = true;
            g_assert_null(queue_new(queue_ops_by_name("droptail"), values, set, &error));
            g_assert_nonnull(error);
            if (k == 1 && i == 1)
                g_assert_cmpstr(error, ==,
                                "a droptail queue of -1 bytes makes no sense (expected 1 or more)");
            g_free(error);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/queue/droptail/packets", test_packets);
    g_test_add_func("/queue/droptail/bytes", test_bytes);
    g_test_add_func("/queue/droptail/default", test_default);
    g_test_add_func("/queue/droptail/mark", test_mark);
    g_test_add_func("/queue/droptail/mark-others", test_mark_others);
    g_test_add_func("/queue/droptail/errors", test_errors);
    return g_test_run();
}

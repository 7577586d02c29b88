/* ping: what it sends, counts and prints. */
#include "tests/unit/test_ip_helper.h"

#include <errno.h>

#include "models/app/ping.h"

typedef struct Out {
    GString *text;
    unsigned n_done;
    PingResult r;
} Out;

static void on_line(void *user, const char *text)
{
    Out *o = user;

    g_string_append(o->text, text);
    g_string_append_c(o->text, '\n');
}

static void on_done(void *user, const PingResult *r)
{
    Out *o = user;

    o->n_done++;
    o->r = *r;
}

static Ping *start(TestHost *h, const PingOptions *o, Out *out)
{
    *out = (Out){.text = g_string_new(NULL)};
    return ping_new(h->ip, o, &(PingEvents){.line = on_line, .done = on_done, .user = out});
}

static void end(Ping *p, Out *out)
{
    ping_free(p);
    g_string_free(out->text, TRUE);
}

/* The words of iputils, whole. The wire takes 1 ms each way. */
static void session(void)
{
    TestPair t = test_pair();
    PingOptions o = PING_DEFAULTS;
    Out out;
    Ping *p;
    const uint8_t *icmp;

    o.dst = TEST_B;
    o.count = 3;
    p = start(t.a, &o, &out);
    test_net_run(t.net, 10 * SIM_SEC);
    g_assert_cmpstr(out.text->str, ==,
                    "PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.\n"
                    "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=2.00 ms\n"
                    "64 bytes from 10.0.0.2: icmp_seq=2 ttl=64 time=2.00 ms\n"
                    "64 bytes from 10.0.0.2: icmp_seq=3 ttl=64 time=2.00 ms\n"
                    "\n"
                    "--- 10.0.0.2 ping statistics ---\n"
                    "3 packets transmitted, 3 received, 0% packet loss, time 2000ms\n"
                    "rtt min/avg/max/mdev = 2.000/2.000/2.000/0.000 ms\n");
    g_assert_cmpuint(out.n_done, ==, 1);
    g_assert_cmpuint(out.r.received, ==, 3);
    /* The payload: the time of sending (2.000000 s), then a pattern that says where it stands. */
    g_assert_cmpuint(t.a->dev[0].last_len, ==, 84);
    icmp = t.a->dev[0].last + 20;
    g_assert_cmpuint(icmp[8], ==, 2);
    for (unsigned i = 9; i < 24; i++)
        g_assert_cmpuint(icmp[i], ==, 0);
    for (unsigned i = 24; i < 64; i++)
        g_assert_cmpuint(icmp[i], ==, i - 8);
    end(p, &out);
    test_net_free(t.net);
}

static void options(void)
{
    TestPair t = test_pair();
    PingOptions o = {
        .dst = TEST_B, .count = 2, .size = 1400, .interval = 200 * SIM_MS, .ttl = 5, .tos = 0x20, .df = true};
    Out out;
    Ping *p = start(t.a, &o, &out);
    const uint8_t *ip = t.a->dev[0].last;

    test_net_run(t.net, 10 * SIM_SEC);
    g_assert_cmpuint(out.r.received, ==, 2);
    g_assert_cmpint(out.r.time, ==, 200 * SIM_MS);
    g_assert_cmpuint(ipv4_ttl(ip), ==, 5);
    g_assert_cmpuint(ipv4_tos(ip), ==, 0x20);
    g_assert_cmphex(ipv4_frag(ip), ==, IPV4_FLAG_DF);
    g_assert_cmpuint(t.a->dev[0].last_len, ==, 1428);
    g_assert_cmpuint(icmp_seq(ip + 20), ==, 1); /* the second of those that begin at 0 */
    for (unsigned i = 24; i < 1408; i++)
        g_assert_cmpuint(ip[20 + i], ==, (i - 8) & 0xff);
    g_assert_cmpint(icmp_check(ip + 20, 1408), ==, WIRE_OK);
    end(p, &out);
    /* Too short for a time stamp: nothing to say about time. */
    o = (PingOptions){.dst = TEST_B, .count = 1, .size = 8, .first_seq = 1};
    p = start(t.a, &o, &out);
    test_net_run(t.net, 10 * SIM_SEC);
    g_assert_nonnull(strstr(out.text->str, "16 bytes from 10.0.0.2: icmp_seq=1 ttl=64\n"));
    g_assert_null(strstr(out.text->str, "rtt"));
    end(p, &out);
    test_net_free(t.net);
}

/* Silence: loss and nothing more (ICMP-04). */
static void no_answer(void)
{
    TestPair t = test_pair();
    PingOptions o = PING_DEFAULTS;
    Out out;
    Ping *p;

    t.a->dev[0].is_cut = true;
    o.dst = TEST_B;
    o.count = 2;
    p = start(t.a, &o, &out);
    test_net_run(t.net, 10 * SIM_SEC);
    g_assert_cmpuint(out.n_done, ==, 0); /* MAXWAIT 10 s after the last */
    test_net_run(t.net, 2 * SIM_SEC);
    g_assert_cmpuint(out.n_done, ==, 1);
    g_assert_nonnull(
        strstr(out.text->str, "2 packets transmitted, 0 received, 100% packet loss, time 1000ms\n\n"));
    end(p, &out);
    test_net_free(t.net);
}

static Packet *drop_second(void *user, Packet *pkt)
{
    unsigned *n = user;

    if (++*n != 2)
        return pkt;
    packet_unref(pkt);
    return NULL;
}

static void loss(void)
{
    TestPair t = test_pair();
    PingOptions o = PING_DEFAULTS;
    unsigned n = 0;
    Out out;
    Ping *p;

    t.b->dev[0].filter = drop_second;
    t.b->dev[0].filter_user = &n;
    o.dst = TEST_B;
    o.count = 3;
    o.name = "b";
    p = start(t.a, &o, &out);
    test_net_run(t.net, 20 * SIM_SEC);
    g_assert_nonnull(strstr(out.text->str,
                            "--- b ping statistics ---\n"
                            "3 packets transmitted, 2 received, 33.3333% packet loss, time 2000ms\n"));
    g_assert_null(strstr(out.text->str, "icmp_seq=2"));
    end(p, &out);
    test_net_free(t.net);
}

static Packet *twice(void *user, Packet *pkt)
{
    TestDev *d = user;
    TestFlight *f = g_new(TestFlight, 1);

    *f = (TestFlight){d->peer, packet_ref(pkt)};
    node_after(d->peer->dev.node, 5 * SIM_MS, test_dev_arrive, f);
    return pkt;
}

static void duplicates(void)
{
    TestPair t = test_pair();
    PingOptions o = PING_DEFAULTS;
    Out out;
    Ping *p;

    t.b->dev[0].filter = twice;
    t.b->dev[0].filter_user = &t.b->dev[0];
    o.dst = TEST_B;
    o.count = 2;
    p = start(t.a, &o, &out);
    test_net_run(t.net, 20 * SIM_SEC);
    g_assert_nonnull(strstr(out.text->str, "icmp_seq=1 ttl=64 time=6.00 ms (DUP!)\n"));
    g_assert_nonnull(
        strstr(out.text->str, "2 packets transmitted, 2 received, +1 duplicates, 0% packet loss"));
    end(p, &out);
    test_net_free(t.net);
}

/* Errors from the way, in iputils' words; they count, and end the waiting. */
static void errors(void)
{
    TestNet *net = test_net_new();
    TestHost *a = test_host(net, "a"), *r = test_host(net, "r");
    PingOptions o = PING_DEFAULTS;
    Out out;
    Ping *p;

    test_dev(a, 0, "10.0.0.1/24", NULL);
    test_dev(r, 0, "10.0.0.254/24", &a->dev[0]);
    test_route(a, "0.0.0.0/0", IPV4_ADDR(10, 0, 0, 254));
    ip4_sysctl(r->ip)->ip_forward = true;
    o.dst = IPV4_ADDR(192, 0, 2, 1);
    o.count = 2;
    p = start(a, &o, &out);
    test_net_run(net, 5 * SIM_SEC);
    g_assert_nonnull(strstr(out.text->str, "From 10.0.0.254 icmp_seq=1 Destination Net Unreachable\n"));
    g_assert_nonnull(strstr(out.text->str, "2 packets transmitted, 0 received, +2 errors, 100% packet loss"));
    g_assert_cmpuint(out.n_done, ==, 1);
    end(p, &out);

    test_dev(r, 1, "192.0.2.254/24", NULL);
    o.ttl = 1;
    o.count = 1;
    p = start(a, &o, &out);
    test_net_run(net, 5 * SIM_SEC);
    g_assert_nonnull(strstr(out.text->str, "From 10.0.0.254 icmp_seq=1 Time to live exceeded\n"));
    end(p, &out);

    r->dev[1].dev.mtu = 1400;
    r->dev[1].dev.changed(&r->dev[1].dev);
    o.ttl = 0;
    o.df = true;
    o.size = 1472;
    o.count = 2; /* the second is stopped at home: the path MTU is known */
    p = start(a, &o, &out);
    test_net_run(net, 5 * SIM_SEC);
    g_assert_nonnull(
        strstr(out.text->str, "From 10.0.0.254 icmp_seq=1 Frag needed and DF set (mtu = 1400)\n"));
    g_assert_nonnull(strstr(out.text->str, "ping: local error: message too long, mtu=1400\n"));
    end(p, &out);
    test_net_free(net);
}

static void no_route(void)
{
    TestPair t = test_pair();
    PingOptions o = PING_DEFAULTS;
    Out out;
    Ping *p;

    o.dst = IPV4_ADDR(192, 0, 2, 1);
    p = start(t.a, &o, &out);
    test_net_run(t.net, SIM_SEC);
    g_assert_cmpuint(out.n_done, ==, 1);
    g_assert_cmpint(out.r.err, ==, ENETUNREACH);
    g_assert_nonnull(strstr(out.text->str, "ping: connect: Network is unreachable\n"));
    end(p, &out);
    test_net_free(t.net);
}

/* Two at a time have ids of their own; without a count it goes on until it is stopped. */
static void two_at_a_time(void)
{
    TestPair t = test_pair();
    PingOptions o = PING_DEFAULTS;
    Out out[2];
    Ping *p[2];

    o.dst = TEST_B;
    p[0] = start(t.a, &o, &out[0]);
    p[1] = start(t.a, &o, &out[1]);
    test_net_run(t.net, 70000 * SIM_SEC); /* the sequence number wraps */
    ping_stop(p[0]);
    ping_stop(p[1]);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpuint(out[i].r.sent, ==, 70001);
        g_assert_cmpuint(out[i].r.received, ==, 70000); /* the last is under way */
        g_assert_cmpuint(out[i].r.duplicates, ==, 0);
        end(p[i], &out[i]);
    }
    test_net_run(t.net, SIM_SEC);
    test_net_free(t.net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/app/ping/session", session);
    g_test_add_func("/app/ping/options", options);
    g_test_add_func("/app/ping/no-answer", no_answer);
    g_test_add_func("/app/ping/loss", loss);
    g_test_add_func("/app/ping/duplicates", duplicates);
    g_test_add_func("/app/ping/errors", errors);
    g_test_add_func("/app/ping/no-route", no_route);
    g_test_add_func("/app/ping/two-at-a-time", two_at_a_time);
    return g_test_run();
}

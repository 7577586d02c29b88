/* ICMPv6: echo, both ways; the errors that are heard and those that are sent. */
#include "models/wire/icmp6.h"
#include "sim/packet/checksum.h"
#include "tests/unit/ip6_bed.h"

static uint16_t icmp_sum(const uint8_t *packet)
{
    uint16_t len = ipv6_payload_len(packet);

    return checksum_fold(
        checksum_add(ipv6_pseudo_sum(packet + 8, packet + 24, IP_PROTO_ICMPV6, len), packet + 40, len));
}

/* An ICMPv6 message from fd3d::1 to fd3d::2. */
static size_t icmp_bytes(uint8_t *bytes, uint8_t type, uint8_t code, uint32_t info, const void *rest,
                         uint16_t len)
{
    Ipv6Hdr h = {.tc = 0x10,
                 .payload_len = (uint16_t)(8 + len),
                 .next_header = IP_PROTO_ICMPV6,
                 .hop_limit = 64,
                 .src = addr("fd3d::1"),
                 .dst = addr("fd3d::2")};

    ipv6_encode(bytes, &h);
    bytes[40] = type;
    bytes[41] = code;
    wire_put16(bytes + 42, 0);
    wire_put32(bytes + 44, info);
    memcpy(bytes + 48, rest, len);
    wire_put16(bytes + 42, (uint16_t)~icmp_sum(bytes));
    return 48u + len;
}

static void on_reply(void *user, Packet *reply, const Ip6Rx *rx)
{
    End *e = user;

    e->n_input++;
    e->rx = *rx;
    g_assert_cmpuint(icmp6_type(packet_cdata(reply)), ==, ICMP6_ECHO_REPLY);
    packet_unref(reply);
}

static Packet *echo_request(Bed *b, uint16_t id)
{
    Packet *p = body(b, 20);

    memset(packet_data(p), 0, 8);
    packet_data(p)[0] = ICMP6_ECHO;
    wire_put16(packet_data(p) + ICMP6_ID_OFF, id);
    return p;
}

/* Requests of our own: the answers, and what is said about the requests, go to who has the identifier. */
static void test_own_echo(void)
{
    Bed *b = bed_new();
    Ip6Tx tx = {.dst = addr("fd3d::2"), .proto = IP_PROTO_ICMPV6};
    uint8_t bytes[200], quote[48] = {0};
    size_t len;

    g_assert_cmpuint(ip6_echo_open(b->a.ip, 77, on_reply, on_error, &b->a), ==, 77);
    g_assert_cmpuint(ip6_echo_open(b->a.ip, 77, on_reply, on_error, &b->b), ==, 0);
    g_assert_cmpuint(ip6_echo_open(b->a.ip, 0, on_reply, on_error, &b->b), ==, 1);
    g_assert_cmpint(ip6_send_query(b->a.ip, echo_request(b, 77), &tx), ==, 0);
    g_assert_cmpuint(b->a.n_input, ==, 1);
    assert_addr(&b->a.rx.src, "fd3d::2");
    g_assert_cmpuint(ip6_mib(b->a.ip, MIB_Icmp6OutEchos), ==, 1);
    g_assert_cmpint(ip6_send_query(b->a.ip, echo_request(b, 78), &tx), ==, 0);
    g_assert_cmpuint(b->a.n_input, ==, 1);
    g_assert_cmpuint(b->b.n_input, ==, 0);
    tx.dst = addr("2001::1");
    g_assert_cmpint(ip6_send_query(b->a.ip, echo_request(b, 77), &tx), ==, -ENETUNREACH);

    g_assert_cmpuint(ip6_echo_open(b->b.ip, 77, on_reply, on_error, &b->b), ==, 77);
    ipv6_encode(quote, &(Ipv6Hdr){.payload_len = 8,
                                  .next_header = IP_PROTO_ICMPV6,
                                  .src = addr("fd3d::2"),
                                  .dst = addr("2001::9")});
    quote[40] = ICMP6_ECHO;
    wire_put16(quote + 40 + ICMP6_ID_OFF, 77);
    len = icmp_bytes(bytes, ICMP6_DEST_UNREACH, ICMP6_UNREACH_ADDR, 0, quote, sizeof quote);
    inject(b, &b->b, bytes, len);
    g_assert_cmpuint(b->b.n_errors, ==, 1);
    g_assert_cmpint(b->b.error.err, ==, EHOSTUNREACH);
    quote[40] = ICMP6_ECHO_REPLY; /* that was no request */
    len = icmp_bytes(bytes, ICMP6_DEST_UNREACH, ICMP6_UNREACH_ADDR, 0, quote, sizeof quote);
    inject(b, &b->b, bytes, len);
    g_assert_cmpuint(b->b.n_errors, ==, 1);
    ip6_echo_close(b->b.ip, 77);
    ip6_echo_close(b->b.ip, 77);
    g_assert_cmpuint(ip6_echo_open(b->b.ip, 77, on_reply, on_error, &b->b), ==, 77);
    bed_free(b);
}

static void test_echo(void)
{
    Bed *b = bed_new();
    uint8_t bytes[200];
    size_t len = icmp_bytes(bytes, ICMP6_ECHO, 0, 0x12340001, "hello, world", 12);

    inject(b, &b->b, bytes, len);
    g_assert_cmpuint(b->b.dev.n_sent, ==, 1);
    g_assert_cmpuint(b->b.dev.last_len, ==, len);
    g_assert_cmpuint(b->b.dev.last[40], ==, ICMP6_ECHO_REPLY);
    g_assert_cmpmem(b->b.dev.last + 44, 16, bytes + 44, 16);
    g_assert_cmpmem(b->b.dev.last + 8, 16, bytes + 24, 16);
    g_assert_cmphex(icmp_sum(b->b.dev.last), ==, 0xffff);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Icmp6InEchos), ==, 1);
    g_assert_cmpuint(ip6_mib(b->a.ip, MIB_Icmp6InEchoReplies), ==, 1);

    bytes[50] ^= 1;
    inject(b, &b->b, bytes, len);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Icmp6InCsumErrors), ==, 1);
    g_assert_cmpuint(b->b.dev.n_sent, ==, 1);
    bed_free(b);
}

/* Linux icmpv6_err_convert: the errno of each error, and whether it ends a connection. */
static void test_errors_in(void)
{
    static const struct {
        uint8_t type, code;
        int err;
        bool hard;
    } rows[] = {
        {1, 0, ENETUNREACH, false},  {1, 1, EACCES, true},        {1, 2, EHOSTUNREACH, false},
        {1, 3, EHOSTUNREACH, false}, {1, 4, ECONNREFUSED, true},  {1, 5, EACCES, true},
        {1, 6, EACCES, true},        {1, 7, EPROTO, true},        {2, 0, EMSGSIZE, false},
        {3, 0, EHOSTUNREACH, false}, {3, 1, EHOSTUNREACH, false}, {4, 1, EPROTO, true},
    };
    Bed *b = bed_new();
    uint8_t bytes[200], quote[48];
    size_t len;

    ipv6_encode(quote, &(Ipv6Hdr){.payload_len = 1000,
                                  .next_header = PROTO,
                                  .src = addr("fd3d::2"),
                                  .dst = addr("2001::9")});
    memcpy(quote + 40, "ABCDEFGH", 8);
    for (unsigned i = 0; i < HS_ARRAY_LEN(rows); i++) {
        len = icmp_bytes(bytes, rows[i].type, rows[i].code, 1400, quote, sizeof quote);
        inject(b, &b->b, bytes, len);
        g_assert_cmpuint(b->b.n_errors, ==, i + 1);
        g_assert_cmpint(b->b.error.err, ==, rows[i].err);
        g_assert_cmpint(b->b.error.hard, ==, rows[i].hard);
        g_assert_cmpuint(b->b.error.icmp_type, ==, rows[i].type);
        g_assert_cmpuint(b->b.error.info, ==, 1400);
        g_assert_cmpmem(b->b.error_l4, 8, "ABCDEFGH", 8);
        assert_addr(&b->b.error.dst, "2001::9");
        assert_addr(&b->b.error.reporter, "fd3d::1");
    }
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Icmp6InDestUnreachs), ==, 8);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Icmp6InPktTooBigs), ==, 1);

    /* Too short a quote; a quote of what we never sent. */
    len = icmp_bytes(bytes, 1, 4, 0, quote, sizeof quote - 1);
    inject(b, &b->b, bytes, len);
    quote[8] ^= 1;
    len = icmp_bytes(bytes, 1, 4, 0, quote, sizeof quote);
    inject(b, &b->b, bytes, len);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Icmp6InErrors), ==, 2);
    g_assert_cmpuint(b->b.n_errors, ==, HS_ARRAY_LEN(rows));
    bed_free(b);
}

/* An unknown protocol is answered with a parameter problem that points at its number (RFC 8200 section 4). */
static void test_unknown_protocol(void)
{
    Bed *b = bed_new();
    Ip6Tx tx = {.dst = addr("fd3d::2"), .proto = PROTO};

    ip6_set_proto(b->b.ip, PROTO, NULL);
    g_assert_cmpint(send(b, &tx, 1400), ==, 0);
    g_assert_cmpuint(b->b.dev.last[40], ==, ICMP6_PARAM_PROBLEM);
    g_assert_cmpuint(b->b.dev.last[41], ==, ICMP6_PARAM_NEXT_HEADER);
    g_assert_cmpuint(wire_get32(b->b.dev.last + 44), ==, 6);
    g_assert_cmpuint(b->b.dev.last_len, ==, IPV6_MIN_MTU); /* quotes as much as fits */
    g_assert_cmphex(icmp_sum(b->b.dev.last), ==, 0xffff);
    g_assert_cmpuint(b->a.n_errors, ==, 1);
    g_assert_cmpint(b->a.error.err, ==, EPROTO);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Ip6InUnknownProtos), ==, 1);
    bed_free(b);
}

/* RFC 4443 2.4 (e): no error about an error. */
static void test_no_error_about_error(void)
{
    Bed *b = bed_new();
    uint8_t bytes[200];
    size_t len = icmp_bytes(bytes, ICMP6_DEST_UNREACH, 0, 0, "12345678", 8);
    Packet *p = packet_from_bytes(b->pool, 0, 0, bytes, len);

    p->l3 = p->head;
    ip6_send_error(b->b.ip, p, ICMP6_DEST_UNREACH, ICMP6_UNREACH_PORT, 0);
    g_assert_cmpuint(b->b.dev.n_sent, ==, 0);
    packet_unref(p);
    len = icmp_bytes(bytes, ICMP6_ECHO, 0, 0, "12345678", 8);
    p = packet_from_bytes(b->pool, 0, 0, bytes, len);
    p->l3 = p->head;
    ip6_send_error(b->b.ip, p, ICMP6_DEST_UNREACH, ICMP6_UNREACH_PORT, 0);
    g_assert_cmpuint(b->b.dev.n_sent, ==, 1);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Icmp6OutDestUnreachs), ==, 1);
    packet_unref(p);
    bed_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/icmp6/own-echo", test_own_echo);
    g_test_add_func("/icmp6/echo", test_echo);
    g_test_add_func("/icmp6/errors-in", test_errors_in);
    g_test_add_func("/icmp6/unknown-protocol", test_unknown_protocol);
    g_test_add_func("/icmp6/no-error-about-error", test_no_error_about_error);
    return g_test_run();
}

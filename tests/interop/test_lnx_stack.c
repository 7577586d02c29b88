/* The real kernel behind packetdrill/pd_stack.h: a handshake through the TUN device, calls that return and
 * calls that sleep, aggregates in both directions, shell commands. Skipped (77) where namespaces or TUN are
 * not to be had. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "models/wire/ipv4.h"
#include "models/wire/tcp.h"
#include "tests/interop/lnx_stack.h"
#include "tests/interop/lnx_tun.h"

#define LOCAL_ADDR 0xc0a80001  /* 192.168.0.1 */
#define REMOTE_ADDR 0xc0000201 /* 192.0.2.1 */
#define REMOTE_PORT 40000
#define LOCAL_PORT 8080
#define WAIT_NS (2 * PD_NS_PER_SEC)

static PdStack *open_stack(void)
{
    PdHostConfig c = {.ip_version = PD_IPV4,
                      .local = {.prefix_len = 16},
                      .remote = {.prefix_len = 24},
                      .gateway = {.prefix_len = 16},
                      .bind_port = LOCAL_PORT,
                      .connect_port = LOCAL_PORT,
                      .mtu = 1500};
    wire_put32(c.local.b, LOCAL_ADDR);
    wire_put32(c.gateway.b, LOCAL_ADDR);
    wire_put32(c.remote.b, REMOTE_ADDR);
    char *error = NULL;
    PdStack *s = lnx_stack_ops.open(&c, NULL, &error);
    g_assert_cmpstr(error, ==, NULL);
    g_assert_nonnull(s);
    s->ops->start(s);
    return s;
}

/* A segment from the remote side; options: mss 1000 in a SYN, none elsewhere. */
static void inject(PdStack *s, uint16_t flags, uint32_t seq, uint32_t ack, size_t len, uint32_t gso_size)
{
    static const uint8_t mss[] = {2, 4, 0x03, 0xe8};
    uint8_t *p = g_malloc0(60 + len);
    TcpHdr h = {.src_port = REMOTE_PORT,
                .dst_port = LOCAL_PORT,
                .seq = seq,
                .ack = ack,
                .flags = flags,
                .window = 65535};
    if (flags & TCP_SYN) {
        memcpy(h.options, mss, sizeof(mss));
        h.options_len = sizeof(mss);
    }
    size_t tcp_len = tcp_encode(p + 20, &h) + len;
    p[0] = 0x45;
    wire_put16(p + 2, (uint16_t)(20 + tcp_len));
    p[8] = 64;
    p[9] = 6;
    wire_put32(p + 12, REMOTE_ADDR);
    wire_put32(p + 16, LOCAL_ADDR);
    uint32_t sum = 0, pseudo = 6 + (uint32_t)tcp_len;
    for (size_t i = 0; i < 20; i += 2)
        sum += wire_get16(p + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    wire_put16(p + 10, (uint16_t)~sum);
    for (size_t i = 12; i < 20; i += 2)
        pseudo += wire_get16(p + i);
    tcp_fill_checksum(p + 20, tcp_len, pseudo);
    char *error = NULL;
    g_assert_true(s->ops->inject(s, p, 20 + tcp_len, gso_size, &error));
    g_free(p);
}

static PdCaptured take(PdStack *s)
{
    PdCaptured c;
    g_assert_true(s->ops->take_packet(s, s->ops->now(s) + WAIT_NS, &c));
    return c;
}

static PdResult call(PdStack *s, const PdCall *c)
{
    PdResult r = {0};
    char *error = NULL;
    g_assert_true(s->ops->call(s, c, &r, &error));
    g_assert_cmpstr(error, ==, NULL);
    return r;
}

static int connected(PdStack *s, uint32_t *isn)
{
    int listener =
        (int)call(s, &(PdCall){.kind = PD_CALL_SOCKET, .name = "socket", .domain = 2, .type = 1}).ret;
    PdCall bind = {
        .kind = PD_CALL_BIND, .name = "bind", .fd = listener, .addr = {.family = 2, .port = LOCAL_PORT}};
    wire_put32(bind.addr.b, LOCAL_ADDR);
    g_assert_cmpint(call(s, &bind).ret, ==, 0);
    g_assert_cmpint(
        call(s, &(PdCall){.kind = PD_CALL_LISTEN, .name = "listen", .fd = listener, .arg = 5}).ret, ==, 0);
    inject(s, TCP_SYN, 0, 0, 0, 0);
    PdCaptured c = take(s);
    g_assert_cmpuint(tcp_flags(c.bytes + 20), ==, TCP_SYN | TCP_ACK);
    g_assert_cmpuint(tcp_ack(c.bytes + 20), ==, 1);
    *isn = tcp_seq(c.bytes + 20);
    g_free(c.bytes);
    inject(s, TCP_ACK, 1, *isn + 1, 0, 0);
    PdResult r = call(s, &(PdCall){.kind = PD_CALL_ACCEPT, .name = "accept", .fd = listener});
    g_assert_cmpint(r.ret, >, listener);
    return (int)r.ret;
}

static void test_offload(void)
{
    PdStack *s = open_stack();
    uint32_t isn;
    int fd = connected(s, &isn);
    PdIovec data = {.len = 2500};
    g_assert_cmpint(
        call(s, &(PdCall){.kind = PD_CALL_WRITE, .name = "write", .fd = fd, .iov = &data, .n_iov = 1}).ret,
        ==, 2500);
    PdCaptured c = take(s);
    /* One super packet: 2500 bytes as segments of the peer's MSS, with a checksum that a receiver would
     * accept. */
    g_assert_cmpuint(c.len, ==, 20 + 20 + 2500);
    g_assert_cmpuint(c.gso_size, ==, 1000);
    uint32_t pseudo = 6 + 20 + 2500;
    for (size_t i = 12; i < 20; i += 2)
        pseudo += wire_get16(c.bytes + i);
    g_assert_cmpint(tcp_check(c.bytes + 20, c.len - 20, pseudo), ==, 0);
    g_free(c.bytes);
    /* And an aggregate comes in as such: rcv_mss (struct tcp_info, offset 20) is its segment size. */
    inject(s, TCP_ACK | TCP_PSH, 1, isn + 2501, 4000, 1000);
    c = take(s);
    g_assert_cmpuint(tcp_ack(c.bytes + 20), ==, 4001);
    g_free(c.bytes);
    PdSnapshot snap;
    char *error = NULL;
    g_assert_true(s->ops->snapshot(s, fd, &snap, &error));
    uint32_t rcv_mss;
    memcpy(&rcv_mss, snap.tcp_info + 20, sizeof(rcv_mss));
    g_assert_cmpuint(rcv_mss, ==, 1000);
    g_assert_cmpstr(snap.cc_name, ==, "cubic");
    s->ops->close(s);
}

static void test_blocking(void)
{
    PdStack *s = open_stack();
    uint32_t isn;
    int fd = connected(s, &isn);
    PdIovec room = {.len = 500};
    PdCall read = {
        .kind = PD_CALL_READ, .name = "read", .fd = fd, .iov = &room, .n_iov = 1, .may_block = true};
    PdResult r = {0};
    char *error = NULL;
    g_assert_false(s->ops->call(s, &read, &r, &error));
    int64_t before = s->ops->now(s);
    g_assert_false(s->ops->wait_call(s, before + 30 * 1000000, &r));
    g_assert_cmpint(s->ops->now(s), >=, before + 30 * 1000000);
    inject(s, TCP_ACK | TCP_PSH, 1, isn + 1, 300, 0);
    g_assert_true(s->ops->wait_call(s, s->ops->now(s) + WAIT_NS, &r));
    g_assert_cmpint(r.ret, ==, 300);
    g_assert_cmpint(r.err, ==, 0);
    /* A call that sleeps when everything is closed is woken, not waited for. */
    g_assert_false(s->ops->call(s, &read, &r, &error));
    s->ops->close(s);
}

static void test_shell(void)
{
    PdStack *s = open_stack();
    char *out = NULL, *error = NULL;
    g_assert_cmpint(
        s->ops->shell(
            s,
            "./defaults.sh; sysctl -q net.ipv4.tcp_syn_retries=3 && cat /proc/sys/net/ipv4/tcp_rmem "
            "/proc/sys/net/ipv4/tcp_syn_retries",
            &out, &error),
        ==, 0);
    g_assert_nonnull(strstr(out, "4096\t540000\t15728640\n3\n"));
    g_free(out);
    out = NULL;
    g_assert_cmpint(s->ops->shell(s,
                                  "../common/set_sysctls.py '/proc/sys/net/ipv4/tcp_wmem=4096 5000 60000'\n"
                                  "cat /proc/sys/net/ipv4/tcp_wmem; /tmp/sysctl_restore_${PPID}.sh && false",
                                  &out, &error),
                    ==, 1);
    g_assert_nonnull(strstr(out, "4096\t5000\t60000\n"));
    g_free(out);
    s->ops->close(s);
}

/* They are the whole machine's: the next script must not find what this one wrote. */
static void test_parameters(void)
{
    static const char path[] = "/sys/module/tcp_cubic/parameters/hystart_ack_delta_us";
    char *before, *after, *out = NULL, *error = NULL;
    if (!g_file_get_contents(path, &before, NULL, NULL)) {
        g_test_skip("no cubic here");
        return;
    }
    PdStack *s = open_stack();
    char *command = g_strdup_printf("echo 1234 > %s; cat %s", path, path);
    g_assert_cmpint(s->ops->shell(s, command, &out, &error), ==, 0);
    g_assert_cmpstr(out, ==, "1234\n");
    s->ops->close(s);
    g_assert_true(g_file_get_contents(path, &after, NULL, NULL));
    g_assert_cmpstr(after, ==, before);
    g_free(command);
    g_free(out);
    g_free(after);
    g_free(before);
}

int main(int argc, char **argv)
{
    char *why = NULL;
    if (!lnx_tun_is_possible(&why)) {
        printf("1..0 # SKIP %s\n", why);
        g_free(why);
        return 77;
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/interop/lnx_stack/offload", test_offload);
    g_test_add_func("/interop/lnx_stack/blocking", test_blocking);
    g_test_add_func("/interop/lnx_stack/shell", test_shell);
    g_test_add_func("/interop/lnx_stack/parameters", test_parameters);
    return g_test_run();
}

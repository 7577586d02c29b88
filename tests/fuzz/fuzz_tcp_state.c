/* A host with TCP connections in every state, over IPv4 or IPv6, into which the input sends what it likes:
 * segments near or far from the window, with any flags and options (signed ones, too: RFC 2385), ICMP errors,
 * aggregates, and calls of the application in between; time passes. After each step the connection's
 * variables must agree (tcp_invariants), and at the end everything is given back.
 *
 * The second claim (RFC 5961): nobody who does not know the sequence numbers ends a connection. Segments of
 * the "blind" kind have numbers that miss rcv_nxt and everything that was sent; none of them may close what
 * is open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>

#include "tests/fuzz/tcp_invariants.h"
#include "tests/fuzz/tcp_state_peer.h"

#define MAX_STEPS 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* One call at a time may sleep (a close that lingers); until it is back there are no others. */
static int64_t do_call(Fuzz *f, PdCall *c)
{
    PdResult r = {0};
    char *error = NULL;
    int64_t ret = -1;

    if (f->sleeps) {
        if (!f->stack->ops->wait_call(f->stack, f->stack->ops->now(f->stack), &r))
            return -1;
        f->sleeps = false;
        pd_result_clear(&r);
        r = (PdResult){0};
    }
    if (!f->stack->ops->call(f->stack, c, &r, &error))
        f->sleeps = true;
    else if (!error)
        ret = r.ret;
    g_free(error);
    pd_result_clear(&r);
    return ret;
}

static int64_t simple(Fuzz *f, PdCallKind kind, int64_t arg)
{
    return do_call(f, &(PdCall){.kind = kind, .name = "", .fd = f->conn, .arg = arg});
}

static int64_t move(Fuzz *f, PdCallKind kind, uint64_t len, int flags)
{
    PdIovec iov = {.len = len};

    return do_call(
        f, &(PdCall){.kind = kind, .name = "", .fd = f->conn, .iov = &iov, .n_iov = 1, .flags = flags});
}

static TcpConn *conn_of(Fuzz *f)
{
    return f->conn < 0 ? NULL : fds_tcp(f->sim->fds, f->conn);
}

static bool is_open(const TcpConn *c)
{
    return c && c->state != TCP_CLOSE && c->state != TCP_LISTEN && c->state != TCP_SYN_SENT &&
           c->state != TCP_SYN_RECV;
}

/* What an attacker off the path can send: right addresses and ports, wrong numbers. */
static void blind_segment(Fuzz *f)
{
    static const uint16_t kinds[] = {TCP_RST,           TCP_RST | TCP_ACK, TCP_SYN,
                                     TCP_SYN | TCP_ACK, TCP_ACK,           TCP_ACK | TCP_FIN};
    uint8_t a = fuzz_u8(f);
    uint32_t far = 0x10000 + ((uint32_t)fuzz_u16(f) << 12);
    TcpConn *c = conn_of(f);
    bool was_open = is_open(c);
    uint32_t rcv_nxt = was_open ? c->rcv_nxt : 0, copied = rcv_nxt;
    TcpHdr h = {.flags = kinds[a % 6], .window = fuzz_u16(f)};

    /* in the window but not exact, or outside of it; the ACK is for something never sent */
    h.seq = was_open ? c->rcv_nxt + (a & 0x40 ? 1 + fuzz_u8(f) : far) : far;
    h.ack = was_open ? c->snd_nxt + far : far;
    fuzz_inject_tcp(f, &h, fuzz_lengths[a >> 3 & 7], 0, 0);
    c = conn_of(f);
    if (was_open && (!is_open(c) || c->rcv_nxt != copied)) {
        fprintf(stderr, "a blind segment (flags %#x, seq %+d) changed the connection\n", h.flags,
                (int)(h.seq - rcv_nxt));
        abort();
    }
}

static PdSockAddr address(const Fuzz *f, bool is_remote, uint16_t port)
{
    PdSockAddr a = {.family = f->is_v6 ? AF_INET6 : AF_INET, .port = port};

    if (is_remote && f->is_v6)
        memcpy(a.b, fuzz_remote6.b, 16);
    else if (is_remote)
        wire_put32(a.b, REMOTE);
    return a;
}

static void option(Fuzz *f, int fd, int level, int name, const void *v, unsigned len)
{
    do_call(f, &(PdCall){.kind = PD_CALL_SETSOCKOPT,
                         .name = "",
                         .fd = fd,
                         .level = level,
                         .optname = name,
                         .bytes = v,
                         .n_bytes = len,
                         .arg = len});
}

/* struct tcp_md5sig: the peer's address (128 bytes), flags, prefix, length of the key, interface, key */
static void set_key(Fuzz *f, int fd)
{
    uint8_t v[216] = {0};
    const uint16_t family = f->is_v6 ? AF_INET6 : AF_INET, key_len = sizeof KEY - 1;

    memcpy(v, &family, 2);
    if (f->is_v6)
        memcpy(v + 8, fuzz_remote6.b, 16);
    else
        wire_put32(v + 4, REMOTE);
    memcpy(v + 130, &key_len, 2);
    memcpy(v + 136, KEY, key_len);
    option(f, fd, 6, 14, v, sizeof v);
}

static void set_option(Fuzz *f, int fd)
{
    static const struct {
        int level, name;
    } which[] = {{6, 1},  {6, 3},  {6, 10}, {6, 12}, {6, 18}, {6, 25}, {1, 7},   {1, 8},  {1, 9},  {6, 4},
                 {6, 5},  {6, 6},  {1, 10}, {6, 8},  {6, 2},  {6, 7},  {6, 9},   {6, 13}, {6, 16}, {6, 19},
                 {6, 20}, {6, 21}, {6, 23}, {6, 24}, {6, 30}, {6, 34}, {6, 36},  {6, 37}, {1, 13}, {1, 18},
                 {1, 37}, {1, 47}, {1, 60}, {0, 10}, {0, 1},  {0, 2},  {41, 25}, {41, 67}};
    unsigned i = fuzz_u8(f) % HS_ARRAY_LEN(which);
    int64_t v = (int16_t)fuzz_u16(f);

    option(f, fd, which[i].level, which[i].name, &v, v & 1 ? 8 : 4);
}

/* Calls that ask, and those that are seldom made. */
static void seldom_call(Fuzz *f)
{
    PdSockAddr to = address(f, true, PORT), none = {.family = AF_UNSPEC};
    PdIovec iov = {.len = fuzz_u16(f)};
    uint8_t a = fuzz_u8(f);
    PdPollFd poll = {.fd = f->conn, .events = 0xffff};

    switch (a % 10) {
    case 0:
        do_call(f, &(PdCall){.kind = PD_CALL_GETSOCKOPT,
                             .name = "",
                             .fd = f->conn,
                             .level = a & 16 ? 1 : 6,
                             .optname = fuzz_u8(f) & 63,
                             .arg = fuzz_u8(f)});
        break;
    case 1:
        do_call(f, &(PdCall){.kind = PD_CALL_POLL, .name = "", .poll = &poll, .n_poll = 1});
        break;
    case 2: /* an error queue, control messages */
        do_call(f, &(PdCall){.kind = PD_CALL_RECVMSG,
                             .name = "",
                             .fd = f->conn,
                             .iov = &iov,
                             .n_iov = 1,
                             .flags = a & 16   ? MSG_ERRQUEUE
                                      : a & 32 ? MSG_TRUNC
                                               : 0,
                             .control_len = 4096});
        break;
    case 3:
        do_call(f, &(PdCall){.kind = PD_CALL_SENDMSG,
                             .name = "",
                             .fd = f->conn,
                             .iov = &iov,
                             .n_iov = 1,
                             .flags = MSG_NOSIGNAL | (a & 16 ? MSG_MORE : 0) | (a & 32 ? MSG_EOR : 0) |
                                      (a & 64 ? 0x4000000 /* MSG_ZEROCOPY */ : 0)});
        break;
    case 4: /* the connection is taken apart, and perhaps another one begun */
        do_call(
            f, &(PdCall){.kind = PD_CALL_CONNECT, .name = "", .fd = f->conn, .has_addr = true, .addr = none});
        if (a & 16)
            do_call(f, &(PdCall){
                           .kind = PD_CALL_CONNECT, .name = "", .fd = f->conn, .has_addr = true, .addr = to});
        break;
    case 5:
        do_call(f, &(PdCall){.kind = PD_CALL_SENDTO,
                             .name = "",
                             .fd = f->conn,
                             .iov = &iov,
                             .n_iov = 1,
                             .flags = MSG_FASTOPEN | MSG_NOSIGNAL,
                             .has_addr = true,
                             .addr = to});
        break;
    case 6:
        do_call(f, &(PdCall){.kind = PD_CALL_IOCTL,
                             .name = "",
                             .fd = f->conn,
                             .arg = a & 16   ? 0x541b
                                    : a & 32 ? 0x5411
                                             : 0x8905});
        break;
    case 7:
        if (f->listener >= 0)
            set_option(f, f->listener);
        break;
    case 8:
        if (f->listener >= 0 && a & 16) {
            do_call(f, &(PdCall){.kind = PD_CALL_CLOSE, .name = "", .fd = f->listener});
            f->listener = -1;
        }
        break;
    default:
        do_call(
            f, &(PdCall){.kind = PD_CALL_LISTEN, .name = "", .fd = a & 16 ? f->conn : f->listener, .arg = 1});
        break;
    }
}

static void sysctls(Fuzz *f)
{
    TcpSysctl *s = tcp_sysctl(host_tcp(f->sim->host));
    uint8_t a = fuzz_u8(f), b = fuzz_u8(f);

    s->tcp_sack = a & 1;
    s->tcp_timestamps = a >> 1 & 1;
    s->tcp_window_scaling = a >> 2 & 1;
    s->tcp_ecn = (a >> 3 & 7) % 6;
    s->tcp_fastopen = a & 0x40 ? 0x603 : 3;
    s->tcp_syncookies = a & 0x80 ? 2 : 1;
    s->recovery_style = b & 7 ? 0 : (b >> 3) % 5;
    g_strlcpy(s->tcp_congestion_control, b & 0x40 ? "reno" : "cubic", sizeof s->tcp_congestion_control);
    if (b & 0x80)
        s->tcp_rmem[1] = 8192;
    s->tcp_mtu_probing = b >> 5 & 1;
}

static void accept_it(Fuzz *f)
{
    int64_t fd;

    if (f->listener < 0)
        return;
    fd = do_call(f, &(PdCall){.kind = PD_CALL_ACCEPT, .name = "", .fd = f->listener, .flags = SOCK_NONBLOCK});
    if (fd >= 0 && f->conn < 0)
        f->conn = (int)fd;
}

static int new_socket(Fuzz *f)
{
    int fd = (int)do_call(f, &(PdCall){.kind = PD_CALL_SOCKET,
                                       .name = "",
                                       .domain = f->is_v6 ? AF_INET6 : AF_INET,
                                       .type = SOCK_STREAM | SOCK_NONBLOCK});

    if (f->is_signed)
        set_key(f, fd);
    return fd;
}

static void open_server(Fuzz *f, uint8_t how)
{
    const int queue = 5;

    f->listener = new_socket(f);
    if (how & 0x80)
        option(f, f->listener, 6, 23, &queue, sizeof queue);
    do_call(f, &(PdCall){.kind = PD_CALL_BIND,
                         .name = "",
                         .fd = f->listener,
                         .has_addr = true,
                         .addr = address(f, false, PORT)});
    do_call(f, &(PdCall){.kind = PD_CALL_LISTEN, .name = "", .fd = f->listener, .arg = 2});
    f->local_port = PORT;
    f->peer_port = 40000;
}

static void open_client(Fuzz *f)
{
    f->conn = new_socket(f);
    f->peer_port = PORT;
    do_call(f, &(PdCall){.kind = PD_CALL_CONNECT,
                         .name = "",
                         .fd = f->conn,
                         .has_addr = true,
                         .addr = address(f, true, PORT)});
}

/* A handshake as it should be, so that most inputs get further. */
static void shake_hands(Fuzz *f, uint8_t how)
{
    TcpHdr h = {.window = 60000, .seq = PEER_ISN};

    f->peer_nxt = PEER_ISN;
    if (f->listener >= 0) {
        h.flags = TCP_SYN | (how & 0x40 ? TCP_ECE | TCP_CWR : 0) | (how & 0x20 ? TCP_AE : 0);
        fuzz_put_options(f, &h, how & 8 ? 4 : 1);
        fuzz_inject_tcp(f, &h, 0, 0, 0);
        fuzz_learn(f);
    }
    if (f->listener < 0) {
        h.flags = TCP_SYN | TCP_ACK | (how & 0x40 ? TCP_ECE : 0);
        h.ack = f->their_nxt;
        fuzz_put_options(f, &h, how & 8 ? 4 : 1);
    } else {
        h = (TcpHdr){.window = 60000, .seq = PEER_ISN + 1, .ack = f->their_nxt, .flags = TCP_ACK};
        fuzz_put_options(f, &h, how & 8 ? 0 : 1);
    }
    fuzz_inject_tcp(f, &h, 0, 0, 0);
    f->peer_nxt = PEER_ISN + 1;
    fuzz_learn(f);
    accept_it(f);
}

static void step(Fuzz *f)
{
    uint8_t op = fuzz_u8(f);

    switch (op % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
        fuzz_informed_segment(f);
        break;
    case 6:
        blind_segment(f);
        break;
    case 7:
        fuzz_icmp_error(f);
        break;
    case 8:
    case 9:
        f->stack->ops->run_until(f->stack,
                                 f->stack->ops->now(f->stack) + ((int64_t)fuzz_u8(f) << (op >> 4)) * 100000);
        break;
    case 10:
    case 11:
        if (f->conn >= 0)
            move(f, PD_CALL_SEND, (uint64_t)fuzz_u8(f) << (op >> 5), MSG_NOSIGNAL | (op & 16 ? MSG_OOB : 0));
        break;
    case 12:
        if (f->conn >= 0)
            move(f, PD_CALL_RECV, fuzz_u16(f), (op & 16 ? MSG_PEEK : 0) | (op & 32 ? MSG_OOB : 0));
        break;
    case 13:
        if (f->conn >= 0)
            set_option(f, f->conn);
        break;
    case 14:
        if (f->conn < 0)
            accept_it(f);
        else if (op & 16)
            simple(f, PD_CALL_SHUTDOWN, op >> 5 & 1);
        else
            seldom_call(f);
        break;
    case 15:
        if (f->conn >= 0 && op & 16) {
            simple(f, PD_CALL_CLOSE, 0);
            f->conn = -1;
        } else if (op & 32) {
            f->peer_port++; /* another connection */
            shake_hands(f, op);
        }
        break;
    }
    f->stack->ops->run_until(f->stack, f->stack->ops->now(f->stack));
    fuzz_learn(f);
    tcp_invariants_check(host_tcp(f->sim->host));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    PdHostConfig config = {
        .ip_version = PD_IPV4,
        .local = {.b = {192, 168, 0, 1}, .prefix_len = 16},
        .remote = {.b = {192, 0, 2, 1}, .prefix_len = 24},
        .gateway = {.b = {192, 168, 0, 1}},
        .bind_port = PORT,
        .connect_port = PORT,
        .mtu = 1500,
        .script_path = "fuzz",
        .seed = 1,
    };
    Fuzz f = {.p = data, .end = data + n, .listener = -1, .conn = -1};
    char *error = NULL;
    uint8_t how = fuzz_u8(&f);

    f.is_v6 = how & 0x10;
    f.is_signed = how & 4;
    if (f.is_v6) {
        config.ip_version = PD_IPV6;
        config.local = (PdAddr){.is_v6 = true, .prefix_len = 48};
        config.remote = (PdAddr){.is_v6 = true, .prefix_len = 48};
        config.gateway = (PdAddr){.is_v6 = true};
        memcpy(config.local.b, fuzz_local6.b, 16);
        memcpy(config.remote.b, fuzz_remote6.b, 16);
        memcpy(config.gateway.b, fuzz_local6.b, 16);
    }
    f.stack = pd_sim_ops.open(&config, NULL, &error);
    hs_assert(f.stack != NULL);
    f.sim = (PdSim *)f.stack;
    f.stack->ops->start(f.stack);
    sysctls(&f);
    if (how & 1)
        open_client(&f);
    else
        open_server(&f, how);
    fuzz_learn(&f);
    if (how & 2)
        shake_hands(&f, how);
    for (unsigned i = 0; i < MAX_STEPS && f.p < f.end; i++)
        step(&f);
    f.stack->ops->close(f.stack);
    return 0;
}

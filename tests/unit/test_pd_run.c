/* The runner against a stack that does what a table says: when packets come, what calls return. What is
 * examined is the script's side: times and tolerances, the mapping of numbers, aggregation, results of calls,
 * code blocks. */
#include <glib.h>
#include <string.h>

#include "models/wire/ipv4.h"
#include "models/wire/tcp.h"
#include "packetdrill/pd_packet.h"
#include "packetdrill/pd_run.h"

#define ISN 4000000000u /* wraps within a script's numbers */
#define CLIENT_PORT 40001

typedef struct Plan { /* a segment that the stack sends `delay_ns` after the nth injected packet or call */
    enum { AFTER_PACKET, AFTER_CALL } after;
    unsigned nth;
    int64_t delay_ns;
    uint16_t flags;
    uint32_t seq, len, ack; /* seq counts from the ISN */
    bool has_ts;
    uint32_t ts_val;
    uint16_t win;
} Plan;

typedef struct Answer { /* of the nth call */
    int64_t ret;
    int err;
    int64_t delay_ns; /* sleeps so long */
} Answer;

typedef struct Fake {
    PdStack stack; /* first */
    const Plan *plan;
    const Answer *answer;
    int64_t now, call_at;
    Answer pending;
    unsigned n_packets, n_calls;
    bool is_sleeping;
    PdTuple peer;     /* as the stack sends: src is the stack */
    GArray *due;      /* of PdCaptured */
    GArray *injected; /* of PdSeen */
} Fake;

static gint by_time(gconstpointer a, gconstpointer b)
{
    const PdCaptured *x = a, *y = b;

    return x->at_ns < y->at_ns ? -1 : x->at_ns > y->at_ns;
}

static void plan_for(Fake *f, int after, unsigned nth)
{
    for (const Plan *p = f->plan; p && p->nth; p++) {
        PdPacket packet = {
            .tcp = {.flags = p->flags, .seq = ISN + p->seq, .ack = p->ack, .len = p->len, .win = p->win}};
        PdTcpOption options[3] = {{.kind = TCP_OPT_NOP}, {.kind = TCP_OPT_NOP}, {.kind = TCP_OPT_TIMESTAMPS}};
        GByteArray *bytes;
        PdCaptured c;

        if ((int)p->after != after || p->nth != nth)
            continue;
        options[2].ts_val = p->ts_val;
        packet.tcp.options = options;
        packet.tcp.n_options = p->has_ts ? 3 : 0;
        bytes = pd_packet_build_tcp(&packet, &f->peer);
        c = (PdCaptured){.at_ns = f->now + p->delay_ns, .len = bytes->len};
        c.bytes = g_byte_array_free(bytes, FALSE);
        g_array_append_val(f->due, c);
        g_array_sort(f->due, by_time);
    }
}

static PdStack *fake_open(const PdHostConfig *config, void *user, char **error)
{
    Fake *f = user;

    f->due = g_array_new(FALSE, FALSE, sizeof(PdCaptured));
    f->injected = g_array_new(FALSE, FALSE, sizeof(PdSeen));
    f->peer = (PdTuple){config->local, config->remote, CLIENT_PORT, config->connect_port};
    return &f->stack;
}

static void fake_close(PdStack *s)
{
    Fake *f = (Fake *)s;

    for (guint i = 0; i < f->due->len; i++)
        g_free(g_array_index(f->due, PdCaptured, i).bytes);
    g_array_free(f->due, TRUE);
}

static void fake_start(PdStack *s)
{
}

static int64_t fake_now(PdStack *s)
{
    return ((Fake *)s)->now;
}

static void fake_run_until(PdStack *s, int64_t t)
{
    ((Fake *)s)->now = MAX(((Fake *)s)->now, t);
}

static bool fake_take(PdStack *s, int64_t limit, PdCaptured *out)
{
    Fake *f = (Fake *)s;
    PdCaptured *c = f->due->len ? &g_array_index(f->due, PdCaptured, 0) : NULL;

    if (!c || c->at_ns > limit) {
        f->now = MAX(f->now, limit == PD_NEVER ? f->now : limit);
        return false;
    }
    *out = *c;
    f->now = MAX(f->now, c->at_ns);
    g_array_remove_index(f->due, 0);
    return true;
}

static bool fake_inject(PdStack *s, const uint8_t *bytes, size_t len, uint32_t gso, char **error)
{
    Fake *f = (Fake *)s;
    PdCaptured c = {.at_ns = f->now, .gso_size = gso, .bytes = (uint8_t *)bytes, .len = len};
    const char *why;
    PdSeen seen;

    g_assert_true(pd_packet_explain(&seen, &c, &why));
    g_assert_false(seen.bad_ip_checksum);
    f->peer = pd_tuple_reversed(&seen.tuple);
    g_array_append_val(f->injected, seen);
    plan_for(f, AFTER_PACKET, ++f->n_packets);
    return true;
}

static bool fake_call(PdStack *s, const PdCall *call, PdResult *out, char **error)
{
    Fake *f = (Fake *)s;

    f->pending = f->answer[f->n_calls];
    plan_for(f, AFTER_CALL, ++f->n_calls);
    out->ret = f->pending.ret;
    out->err = f->pending.err;
    out->at_ns = f->now;
    if (f->pending.delay_ns == 0)
        return true;
    *out = (PdResult){0};
    f->call_at = f->now + f->pending.delay_ns;
    f->is_sleeping = true;
    return false;
}

static bool fake_wait(PdStack *s, int64_t limit, PdResult *out)
{
    Fake *f = (Fake *)s;

    if (!f->is_sleeping || f->call_at > limit) {
        f->now = MAX(f->now, limit);
        return false;
    }
    f->is_sleeping = false;
    f->now = MAX(f->now, f->call_at);
    *out = (PdResult){.ret = f->pending.ret, .err = f->pending.err, .at_ns = f->call_at};
    return true;
}

static int fake_shell(PdStack *s, const char *text, char **output, char **error)
{
    if (strstr(text, "fail"))
        return 1;
    if (!strstr(text, "unknown"))
        return 0;
    *error = g_strdup("not supported");
    return -1;
}

static bool fake_snapshot(PdStack *s, int fd, PdSnapshot *out, char **error)
{
    out->tcp_info_len = 280;
    out->tcp_info[0] = 1;                 /* state */
    out->tcp_info[6] = 0x87;              /* snd_wscale 7, rcv_wscale 8 */
    out->tcp_info[8] = 200;               /* rto */
    out->tcp_info[80] = 10;               /* snd_cwnd */
    memset(out->tcp_info + 104, 0xff, 8); /* pacing_rate: no limit */
    out->tcp_info[276] = 0x2;             /* ecn_mode */
    return true;
}

static const PdStackOps fake_ops = {
    .name = "table",
    .is_virtual_time = true,
    .open = fake_open,
    .close = fake_close,
    .start = fake_start,
    .now = fake_now,
    .run_until = fake_run_until,
    .take_packet = fake_take,
    .inject = fake_inject,
    .call = fake_call,
    .wait_call = fake_wait,
    .shell = fake_shell,
    .snapshot = fake_snapshot,
};

static char *run_with(Fake *f, const char *text, PdOutcome want)
{
    PdConfig config;
    PdScript *script;
    char *error = NULL;

    pd_config_init(&config);
    f->stack.ops = &fake_ops;
    script = pd_parse("t.pkt", text, strlen(text), &config, &error);
    g_assert_cmpstr(error, ==, NULL);
    g_assert_cmpint(pd_run(script, &config, &fake_ops, f, NULL, &error), ==, want);
    pd_script_free(script);
    pd_config_clear(&config);
    return error;
}

/* `message`: the beginning of the error, NULL: none. */
static void run_case_as(PdOutcome want, const Plan *plan, const Answer *answer, const char *text,
                        const char *message)
{
    Fake f = {.plan = plan, .answer = answer};
    char *error = run_with(&f, text, want);

    if (message && !g_str_has_prefix(error, message))
        g_assert_cmpstr(error, ==, message);
    if (!message)
        g_assert_cmpstr(error, ==, NULL);
    g_array_free(f.injected, TRUE);
    g_free(error);
}

static void run_case(const Plan *plan, const Answer *answer, const char *text, const char *message)
{
    run_case_as(message ? PD_FAILED : PD_PASSED, plan, answer, text, message);
}

#define MS 1000000LL
#define SERVER "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n"
static const Answer server_calls[] = {{7}, {0}, {0}, {8}, {0}, {0}, {0}, {0}};

/* Passive open: sequence numbers of both sides, relative behind the SYN. */
static void passive(void)
{
    static const Plan plan[] = {{AFTER_PACKET, 1, 0, TCP_SYN | TCP_ACK, 0, 0, 778, .win = 100},
                                {AFTER_PACKET, 3, 40 * MS, TCP_ACK, 1, 0, 1778, .win = 99},
                                {0}};
    Fake f = {.plan = plan, .answer = server_calls};
    char *error = run_with(&f,
                           SERVER "+.1 < S 777:777(0) win 1000\n+0 > S. 0:0(0) ack 778 win 100\n"
                                  "+.1 < . 1:1(0) ack 1 win 1000\n+0 accept(3, ..., ...) = 4\n"
                                  "+.1 < P. 1:1001(1000) ack 1 win 1000\n+.04 > . 1:1(0) ack 1001 win 99\n"
                                  "+0 %{ assert tcpi_snd_cwnd == 10 }%\n",
                           PD_PASSED);
    const PdSeen *s = &g_array_index(f.injected, PdSeen, 2);

    g_assert_cmpstr(error, ==, NULL);
    g_assert_cmpuint(s->tcp.seq, ==, 778);
    g_assert_cmpuint(s->tcp.ack, ==, ISN + 1);
    g_assert_cmpuint(s->payload_len, ==, 1000);
    g_assert_true(s->payload_is_zero);
    g_assert_cmpuint(s->tuple.dst_port, ==, 8080);
    g_assert_cmpint(s->at_ns, ==, 300 * MS);
    g_array_free(f.injected, TRUE);
}

static void active(void)
{
    static const Plan plan[] = {{AFTER_CALL, 2, 0, TCP_SYN, 0, 0, 0, true, 5000, 100},
                                {AFTER_PACKET, 1, 0, TCP_ACK, 1, 0, 501, true, 5100, 100},
                                {AFTER_PACKET, 1, 10 * MS, TCP_PSH | TCP_ACK, 1, 10, 501, true, 5110, 100},
                                {0}};
    static const Answer calls[] = {{7}, {-1, 115}, {0}};
    Fake f = {.plan = plan, .answer = calls};
    /* The script's ISN is 90, its first timestamp 100; the live ones are ISN and 5000. */
    char *error = run_with(&f,
                           "--tcp_ts_tick_usecs=1000\n--tolerance_usecs=1000\n"
                           "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                           "+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n"
                           "+0 > S 90:90(0) <nop,nop,TS val 100 ecr 0>\n"
                           "+.1 < S. 500:500(0) ack 91 win 100 <nop,nop,TS val 700 ecr 100>\n"
                           "+0 > . 1:1(0) ack 1 <nop,nop,TS val 200 ecr 700>\n"
                           "+.01 > P. 1:11(10) ack 1 <nop,nop,TS val 210 ecr 700>\n"
                           "+0 < . 1:1(0) ack 11 win 100 <nop,nop,sack 1:5,nop,nop,TS val 800 ecr 210>",
                           PD_PASSED);
    const PdSeen *synack = &g_array_index(f.injected, PdSeen, 0),
                 *ack = &g_array_index(f.injected, PdSeen, 1);

    g_assert_cmpstr(error, ==, NULL);
    g_assert_cmpuint(synack->tcp.ack, ==, ISN + 1);
    g_assert_cmpuint(synack->options[2].ts_ecr, ==, 5000);
    g_assert_cmpuint(ack->tcp.seq, ==, 501);
    g_assert_cmpuint(ack->tcp.ack, ==, ISN + 11);
    g_assert_cmpuint(ack->options[2].sack[0].left, ==, ISN + 1);
    g_assert_cmpuint(ack->options[5].ts_ecr, ==, 5110);
    g_array_free(f.injected, TRUE);
    run_case(plan, calls,
             "--tcp_ts_tick_usecs=1000\n--tolerance_usecs=1000\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
             "+0 connect(3, ..., ...) = -1 EINPROGRESS\n+0 > S 0:0(0) <nop,nop,TS val 100 ecr 0>\n"
             "+.1 < S. 0:0(0) ack 1 win 100 <nop,nop,TS val 700 ecr 101>",
             "t.pkt:6: error handling packet: unable to infer live TS ecr");
    run_case(
        plan, calls,
        "--tcp_ts_tick_usecs=1000\n--tolerance_usecs=1000\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
        "+0 connect(3, ..., ...) = -1 EINPROGRESS\n+0 > S 0:0(0) <nop,nop,TS val 100 ecr 0>\n"
        "+0 < S. 500:500(0) ack 1 win 100 <nop,nop,TS val 700 ecr 100>\n"
        "+0 > . 1:1(0) ack 1 <nop,nop,TS val 198 ecr 700>",
        "t.pkt:7: error handling packet: TS val: expected 198, saw 200: 2000 us apart, tolerance 1000 us");
}

/* Section 3 and 4: relative times count from the packet's real appearance; early and late are both wrong. */
static void timing(void)
{
    static const Plan plan[] = {{AFTER_PACKET, 1, 103 * MS, TCP_SYN | TCP_ACK, 0, 0, 1, .win = 100}, {0}};
    const char *head = SERVER "+0 < S 0:0(0) win 1000\n";
    static const struct {
        const char *tail, *message;
    } rows[] = {
        {"+.1 > S. 0:0(0) ack 1\n", NULL},
        {"+.107 > S. 0:0(0) ack 1\n", NULL}, /* 4 ms, and 12.5 % of 107 ms */
        {"+.088 > S. 0:0(0) ack 1\n",
         "t.pkt:5: error handling packet: timing error: expected the packet at 0.088000 s, "
         "it left at 0.103000 s (tolerance 0.011000 s)"},
        {"+.2 > S. 0:0(0) ack 1\n", "t.pkt:5: error handling packet: timing error"},
        {"+.05~+.1 > S. 0:0(0) ack 1\n", NULL},
        {"* > S. 0:0(0) ack 1\n", NULL},
        {"+.1 > S. 0:0(0) ack 1\n0.103 `x`\n", NULL},
        {"+.1 > S. 0:0(0) ack 1\n+0 `x`\n0.1 `late, but within the tolerance`\n", NULL},
        {"+.1 > S. 0:0(0) ack 1\n+.1 `x`\n0.1 `late`\n",
         "t.pkt:7: timing error: expected the event at 0.100000 s, and "
         "it is 0.203000 s already"},
        {"+.1 > S. 0:0(0) ack 1\n+.1 > . 1:1(0) ack 1\n",
         "t.pkt:6: error handling packet: timed out waiting for packet\n  script packet: 0.203000 > . 1:1(0) "
         "ack 1\n"
         "  packets before:\n    0.000000 < S 0:0(0) win 1000\n    0.103000 > S. 0:0(0) ack 1 win 100"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *text = g_strconcat(head, rows[i].tail, NULL);

        run_case(plan, server_calls, text, rows[i].message);
        g_free(text);
    }
}

static void aggregation(void)
{
    static const Plan plan[] = {{AFTER_PACKET, 1, 0, TCP_SYN | TCP_ACK, 0, 0, 1, .win = 100},
                                {AFTER_PACKET, 2, 0, TCP_ACK | TCP_CWR, 1, 1000, 1, .win = 100},
                                {AFTER_PACKET, 2, 1 * MS, TCP_ACK, 1001, 1000, 1, .win = 100},
                                {AFTER_PACKET, 2, 2 * MS, TCP_ACK | TCP_PSH, 2001, 500, 1, .win = 100},
                                {0}};
    const char *head = SERVER "+0 < S 0:0(0) win 1000\n+0 > S. 0:0(0) ack 1\n+0 < . 1:1(0) ack 1 win 1000\n";
    static const struct {
        const char *tail, *message;
    } rows[] = {
        {"+.002 > WP. 1:2501(2500) ack 1\n", NULL},
        {"+0 > W. 1:1001(1000) ack 1\n+.001 > P. 1001:2501(1500) ack 1\n", NULL},
        {"+.002 > P. 1:2501(2500) ack 1\n", "t.pkt:7: error handling packet: CWR flag: expected 0, saw 1"},
        {"+0 > W. 1:501(500) ack 1\n",
         "t.pkt:7: error handling packet: total length: expected 540, saw 1040"},
        {"+.002 > WP. 1:2401(2400) ack 1\n",
         "t.pkt:7: error handling packet: total length: expected 2440, saw 2540"},
        {"+.002 > WP. 1:3001(3000) ack 1\n",
         "t.pkt:7: error handling packet: timed out waiting for packet: 2500 of 3000 bytes came"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *text = g_strconcat(head, rows[i].tail, NULL);
        char *strict = g_strconcat("--strict_segments\n", head, "+0 > WP. 1:2501(2500) ack 1\n", NULL);

        run_case(plan, server_calls, text, rows[i].message);
        run_case(plan, server_calls, strict,
                 "t.pkt:8: error handling packet: total length: expected 2540, saw 1040");
        g_free(text);
        g_free(strict);
    }
}

/* Each field of the line matters. */
static void fields(void)
{
    static const Plan plan[] = {{AFTER_PACKET, 1, 0, TCP_SYN | TCP_ACK | TCP_AE, 0, 0, 1, .win = 100}, {0}};
    static const struct {
        const char *line, *message;
    } rows[] = {
        {"> SA. 0:0(0) ack 1 win 100", NULL},
        {"> S4. 0:0(0) ack 1", NULL},
        {"> [noecn] SA. 0:0(0) ack 1", NULL},
        {"> [ttl 255] SA. 0:0(0) ack 1", NULL},
        {"> S. 0:0(0) ack 1", "AE flag: expected 0, saw 1"},
        {"> S5. 0:0(0) ack 1", "ACE field: expected 5, saw 4"},
        {"> SPA. 0:0(0) ack 1", "PSH flag: expected 1, saw 0"},
        {"> SA. 0:0(0) ack 2", "acknowledgment number: expected 2, saw 1"},
        {"> SA. 0:0(0) ack 1 win 101", "window: expected 101, saw 100"},
        {"> SA. 0:0(0) ack 1 urg 1", "urgent pointer: expected 1, saw 0"},
        {"> SA. 0:0(0) ack 1 <nop,nop,nop,nop>", "total length: expected 44, saw 40"},
        {"> [ect0] SA. 0:0(0) ack 1", "ECN bits: expected 2, saw 0"},
        {"> [tos 0x10] SA. 0:0(0) ack 1", "TOS: expected 0x10, saw 0x00"},
        {"> [ttl 64] SA. 0:0(0) ack 1", "TTL: expected 64, saw 255"},
        {"> SA. 0:5(5) ack 1", "total length: expected 45, saw 40"},
        {"> udp (12)", "protocol: expected UDP, saw TCP"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *text = g_strconcat(SERVER "+0 < S 0:0(0) win 1000\n+0 ", rows[i].line, NULL);
        char *message =
            rows[i].message ? g_strconcat("t.pkt:5: error handling packet: ", rows[i].message, NULL) : NULL;

        run_case(plan, server_calls, text, message);
        g_free(text);
        g_free(message);
    }
}

static void calls(void)
{
    static const Answer answers[] = {{3}, {-1, 11}, {100}, {0}};
    static const Answer slow[] = {{3}, {100, 0, 300 * MS}, {0}};
    const char *head = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n";
    static const struct {
        bool is_slow;
        const char *tail, *message;
    } rows[] = {
        {false, "+0 read(3, ..., 1) = -1 EAGAIN (why)\n+0 read(3, ..., 100) = 100\n+0 close(3) = 0", NULL},
        {false, "+0 read(3, ..., 1) = -1 ECONNRESET",
         "t.pkt:2: runtime error in read call: expected result -1 ECONNRESET but got -1 EAGAIN"},
        {false, "+0 read(3, ..., 1) = 1",
         "t.pkt:2: runtime error in read call: expected result 1 but got -1 EAGAIN"},
        {true, "+0...0.3 read(3, ..., 100) = 100\n+.1 `x`\n+.3 `y`", NULL},
        {true, "+.1...0.4 read(3, ..., 100) = 100", NULL},
        {true, "+0...0.2 read(3, ..., 100) = 100\n+1 `x`",
         "t.pkt:2: runtime error in read call: timing error: expected to return at 0.200000 s, returned at "
         "0.300000 s "
         "(tolerance 25000 us)"},
        {true, "+0 read(3, ..., 100) = 100",
         "t.pkt:2: runtime error in read call: it blocks, and the script gives no time of return"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *text = g_strconcat(head, rows[i].tail, NULL);

        run_case(NULL, rows[i].is_slow ? slow : answers, text, rows[i].message);
        g_free(text);
    }
}

/* Scripts that ask for what cannot be done are another outcome. */
static void wrong_scripts(void)
{
    static const Answer answers[] = {{3}, {0}};
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"0 sockett(..., 1, 2) = 3", "t.pkt:1: runtime error in sockett call: unknown system call sockett; "
                                     "did you mean socket? (line 1, column 3)"},
        {"0 socket(..., SOCK_STREM, 2) = 3",
         "t.pkt:1: runtime error in socket call: unknown name SOCK_STREM; did you "
         "mean SOCK_STREAM? (line 1, column 15)"},
        {"0 socket(..., 1) = 3",
         "t.pkt:1: runtime error in socket call: socket takes 3 arguments, found 2 (line 1, column 3)"},
        {"0 recvmsg(3, {msg_iov(2)=[{..., 1}], msg_flags=0}, 0) = 1",
         "t.pkt:1: runtime error in recvmsg call: msg_iov(2) has 1 buffers (line 1, column 15)"},
        {"0 recvmsg(3, {msg_iov(1)=[{..., 1}], msg_flag=0}, 0) = 1",
         "t.pkt:1: runtime error in recvmsg call: a message has no member msg_flag (line 1, column 38)"},
        {"0 sendmsg(3, {msg_iov(1)=[{..., 1}], msg_control=[{cmsg_level=1, cmsg_type=2, "
         "cmsg_data={ee_errno=1, "
         "ee_inf=2}}]}, 0) = 1",
         "t.pkt:1: runtime error in sendmsg call: an extended error has no member ee_inf (line 1, column "
         "102)"},
        {"0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, lingr=0}, 8) = 0",
         "t.pkt:1: runtime error in setsockopt call: a linger struct has no member lingr (line 1, column "
         "50)"},
        {"0 poll([{fd=3, events=POLLIN, event=POLLIN}], 1, 0) = 0",
         "t.pkt:1: runtime error in poll call: a poll descriptor has no member event (line 1, column 31)"},
        {"0 epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, data=4}) = 0",
         "t.pkt:1: runtime error in epoll_ctl call: expected an epoll event's data, {fd=…}, found a number "
         "(line 1, "
         "column 56)"},
        {"0 epoll_ctl(3, EPOLL_CTL_ADD, 4, ...) = 0",
         "t.pkt:1: runtime error in epoll_ctl call: expected an "
         "event {events=…, fd=…}, found ... (line 1, column 34)"},
        {"0 bind(3, ..., foo) = 0",
         "t.pkt:1: runtime error in bind call: unknown name foo (line 1, column 16)"},
        {"0 cap_set(CAP_NETADMIN, CAP_SET) = 0",
         "t.pkt:1: runtime error in cap_set call: unknown name "
         "CAP_NETADMIN; did you mean CAP_NET_ADMIN? (line 1, column 11)"},
        {"0 bind(3, {sa_family=AF_INET, sin_port=htons(65536), sin_addr=INADDR_ANY}, 16) = 0",
         "t.pkt:1: runtime error in bind call: htons: expected a number from 0 to 65535, found 65536 (line "
         "1, column 46)"},
        {"0 listen(3, sizeof(struct lingr)) = 0",
         "t.pkt:1: runtime error in listen call: unknown type in sizeof(struct lingr); did you mean struct "
         "linger? (line 1, column 20)"},
        {"0 getsockname(3, ..., 16) = 0",
         "t.pkt:1: runtime error in getsockname call: argument 3 of getsockname: expected ..., NULL, "
         "[length] or [room => length], found a number (line 1, column 23)"},
        {"0 `unknown x`", "t.pkt:1: error executing `unknown x` command: not supported"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        Fake f = {.answer = answers};
        char *error = run_with(&f, rows[i].text, PD_WRONG);

        g_assert_cmpstr(error, ==, rows[i].message);
        g_array_free(f.injected, TRUE);
        g_free(error);
    }
    run_case(NULL, answers, "0 `fail`", "t.pkt:1: error executing `fail` command: non-zero exit status");
}

/* What an event says that EPOLL_CTL_DEL does not read; capabilities by name. */
static void unread_arguments(void)
{
    static const Answer answers[] = {{0}, {0}, {0}};

    run_case(NULL, answers,
             "0 epoll_ctl(3, EPOLL_CTL_DEL, 4, ...) = 0\n+0 epoll_ctl(3, EPOLL_CTL_DEL, 4, {events=0}) = 0\n"
             "+0 cap_set(CAP_NET_ADMIN | CAP_NET_RAW, CAP_CLEAR) = 0",
             NULL);
}

static void code(void)
{
    static const Answer answers[] = {{3}};
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd", NULL},
        {"assert 5 <= tcpi_snd_cwnd <= 10 and not tcpi_lost", NULL},
        {"assert tcpi_state == TCP_ESTABLISHED; assert tcpi_rcv_wscale == 8 and tcpi_snd_wscale == 7", NULL},
        {"x = 0x10\nx += 4 # twenty\nassert x == 20 and \\\n  x * 2 == 40", NULL},
        {"assert tcpi_pacing_rate == 18446744073709551615", NULL},
        {"assert tcpi_ecn_mode == 2 and tcpi_options2 == 0", NULL},
        {"assert (1 | 6) & 3 == 3, 'bits'", NULL},
        {"assert 'cwnd %d of %s' % (tcpi_snd_cwnd, 'x') == \"cwnd 10 of x\"", NULL},
        {"assert tcpi_snd_cwnd in (9, 10) and 1 not in [2, 3] and 'a' in 'cat'", NULL},
        {"assert (1 if tcpi_lost else 2) == 2 and (1 if tcpi_snd_cwnd else 2) == 1", NULL},
        {"x = 13\nx //= 2; x <<= 2; x ^= 1; x %= 10; x >>= 1\nassert x == 2 and x is not None", NULL},
        {"assert len('abc') == 3 and len((1, 2)) == 2 and hex(255) == '0xff'", NULL},
        {"assert tcpi_snd_cwnd in 10",
         "t.pkt:2: error in Python code: an integer in an integer has no meaning"},
        {"assert 1 not 2", "t.pkt:2: error in Python code: expected 'in' behind 'not', found a number"},
        {"assert 1 if 2", "t.pkt:2: error in Python code: expected 'else', found the end of the line"},
        {"assert f'{tcpi_snd_cwnd} {{}} {tcpi_snd_cwnd + 1:03d}' ' {}' == '10 {} 011 {}'", NULL},
        {"assert 0, f'{tcpi_cwnd}'", "t.pkt:2: error in Python code: name 'tcpi_cwnd' is not defined"},
        {"assert 1, f'{1'", "t.pkt:2: error in Python code: a '{' in f'…' that is not closed"},
        {"assert 1, f'{1 2}'", "t.pkt:2: error in Python code: expected '}' or ':' in f'…', found a number"},
        {"assert -7 // 2 == -4 and -7 % 3 == 2 and 7 / 2 == 3.5", NULL},
        {"assert tcpi_snd_cwnd == 11, 'cwnd %d' % tcpi_snd_cwnd",
         "t.pkt:2: error in Python code: assertion failed: tcpi_snd_cwnd == 11\n  message: cwnd 10\n  with "
         "tcpi_snd_cwnd = 10"},
        {"pass\nassert tcpi_cwnd", "t.pkt:3: error in Python code: name 'tcpi_cwnd' is not defined"},
        {"import os",
         "t.pkt:2: error in Python code: 'import ...' is not supported in a code block: expected assert, "
         "print(...), if, for, while or an assignment"},
        {"assert 1 +", "t.pkt:2: error in Python code: expected a value, found the end of the line"},
        {"assert 1 1", "t.pkt:2: error in Python code: expected the end of the statement, found a number"},
        {"assert 1 / 0", "t.pkt:2: error in Python code: division by zero"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *text =
            g_strdup_printf("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 %%{ %s }%%", rows[i].text);

        /* A false assertion is a failure of the stack, anything else a mistake of the script. */
        run_case_as(!rows[i].message                                ? PD_PASSED
                    : strstr(rows[i].message, "assertion failed: ") ? PD_FAILED
                                                                    : PD_WRONG,
                    NULL, answers, text, rows[i].message);
        g_free(text);
    }
    /* One namespace for all blocks; each has the facts of its own moment. */
    run_case(NULL, answers,
             "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 %{ before = tcpi_snd_cwnd }%\n+0 %{ assert "
             "before == 10 }%",
             NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pd/run/passive", passive);
    g_test_add_func("/pd/run/active", active);
    g_test_add_func("/pd/run/timing", timing);
    g_test_add_func("/pd/run/aggregation", aggregation);
    g_test_add_func("/pd/run/fields", fields);
    g_test_add_func("/pd/run/calls", calls);
    g_test_add_func("/pd/run/wrong-scripts", wrong_scripts);
    g_test_add_func("/pd/run/unread-arguments", unread_arguments);
    g_test_add_func("/pd/run/code", code);
    return g_test_run();
}

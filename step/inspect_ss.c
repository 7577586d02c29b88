/* Sockets as ss(8) of iproute2 shows them, column by column. */
#include <inttypes.h>
#include <string.h>

#include "models/tcp/tcp_conn.h"
#include "models/tcp/tcp_info.h"
#include "models/tcp/tcp_timer.h"
#include "step/inspect.h"
#include "step/shell.h"

typedef struct Row {
    const char *netid;
    const char *state;
    uint32_t recv_q, send_q;
    char *addr[2], *port[2]; /* local, peer */
    char *process;           /* timer:(…); "" */
    char *info;              /* lines below; "" */
} Row;

typedef struct Listing {
    Shell *shell; /* NULL: inspect socket */
    GArray *rows; /* Row */
    bool all, listening, info, timers, memory, numeric, resolve, only4, only6;
    const char *state;
    unsigned nth, n; /* only this one; 0: all */
    SimTime now;
} Listing;

/* ss has names of its own for the states. */
static const char *ss_state(TcpState s)
{
    switch (s) {
    case TCP_ESTABLISHED:
        return "ESTAB";
    case TCP_SYN_RECV:
    case TCP_NEW_SYN_RECV:
        return "SYN-RECV";
    case TCP_CLOSE:
        return "UNCONN";
    default:
        return tcp_state_name(s);
    }
}

static void append_bps(GString *out, double bps, bool numeric)
{
    if (numeric)
        g_string_append_printf(out, "%.0fbps", bps);
    else if (bps > 1e9)
        g_string_append_printf(out, "%.3gGbps", bps / 1e9);
    else if (bps > 1e6)
        g_string_append_printf(out, "%.3gMbps", bps / 1e6);
    else if (bps > 1e3)
        g_string_append_printf(out, "%.3gkbps", bps / 1e3);
    else
        g_string_append_printf(out, "%.3gbps", bps);
}

static void append_count(GString *out, const char *name, uint64_t value)
{
    if (value)
        g_string_append_printf(out, " %s:%" PRIu64, name, value);
}

static void append_ms(GString *out, const char *name, double us)
{
    if (us > 0)
        g_string_append_printf(out, " %s:%g", name, us / 1000);
}

/* iproute2 ss.c, tcp_stats_print: the same order, the same conditions. */
static void append_info(GString *out, const TcpInfo *i, const char *cc)
{
    if (i->tcpi_options & TCPI_OPT_TIMESTAMPS)
        g_string_append(out, " ts");
    if (i->tcpi_options & TCPI_OPT_SACK)
        g_string_append(out, " sack");
    if (i->tcpi_options & TCPI_OPT_ECN)
        g_string_append(out, " ecn");
    if (i->tcpi_options & TCPI_OPT_ECN_SEEN)
        g_string_append(out, " ecnseen");
    if (i->tcpi_options & TCPI_OPT_SYN_DATA)
        g_string_append(out, " fastopen");
    if (cc)
        g_string_append_printf(out, " %s", cc);
    if (i->tcpi_options & TCPI_OPT_WSCALE)
        g_string_append_printf(out, " wscale:%u,%u", i->tcpi_snd_wscale, i->tcpi_rcv_wscale);
    append_ms(out, "rto", i->tcpi_rto);
    append_count(out, "backoff", i->tcpi_backoff);
    if (i->tcpi_rtt)
        g_string_append_printf(out, " rtt:%g/%g", i->tcpi_rtt / 1000.0, i->tcpi_rttvar / 1000.0);
    append_ms(out, "ato", i->tcpi_ato);
    append_count(out, "mss", i->tcpi_snd_mss);
    append_count(out, "pmtu", i->tcpi_pmtu);
    append_count(out, "rcvmss", i->tcpi_rcv_mss);
    append_count(out, "advmss", i->tcpi_advmss);
    append_count(out, "cwnd", i->tcpi_snd_cwnd);
    if (i->tcpi_snd_ssthresh < 0xffff)
        append_count(out, "ssthresh", i->tcpi_snd_ssthresh);
    append_count(out, "bytes_sent", i->tcpi_bytes_sent);
    append_count(out, "bytes_retrans", i->tcpi_bytes_retrans);
    append_count(out, "bytes_acked", i->tcpi_bytes_acked);
    append_count(out, "bytes_received", i->tcpi_bytes_received);
    append_count(out, "segs_out", i->tcpi_segs_out);
    append_count(out, "segs_in", i->tcpi_segs_in);
    append_count(out, "data_segs_out", i->tcpi_data_segs_out);
    append_count(out, "data_segs_in", i->tcpi_data_segs_in);
}

static void append_rates(GString *out, const TcpInfo *i, bool numeric)
{
    if (i->tcpi_rtt && i->tcpi_snd_mss && i->tcpi_snd_cwnd) {
        g_string_append(out, " send ");
        append_bps(out, (double)i->tcpi_snd_cwnd * i->tcpi_snd_mss * 8e6 / i->tcpi_rtt, numeric);
    }
    append_count(out, "lastsnd", i->tcpi_last_data_sent);
    append_count(out, "lastrcv", i->tcpi_last_data_recv);
    append_count(out, "lastack", i->tcpi_last_ack_recv);
    if (i->tcpi_pacing_rate && i->tcpi_pacing_rate != UINT64_MAX) {
        g_string_append(out, " pacing_rate ");
        append_bps(out, (double)i->tcpi_pacing_rate * 8, numeric);
    }
    if (i->tcpi_delivery_rate) {
        g_string_append(out, " delivery_rate ");
        append_bps(out, (double)i->tcpi_delivery_rate * 8, numeric);
    }
    append_count(out, "delivered", i->tcpi_delivered);
    append_count(out, "delivered_ce", i->tcpi_delivered_ce);
    if (i->tcpi_delivery_rate_app_limited)
        g_string_append(out, " app_limited");
    if (i->tcpi_busy_time)
        g_string_append_printf(out, " busy:%" PRIu64 "ms", i->tcpi_busy_time / 1000);
    if (i->tcpi_rwnd_limited)
        g_string_append_printf(out, " rwnd_limited:%" PRIu64 "ms", i->tcpi_rwnd_limited / 1000);
    if (i->tcpi_sndbuf_limited)
        g_string_append_printf(out, " sndbuf_limited:%" PRIu64 "ms", i->tcpi_sndbuf_limited / 1000);
    append_count(out, "unacked", i->tcpi_unacked);
    if (i->tcpi_retrans || i->tcpi_total_retrans)
        g_string_append_printf(out, " retrans:%" PRIu32 "/%" PRIu32, i->tcpi_retrans, i->tcpi_total_retrans);
    append_count(out, "lost", i->tcpi_lost);
    append_count(out, "sacked", i->tcpi_sacked);
    append_count(out, "dsack_dups", i->tcpi_dsack_dups);
    if (i->tcpi_reordering != 3)
        append_count(out, "reordering", i->tcpi_reordering);
    append_count(out, "reord_seen", i->tcpi_reord_seen);
    append_ms(out, "rcv_rtt", i->tcpi_rcv_rtt);
    append_count(out, "rcv_space", i->tcpi_rcv_space);
    append_count(out, "rcv_ssthresh", i->tcpi_rcv_ssthresh);
    append_count(out, "notsent", i->tcpi_notsent_bytes);
    if (i->tcpi_min_rtt != UINT32_MAX)
        append_ms(out, "minrtt", i->tcpi_min_rtt);
    append_count(out, "rcv_ooopack", i->tcpi_rcv_ooopack);
    append_count(out, "snd_wnd", i->tcpi_snd_wnd);
    append_count(out, "rcv_wnd", i->tcpi_rcv_wnd);
}

/* "200ms", "1.200ms" (so it is), "59sec", "1min29sec": ss.c, print_ms_timer. */
static void append_left(GString *out, SimTime left)
{
    int64_t ms = left / SIM_MS, minutes = ms / 60000, seconds = ms / 1000 % 60;
    bool has_ms = !minutes && seconds < 10 && ms % 1000;

    if (minutes)
        g_string_append_printf(out, "%" PRId64 "min", minutes);
    if (seconds && minutes < 10)
        g_string_append_printf(out, "%" PRId64 "%s", seconds, has_ms ? "." : "sec");
    if (has_ms)
        g_string_append_printf(out, "%03" PRId64 "ms", ms % 1000);
}

static char *timer_text(const Listing *l, const TcpEntry *e)
{
    const char *name = NULL;
    SimTime at = 0;
    GString *out;

    if (e->left_ns >= 0) {
        name = e->state == TCP_TIME_WAIT ? "timewait" : "on";
        at = l->now + e->left_ns;
    } else if (e->conn && timer_is_armed(&e->conn->t_rtx)) {
        name = e->conn->timer_kind == TCP_TIMER_PROBE0 ? "persist" : "on";
        at = e->conn->t_rtx.deadline;
    }
    if (!name)
        return g_strdup("");
    out = g_string_new(NULL);
    g_string_append_printf(out, "timer:(%s,", name);
    append_left(out, at - l->now);
    g_string_append_printf(out, ",%u)", e->conn ? e->conn->retransmits : e->retransmits);
    return g_string_free(out, FALSE);
}

static bool is_wanted(const Listing *l, const TcpEntry *e)
{
    bool is_half = e->state == TCP_NEW_SYN_RECV || e->state == TCP_SYN_RECV;

    if ((l->only4 && !inet_is_ip4(&e->local.addr)) || (l->only6 && inet_is_ip4(&e->local.addr)))
        return false;
    if (l->state)
        return !g_ascii_strcasecmp(l->state, ss_state(e->state)) ||
               !g_ascii_strcasecmp(l->state, tcp_state_name(e->state)) ||
               (!strcmp(l->state, "listening") && e->state == TCP_LISTEN) || !strcmp(l->state, "all") ||
               (!strcmp(l->state, "connected") && e->state != TCP_LISTEN && e->state != TCP_CLOSE);
    if (l->listening)
        return e->state == TCP_LISTEN;
    return l->all ||
           (e->state != TCP_LISTEN && e->state != TCP_CLOSE && e->state != TCP_TIME_WAIT && !is_half);
}

static void put_end(const Listing *l, Row *r, unsigned i, const InetEndpoint *e, bool is_nobody)
{
    char addr[INET_STR_LEN];
    const char *name = NULL;

    if (is_nobody) {
        r->addr[i] = g_strdup(inet_is_ip4(&e->addr) || inet_is_any(&e->addr) ? "0.0.0.0" : "[::]");
        r->port[i] = g_strdup("*");
        return;
    }
    if (l->resolve && inet_is_ip4(&e->addr) && !inet_is_any(&e->addr))
        name = net_name_of(host_net(l->shell->h), inet_ip4(&e->addr));
    r->addr[i] = name                    ? g_strdup(name)
                 : inet_is_ip4(&e->addr) ? g_strdup(inet_format(&e->addr, addr))
                                         : g_strdup_printf("[%s]", inet_format(&e->addr, addr));
    r->port[i] = g_strdup_printf("%u", e->port);
}

static char *info_text(const Listing *l, const TcpEntry *e)
{
    GString *out = g_string_new(NULL);
    TcpInfo info;

    if (l->memory && e->conn)
        g_string_append_printf(
            out, "\t skmem:(r%" PRIu32 ",rb%" PRIu32 ",t0,tb%" PRIu32 ",f%" PRIu32 ",w%" PRIu32 ",o0,bl0,d0)",
            e->conn->rcv.rmem_alloc, e->conn->win.rcvbuf, e->conn->win.sndbuf, e->conn->rcv.fwd_alloc,
            e->conn->snd.wmem_queued);
    if (l->info && e->conn) {
        tcp_get_info((TcpConn *)e->conn, &info);
        if (!out->len)
            g_string_append_c(out, '\t');
        append_info(out, &info, e->conn->cc.ops ? e->conn->cc.ops->name : NULL);
        append_rates(out, &info, l->numeric);
    }
    if (out->len)
        g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

static void add(void *user, const TcpEntry *e)
{
    Listing *l = user;
    Row r = {.netid = "tcp", .state = ss_state(e->state), .recv_q = e->recv_q, .send_q = e->send_q};

    if (!is_wanted(l, e) || (++l->n != l->nth && l->nth))
        return;
    put_end(l, &r, 0, &e->local, false);
    put_end(l, &r, 1, &e->remote, !e->remote.port);
    r.process = l->timers ? timer_text(l, e) : g_strdup("");
    r.info = info_text(l, e);
    g_array_append_val(l->rows, r);
}

/* One that is not connected is ss's UNCONN, and counts as listening. */
static void add_udp(void *user, const UdpSock *s)
{
    Listing *l = user;
    UdpAddr local = udpsock_local(s), peer = udpsock_peer(s);
    InetEndpoint from = {.addr = inet_from_ip4(local.ip), .port = local.port};
    InetEndpoint to = {.addr = inet_from_ip4(peer.ip), .port = peer.port};
    Row r = {.netid = "udp", .state = peer.port ? "ESTAB" : "UNCONN", .recv_q = udpsock_rmem(s)};

    if (!local.port || l->only6 || l->state || (l->listening ? peer.port != 0 : !l->all && !peer.port))
        return;
    put_end(l, &r, 0, &from, false);
    put_end(l, &r, 1, &to, !peer.port);
    r.process = g_strdup("");
    r.info = g_strdup("");
    g_array_append_val(l->rows, r);
}

/* Columns as wide as what is in them: addresses end at their colon, ports begin behind it. */
static void print_rows(const Listing *l, GString *out, bool has_netid, bool no_title)
{
    int state = 5, addr[2] = {13, 12}, port[2] = {4, 4};

    for (unsigned i = 0; i < l->rows->len; i++) {
        const Row *r = &g_array_index(l->rows, Row, i);

        state = HS_MAX(state, (int)strlen(r->state));
        for (unsigned e = 0; e < 2; e++) {
            addr[e] = HS_MAX(addr[e], (int)strlen(r->addr[e]));
            port[e] = HS_MAX(port[e], (int)strlen(r->port[e]));
        }
    }
    if (!no_title)
        g_string_append_printf(out, "%s%-*s %-6s %-6s %*s:%-*s %*s:%-*s Process\n", has_netid ? "Netid " : "",
                               state, "State", "Recv-Q", "Send-Q", addr[0], "Local Address", port[0], "Port",
                               addr[1], "Peer Address", port[1], "Port");
    for (unsigned i = 0; i < l->rows->len; i++) {
        const Row *r = &g_array_index(l->rows, Row, i);

        if (has_netid)
            g_string_append_printf(out, "%-5s ", r->netid);
        g_string_append_printf(out, "%-*s %-6" PRIu32 " %-6" PRIu32 " %*s:%-*s %*s:%-*s %s", state, r->state,
                               r->recv_q, r->send_q, addr[0], r->addr[0], port[0], r->port[0], addr[1],
                               r->addr[1], port[1], r->port[1], r->process);
        while (g_ascii_isspace(out->str[out->len - 1]))
            g_string_truncate(out, out->len - 1);
        g_string_append_printf(out, "\n%s", r->info);
    }
}

static void clear_row(void *p)
{
    Row *r = p;

    for (unsigned e = 0; e < 2; e++) {
        g_free(r->addr[e]);
        g_free(r->port[e]);
    }
    g_free(r->process);
    g_free(r->info);
}

static void begin(Listing *l, const Host *h)
{
    l->rows = g_array_new(FALSE, FALSE, sizeof(Row));
    g_array_set_clear_func(l->rows, clear_row);
    l->now = node_now(host_node(h));
}

static void list_tcp(Listing *l, Host *h)
{
    if (host_has_tcp(h))
        tcp_foreach(host_tcp(h), add, l);
}

/* ---- ss -s ---- */

typedef struct Summary {
    unsigned total, established, closed, orphaned, timewait, tcp4, tcp6, udp4;
} Summary;

static void count_tcp(void *user, const TcpEntry *e)
{
    Summary *m = user;

    m->total++;
    m->established += e->state == TCP_ESTABLISHED;
    m->orphaned += e->is_orphan && e->state != TCP_TIME_WAIT;
    m->timewait += e->state == TCP_TIME_WAIT;
    m->closed += e->state == TCP_CLOSE || e->state == TCP_TIME_WAIT;
    if (e->state != TCP_TIME_WAIT && e->state != TCP_CLOSE)
        *(inet_is_ip4(&e->local.addr) ? &m->tcp4 : &m->tcp6) += 1;
}

static void count_udp(void *user, const UdpSock *s)
{
    ((Summary *)user)->udp4 += udpsock_local(s).port != 0;
}

static bool summary(Shell *s)
{
    Summary m = {0};
    unsigned tcp;

    if (host_has_tcp(s->h))
        tcp_foreach(host_tcp(s->h), count_tcp, &m);
    udp_foreach(host_udp(s->h), count_udp, &m);
    tcp = m.tcp4 + m.tcp6;
    g_string_append_printf(s->out,
                           "Total: %u\nTCP:   %u (estab %u, closed %u, orphaned %u, timewait %u)\n\n"
                           "Transport Total     IP        IPv6\n"
                           "RAW\t  0         0         0        \n"
                           "UDP\t  %-9u %-9u %-9u\nTCP\t  %-9u %-9u %-9u\nINET\t  %-9u %-9u %-9u\n"
                           "FRAG\t  0         0         0        \n",
                           m.total + m.udp4, m.total, m.established, m.closed, m.orphaned, m.timewait, m.udp4,
                           m.udp4, 0u, tcp, m.tcp4, m.tcp6, tcp + m.udp4, m.tcp4 + m.udp4, m.tcp6);
    return true;
}

bool shell_ss(Shell *s)
{
    static const char usage[] = "-t, -u, -i, -a, -l, -n, -o, -m, -4, -6, -H, -s, or state NAME";
    Listing l = {.shell = s};
    bool has[128];
    unsigned at;

    if (!shell_letters(s, "tuialnoem46Hspr", usage, has, &at))
        return false;
    if (has['s'])
        return summary(s);
    if (at + 1 < s->n && !strcmp(s->word[at], "state")) {
        l.state = s->word[at + 1];
        at += 2;
    }
    if (at < s->n)
        return shell_wrong(s, "ss: \"%s\" is not known here; expected %s", s->word[at], usage);
    l.all = has['a'];
    l.listening = has['l'];
    l.info = has['i'];
    l.timers = has['o'] || has['e'];
    l.memory = has['m'];
    l.numeric = has['n'];
    l.resolve = has['r'];
    l.only4 = has['4'];
    l.only6 = has['6'];
    begin(&l, s->h);
    if (has['u'] || !has['t']) /* looking may make a host's UDP, in a copy that ends with the answer */
        udp_foreach(host_udp(s->h), add_udp, &l);
    if (has['t'] || !has['u'])
        list_tcp(&l, s->h);
    print_rows(&l, s->out, has['t'] == has['u'], has['H']);
    g_array_free(l.rows, TRUE);
    return true;
}

typedef struct Fields {
    GString *out;
    unsigned nth, n;
} Fields;

/* Everything about one connection: the line of ss, then each field of tcp_info by its name. */
static void add_fields(void *user, const TcpEntry *e)
{
    Fields *f = user;
    const TcpConn *c = e->conn;
    TcpInfo info;

    if (++f->n != f->nth || !c)
        return;
    if (e->state != TCP_LISTEN) {
        g_string_append_printf(f->out,
                               "send:    una=%" PRIu32 " nxt=%" PRIu32 " (%" PRIu32 " unacknowledged) "
                               "wnd=%" PRIu32 " (%" PRId32 " bytes free) written=%" PRIu32 "\n",
                               c->snd_una, c->snd_nxt, c->snd_nxt - c->snd_una, c->snd_wnd,
                               (int32_t)(tcp_wnd_end(c) - c->snd_nxt), c->write_seq);
        g_string_append_printf(f->out, "receive: nxt=%" PRIu32 " wnd=%" PRIu32 " read=%" PRIu32 "\n",
                               c->rcv_nxt, c->win.rcv_wnd, c->copied_seq);
    }
    tcp_get_info((TcpConn *)c, &info);
    for (const TcpInfoField *i = tcp_info_fields; i->name; i++)
        if (i->get(&info))
            g_string_append_printf(f->out, "  %-30s %" PRIu64 "\n", i->name, i->get(&info));
}

bool stepinspect_socket(Host *h, unsigned nth, GString *out)
{
    Listing l = {.all = true, .info = true, .timers = true, .nth = nth};
    Fields f = {out, nth, 0};

    begin(&l, h);
    list_tcp(&l, h);
    if (l.rows->len)
        print_rows(&l, out, false, false);
    else
        g_string_printf(out, "%s has %u TCP socket%s, there is no number %u", host_node(h)->name, l.n,
                        l.n == 1 ? "" : "s", nth);
    if (l.rows->len)
        tcp_foreach(host_tcp(h), add_fields, &f);
    g_array_free(l.rows, TRUE);
    return f.n > 0 && f.n >= nth;
}

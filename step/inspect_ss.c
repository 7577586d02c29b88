/* Sockets as ss(8) of iproute2 shows them, column by column. */
#include <inttypes.h>
#include <string.h>

#include "models/tcp/tcp_conn.h"
#include "models/tcp/tcp_info.h"
#include "models/tcp/tcp_timer.h"
#include "step/inspect.h"

typedef struct Listing {
    GString *out;
    bool all, listening, info, timers, netid;
    unsigned nth, n; /* only this one; 0: all */
    SimTime now;
} Listing;

/* ss has names of its own for the states. */
static const char *ss_state(TcpState s)
{
    switch (s) {
    case TCP_ESTABLISHED:
        return "ESTAB";
    case TCP_CLOSE:
        return "UNCONN";
    default:
        return tcp_state_name(s);
    }
}

static void append_bps(GString *out, double bps)
{
    if (bps > 1e9)
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

static void append_rates(GString *out, const TcpInfo *i)
{
    if (i->tcpi_rtt && i->tcpi_snd_mss && i->tcpi_snd_cwnd) {
        g_string_append(out, " send ");
        append_bps(out, (double)i->tcpi_snd_cwnd * i->tcpi_snd_mss * 8e6 / i->tcpi_rtt);
    }
    append_count(out, "lastsnd", i->tcpi_last_data_sent);
    append_count(out, "lastrcv", i->tcpi_last_data_recv);
    append_count(out, "lastack", i->tcpi_last_ack_recv);
    if (i->tcpi_pacing_rate && i->tcpi_pacing_rate != UINT64_MAX) {
        g_string_append(out, " pacing_rate ");
        append_bps(out, (double)i->tcpi_pacing_rate * 8);
    }
    if (i->tcpi_delivery_rate) {
        g_string_append(out, " delivery_rate ");
        append_bps(out, (double)i->tcpi_delivery_rate * 8);
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

static void append_timer(const Listing *l, const TcpEntry *e)
{
    const char *name = NULL;
    SimTime at = 0;

    if (e->left_ns >= 0) {
        name = e->state == TCP_TIME_WAIT ? "timewait" : "on";
        at = l->now + e->left_ns;
    } else if (e->conn && timer_is_armed(&e->conn->t_rtx)) {
        name = e->conn->timer_kind == TCP_TIMER_PROBE0 ? "persist" : "on";
        at = e->conn->t_rtx.deadline;
    }
    if (name)
        g_string_append_printf(l->out, " timer:(%s,%gms,%u)", name, (double)(at - l->now) / 1e6,
                               e->conn ? e->conn->retransmits : e->retransmits);
}

static bool is_wanted(const Listing *l, const TcpEntry *e)
{
    if (l->listening)
        return e->state == TCP_LISTEN;
    return l->all || (e->state != TCP_LISTEN && e->state != TCP_CLOSE && e->state != TCP_TIME_WAIT &&
                      e->state != TCP_NEW_SYN_RECV && e->state != TCP_SYN_RECV);
}

static void append_end(GString *out, const InetEndpoint *e, bool is_peer_of_listener)
{
    char addr[INET_STR_LEN];
    g_autofree char *text =
        is_peer_of_listener
            ? g_strdup_printf("%s:*", inet_is_ip4(&e->addr) || inet_is_any(&e->addr) ? "0.0.0.0" : "[::]")
        : inet_is_ip4(&e->addr) ? g_strdup_printf("%s:%u", inet_format(&e->addr, addr), e->port)
                                : g_strdup_printf("[%s]:%u", inet_format(&e->addr, addr), e->port);

    g_string_append_printf(out, " %20s", text);
}

static void add(void *user, const TcpEntry *e)
{
    Listing *l = user;
    GString *out = l->out;
    TcpInfo info;

    if (!is_wanted(l, e) || (++l->n != l->nth && l->nth))
        return;
    g_string_append_printf(out, "%s%-10s %-6" PRIu32 " %-6" PRIu32, l->netid ? "tcp   " : "",
                           ss_state(e->state), e->recv_q, e->send_q);
    append_end(out, &e->local, false);
    append_end(out, &e->remote, !e->remote.port);
    if (l->timers)
        append_timer(l, e);
    g_string_append_c(out, '\n');
    if (!l->info || !e->conn)
        return;
    tcp_get_info((TcpConn *)e->conn, &info);
    g_string_append_c(out, '\t');
    append_info(out, &info, e->conn->cc.ops ? e->conn->cc.ops->name : NULL);
    append_rates(out, &info);
    g_string_append_c(out, '\n');
}

/* One that is not connected is ss's UNCONN, and counts as listening. */
static void add_udp(void *user, const UdpSock *s)
{
    Listing *l = user;
    UdpAddr local = udpsock_local(s), peer = udpsock_peer(s);
    InetEndpoint from = {.addr = inet_from_ip4(local.ip), .port = local.port};
    InetEndpoint to = {.addr = inet_from_ip4(peer.ip), .port = peer.port};

    if (!local.port || (l->listening ? peer.port != 0 : !l->all && !peer.port))
        return;
    g_string_append_printf(l->out, "%s%-10s %-6" PRIu32 " %-6u", l->netid ? "udp   " : "",
                           peer.port ? "ESTAB" : "UNCONN", udpsock_rmem(s), 0u);
    append_end(l->out, &from, false);
    append_end(l->out, &to, !peer.port);
    g_string_append_c(l->out, '\n');
}

static void title(const Listing *l)
{
    g_string_append_printf(l->out, "%s%-10s %-6s %-6s %20s %20s\n", l->netid ? "Netid " : "", "State",
                           "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port");
}

static void list(Listing *l, Host *h)
{
    l->now = node_now(host_node(h));
    if (host_has_tcp(h))
        tcp_foreach(host_tcp(h), add, l);
}

bool stepinspect_ss(Host *h, const char *const *word, unsigned n, GString *out)
{
    Listing l = {.out = out};
    bool tcp = false, udp = false;

    for (unsigned i = 1; i < n; i++) {
        const char *c = word[i];

        if (*c++ != '-' || !*c) {
            g_string_append_printf(out, "ss: \"%s\" is not known here; expected -t, -u, -i, -a, -l, -n, -o",
                                   word[i]);
            return false;
        }
        for (; *c; c++) {
            tcp |= *c == 't';
            udp |= *c == 'u';
            l.all |= *c == 'a';
            l.listening |= *c == 'l';
            l.info |= *c == 'i';
            l.timers |= *c == 'o';
            if (!strchr("tuainlo4", *c)) {
                g_string_append_printf(out, "ss: -%c is not known here; expected -t, -u, -i, -a, -l, -n, -o",
                                       *c);
                return false;
            }
        }
    }
    l.netid = tcp == udp;
    title(&l);
    if (udp || !tcp) /* looking may make a host's UDP, in a copy that ends with the answer */
        udp_foreach(host_udp(h), add_udp, &l);
    if (tcp || !udp)
        list(&l, h);
    return true;
}

/* Everything about one connection: the line of ss, then each field of tcp_info by its name. */
static void add_fields(void *user, const TcpEntry *e)
{
    Listing *l = user;
    const TcpConn *c = e->conn;
    TcpInfo info;

    if (!is_wanted(l, e) || ++l->n != l->nth || !c)
        return;
    if (e->state != TCP_LISTEN) {
        g_string_append_printf(l->out,
                               "send:    una=%" PRIu32 " nxt=%" PRIu32 " (%" PRIu32 " unacknowledged) "
                               "wnd=%" PRIu32 " (%" PRId32 " bytes free) written=%" PRIu32 "\n",
                               c->snd_una, c->snd_nxt, c->snd_nxt - c->snd_una, c->snd_wnd,
                               (int32_t)(tcp_wnd_end(c) - c->snd_nxt), c->write_seq);
        g_string_append_printf(l->out, "receive: nxt=%" PRIu32 " wnd=%" PRIu32 " read=%" PRIu32 "\n",
                               c->rcv_nxt, c->win.rcv_wnd, c->copied_seq);
    }
    tcp_get_info((TcpConn *)c, &info);
    for (const TcpInfoField *f = tcp_info_fields; f->name; f++)
        if (f->get(&info))
            g_string_append_printf(l->out, "  %-28s %" PRIu64 "\n", f->name, f->get(&info));
}

bool stepinspect_socket(Host *h, unsigned nth, GString *out)
{
    Listing l = {.out = out, .all = true, .info = true, .timers = true, .nth = nth};

    title(&l);
    list(&l, h);
    if (l.n < nth) {
        g_string_printf(out, "%s has %u TCP socket%s, there is no number %u", host_node(h)->name, l.n,
                        l.n == 1 ? "" : "s", nth);
        return false;
    }
    l.n = 0;
    if (host_has_tcp(h))
        tcp_foreach(host_tcp(h), add_fields, &l);
    return true;
}

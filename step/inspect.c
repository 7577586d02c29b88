#include "step/inspect.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "models/tcp/tcp_conn.h"
#include "models/tcp/tcp_info.h"
#include "models/wire/ipv4_addr.h"
#include "sim/base/suggest.h"
#include "sim/base/units.h"
#include "step/watch.h"

#define WORDS_MAX 32

static void list_nodes(const StepInspect *w, GString *out)
{
    Sim *sim = net_sim(w->net);

    for (unsigned i = 0; i < sim_node_count(sim); i++) {
        Node *n = sim_node(sim, i);
        Host *h = n && *net_kind_name(n) ? host_of_node(n) : NULL;

        if (!n || !*net_kind_name(n))
            continue;
        g_string_append_printf(out, "%-12s %-7s", n->name, net_kind_name(n));
        for (unsigned d = 0; h && d < host_dev_count(h); d++) {
            NetDev *dev = host_dev_at(h, d);
            Ip4If *ifp = ip4_if_by_name(host_ip4(h), dev->name);
            char addr[IPV4_PREFIX_STR_LEN];

            if (dev->flags & NETDEV_LOOPBACK)
                continue;
            g_string_append_printf(out, " %s", dev->name);
            if (ifp && ip4_addr_count(ifp))
                g_string_append_printf(out, " %s", ipv4_prefix_format(ip4_addr(ifp, 0), addr));
        }
        if (h && !host_is_on(h))
            g_string_append(out, " (no power)");
        g_string_append_c(out, '\n');
    }
    for (unsigned i = 0; i < net_link_count(w->net); i++)
        stepinspect_link(net_link_at(w->net, i), out);
}

static void add_name(const char *name, uint64_t value, void *user)
{
    (void)value;
    g_string_append_printf(user, "%s\n", name);
}

/* For completion: one a line. */
static bool list_names(const StepInspect *w, char **word, unsigned n, GString *out)
{
    const char *what = n > 1 ? word[1] : "", *names[32];
    Host *h = n > 2 ? net_host_by_name(w->net, word[2]) : NULL;

    if (!strcmp(what, "shell"))
        for (unsigned i = 0, max = stepinspect_shell_names(names, HS_ARRAY_LEN(names)); i < max; i++)
            add_name(names[i], 0, out);
    else if (!strcmp(what, "counters") && h)
        host_foreach_counter(h, add_name, out);
    if (!strcmp(what, "hosts") || !strcmp(what, "places"))
        for (unsigned i = 0; i < net_host_count(w->net); i++)
            add_name(host_node(net_host_at(w->net, i))->name, 0, out);
    if (!strcmp(what, "places"))
        for (unsigned i = 0; i < net_link_count(w->net); i++)
            add_name(netlink_name(net_link_at(w->net, i)), 0, out);
    return true;
}

static Host *find_host(const StepInspect *w, const char *name, GString *out)
{
    Host *h = name ? net_host_by_name(w->net, name) : NULL;
    const char *known[64], *closest;
    unsigned n = 0;

    if (h)
        return h;
    if (!name) {
        g_string_append(out, "of which host? 'nodes' lists them");
        return NULL;
    }
    for (unsigned i = 0; i < net_host_count(w->net) && n < HS_ARRAY_LEN(known); i++)
        known[n++] = host_node(net_host_at(w->net, i))->name;
    closest = suggest_closest(name, known, n);
    g_string_append_printf(out, "there is no host or router \"%s\"", name);
    if (closest)
        g_string_append_printf(out, "; did you mean \"%s\"?", closest);
    else
        g_string_append(out, "; 'nodes' lists what there is");
    return NULL;
}

static bool print(const StepInspect *w, const char *text, GString *out)
{
    char *error = NULL, *value = NULL;
    StepExpr *e = stepcond_compile(w->cond, text, &error);

    if (e)
        value = stepcond_text(e, w->record, &error);
    if (error)
        g_string_append(out, error);
    else
        g_string_append_printf(out, "%s\n", value);
    g_free(value);
    g_free(error);
    return value != NULL;
}

static bool check(const StepInspect *w, const char *lines, GString *out)
{
    char *error = NULL;
    StepWatches *watches = stepwatches_new(w->cond, lines, &error);

    if (error)
        g_string_append(out, error);
    g_free(error);
    stepwatches_free(watches);
    return watches != NULL;
}

static bool inspect_socket(const StepInspect *w, char **word, unsigned n, GString *out)
{
    Host *h = find_host(w, n > 1 ? word[1] : NULL, out);
    uint64_t nth = 1;
    char *error = NULL;

    if (!h)
        return false;
    if (n > 2 && (!units_parse_count(word[2], &nth, &error) || !nth || nth > UINT32_MAX)) {
        g_string_append_printf(out, "\"%s\" is no number of a socket; expected 1, 2, …", word[2]);
        g_free(error);
        return false;
    }
    return stepinspect_socket(h, (unsigned)nth, out);
}

typedef struct Wanted {
    uint64_t id;
    const TcpConn *conn;
} Wanted;

static void match_id(void *user, const TcpEntry *e)
{
    Wanted *wanted = user;

    if (e->conn && tcp_id(e->conn) == wanted->id)
        wanted->conn = e->conn;
}

/* What keeps the connection from sending more than it does. */
static void tell_limits(const TcpConn *c, GString *out)
{
    TcpInfo info;
    uint32_t in_flight;

    tcp_get_info((TcpConn *)c, &info);
    in_flight = info.tcpi_unacked - info.tcpi_sacked - info.tcpi_lost + info.tcpi_retrans;
    g_string_append_printf(out, "%" PRIu32 " of %" PRIu32 " packets in flight: ", in_flight,
                           info.tcpi_snd_cwnd);
    if (in_flight >= info.tcpi_snd_cwnd)
        g_string_append(out, "the congestion window is what limits the sender");
    else if (info.tcpi_snd_wnd && c->snd_nxt - c->snd_una + info.tcpi_snd_mss > info.tcpi_snd_wnd)
        g_string_append(
            out, "the receiver's window is what limits the sender, and the congestion window does not grow");
    else if (!info.tcpi_notsent_bytes)
        g_string_append(out,
                        "the application has written no more, and a window that is not filled does not grow "
                        "(RFC 7661, Linux tcp_is_cwnd_limited)");
    else
        g_string_append(out, "pacing, or a timer, holds the next packet back");
}

/* For `why cwnd`: by which rules a connection goes. */
static bool tell_rules(const StepInspect *w, char **word, unsigned n, GString *out)
{
    Host *h = n == 3 ? net_host_by_name(w->net, word[1]) : NULL;
    Wanted wanted = {n == 3 ? g_ascii_strtoull(word[2], NULL, 10) : 0, NULL};
    static const char *const styles[] = {"linux", "tahoe", "reno", "newreno", "sack"};
    char *style = NULL;

    if (h && host_has_tcp(h))
        tcp_foreach(host_tcp(h), match_id, &wanted);
    if (!strcmp(word[0], "ssthresh")) {
        if (wanted.conn)
            g_string_append_printf(out, "%" PRIu32, wanted.conn->cc.s.ssthresh);
    } else if (!strcmp(word[0], "limits")) {
        if (wanted.conn)
            tell_limits(wanted.conn, out);
    } else if (!strcmp(word[0], "style")) {
        if (h && host_sysctl_get(h, "hopscope.tcp_recovery_style", &style, NULL))
            g_string_append(out, styles[HS_MIN(g_ascii_strtoull(style, NULL, 10), HS_ARRAY_LEN(styles) - 1)]);
        g_free(style);
    } else {
        g_string_append(out, wanted.conn && wanted.conn->cc.ops ? wanted.conn->cc.ops->name : "?");
    }
    return true;
}

static bool unknown_thing(const StepInspect *w, const char *word, GString *out)
{
    const char *known[64] = {"host", "socket", "route", "neigh", "nat", "queue", "packet"}, *closest;
    unsigned n = 7;

    for (unsigned i = 0; i < net_host_count(w->net) && n < HS_ARRAY_LEN(known); i++)
        known[n++] = host_node(net_host_at(w->net, i))->name;
    closest = suggest_closest(word, known, n);
    g_string_append_printf(out, "cannot inspect \"%s\"; ", word);
    if (closest)
        g_string_append_printf(out, "did you mean \"%s\"?", closest);
    else
        g_string_append(out, "expected a host, socket, route, neigh, nat, queue or packet");
    return false;
}

static bool ask(const StepInspect *w, char **word, unsigned n, GString *out)
{
    Host *h;

    if (!strcmp(word[0], "nodes")) {
        list_nodes(w, out);
        return true;
    }
    if (!strcmp(word[0], "host")) {
        h = find_host(w, n > 1 ? word[1] : NULL, out);
        return h && stepinspect_host(w, h, out);
    }
    if (!strcmp(word[0], "on")) {
        h = find_host(w, n > 1 ? word[1] : NULL, out);
        return h && stepinspect_shell(h, (const char *const *)word + 2, n - 2, out);
    }
    if (!strcmp(word[0], "id")) {
        h = find_host(w, n > 1 ? word[1] : NULL, out);
        if (h)
            g_string_append_printf(out, "%u", host_node(h)->id);
        return h != NULL;
    }
    if (!strcmp(word[0], "names"))
        return list_names(w, word, n, out);
    if (!strcmp(word[0], "node")) {
        const Node *node = n > 1 ? sim_node_by_name(net_sim(w->net), word[1]) : NULL;

        if (!node)
            return find_host(w, n > 1 ? word[1] : NULL, out) != NULL;
        g_string_append_printf(out, "%u", node->id);
        return true;
    }
    if (!strcmp(word[0], "controller") || !strcmp(word[0], "style") || !strcmp(word[0], "ssthresh") ||
        !strcmp(word[0], "limits"))
        return tell_rules(w, word, n, out);
    if (!strcmp(word[0], "socket"))
        return inspect_socket(w, word, n, out);
    if (!strcmp(word[0], "queue"))
        return stepinspect_queue(w, n > 1 ? word[1] : NULL, out);
    if (!strcmp(word[0], "packet"))
        return stepinspect_packet(w, out);
    if (!strcmp(word[0], "nat")) {
        g_string_append(
            out, "There is no address translation (NAT) in hopscope yet: addresses and ports arrive as they "
                 "were sent, and so there is no table to show.\n");
        return true;
    }
    h = net_host_by_name(w->net, word[0]);
    if (h)
        return stepinspect_host(w, h, out);
    return unknown_thing(w, word[0], out);
}

bool stepinspect(const StepInspect *w, const char *query, GString *out)
{
    char *word[WORDS_MAX + 1] = {NULL};
    unsigned n = 0;
    char *copy, *rest;
    bool fine;

    if (!w->net) {
        g_string_append(out, "there is no network to look at");
        return false;
    }
    if (g_str_has_prefix(query, "print "))
        return print(w, query + strlen("print "), out);
    if (g_str_has_prefix(query, "check "))
        return check(w, query + strlen("check "), out);
    if (!strcmp(query, "state")) {
        stepinspect_state(w, out);
        return true;
    }
    copy = rest = g_strdup(query);
    for (char *token; n < WORDS_MAX && (token = strsep(&rest, " \t"));)
        if (*token)
            word[n++] = token;
    fine = n > 0 && ask(w, word, n, out);
    g_free(copy);
    return fine;
}

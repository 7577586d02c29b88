/* net-tools: arp, route, ifconfig, netstat -r, -i and its list of connections. */
#include <inttypes.h>
#include <string.h>

#include "models/ether/neigh.h"
#include "models/tcp/tcp.h"
#include "models/wire/ipv4_addr.h"
#include "models/wire/ipv6_addr.h"
#include "step/shell.h"

#define NAME_LEN 64

/* ---- arp ---- */

typedef struct Arp {
    Shell *s;
    bool numeric, bsd;
    unsigned n;
} Arp;

static void append_arp(Neigh *n, void *user)
{
    Arp *a = user;
    GString *out = a->s->out;
    NeighState state = neigh_state(n);
    bool known = state != NEIGH_INCOMPLETE && state != NEIGH_FAILED;
    char addr[IPV4_ADDR_STR_LEN], mac[MAC_STR_LEN], name[NAME_LEN];
    const char *whose = net_name_of(host_net(a->s->h), n->key.ip4);

    if (n->key_len != 4 || state == NEIGH_NONE || state == NEIGH_NOARP)
        return;
    ipv4_addr_format(n->key.ip4, addr);
    mac_format(n->mac, mac);
    if (a->bsd) {
        g_string_append_printf(out, "%s (%s) at ", whose && !a->numeric ? whose : "?", addr);
        if (known)
            g_string_append_printf(out, "%s [ether]%s", mac, state == NEIGH_PERMANENT ? " PERM" : "");
        else
            g_string_append(out, "<incomplete>");
        g_string_append_printf(out, " on %s\n", n->table->dev->name);
        return;
    }
    if (!a->n++)
        g_string_append(out,
                        "Address                  HWtype  HWaddress           Flags Mask            Iface\n");
    g_string_append_printf(out, "%-23s  %-8s%-20s%-6s%-16s%s\n",
                           shell_host(a->s, n->key.ip4, a->numeric, name, sizeof(name)), known ? "ether" : "",
                           known ? mac : "(incomplete)",
                           !known                     ? ""
                           : state == NEIGH_PERMANENT ? "CM"
                                                      : "C",
                           "", n->table->dev->name);
}

bool shell_arp(Shell *s)
{
    Ip4 *ip = host_ip4(s->h);
    Arp a = {.s = s};
    bool has[128];
    unsigned at;

    if (!shell_letters(s, "ane", "-a, -e or -n", has, &at))
        return false;
    a.numeric = has['n'];
    a.bsd = has['a'];
    for (unsigned i = 0; i < ip4_if_count(ip); i++)
        if (ip4_if_has_neighbours(ip4_if(ip, i)))
            neightable_foreach(ip4_if_neighbours(ip4_if(ip, i)), append_arp, &a);
    return true;
}

/* ---- route, netstat -r ---- */

typedef struct Routes {
    Shell *s;
    bool numeric, is_netstat;
} Routes;

static void append_route(const Ip4RouteSpec *r, void *user)
{
    const Routes *t = user;
    char dst[NAME_LEN], via[IPV4_ADDR_STR_LEN], mask[IPV4_ADDR_STR_LEN], flags[8] = "U";
    uint32_t bits = r->prefix.len ? UINT32_MAX << (32 - r->prefix.len) : 0;

    if (r->type == IP4_ROUTE_LOCAL || r->type == IP4_ROUTE_BROADCAST || r->type == IP4_ROUTE_MULTICAST)
        return;
    if (r->type != IP4_ROUTE_UNICAST)
        g_strlcpy(flags, "!", sizeof(flags));
    if (r->via)
        g_strlcat(flags, "G", sizeof(flags));
    if (r->prefix.len == 32)
        g_strlcat(flags, "H", sizeof(flags));
    if (!r->prefix.len && !t->numeric)
        g_strlcpy(dst, "default", sizeof(dst));
    else
        shell_host(t->s, r->prefix.addr, t->numeric || r->prefix.len < 32, dst, sizeof(dst));
    g_string_append_printf(t->s->out, "%-15s %-15s %-15s %-5s ", dst,
                           r->via || t->numeric ? ipv4_addr_format(r->via, via) : "0.0.0.0",
                           ipv4_addr_format(bits, mask), flags);
    if (t->is_netstat)
        g_string_append_printf(t->s->out, "%5u %-5u %6u ", 0u, 0u, 0u);
    else
        g_string_append_printf(t->s->out, "%-6" PRIu32 " %-2u %7u ", r->metric, 0u, 0u);
    g_string_append_printf(t->s->out, "%s\n", r->dev ? ip4_if_dev(r->dev)->name : "*");
}

bool shell_route(Shell *s)
{
    Routes t = {.s = s, .is_netstat = !strcmp(s->word[0], "netstat")};
    bool has[128];
    unsigned at;

    if (!shell_letters(s, t.is_netstat ? "rn" : "n", t.is_netstat ? "-r or -n" : "-n", has, &at))
        return false;
    if (at < s->n)
        return shell_wrong(s, "%s: \"%s\" is not known here: routes are the scenario's to change", s->word[0],
                           s->word[at]);
    t.numeric = has['n'];
    g_string_append_printf(s->out,
                           "Kernel IP routing table\n"
                           "Destination     Gateway         Genmask         Flags %s Iface\n",
                           t.is_netstat ? "  MSS Window  irtt" : "Metric Ref    Use");
    ip4_route_foreach(host_ip4(s->h), append_route, &t);
    return true;
}

/* ---- ifconfig, netstat -i ---- */

static void append_size(GString *out, uint64_t bytes)
{
    static const struct {
        double above, unit;
        const char *name;
    } units[] = {{1e12, 1099511627776.0, "TiB"},
                 {1e9, 1073741824.0, "GiB"},
                 {1e6, 1048576.0, "MiB"},
                 {1e3, 1024.0, "KiB"}};

    for (unsigned i = 0; i < HS_ARRAY_LEN(units); i++)
        if ((double)bytes > units[i].above) {
            g_string_append_printf(out, "%.1f %s", (double)bytes / units[i].unit, units[i].name);
            return;
        }
    g_string_append_printf(out, "%" PRIu64 ".0 B", bytes);
}

static void append_flags(GString *out, const NetDev *d)
{
    const struct {
        bool on;
        unsigned bit;
        const char *name;
    } all[] = {{d->flags & NETDEV_UP, 1, "UP"},
               {!(d->flags & (NETDEV_LOOPBACK | NETDEV_POINTOPOINT)), 2, "BROADCAST"},
               {d->flags & NETDEV_LOOPBACK, 8, "LOOPBACK"},
               {d->flags & NETDEV_POINTOPOINT, 16, "POINTOPOINT"},
               {netdev_is_running(d) || d->flags & NETDEV_LOOPBACK, 64, "RUNNING"},
               {d->flags & NETDEV_POINTOPOINT, 128, "NOARP"},
               {d->flags & NETDEV_PROMISC, 256, "PROMISC"},
               {!(d->flags & (NETDEV_LOOPBACK | NETDEV_POINTOPOINT)), 4096, "MULTICAST"}};
    unsigned sum = 0;
    GString *names = g_string_new(NULL);

    for (unsigned i = 0; i < HS_ARRAY_LEN(all); i++)
        if (all[i].on) {
            sum += all[i].bit;
            g_string_append_printf(names, "%s%s", names->len ? "," : "", all[i].name);
        }
    g_string_append_printf(out, "flags=%u<%s>", sum, names->str);
    g_string_free(names, TRUE);
}

static void append_addrs(Shell *s, const Ip4If *ifp, const NetDev *d)
{
    char addr[IPV4_ADDR_STR_LEN], mask[IPV4_ADDR_STR_LEN], brd[IPV4_ADDR_STR_LEN], text[IPV6_ADDR_STR_LEN];
    Ipv6Prefix p6;
    Ip4If *at;

    if (ip4_addr_count(ifp)) { /* it knows of one only */
        Ipv4Prefix p = ip4_addr(ifp, 0);
        uint32_t bits = p.len ? UINT32_MAX << (32 - p.len) : 0;

        g_string_append_printf(s->out, "        inet %s  netmask %s", ipv4_addr_format(p.addr, addr),
                               ipv4_addr_format(bits, mask));
        if (!(d->flags & (NETDEV_LOOPBACK | NETDEV_POINTOPOINT)))
            g_string_append_printf(s->out, "  broadcast %s", ipv4_addr_format(p.addr | ~bits, brd));
        g_string_append_c(s->out, '\n');
    }
    for (unsigned i = 0; host_has_ip6(s->h) && ip6_addr_at(host_ip6(s->h), i, &at, &p6); i++)
        if (at == ifp) {
            ipv6_addr_format(&p6.addr, text);
            g_string_append_printf(s->out, "        inet6 %s  prefixlen %u  scopeid %s\n", text, p6.len,
                                   g_str_has_prefix(text, "fe80:") ? "0x20<link>"
                                   : !strcmp(text, "::1")          ? "0x10<host>"
                                                                   : "0x0<global>");
        }
}

static void append_counts(GString *out, const char *name, uint64_t packets, uint64_t bytes)
{
    g_string_append_printf(out, "        %s packets %" PRIu64 "  bytes %" PRIu64 " (", name, packets, bytes);
    append_size(out, bytes);
    g_string_append(out, ")\n");
}

static void append_interface(Shell *s, const Ip4If *ifp, const NetDev *d)
{
    const NetDevStats *st = netdev_stats(d);
    const NetDevErrors *err = netdev_errors(d);
    char mac[MAC_STR_LEN];

    g_string_append_printf(s->out, "%s: ", d->name);
    append_flags(s->out, d);
    g_string_append_printf(s->out, "  mtu %" PRIu32 "\n", d->mtu);
    append_addrs(s, ifp, d);
    if (d->flags & NETDEV_LOOPBACK)
        g_string_append(s->out, "        loop  txqueuelen 1000  (Local Loopback)\n");
    else if (d->flags & NETDEV_POINTOPOINT)
        g_string_append(s->out, "        ppp  txqueuelen 3  (Point-to-Point Protocol)\n");
    else
        g_string_append_printf(s->out, "        ether %s  txqueuelen 1000  (Ethernet)\n",
                               mac_format(d->mac, mac));
    append_counts(s->out, "RX", st->rx_packets, st->rx_bytes);
    g_string_append_printf(
        s->out,
        "        RX errors %" PRIu32 "  dropped %" PRIu32 "  overruns %" PRIu32 "  frame %" PRIu32 "\n",
        err->rx_crc_errors + err->rx_frame_errors, err->rx_dropped, err->rx_overruns, err->rx_frame_errors);
    append_counts(s->out, "TX", st->tx_packets, st->tx_bytes);
    g_string_append_printf(
        s->out, "        TX errors 0  dropped %" PRIu32 " overruns 0  carrier %" PRIu32 "  collisions 0\n\n",
        err->tx_dropped, err->tx_carrier_errors);
}

bool shell_ifconfig(Shell *s)
{
    const char *dev = s->n > 1 && strcmp(s->word[1], "-a") != 0 ? s->word[1] : NULL;
    Ip4 *ip = host_ip4(s->h);
    bool found = !dev;

    if (s->n > 2)
        return shell_wrong(s, "ifconfig: expected no more than a device");
    for (unsigned i = 0; i < ip4_if_count(ip); i++) {
        const NetDev *d = ip4_if_dev(ip4_if(ip, i));

        if (!dev || !strcmp(dev, d->name)) {
            append_interface(s, ip4_if(ip, i), d);
            found = true;
        }
    }
    if (found)
        g_string_truncate(s->out, s->out->len - 1);
    return found || shell_wrong(s, "%s: error fetching interface information: Device not found", dev);
}

bool shell_interfaces(Shell *s)
{
    g_string_append(s->out, "Kernel Interface table\nIface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    "
                            "TX-OK TX-ERR TX-DRP TX-OVR Flg\n");
    for (unsigned i = 0; i < ip4_if_count(host_ip4(s->h)); i++) {
        const NetDev *d = ip4_if_dev(ip4_if(host_ip4(s->h), i));
        const NetDevStats *st = netdev_stats(d);
        const NetDevErrors *err = netdev_errors(d);

        g_string_append_printf(s->out,
                               "%-15s %5" PRIu32 " %8" PRIu64 " %6" PRIu32 " %6" PRIu32 " %-6" PRIu32
                               " %8" PRIu64 " %6u %6" PRIu32 " %6u %s%s%s\n",
                               d->name, d->mtu, st->rx_packets, err->rx_crc_errors + err->rx_frame_errors,
                               err->rx_dropped, err->rx_overruns, st->tx_packets, 0u, err->tx_dropped, 0u,
                               d->flags & NETDEV_LOOPBACK      ? "L"
                               : d->flags & NETDEV_POINTOPOINT ? "OP"
                                                               : "BM",
                               netdev_is_running(d) || d->flags & NETDEV_LOOPBACK ? "R" : "",
                               d->flags & NETDEV_UP ? "U" : "");
    }
    return true;
}

/* ---- netstat -tan ---- */

typedef struct Table {
    Shell *s;
    const bool *has;
} Table;

static const char *netstat_state(TcpState s)
{
    static const char *const name[] = {[TCP_ESTABLISHED] = "ESTABLISHED",
                                       [TCP_SYN_SENT] = "SYN_SENT",
                                       [TCP_SYN_RECV] = "SYN_RECV",
                                       [TCP_FIN_WAIT1] = "FIN_WAIT1",
                                       [TCP_FIN_WAIT2] = "FIN_WAIT2",
                                       [TCP_TIME_WAIT] = "TIME_WAIT",
                                       [TCP_CLOSE] = "CLOSE",
                                       [TCP_CLOSE_WAIT] = "CLOSE_WAIT",
                                       [TCP_LAST_ACK] = "LAST_ACK",
                                       [TCP_LISTEN] = "LISTEN",
                                       [TCP_CLOSING] = "CLOSING",
                                       [TCP_NEW_SYN_RECV] = "SYN_RECV"};

    return name[s];
}

static void append_end(const Table *t, const InetEndpoint *e)
{
    char addr[INET_STR_LEN], port[8] = "*";
    g_autofree char *text = NULL;

    if (inet_is_ip4(&e->addr) && !inet_is_any(&e->addr))
        shell_host(t->s, inet_ip4(&e->addr), t->has['n'], addr, sizeof(addr));
    else
        inet_format(&e->addr, addr);
    if (e->port)
        g_snprintf(port, sizeof(port), "%u", e->port);
    text = g_strdup_printf("%s:%s", addr, port);
    g_string_append_printf(t->s->out, "%-23s ", text);
}

static void append_line(const Table *t, const char *proto, uint32_t in, uint32_t out,
                        const InetEndpoint *local, const InetEndpoint *remote, const char *state)
{
    g_string_append_printf(t->s->out, "%-5s %6" PRIu32 " %6" PRIu32 " ", proto, in, out);
    append_end(t, local);
    append_end(t, remote);
    g_string_append_printf(t->s->out, "%s\n", state);
}

static bool is_wanted(const Table *t, bool is_server)
{
    return t->has['a'] || (t->has['l'] ? is_server : !is_server);
}

static void add_tcp(void *user, const TcpEntry *e)
{
    const Table *t = user;
    bool is_server = e->state == TCP_LISTEN;

    if (is_wanted(t, is_server) && e->state != TCP_CLOSE)
        append_line(t, inet_is_ip4(&e->local.addr) ? "tcp" : "tcp6", e->recv_q, is_server ? 0 : e->send_q,
                    &e->local, &e->remote, netstat_state(e->state));
}

static void add_udp(void *user, const UdpSock *s)
{
    const Table *t = user;
    UdpAddr local = udpsock_local(s), peer = udpsock_peer(s);
    const InetEndpoint from = {.addr = inet_from_ip4(local.ip), .port = local.port};
    const InetEndpoint to = {.addr = inet_from_ip4(peer.ip), .port = peer.port};

    if (local.port && is_wanted(t, !peer.port))
        append_line(t, "udp", udpsock_rmem(s), 0, &from, &to, peer.port ? "ESTABLISHED" : "");
}

bool shell_connections(Shell *s, const bool has[128])
{
    const Table t = {s, has};
    bool all = !has['t'] && !has['u'];

    g_string_append_printf(s->out,
                           "Active Internet connections (%s)\n"
                           "Proto Recv-Q Send-Q Local Address           Foreign Address         State\n",
                           has['a']   ? "servers and established"
                           : has['l'] ? "only servers"
                                      : "w/o servers");
    if ((has['t'] || all) && host_has_tcp(s->h))
        tcp_foreach(host_tcp(s->h), add_tcp, (void *)&t);
    if (has['u'] || all) /* looking may make a host's UDP, in a copy that ends with the answer */
        udp_foreach(host_udp(s->h), add_udp, (void *)&t);
    return true;
}

/* The commands of a real host: their options as far as they show something here, and their layout (iproute2
 * 6, net-tools 2.10). Only those that look: what a host does is the scenario's. */
#include <glib.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "sim/base/suggest.h"
#include "step/inspect.h"
#include "step/shell.h"

#define COMMANDS "ss, netstat, nstat, ip, tc, arp, route, ifconfig, sysctl, hostname or tcpdump"

bool shell_wrong(const Shell *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_string_append_vprintf(s->out, format, args);
    va_end(args);
    return false;
}

bool shell_letters(const Shell *s, const char *known, const char *usage, bool has[128], unsigned *at)
{
    unsigned i = 1;

    memset(has, 0, 128 * sizeof(*has));
    for (; i < s->n && s->word[i][0] == '-' && s->word[i][1]; i++)
        for (const char *c = s->word[i] + 1; *c; c++) {
            if (!strchr(known, *c))
                return shell_wrong(s, "%s: -%s%c is not known here; expected %s", s->word[0],
                                   *c == '-' ? "-" : "", *c == '-' ? c[1] : *c, usage);
            has[(unsigned char)*c & 127] = true;
        }
    *at = i;
    return true;
}

const char *shell_host(const Shell *s, uint32_t addr, bool numeric, char *buf, size_t size)
{
    const char *name = numeric ? NULL : net_name_of(host_net(s->h), addr);
    char text[IPV4_ADDR_STR_LEN];

    g_strlcpy(buf, name ? name : ipv4_addr_format(addr, text), size);
    return buf;
}

const LinkDir *shell_wire(const Shell *s, const NetDev *d)
{
    const Net *net = host_net(s->h);

    for (unsigned i = 0; i < net_link_count(net); i++) {
        const NetLink *l = net_link_at(net, i);

        for (unsigned end = 0; end < 2; end++)
            if (netlink_dev(l, end) == d)
                return netlink_dir(l, end);
    }
    return NULL;
}

/* ---- sysctl ---- */

typedef struct Settings {
    Shell *s;
    const char *begin;
    bool only_values;
    unsigned n;
} Settings;

static void add_setting(const char *name, const char *help, void *user)
{
    Settings *all = user;
    char *value = NULL, *error = NULL;

    (void)help;
    if (!g_str_has_prefix(name, all->begin))
        return;
    if (!host_sysctl_get(all->s->h, name, &value, &error)) {
        g_free(error);
        return;
    }
    all->n++;
    g_string_append_printf(all->s->out, all->only_values ? "%.0s%s\n" : "%s = %s\n", name, value);
    g_free(value);
}

static bool do_sysctl(Shell *s)
{
    bool has[128];
    char *value = NULL, *error = NULL;
    unsigned at;

    if (!shell_letters(s, "an", "-a, -n or a name", has, &at))
        return false;
    if (at == s->n && !has['a'])
        return shell_wrong(s, "sysctl: expected -a or a name such as net.ipv4.tcp_syn_retries");
    if (at == s->n)
        host_foreach_sysctl(add_setting, &(Settings){s, "", has['n'], 0});
    for (; at < s->n; at++) {
        g_autofree char *folder = g_strconcat(s->word[at], ".", NULL);
        Settings below = {s, folder, has['n'], 0};

        if (strchr(s->word[at], '='))
            return shell_wrong(s, "sysctl: \"%s\" would change the run: that is the scenario's", s->word[at]);
        if (host_sysctl_get(s->h, s->word[at], &value, &error)) {
            g_string_append_printf(s->out, has['n'] ? "%.0s%s\n" : "%s = %s\n", s->word[at], value);
            g_free(value);
            continue;
        }
        host_foreach_sysctl(add_setting, &below); /* "sysctl net.ipv4.neigh" */
        if (!below.n)
            shell_wrong(s, "sysctl: %s", error);
        g_clear_pointer(&error, g_free);
        if (!below.n)
            return false;
    }
    return true;
}

/* ---- tc ---- */

static void add_qdisc(Shell *s, const NetDev *d, bool with_stats)
{
    const LinkDir *wire = shell_wire(s, d);
    const Queue *q = wire ? linkdir_queue(wire) : NULL;
    const LinkDirStats sent = wire ? linkdir_stats(wire) : (LinkDirStats){0};
    const QueueSignals signals = q ? queue_signals(q) : (QueueSignals){0};

    g_string_append_printf(s->out, "qdisc %s 0: dev %s root refcnt 2\n",
                           q      ? q->ops->name
                           : wire ? "droptail"
                                  : "noqueue",
                           d->name);
    if (!with_stats)
        return;
    g_string_append_printf(s->out,
                           " Sent %" PRIu64 " bytes %" PRIu64 " pkt (dropped %" PRIu64
                           ", overlimits 0 requeues 0)\n"
                           " backlog %" PRIu32 "b %" PRIu32 "p requeues 0\n",
                           sent.tx_bytes, sent.tx_packets, q ? signals.dropped_packets : sent.queue_drops,
                           q ? q->bytes : 0, q ? q->packets : 0);
    if (q && (q->stats.peak_packets || signals.marked_packets))
        g_string_append_printf(s->out, "  maxpacket %" PRIu32 " ecn_mark %" PRIu64 "\n",
                               q->stats.peak_packets, signals.marked_packets);
}

static bool do_tc(Shell *s)
{
    bool has[128];
    unsigned at;

    if (!shell_letters(s, "s", "-s", has, &at))
        return false;
    if (at < s->n && !g_str_has_prefix("qdisc", s->word[at]))
        return shell_wrong(s, "tc: expected tc [-s] qdisc [show] [dev DEVICE]");
    for (; at < s->n; at++)
        if (!strcmp(s->word[at], "dev") && at + 1 < s->n)
            s->dev = s->word[at + 1];
    for (unsigned i = 0; i < host_dev_count(s->h); i++)
        if (!s->dev || !strcmp(s->dev, host_dev_at(s->h, i)->name))
            add_qdisc(s, host_dev_at(s->h, i), has['s']);
    return true;
}

static bool do_hostname(Shell *s)
{
    g_string_append_printf(s->out, "%s\n", host_node(s->h)->name);
    return true;
}

/* ---- all of them ---- */

static const struct {
    const char *name;
    bool (*fn)(Shell *s);
    const char *usage;
} commands[] = {
    {"arp", shell_arp, "arp [-a] [-n]"},
    {"hostname", do_hostname, "hostname"},
    {"ifconfig", shell_ifconfig, "ifconfig [DEVICE]"},
    {"ip", shell_ip,
     "ip [-s] [-4|-6] [-br|-o] addr|link|route|neigh [show] [dev DEVICE], ip route get ADDRESS, ip route "
     "show table local, "
     "ip rule"},
    {"netstat", shell_netstat, "netstat [-tualno], netstat -s, netstat -r, netstat -i"},
    {"nstat", shell_nstat, "nstat [-az] [PATTERN]"},
    {"route", shell_route, "route [-n]"},
    {"ss", shell_ss, "ss [-tuialno46eHpmr], ss -s"},
    {"sysctl", do_sysctl, "sysctl [-n] NAME, sysctl -a"},
    {"tc", do_tc, "tc [-s] qdisc [show] [dev DEVICE]"},
    {"tcpdump", NULL, "tcpdump [N]: the last packets that it sent, received or dropped"},
};

/* What would be done on a real host, and not looked at. */
static bool is_deed(const char *word)
{
    static const char *const deeds[] = {
        "curl",   "dig",      "ethtool",    "iperf",     "iperf3", "iptables", "nc",  "netcat",
        "nft",    "nslookup", "ping",       "ping6",     "python", "reboot",   "ssh", "sudo",
        "telnet", "tftp",     "traceroute", "tracepath", "wget",   NULL};

    return g_strv_contains((const char *const *)deeds, word);
}

static bool help(Shell *s)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(commands); i++)
        g_string_append_printf(s->out, "  %s %s\n", host_node(s->h)->name, commands[i].usage);
    return true;
}

unsigned stepinspect_shell_names(const char **out, unsigned max)
{
    unsigned n = 0;

    for (; n < HS_ARRAY_LEN(commands) && n < max; n++)
        out[n] = commands[n].name;
    return n;
}

bool stepinspect_shell(Host *h, const char *const *word, unsigned n, GString *out)
{
    Shell s = {h, out, word, n, NULL};
    const char *names[HS_ARRAY_LEN(commands)], *closest;

    if (!n || !strcmp(word[0], "help") || !strcmp(word[0], "--help"))
        return help(&s);
    if (!host_is_on(h))
        return shell_wrong(&s, "%s has no power", host_node(h)->name);
    for (unsigned i = 0; i < HS_ARRAY_LEN(commands); i++)
        if (commands[i].fn && !strcmp(commands[i].name, word[0])) {
            if (n == 2 && (!strcmp(word[1], "-h") || !strcmp(word[1], "--help"))) {
                g_string_append_printf(out, "  %s\n", commands[i].usage);
                return true;
            }
            return commands[i].fn(&s);
        }
    if (is_deed(word[0]))
        return shell_wrong(&s,
                           "\"%s\" would change the run: what hosts do stands in the scenario; here one "
                           "looks, with " COMMANDS,
                           word[0]);
    closest = suggest_closest(word[0], names, stepinspect_shell_names(names, HS_ARRAY_LEN(names)));
    if (closest)
        return shell_wrong(&s, "%s has no command \"%s\"; did you mean \"%s\"?", host_node(h)->name, word[0],
                           closest);
    return shell_wrong(&s, "%s has no command \"%s\"; expected " COMMANDS, host_node(h)->name, word[0]);
}

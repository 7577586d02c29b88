/* Sysctls by their Linux names. Values are text as on a real host: "1", "32768 60999", milliseconds and
 * seconds as the name says. Names under "hopscope." are ours: profiles that Linux has no switch for. */
#include <string.h>

#include "models/ether/arp.h"
#include "models/ether/loopback.h"
#include "models/ether/neigh.h"
#include "models/node/net_priv.h"
#include "sim/base/suggest.h"
#include "sim/base/units.h"

/* MS and S are a SimTime, shown in milliseconds or seconds. */
/* IGNORE is a bool that is 8 when set: of Linux's values of arp_ignore, the one that we have. */
typedef enum SysctlKind { BOOL, U8, U32, PORT_RANGE, GID_RANGE, MS, S, IGNORE } SysctlKind;

typedef struct Sysctl {
    const char *name;
    SysctlKind kind;
    size_t offset;
    uint64_t min, max;
    const char *help;
} Sysctl;

#define IP4(name, kind, field, min, max, help)                                                               \
    {                                                                                                        \
        name, kind, offsetof(Ip4Sysctl, field), min, max, help                                               \
    }

static const Sysctl table[] = {
    IP4("hopscope.connect_zero_is_error", BOOL, connect_zero_is_error, 0, 1,
        "0.0.0.0 is no destination (Linux: this host)"),
    IP4("hopscope.drop_private", BOOL, drop_private, 0, 1,
        "a public router: private addresses are not forwarded"),
    IP4("hopscope.icmp_silent", BOOL, icmp_silent, 0, 1, "sends no ICMP errors"),
    IP4("hopscope.ip_id_first", U32, ip_id_first, 0, 65535,
        "identification of the first datagram, where the global counter begins"),
    IP4("hopscope.ip_id_global", BOOL, ip_id_global, 0, 1, "one identification counter, +1 per datagram"),
    IP4("hopscope.source_quench", BOOL, source_quench, 0, 1,
        "send and obey ICMP source quench (obsolete: RFC 6633)"),
    IP4("net.core.netdev_max_backlog", U32, netdev_max_backlog, 0, INT32_MAX,
        "packets that may wait for the input soft interrupt"),
    IP4("net.ipv4.conf.all.accept_redirects", BOOL, accept_redirects, 0, 1, "obey ICMP redirects"),
    IP4("net.ipv4.conf.all.bc_forwarding", BOOL, bc_forwarding, 0, 1, "forward directed broadcasts"),
    IP4("net.ipv4.conf.all.rp_filter", BOOL, rp_filter, 0, 1,
        "drop packets whose source is not reached that way"),
    IP4("net.ipv4.conf.all.send_redirects", BOOL, send_redirects, 0, 1, "send ICMP redirects"),
    IP4("net.ipv4.icmp_echo_ignore_all", BOOL, icmp_echo_ignore_all, 0, 1, "do not answer pings"),
    IP4("net.ipv4.icmp_echo_ignore_broadcasts", BOOL, icmp_echo_ignore_broadcasts, 0, 1,
        "do not answer pings to broadcast and multicast addresses"),
    IP4("net.ipv4.icmp_msgs_burst", U32, icmp_msgs_burst, 0, UINT32_MAX, "burst of ICMP errors, whole host"),
    IP4("net.ipv4.icmp_msgs_per_sec", U32, icmp_msgs_per_sec, 0, UINT32_MAX,
        "rate of ICMP errors, whole host"),
    IP4("net.ipv4.icmp_ratelimit", U32, icmp_ratelimit_ms, 0, UINT32_MAX,
        "milliseconds between ICMP errors to one destination; 0: no limit"),
    IP4("net.ipv4.icmp_ratemask", U32, icmp_ratemask, 0, UINT32_MAX,
        "which ICMP types are limited, a bit each"),
    IP4("net.ipv4.ip_default_ttl", U8, ip_default_ttl, 1, 255, "TTL of packets sent"),
    IP4("net.ipv4.ip_forward", BOOL, ip_forward, 0, 1, "forward packets between interfaces"),
    IP4("net.ipv4.ip_local_port_range", PORT_RANGE, port_low, 1, 65535, "ephemeral ports: first and last"),
    IP4("net.ipv4.ip_no_pmtu_disc", U8, ip_no_pmtu_disc, 0, 3, "no path MTU discovery"),
    IP4("net.ipv4.ipfrag_high_thresh", U32, ipfrag_high_thresh, 0, UINT32_MAX,
        "bytes for fragments, at most"),
    IP4("net.ipv4.ipfrag_low_thresh", U32, ipfrag_low_thresh, 0, UINT32_MAX,
        "bytes for fragments after pruning"),
    IP4("net.ipv4.ipfrag_max_dist", U32, ipfrag_max_dist, 0, UINT32_MAX, "disorder of fragments tolerated"),
    IP4("net.ipv4.ipfrag_time", U32, ipfrag_time_ms, 1, UINT32_MAX / 1000,
        "seconds to wait for all fragments"),
    IP4("net.ipv4.ping_group_range", GID_RANGE, ping_gid_low, 0, UINT32_MAX - 1,
        "groups that may open ICMP echo sockets: first and last; 1 0: none"),
    IP4("net.ipv4.route.min_pmtu", U32, min_pmtu, 68, 65535, "smallest path MTU believed"),
    IP4("net.ipv4.route.mtu_expires", U32, mtu_expires_s, 1, UINT32_MAX,
        "seconds that a learnt path MTU holds"),
};

/* net.ipv4.neigh.<default or interface>.<name>: the last part is looked up here. */
#define NEIGH(name, kind, field, min, max, help)                                                             \
    {                                                                                                        \
        name, kind, offsetof(NeighParams, field), min, max, help                                             \
    }

static const Sysctl neigh_table[] = {
    NEIGH("base_reachable_time_ms", MS, base_reachable_time, 1, UINT32_MAX, "milliseconds REACHABLE, ± half"),
    NEIGH("delay_first_probe_time", S, delay_first_probe_time, 0, UINT32_MAX, "seconds from DELAY to PROBE"),
    NEIGH("gc_stale_time", S, gc_stale_time, 0, UINT32_MAX, "seconds before a STALE entry may be collected"),
    NEIGH("gc_thresh1", U32, gc_thresh1, 0, UINT32_MAX, "no collection below so many entries"),
    NEIGH("gc_thresh2", U32, gc_thresh2, 0, UINT32_MAX, "collection begins above so many entries"),
    NEIGH("gc_thresh3", U32, gc_thresh3, 1, UINT32_MAX, "so many entries at most"),
    NEIGH("hopscope_lifetime_ms", MS, lifetime, 0, UINT32_MAX,
          "the classic cache: forgotten when unused for so long (BSD: 1200000); 0: as Linux"),
    NEIGH("locktime_ms", MS, locktime, 0, UINT32_MAX,
          "milliseconds during which an entry is not changed again"),
    NEIGH("mcast_solicit", U8, mcast_solicit, 0, 255, "broadcast requests before giving up"),
    NEIGH("retrans_time_ms", MS, retrans_time, 1, UINT32_MAX, "milliseconds between requests"),
    NEIGH("ucast_solicit", U8, ucast_solicit, 0, 255, "unicast probes before giving up"),
    NEIGH("unres_qlen_bytes", U32, unres_qlen_bytes, 0, UINT32_MAX, "bytes that may wait for an answer"),
};

/* net.ipv4.conf.<all, default or interface>.<name>, as far as it is ARP's. */
#define CONF(name, kind, field, max, help)                                                                   \
    {                                                                                                        \
        name, kind, offsetof(Arp, field), 0, max, help                                                       \
    }

static const Sysctl conf_table[] = {
    CONF("arp_accept", BOOL, arp_accept, 1, "unasked ARP makes an entry too, it does not only update one"),
    CONF("arp_ignore", IGNORE, arp_ignore, 8, "8: answer no ARP request; 0: as usual"),
    CONF("arp_notify", BOOL, arp_notify, 1, "announce addresses when the interface comes up or they change"),
    CONF("hopscope_arp_defend", BOOL, conflict_defend, 1,
         "announce our address when somebody else uses it (RFC 5227, every 10 s at most)"),
    CONF("proxy_arp", BOOL, proxy_arp, 1, "answer ARP for what would be forwarded to another interface"),
};

typedef struct Family {
    const char *prefix, *any; /* "any" is how lists show it */
    const Sysctl *table;
    unsigned n;
} Family;

static const Family neigh_family = {"net.ipv4.neigh.", "default", neigh_table, HS_ARRAY_LEN(neigh_table)};
static const Family conf_family = {"net.ipv4.conf.", "all", conf_table, HS_ARRAY_LEN(conf_table)};
static const Family *const families[] = {&conf_family, &neigh_family};

#define FRAG_TIME "net.ipv4.ipfrag_time"
#define MAX_BACKLOG                                                                                          \
    "net.core.netdev_max_backlog" /* the loopback's; a card's ring takes it when it is made                  \
                                   */

/* ---- finding ---- */

static void add_known(const char *name, const char *help, void *user)
{
    g_ptr_array_add(user, g_strdup(name));
}

static bool unknown(const char *name, char **error)
{
    GPtrArray *known = g_ptr_array_new_with_free_func(g_free);
    const char *close;

    host_foreach_sysctl(add_known, known);
    close = suggest_closest(name, (const char *const *)known->pdata, known->len);
    *error = close ? g_strdup_printf("unknown sysctl \"%s\" (did you mean \"%s\"?)", name, close)
                   : g_strdup_printf("unknown sysctl \"%s\"", name);
    g_ptr_array_free(known, TRUE);
    return false;
}

static const Sysctl *find(const char *name)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static bool is_any(const char *dev, const Family *family)
{
    return strcmp(dev, "default") == 0 || (family == &conf_family && strcmp(dev, "all") == 0);
}

/* A sysctl of one interface, or of all ("default" here also changes those that exist, so that a scenario need
 * not care about the order of its lines). */
static const Sysctl *find_in(Host *h, const char *name, const Family *family, Ip4If **only)
{
    const char *dev, *dot;
    char *dev_name;
    bool known;

    *only = NULL;
    if (!g_str_has_prefix(name, family->prefix))
        return NULL;
    dev = name + strlen(family->prefix);
    dot = strrchr(dev, '.');
    if (!dot)
        return NULL;
    dev_name = g_strndup(dev, (gsize)(dot - dev));
    known = is_any(dev_name, family) || (*only = ip4_if_by_name(h->ip, dev_name));
    g_free(dev_name);
    for (unsigned i = 0; known && i < family->n; i++)
        if (strcmp(family->table[i].name, dot + 1) == 0)
            return &family->table[i];
    return NULL;
}

static const Sysctl *find_of_if(Host *h, const char *name, const Family **family, Ip4If **only)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(families); i++) {
        const Sysctl *s = find_in(h, name, *family = families[i], only);

        if (s)
            return s;
    }
    return NULL;
}

/* ---- values ---- */

static bool parse(const Sysctl *s, const char *name, const char *text, uint64_t *value, char **error)
{
    char *end;

    *value = g_ascii_strtoull(text, &end, 0);
    if (*text == '\0' || *end != '\0' || *text == '-' || *text == '+' || g_ascii_isspace(*text) ||
        *value < s->min || *value > s->max) {
        *error = g_strdup_printf("%s cannot be \"%s\" (expected a number from %" G_GUINT64_FORMAT
                                 " to %" G_GUINT64_FORMAT ")",
                                 name, text, s->min, s->max);
        return false;
    }
    if (s->kind == IGNORE && *value != 0 && *value != 8) {
        *error = g_strdup_printf("%s cannot be \"%s\" (expected 0, or 8: answer nothing)", name, text);
        return false;
    }
    return true;
}

static bool set_range(Ip4Sysctl *c, const Sysctl *s, const char *text, char **error)
{
    char **part = g_strsplit_set(text, " \t", -1);
    uint64_t low = 0, high = 0;
    unsigned n = 0;
    bool ok = true;

    for (unsigned i = 0; part[i] && ok; i++) {
        if (!*part[i])
            continue;
        ok = n < 2 && parse(s, s->name, part[i], n ? &high : &low, error);
        n++;
    }
    g_strfreev(part);
    if (!ok || n != 2 || (low > high && s->kind == PORT_RANGE)) {
        if (ok || !*error)
            *error = g_strdup_printf("%s cannot be \"%s\" (expected two %s)", s->name, text,
                                     s->kind == PORT_RANGE ? "ports, such as \"32768 60999\""
                                                           : "group numbers, such as \"0 2147483647\"");
        return false;
    }
    if (s->kind == GID_RANGE) { /* ipv4_ping_group_range: the other way round means nobody */
        c->ping_gid_low = low > high ? 1 : (uint32_t)low;
        c->ping_gid_high = low > high ? 0 : (uint32_t)high;
        return true;
    }
    c->port_low = (uint16_t)low;
    c->port_high = (uint16_t)high;
    return true;
}

static void store(void *base, const Sysctl *s, uint64_t value)
{
    void *at = (char *)base + s->offset;

    switch (s->kind) {
    case BOOL:
    case IGNORE:
        *(bool *)at = value;
        break;
    case U8:
        *(uint8_t *)at = (uint8_t)value;
        break;
    case U32:
        *(uint32_t *)at = (uint32_t)value;
        break;
    case MS:
        *(SimTime *)at = (SimTime)value * SIM_MS;
        break;
    case S:
        *(SimTime *)at = (SimTime)value * SIM_SEC;
        break;
    case PORT_RANGE: /* two values: set_range */
    case GID_RANGE:
        break;
    }
}

static uint64_t load(const void *base, const Sysctl *s)
{
    const void *at = (const char *)base + s->offset;

    switch (s->kind) {
    case BOOL:
        return *(const bool *)at;
    case IGNORE:
        return *(const bool *)at ? 8 : 0;
    case U8:
        return *(const uint8_t *)at;
    case MS:
        return (uint64_t)(*(const SimTime *)at / SIM_MS);
    case S:
        return (uint64_t)(*(const SimTime *)at / SIM_SEC);
    default:
        return *(const uint32_t *)at;
    }
}

static void *params_of(Ip4If *ifp, const Family *family)
{
    return family == &conf_family ? (void *)ip4_if_arp(ifp) : neightable_params(ip4_if_neighbours(ifp));
}

/* What interfaces to come will have. */
static void *default_params(Host *h, const Family *family)
{
    HostExtra *extra = host_extra(h);

    if (family == &conf_family) {
        if (!extra->arp_default)
            extra->arp_default = g_new0(Arp, 1);
        return extra->arp_default;
    }
    if (!extra->neigh_default)
        extra->neigh_default = g_memdup2(&neigh_params_default, sizeof neigh_params_default);
    return extra->neigh_default;
}

void host_init_if(Host *h, Ip4If *ifp)
{
    if (!h->extra || ip4_if_dev(ifp)->flags & NETDEV_NOARP)
        return;
    if (h->extra->neigh_default)
        *neightable_params(ip4_if_neighbours(ifp)) = *h->extra->neigh_default;
    for (unsigned i = 0; h->extra->arp_default && i < conf_family.n; i++)
        store(ip4_if_arp(ifp), &conf_table[i], load(h->extra->arp_default, &conf_table[i]));
}

bool host_sysctl_set(Host *h, const char *name, const char *value, char **error)
{
    const Sysctl *s = find(name);
    const Family *family;
    Ip4If *only;
    uint64_t v;
    bool known, ok;

    *error = NULL;
    ok = host_sysctl_tcp_set(h, name, value, &known, error);
    if (known)
        return ok;
    if (s && (s->kind == PORT_RANGE || s->kind == GID_RANGE))
        return set_range(ip4_sysctl(h->ip), s, value, error);
    if (s) {
        if (!parse(s, name, value, &v, error))
            return false;
        /* Linux keeps and shows this one in seconds. */
        store(ip4_sysctl(h->ip), s, strcmp(name, FRAG_TIME) == 0 ? v * 1000 : v);
        if (strcmp(name, MAX_BACKLOG) == 0)
            HS_CONTAINER_OF(host_dev(h, "lo"), Loopback, dev)->max_backlog = (uint32_t)v;
        return true;
    }
    s = find_of_if(h, name, &family, &only);
    if (!s)
        return unknown(name, error);
    if (!parse(s, name, value, &v, error))
        return false;
    if (only) {
        store(params_of(only, family), s, v);
        return true;
    }
    store(default_params(h, family), s, v);
    for (unsigned i = 1; i < ip4_if_count(h->ip); i++)
        if (!(ip4_if_dev(ip4_if(h->ip, i))->flags & NETDEV_NOARP))
            store(params_of(ip4_if(h->ip, i), family), s, v);
    return true;
}

bool host_sysctl_get(Host *h, const char *name, char **value, char **error)
{
    const Sysctl *s = find(name);
    const Ip4Sysctl *c = ip4_sysctl_get(h->ip);
    const Family *family;
    Ip4If *only;

    if (host_sysctl_tcp_get(h, name, value))
        return true;
    if (s && s->kind == PORT_RANGE) {
        *value = g_strdup_printf("%u\t%u", c->port_low, c->port_high);
        return true;
    }
    if (s && s->kind == GID_RANGE) {
        *value = g_strdup_printf("%u\t%u", c->ping_gid_low, c->ping_gid_high);
        return true;
    }
    if (s) {
        uint64_t v = load(c, s);
        *value = g_strdup_printf("%" G_GUINT64_FORMAT, strcmp(name, FRAG_TIME) == 0 ? v / 1000 : v);
        return true;
    }
    s = find_of_if(h, name, &family, &only);
    if (!s)
        return unknown(name, error);
    const void *base =
        only ? (family == &conf_family ? (const void *)ip4_if_arp(only) : ip4_if_neighbours(only)->params)
        : family == &conf_family ? default_params(h, family)
        : host_neigh_default(h)  ? host_neigh_default(h)
                                 : &neigh_params_default;

    *value = g_strdup_printf("%" G_GUINT64_FORMAT, load(base, s));
    return true;
}

void host_foreach_sysctl(void (*fn)(const char *name, const char *help, void *user), void *user)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(table); i++)
        fn(table[i].name, table[i].help, user);
    host_sysctl_tcp_foreach(fn, user);
    for (unsigned f = 0; f < HS_ARRAY_LEN(families); f++) {
        for (unsigned i = 0; i < families[f]->n; i++) {
            const Sysctl *s = &families[f]->table[i];
            char *name = g_strconcat(families[f]->prefix, families[f]->any, ".", s->name, NULL);

            fn(name, s->help, user);
            g_free(name);
        }
    }
}

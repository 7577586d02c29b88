/* The options of `ip route` that go into RTAX_METRICS (iproute2 ip/iproute.c parse_nexthop's caller, Linux
 * net/ipv4/metrics.c ip_metrics_convert). */
#include "models/ip/route_metrics.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "sim/base/suggest.h"

typedef enum Kind { NUMBER, TIME, FEATURES } Kind;

static const struct {
    const char *name;
    Kind kind;
    uint32_t max;
} table[ROUTE_METRICS] = {
    [ROUTE_MTU] = {"mtu", NUMBER, 65535 - 15}, /* ip_metrics_convert */
    [ROUTE_WINDOW] = {"window", NUMBER, UINT32_MAX},
    [ROUTE_RTT_US] = {"rtt", TIME, UINT32_MAX},
    [ROUTE_RTTVAR_US] = {"rttvar", TIME, UINT32_MAX},
    [ROUTE_SSTHRESH] = {"ssthresh", NUMBER, UINT32_MAX},
    [ROUTE_CWND] = {"cwnd", NUMBER, UINT32_MAX},
    [ROUTE_ADVMSS] = {"advmss", NUMBER, 65535 - 40},
    [ROUTE_REORDERING] = {"reordering", NUMBER, UINT32_MAX},
    [ROUTE_HOPLIMIT] = {"hoplimit", NUMBER, 255},
    [ROUTE_INITCWND] = {"initcwnd", NUMBER, UINT32_MAX},
    [ROUTE_FEATURES] = {"features", FEATURES, UINT32_MAX},
    [ROUTE_RTO_MIN_US] = {"rto_min", TIME, UINT32_MAX},
    [ROUTE_INITRWND] = {"initrwnd", NUMBER, UINT32_MAX},
    [ROUTE_QUICKACK] = {"quickack", NUMBER, 1},
    [ROUTE_FASTOPEN_NO_COOKIE] = {"fastopen_no_cookie", NUMBER, 1},
};

static const struct {
    const char *name;
    uint32_t bit;
} features[] = {{"ecn", ROUTE_FEATURE_ECN}, {"tcp_usec_ts", ROUTE_FEATURE_TCP_USEC_TS}};

static const struct {
    const char *name;
    uint32_t us;
} units[] = {{"", 1000},       {"ms", 1000},      {"msec", 1000}, {"msecs", 1000}, {"s", 1000000},
             {"sec", 1000000}, {"secs", 1000000}, {"us", 1},      {"usec", 1},     {"usecs", 1}};

void route_metrics_set(RouteMetrics *m, RouteMetric i, uint32_t value, bool lock)
{
    hs_assert(i < ROUTE_METRICS);
    m->value[i] = value;
    m->set |= 1u << i;
    m->lock = lock ? m->lock | 1u << i : m->lock & ~(1u << i);
}

const char *route_metrics_name(RouteMetric i)
{
    return i < ROUTE_METRICS ? table[i].name : NULL;
}

static int find(const char *name)
{
    for (int i = 0; i < ROUTE_METRICS; i++)
        if (strcmp(table[i].name, name) == 0)
            return i;
    return -1;
}

bool route_metrics_is_name(const char *name)
{
    return find(name) >= 0 || strcmp(name, "congctl") == 0;
}

static bool parse_number(const char *s, uint64_t *value, const char **rest)
{
    char *end;

    if (!g_ascii_isdigit(*s))
        return false;
    *value = g_ascii_strtoull(s, &end, 10);
    *rest = end;
    return true;
}

static bool parse_time(const char *s, uint64_t *us)
{
    const char *rest;

    if (!parse_number(s, us, &rest))
        return false;
    for (unsigned i = 0; i < HS_ARRAY_LEN(units); i++) {
        if (g_ascii_strcasecmp(rest, units[i].name) == 0) {
            *us = *us > UINT32_MAX ? *us : *us * units[i].us;
            return true;
        }
    }
    return false;
}

static bool parse_features(const char *s, uint64_t *bits)
{
    char **words = g_strsplit_set(s, " ,", 0);
    bool ok = true;

    *bits = 0;
    for (char **w = words; *w && ok; w++) {
        ok = !**w;
        for (unsigned i = 0; i < HS_ARRAY_LEN(features); i++) {
            if (strcmp(*w, features[i].name) == 0) {
                *bits |= features[i].bit;
                ok = true;
            }
        }
    }
    g_strfreev(words);
    return ok;
}

static char *unknown(const char *name)
{
    const char *names[ROUTE_METRICS + 1];
    const char *close;

    for (int i = 0; i < ROUTE_METRICS; i++)
        names[i] = table[i].name;
    names[ROUTE_METRICS] = "congctl";
    close = suggest_closest(name, names, HS_ARRAY_LEN(names));
    return close ? g_strdup_printf("a route has no '%s' (did you mean '%s'?)", name, close)
                 : g_strdup_printf("a route has no '%s'", name);
}

static bool set_congctl(RouteMetrics *m, const char *value, bool lock, char **error)
{
    if (!*value || strlen(value) >= ROUTE_CONGCTL_MAX) {
        *error = g_strdup_printf("congctl '%s' is no name of a congestion controller (1 to %d characters)",
                                 value, ROUTE_CONGCTL_MAX - 1);
        return false;
    }
    g_strlcpy(m->congctl, value, sizeof m->congctl);
    m->is_congctl_locked = lock;
    return true;
}

bool route_metrics_parse(RouteMetrics *m, const char *name, const char *value, bool lock, char **error)
{
    static const char *const expected[] = {"a number", "a time such as 200ms", "a list of ecn, tcp_usec_ts"};
    int i = find(name);
    uint64_t v = 0;
    const char *rest;
    bool ok;

    if (strcmp(name, "congctl") == 0)
        return set_congctl(m, value, lock, error);
    if (i < 0) {
        *error = unknown(name);
        return false;
    }
    switch (table[i].kind) {
    case TIME:
        ok = parse_time(value, &v);
        break;
    case FEATURES:
        ok = parse_features(value, &v);
        break;
    default:
        ok = parse_number(value, &v, &rest) && !*rest;
        break;
    }
    if (!ok) {
        *error = g_strdup_printf("%s cannot be '%s' (expected %s)", name, value, expected[table[i].kind]);
        return false;
    }
    if (v > table[i].max) {
        *error = g_strdup_printf("%s cannot be '%s' (at most %" PRIu32 "%s)", name, value, table[i].max,
                                 table[i].kind == TIME ? "us" : "");
        return false;
    }
    route_metrics_set(m, (RouteMetric)i, (uint32_t)v, lock);
    return true;
}

static void format_value(GString *out, int i, uint32_t v)
{
    switch (table[i].kind) {
    case TIME:
        if (v % 1000)
            g_string_append_printf(out, "%" PRIu32 "us", v);
        else
            g_string_append_printf(out, "%" PRIu32 "ms", v / 1000);
        break;
    case FEATURES:
        for (unsigned k = 0, n = 0; k < HS_ARRAY_LEN(features); k++)
            if (v & features[k].bit)
                g_string_append_printf(out, "%s%s", n++ ? " " : "", features[k].name);
        break;
    default:
        g_string_append_printf(out, "%" PRIu32, v);
        break;
    }
}

char *route_metrics_format(const RouteMetrics *m)
{
    GString *out = g_string_new(NULL);

    for (int i = 0; m && i < ROUTE_METRICS; i++) {
        if (!(m->set >> i & 1))
            continue;
        g_string_append_printf(out, "%s%s %s", out->len ? " " : "", table[i].name,
                               m->lock >> i & 1 ? "lock " : "");
        format_value(out, i, m->value[i]);
    }
    if (m && m->congctl[0])
        g_string_append_printf(out, "%scongctl %s%s", out->len ? " " : "",
                               m->is_congctl_locked ? "lock " : "", m->congctl);
    return g_string_free(out, FALSE);
}

RouteMetrics *route_metrics_dup(const RouteMetrics *m)
{
    return route_metrics_is_empty(m) ? NULL : g_memdup2(m, sizeof *m);
}

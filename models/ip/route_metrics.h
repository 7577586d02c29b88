/* What a route says about the connections that use it: `ip route … mtu lock 1400 advmss 1000 initcwnd 20 …`
 * (Linux RTAX_*, net/ipv4/metrics.c). The same for IPv4 and IPv6.
 *
 * A flow (Ip4Flow, Ip6Flow) points to its route's metrics. The pointer, like everything in the flow, is good
 * until ip4_gen() or ip6_gen() changes: whoever keeps a flow compares that number and asks again. */
#pragma once

#include "sim/base/base.h"

typedef enum RouteMetric { /* Linux's order, RTAX_ */
                           ROUTE_MTU,
                           ROUTE_WINDOW, /* largest window advertised, bytes */
                           ROUTE_RTT_US, /* start of the estimates. Linux keeps them scaled; these are plain
                                          */
                           ROUTE_RTTVAR_US,
                           ROUTE_SSTHRESH,   /* packets */
                           ROUTE_CWND,       /* packets: snd_cwnd_clamp, if locked */
                           ROUTE_ADVMSS,     /* the MSS option that we send, bytes */
                           ROUTE_REORDERING, /* packets */
                           ROUTE_HOPLIMIT,
                           ROUTE_INITCWND, /* packets */
                           ROUTE_FEATURES, /* ROUTE_FEATURE_* */
                           ROUTE_RTO_MIN_US,
                           ROUTE_INITRWND,           /* packets */
                           ROUTE_QUICKACK,           /* 1: no delayed ACKs */
                           ROUTE_FASTOPEN_NO_COOKIE, /* 1: Fast Open without one, RFC 7413 appendix A */
                           ROUTE_METRICS,            /* how many */
} RouteMetric;

enum {
    ROUTE_FEATURE_ECN = 1 << 0, /* ECN to this destination whatever tcp_ecn says */
    ROUTE_FEATURE_TCP_USEC_TS = 1 << 4,
};

#define ROUTE_CONGCTL_MAX 16 /* with the NUL */

typedef struct RouteMetrics {
    uint32_t set;  /* bit m: value[m] is given; others are 0 */
    uint32_t lock; /* bit m: `lock`: not to be changed by what is learnt (path MTU discovery, tcp_metrics) */
    uint32_t value[ROUTE_METRICS];
    char congctl[ROUTE_CONGCTL_MAX]; /* "": the host's */
    bool is_congctl_locked;          /* the application cannot choose another */
} RouteMetrics;

/* NULL: no metrics at all. */
static inline bool route_metrics_has(const RouteMetrics *m, RouteMetric i)
{
    return m && (m->set >> i & 1);
}

static inline bool route_metrics_is_locked(const RouteMetrics *m, RouteMetric i)
{
    return m && (m->lock >> i & 1);
}

static inline uint32_t route_metrics_get(const RouteMetrics *m, RouteMetric i)
{
    return m ? m->value[i] : 0;
}

static inline bool route_metrics_is_empty(const RouteMetrics *m)
{
    return !m || (!m->set && !m->congctl[0]);
}

void route_metrics_set(RouteMetrics *m, RouteMetric i, uint32_t value, bool lock);

/* By the names of ip-route(8): "mtu", "advmss", "initcwnd", "rto_min", … Times are "200ms", "1s" or "50us",
 * and plain numbers are milliseconds; features is a list such as "ecn"; congctl a name. false: *error
 * (g_malloc'ed) says what was expected. */
bool route_metrics_parse(RouteMetrics *m, const char *name, const char *value, bool lock, char **error);
/* Is it one of those names? */
bool route_metrics_is_name(const char *name);
/* "mtu lock 1400 initcwnd 20", as `ip route` shows it; g_malloc'ed, "" when empty. */
char *route_metrics_format(const RouteMetrics *m);
const char *route_metrics_name(RouteMetric i);
/* A copy, or NULL when there is nothing in it. */
RouteMetrics *route_metrics_dup(const RouteMetrics *m);

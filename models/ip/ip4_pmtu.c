/* What ICMP taught about single destinations: a smaller path MTU (RFC 1191), a better gateway (RFC 792
 * redirect). Linux keeps both as exceptions of a next hop (net/ipv4/route.c: __ip_rt_update_pmtu,
 * __ip_do_redirect, update_or_create_fnhe). */
#include <errno.h>
#include <glib.h>

#include "models/ip/ip4_priv.h"

#define REDIRECT_TIMEOUT (300 * SIM_SEC) /* ip_rt_gc_timeout: how long a redirect is believed */

typedef struct Exception {
    uint32_t mtu, gw;
    SimTime mtu_expires, gw_expires;
    bool mtu_locked;
} Exception;

struct Ip4Exceptions {
    GHashTable *by_dst; /* only looked up, never walked */
};

static Exception *exception_for(Ip4 *ip, uint32_t dst)
{
    Ip4Rare *rare = ip4_rare(ip);
    Exception *e;

    if (!rare->exc) {
        rare->exc = g_new0(Ip4Exceptions, 1);
        rare->exc->by_dst = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    }
    e = g_hash_table_lookup(rare->exc->by_dst, GUINT_TO_POINTER(dst));
    if (!e) {
        e = g_new0(Exception, 1);
        g_hash_table_insert(rare->exc->by_dst, GUINT_TO_POINTER(dst), e);
    }
    ip4_changed(ip);
    return e;
}

void ip4_exc_free(Ip4Exceptions *e)
{
    if (!e)
        return;
    g_hash_table_destroy(e->by_dst);
    g_free(e);
}

bool ip4_exc_lookup(const Ip4 *ip, uint32_t dst, uint32_t *mtu, bool *locked, uint32_t *gw, SimTime *expires)
{
    SimTime now = node_now(ip->node);
    const Exception *e;

    if (!ip4_has_rare(ip) || !ip->live->rare->exc)
        return false;
    e = g_hash_table_lookup(ip->live->rare->exc->by_dst, GUINT_TO_POINTER(dst));
    if (!e)
        return false;
    if (e->mtu && now < e->mtu_expires) {
        *mtu = e->mtu;
        *locked = e->mtu_locked;
        *expires = HS_MIN(*expires, e->mtu_expires);
    }
    if (e->gw && now < e->gw_expires) {
        *gw = e->gw;
        *expires = HS_MIN(*expires, e->gw_expires);
    }
    return *mtu || *gw;
}

void ip4_pmtu_update(Ip4 *ip, uint32_t dst, uint32_t mtu)
{
    const Ip4Sysctl *s = ip->sysctl;
    SimTime lifetime = s->mtu_expires_s * SIM_SEC;
    bool locked = mtu < s->min_pmtu; /* we do not go that low: routers may cut what is still too long */
    Exception *e;
    Ip4Flow flow;

    if (ip4_route_get(ip, dst, 0, NULL, &flow) || flow.type != IP4_ROUTE_UNICAST)
        return;
    if (route_metrics_is_locked(flow.metrics, ROUTE_MTU)) /* ip_rt_update_pmtu */
        return;
    if (flow.mtu < mtu || flow.mtu_locked) /* no error makes a path wider */
        return;
    if (locked)
        mtu = HS_MIN(flow.mtu, s->min_pmtu);
    e = exception_for(ip, dst);
    if (e->mtu == mtu && e->mtu_locked == locked && node_now(ip->node) < e->mtu_expires - lifetime / 2)
        return;
    e->mtu = mtu;
    e->mtu_locked = locked;
    e->mtu_expires = node_now(ip->node) + lifetime;
}

bool ip4_redirect(Ip4 *ip, Ip4If *in, uint32_t from, uint32_t dst, uint32_t gw)
{
    Exception *e;
    Ip4Flow flow;

    if (!ip->sysctl->accept_redirects ||
        ip->sysctl->ip_forward) /* routers do not obey (Linux: IN_DEV_RX_REDIRECTS) */
        return false;
    if (ip4_route_get(ip, dst, 0, NULL, &flow) || flow.type != IP4_ROUTE_UNICAST)
        return false;
    if (flow.dev != in || flow.next_hop != from || gw == from)
        return false;
    if (ip4_addr_type(ip, gw) != IP4_ROUTE_UNICAST || !ip4_is_onlink(in, gw, gw))
        return false;
    e = exception_for(ip, dst);
    e->gw = gw;
    e->gw_expires = node_now(ip->node) + REDIRECT_TIMEOUT;
    return true;
}

/* ---- the sender's choice ---- */

/* ip_sk_use_pmtu, ip_sk_ignore_df, ip_dont_fragment. With WANT, what exceeds the path MTU goes out in
 * fragments, and the rest must not be cut. */
int ip4_choose_df(const Ip4 *ip, unsigned mode, uint32_t total, const Ip4Flow *f, bool *df, uint32_t *mtu)
{
    bool may_cut = mode < PMTUDISC_DO || mode == PMTUDISC_OMIT;

    *mtu = mode >= PMTUDISC_PROBE ? ip4_if_dev(f->dev)->mtu : f->mtu;
    if (total > (may_cut ? (uint32_t)IPV4_MAX_LEN : *mtu))
        return -EMSGSIZE;
    if (mode == PMTUDISC_WANT)
        *df = total <= f->mtu && !f->mtu_locked && !ip->sysctl->ip_no_pmtu_disc;
    else
        *df = mode == PMTUDISC_DO || mode == PMTUDISC_PROBE;
    return 0;
}

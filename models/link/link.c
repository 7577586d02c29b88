/* Making, changing and looking at links; the way of a frame is in linkdir.c. */
#include "models/link/link.h"

#include <glib.h>

#include "models/link/link_dir.h"
#include "models/wire/eth.h"

#define LINKTYPE_PPP 9
#define LINKTYPE_RAW 101
#define PPP_HEADER_MAX 4

const ProbeDesc probe_link_state = {
    "link.state", "A link went up or down.", PROBE_LINK, 1, {{"up", PROBE_BOOL}}};
const ProbeDesc probe_link_settings = {"link.settings",
                                       "A link's rate or delay was changed.",
                                       PROBE_LINK,
                                       2,
                                       {{"rate_bps", PROBE_U64}, {"delay", PROBE_TIME}}};

void linkdirconfig_init(LinkDirConfig *c)
{
    *c = (LinkDirConfig){
        .overhead_bytes = LINK_OVERHEAD_ETHERNET, .gap_bytes = LINK_GAP_ETHERNET, .mtu = ETH_MTU};
}

/* ---- making ---- */

static void describe(const LinkTx *tx, LinkTxInfo *info)
{
    const LinkDir *d = (const LinkDir *)tx;

    *info = (LinkTxInfo){.rate_bps = d->timing->rate_bps,
                         .mtu = linkdir_mtu(d),
                         .tx_packets = linkdir_stats(d).tx_packets,
                         .tx_bytes = linkdir_stats(d).tx_bytes,
                         .queue_drops = linkdir_stats(d).queue_drops,
                         .queue_packets = d->queue ? d->queue->packets : 0,
                         .queue_bytes = d->queue ? d->queue->bytes : 0};
}

static uint8_t header_bytes(const LinkPort *port)
{
    switch (port->point.linktype) {
    case LINKTYPE_RAW:
        return 0;
    case LINKTYPE_PPP:
        return PPP_HEADER_MAX;
    default:
        return ETH_HDR_LEN;
    }
}

static void dir_init(LinkDir *d, LinkPort *from, LinkPort *to, const LinkDirConfig *c)
{
    hs_assert(c->gap_bytes <= c->overhead_bytes);
    hs_assert(c->overhead_bytes <= UINT16_MAX);
    hs_assert(c->delay >= 0);
    d->tx.send = linkdir_send;
    d->tx.describe = describe;
    d->from = from;
    d->to = to;
    d->timing = linktiming_take(linkdir_node(d)->part, c->rate_bps, c->delay, (uint16_t)c->overhead_bytes,
                                (uint16_t)c->gap_bytes);
    d->header_bytes = header_bytes(from);
    linkdir_set_mtu(d, c->mtu ? c->mtu : ETH_MTU);
    if (c->jitter)
        linkdir_set_jitter(d, c->jitter, c->jitter_reorders);
    if (c->queue)
        linkdir_adopt_queue(d, c->queue);
    for (Impair *im = c->impair, *next; im; im = next) {
        next = im->next;
        im->next = NULL;
        linkdir_add_impair(d, im);
    }
    from->tx = &d->tx;
}

static void set_carrier(LinkPort *port, bool up)
{
    if (port->carrier == up)
        return;
    port->carrier = up;
    if (port->ops->carrier)
        port->ops->carrier(port, up);
}

Link *link_new(LinkPort *a, LinkPort *b, const LinkDirConfig c[2])
{
    Link *l = cells_take(&a->point.node->part->cells, sizeof *l);

    hs_assert(!a->tx && !b->tx);
    hs_assert(a != b);
    dir_init(&l->dir[0], a, b, &c[0]);
    dir_init(&l->dir[1], b, a, &c[1]);
    set_carrier(a, true);
    set_carrier(b, true);
    return l;
}

static bool is_plugged(const Link *l)
{
    return l->dir[0].from->tx == &l->dir[0].tx;
}

void link_unplug(Link *l)
{
    LinkPort *a = l->dir[0].from, *b = l->dir[1].from;

    if (!is_plugged(l))
        return;
    link_set_up(l, false);
    if (!is_plugged(l)) /* by somebody who heard of the carrier */
        return;
    a->tx = NULL;
    b->tx = NULL;
}

void link_plug(Link *l, LinkPort *a, LinkPort *b)
{
    LinkPort *port[2] = {a, b};

    hs_assert(!is_plugged(l));
    hs_assert(!a->tx && !b->tx);
    hs_assert(a != b);
    for (int i = 0; i < 2; i++) {
        LinkDir *d = &l->dir[i];
        uint32_t mtu = linkdir_mtu(d);

        d->from = port[i];
        d->to = port[!i];
        d->header_bytes = header_bytes(port[i]);
        linkdir_set_mtu(d, mtu);
        linkfollow_on_plug(d);
        linkring_on_plug(d);
        port[i]->tx = &d->tx;
    }
    link_set_up(l, true);
}

void link_free(Link *l)
{
    Partition *part;

    if (!l)
        return;
    part = linkdir_node(&l->dir[0])->part;
    hs_assert(!sim_is_running(node_sim(linkdir_node(&l->dir[0])))); /* an event of ours may be under way */
    link_unplug(l);
    for (int i = 0; i < 2; i++) {
        LinkDir *d = &l->dir[i];
        LinkExtra *x = linkdir_has_extra(d);

        linkfollow_clear(d);
        linkring_clear(d);
        queue_free(d->queue);
        if (d->m)
            cells_give(&part->cells, d->m, sizeof *d->m);
        linktiming_give(part, d->timing);
        if (!x)
            continue;
        for (Impair *im = x->impair, *next; im; im = next) {
            next = im->next;
            impair_free(im);
        }
        for (Stray *s = x->strays_free, *next; s; s = next) {
            next = s->next;
            g_free(s);
        }
        g_free(x);
    }
    cells_give(&part->cells, l, sizeof *l);
}

/* ---- changing ---- */

void link_set_up(Link *l, bool up)
{
    if (link_is_up(l) == up || !is_plugged(l))
        return;
    for (int i = 0; i < 2; i++) {
        LinkDir *d = &l->dir[i];

        if (up)
            d->stop &= (uint8_t)~LINK_STOP_DOWN;
        else
            d->stop |= LINK_STOP_DOWN;
    }
    for (int i = 0; i < 2; i++) {
        LinkDir *d = &l->dir[i];

        if (!up)
            linkdir_lose_all(d);
        if (probe_wanted(linkdir_node(d), PROBE_LINK))
            probe_emit(linkdir_node(d), &probe_link_state, &d->from->point, NULL, (ProbeValue[]){{.u = up}});
    }
    set_carrier(l->dir[0].from, up);
    if (link_is_up(l) == up) /* who heard of it may have changed it again */
        set_carrier(l->dir[1].from, up);
}

bool link_is_up(const Link *l)
{
    return !(l->dir[0].stop & LINK_STOP_DOWN);
}

static void note_settings(const LinkDir *d)
{
    if (probe_wanted(linkdir_node(d), PROBE_LINK))
        probe_emit(linkdir_node(d), &probe_link_settings, &d->from->point, NULL,
                   (ProbeValue[]){{.u = d->timing->rate_bps}, {.i = d->timing->delay}});
}

static void set_timing(LinkDir *d, uint64_t rate_bps, SimTime delay)
{
    Partition *part = linkdir_node(d)->part;
    LinkTiming *old = d->timing;

    d->timing = linktiming_take(part, rate_bps, delay, old->overhead_bytes, old->gap_bytes);
    linktiming_give(part, old);
}

void linkdir_set_rate(LinkDir *d, uint64_t rate_bps)
{
    __extension__ typedef unsigned __int128 U128;

    /* The remainder's unit is the rate: keep its value, rounded down. */
    if (linkdir_rate(d) && d->m)
        d->m->busy_frac = (uint64_t)((U128)d->m->busy_frac * rate_bps / linkdir_rate(d));
    set_timing(d, rate_bps, d->timing->delay);
    note_settings(d);
}

void linkdir_set_delay(LinkDir *d, SimTime delay)
{
    hs_assert(delay >= 0);
    set_timing(d, d->timing->rate_bps, delay);
    note_settings(d);
}

void linkdir_set_jitter(LinkDir *d, SimTime jitter, bool reorders)
{
    LinkExtra *x = linkdir_extra(d);

    hs_assert(jitter >= 0);
    x->jitter = jitter;
    x->jitter_reorders = reorders;
    if (!x->jitter_rng) {
        char *purpose = g_strdup_printf("%s/jitter", d->from->point.name);

        x->jitter_rng = node_rng(linkdir_node(d), purpose);
        g_free(purpose);
    }
    linkdir_update_slow(d);
}

void linkdir_set_mtu(LinkDir *d, uint32_t mtu)
{
    d->max_frame = mtu + d->header_bytes;
}

void linkdir_set_paused(LinkDir *d, bool paused)
{
    if (paused) {
        d->stop |= LINK_STOP_PAUSED;
        linkdir_unkick(d);
        return;
    }
    d->stop &= (uint8_t)~LINK_STOP_PAUSED;
    linkdir_kick(d);
}

void linkdir_set_queue(LinkDir *d, Queue *q)
{
    Queue *old = d->queue;
    Packet *pkt;

    linkdir_adopt_queue(d, q);
    while (old && (pkt = queue_take(old, node_now(linkdir_node(d)))))
        linkdir_enqueue(d, pkt);
    queue_free(old);
    linkdir_kick(d);
}

void linkdir_remove_impairs(LinkDir *d, const ImpairOps *ops)
{
    for (Impair **at = &linkdir_extra(d)->impair; *at;) {
        Impair *im = *at;

        if (ops && im->ops != ops) {
            at = &im->next;
            continue;
        }
        *at = im->next;
        impair_free(im);
    }
    linkdir_update_slow(d);
}

void linkdir_add_impair(LinkDir *d, Impair *im)
{
    Impair **at = &linkdir_extra(d)->impair;
    unsigned n = 1;
    char *purpose;

    for (; *at; at = &(*at)->next)
        n += (*at)->ops == im->ops;
    *at = im;
    purpose = g_strdup_printf("%s/%s#%u", d->from->point.name, im->ops->name, n);
    im->rng = node_rng(linkdir_node(d), purpose);
    g_free(purpose);
    linkdir_update_slow(d);
}

void linkdir_set_rule(LinkDir *d, LinkRuleFn fn, void *user)
{
    if (!fn && !linkdir_has_extra(d))
        return;
    linkdir_extra(d)->rule = fn;
    d->m->extra->rule_user = user;
    linkdir_update_slow(d);
}

/* ---- looking ---- */

LinkPort *link_port(const Link *l, unsigned end)
{
    return l->dir[end].from;
}

LinkDir *link_dir(const Link *l, unsigned i)
{
    return (LinkDir *)&l->dir[i];
}

Queue *linkdir_queue(const LinkDir *d)
{
    return d->queue;
}

LinkDirStats linkdir_stats(const LinkDir *d)
{
    const LinkMoving *m = d->m;
    const LinkExtra *x = linkdir_has_extra(d);
    LinkDirStats s = {0};

    if (!m)
        return s;
    s = (LinkDirStats){.tx_packets = m->tx_packets,
                       .tx_bytes = m->tx_bytes,
                       .delivered_packets = m->tx_packets - (m->ring_tail - m->ring_head),
                       .delivered_bytes = m->delivered_bytes,
                       .busy = m->busy};
    if (x) {
        s.duplicate_packets = x->duplicate_packets;
        s.lost_packets = x->lost_packets;
        s.queue_drops = x->queue_drops;
        s.delivered_packets += x->duplicate_packets - x->lost_packets - x->n_strays;
    }
    return s;
}

uint32_t linkdir_mtu(const LinkDir *d)
{
    return d->max_frame - d->header_bytes;
}

uint64_t linkdir_rate(const LinkDir *d)
{
    return d->timing->rate_bps;
}

SimTime linkdir_delay(const LinkDir *d)
{
    return d->timing->delay;
}

const LinkPort *linkdir_from(const LinkDir *d)
{
    return d->from;
}

size_t link_bytes(const Link *l)
{
    size_t n = sizeof *l;

    for (int i = 0; i < 2; i++) {
        const LinkDir *d = &l->dir[i];

        if (d->m)
            n += sizeof *d->m + (d->m->ring ? sizeof(Flight) << d->m->ring_log2 : 0);
        n += d->queue ? queue_bytes(d->queue) : 0;
        if (!linkdir_has_extra(d))
            continue;
        n += sizeof *d->m->extra + linkfollow_bytes(d->m->extra->follow) + linkring_bytes(d->m->extra->ring);
        for (const Impair *im = d->m->extra->impair; im; im = im->next)
            n += im->ops->size;
        for (const Stray *s = d->m->extra->strays; s; s = s->next)
            n += sizeof *s;
        for (const Stray *s = d->m->extra->strays_free; s; s = s->next)
            n += sizeof *s;
    }
    return n;
}

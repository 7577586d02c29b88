#include "models/app/mtr.h"

#include <glib.h>
#include <math.h>

#define RING 8192 /* probes that can be under way: a power of two below HOP_PROBE_TOKENS */

typedef struct MtrProbe {
    SimTime sent;
    uint8_t ttl; /* 0: none, or answered */
} MtrProbe;

struct Mtr {
    Node *node;
    MtrOptions o;
    MtrEvents ev;
    HopProber *prober;
    MtrHop hop[256];
    unsigned limit;    /* TTLs probed in each cycle */
    unsigned furthest; /* hop that ever answered */
    uint32_t cycle, next;
    unsigned ttl; /* to be probed next */
    bool is_done;
    Timer timer;
    MtrProbe probe[RING];
};

double mtr_hop_loss(const MtrHop *h)
{
    return h->sent ? (double)(h->sent - h->received) / h->sent : 0;
}

unsigned mtr_hops(const Mtr *m)
{
    return HS_MIN(m->limit, m->furthest);
}

const MtrHop *mtr_hop(const Mtr *m, unsigned i)
{
    return &m->hop[i];
}

static void tell(Mtr *m, unsigned i)
{
    const MtrHop *h = &m->hop[i];
    double n = h->received, avg = n > 0 ? h->sum_us / n : 0, var = n > 0 ? h->sum2_us / n - avg * avg : 0;
    char addr[IPV4_ADDR_STR_LEN], num[6][G_ASCII_DTOSTR_BUF_SIZE], *s;
    double v[6] = {
        100 * mtr_hop_loss(h), (double)h->last / 1e6,  avg / 1e3,
        (double)h->best / 1e6, (double)h->worst / 1e6, sqrt(var > 0 ? var : 0) / 1e3,
    };

    for (unsigned k = 0; k < 6; k++)
        g_ascii_formatd(num[k], sizeof num[k], "%.1f", v[k]);
    s = g_strdup_printf("%3u.|-- %-20s %5s%% %5u %6s %6s %6s %6s %6s", i + 1,
                        h->addr ? ipv4_addr_format(h->addr, addr) : "???", num[0], h->sent, num[1], num[2],
                        num[3], num[4], num[5]);
    m->ev.line(m->ev.user, s);
    g_free(s);
}

static void finish(Mtr *m)
{
    m->is_done = true;
    if (m->ev.line) {
        char *s = g_strdup_printf("HOST: %-22s %6s %5s %6s %6s %6s %6s %6s", m->node->name, "Loss%", "Snt",
                                  "Last", "Avg", "Best", "Wrst", "StDev");

        m->ev.line(m->ev.user, s);
        g_free(s);
        for (unsigned i = 0; i < mtr_hops(m); i++)
            tell(m, i);
    }
    if (m->ev.done)
        m->ev.done(m->ev.user);
}

/* The probes of a cycle are spread over the interval, so that no router sees a burst. */
static void on_timer(Timer *timer)
{
    Mtr *m = HS_CONTAINER_OF(timer, Mtr, timer);
    uint32_t token = m->next++ & (RING - 1);

    if (m->cycle == m->o.cycles) {
        finish(m);
        return;
    }
    m->probe[token] = (MtrProbe){node_now(m->node), (uint8_t)(m->ttl + 1)};
    m->hop[m->ttl].sent++;
    hop_prober_send(m->prober, token, (uint8_t)(m->ttl + 1), m->o.total_len);
    if (++m->ttl >= m->limit) {
        m->ttl = 0;
        m->cycle++;
    }
    timer_arm_after(timer, m->cycle == m->o.cycles ? m->o.grace : m->o.interval / m->limit);
}

static void on_reply(void *user, const HopReply *r)
{
    Mtr *m = user;
    MtrProbe *p;
    MtrHop *h;
    SimTime rtt;
    double us;

    if (m->is_done || r->token >= RING || !m->probe[r->token].ttl)
        return;
    p = &m->probe[r->token];
    h = &m->hop[p->ttl - 1];
    rtt = node_now(m->node) - p->sent;
    us = (double)(rtt / SIM_US);
    h->addr = r->from;
    h->best = h->received ? HS_MIN(h->best, rtt) : rtt;
    h->worst = HS_MAX(h->worst, rtt);
    h->last = rtt;
    h->received++;
    h->sum_us += us;
    h->sum2_us += us * us;
    m->furthest = HS_MAX(m->furthest, p->ttl);
    if (r->answer != HOP_ROUTER && p->ttl < m->limit)
        m->limit = p->ttl; /* no need to look behind the target */
    p->ttl = 0;
}

Mtr *mtr_new(Ip4 *ip, Udp *udp, const MtrOptions *o, const MtrEvents *ev)
{
    Mtr *m = g_new0(Mtr, 1);

    m->node = ip4_node(ip);
    m->o = *o;
    if (ev)
        m->ev = *ev;
    m->o.cycles = o->cycles ? o->cycles : 10;
    m->o.interval = o->interval ? o->interval : SIM_SEC;
    m->o.grace = o->grace ? o->grace : 5 * SIM_SEC;
    m->o.total_len = o->total_len ? o->total_len : 64;
    m->limit = o->max_ttl ? o->max_ttl : 30;
    m->prober = hop_prober_new(ip, o->udp ? udp : NULL, o->dst, on_reply, m);
    timer_init(&m->timer, m->node, on_timer);
    timer_arm_after(&m->timer, 0);
    return m;
}

void mtr_free(Mtr *m)
{
    if (!m)
        return;
    hop_prober_free(m->prober);
    timer_clear(&m->timer);
    g_free(m);
}

bool mtr_is_done(const Mtr *m)
{
    return m->is_done;
}

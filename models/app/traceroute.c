#include "models/app/traceroute.h"

#include <glib.h>

struct Traceroute {
    Node *node;
    TracerouteOptions o;
    TracerouteEvents ev;
    HopProber *prober;
    TracerouteProbe *probe; /* all of them, hop after hop */
    unsigned n, next, told; /* probes; to be sent next; hops told so far */
    unsigned last;          /* probes that are needed: up to the hop that ended the way */
    bool reached, is_done;
    Timer timer; /* the earliest end of waiting, or: go on */
};

static void tell_line(Traceroute *t, const char *text)
{
    if (t->ev.line)
        t->ev.line(t->ev.user, text);
}

/* The signs of traceroute(8). */
static void annotate(GString *s, const HopReply *r)
{
    if (r->answer != HOP_UNREACHABLE)
        return;
    switch (r->icmp_code) {
    case ICMP_UNREACH_NET:
        g_string_append(s, " !N");
        break;
    case ICMP_UNREACH_HOST:
        g_string_append(s, " !H");
        break;
    case ICMP_UNREACH_PROTO:
        g_string_append(s, " !P");
        break;
    case ICMP_UNREACH_PORT: /* from somebody else than the target */
        break;
    case ICMP_UNREACH_NEEDFRAG:
        g_string_append_printf(s, " !F-%u", r->mtu);
        break;
    case ICMP_UNREACH_SRCROUTE:
        g_string_append(s, " !S");
        break;
    case ICMP_UNREACH_ADMIN:
        g_string_append(s, " !X");
        break;
    case 14:
        g_string_append(s, " !V");
        break;
    case 15:
        g_string_append(s, " !C");
        break;
    default:
        g_string_append_printf(s, " !<%u>", r->icmp_code);
        break;
    }
}

static void tell_hop(Traceroute *t, unsigned hop)
{
    const TracerouteProbe *p = &t->probe[hop * t->o.probes];
    uint8_t ttl = (uint8_t)(t->o.first_ttl + hop);
    char addr[IPV4_ADDR_STR_LEN];
    uint32_t from = 0;
    GString *s;

    if (t->ev.line) {
        s = g_string_new(NULL);
        g_string_append_printf(s, "%2u ", ttl);
        for (unsigned i = 0; i < t->o.probes; i++) {
            if (p[i].state == TRACEROUTE_SILENT) {
                g_string_append(s, " *");
                continue;
            }
            if (p[i].reply.from != from)
                g_string_append_printf(s, " %s", ipv4_addr_format(p[i].reply.from, addr));
            from = p[i].reply.from;
            g_string_append_printf(s, "  %" G_GINT64_FORMAT ".%03d ms", p[i].rtt / SIM_MS,
                                   (int)(p[i].rtt / SIM_US % 1000));
            annotate(s, &p[i].reply);
        }
        tell_line(t, s->str);
        g_string_free(s, TRUE);
    }
    if (t->ev.hop)
        t->ev.hop(t->ev.user, ttl, p, t->o.probes);
}

static bool is_open(const TracerouteProbe *p)
{
    return p->state == TRACEROUTE_UNSENT || p->state == TRACEROUTE_WAITING;
}

/* Tells the hops that are complete, in order. */
static void tell_complete(Traceroute *t)
{
    while ((t->told + 1) * t->o.probes <= t->last) {
        for (unsigned i = 0; i < t->o.probes; i++)
            if (is_open(&t->probe[t->told * t->o.probes + i]))
                return;
        tell_hop(t, t->told++);
    }
}

static void send_next(Traceroute *t)
{
    TracerouteProbe *p = &t->probe[t->next];

    p->state = TRACEROUTE_WAITING;
    p->sent = node_now(t->node);
    /* What cannot be sent stays without an answer. */
    hop_prober_send(t->prober, t->next, (uint8_t)(t->o.first_ttl + t->next / t->o.probes), t->o.total_len);
    t->next++;
}

static void go_on(Traceroute *t)
{
    SimTime now = node_now(t->node), first = SIM_NEVER;
    unsigned waiting = 0;

    for (unsigned i = t->told * t->o.probes; i < t->next; i++) {
        TracerouteProbe *p = &t->probe[i];

        if (p->state == TRACEROUTE_WAITING && now >= p->sent + t->o.wait)
            p->state = TRACEROUTE_SILENT;
        waiting += p->state == TRACEROUTE_WAITING;
    }
    while (t->next < t->last && waiting < t->o.parallel) {
        send_next(t);
        waiting++;
    }
    tell_complete(t);
    if (t->told * t->o.probes >= t->last) {
        t->is_done = true;
        timer_cancel(&t->timer);
        if (t->ev.done)
            t->ev.done(t->ev.user, t->reached);
        return;
    }
    for (unsigned i = t->told * t->o.probes; i < t->next; i++)
        if (t->probe[i].state == TRACEROUTE_WAITING)
            first = HS_MIN(first, t->probe[i].sent + t->o.wait);
    timer_arm(&t->timer, first);
}

static void on_timer(Timer *timer)
{
    go_on(HS_CONTAINER_OF(timer, Traceroute, timer));
}

static void on_reply(void *user, const HopReply *r)
{
    Traceroute *t = user;
    TracerouteProbe *p;

    if (t->is_done || r->token >= t->next)
        return;
    p = &t->probe[r->token];
    if (p->state != TRACEROUTE_WAITING)
        return;
    p->state = TRACEROUTE_ANSWERED;
    p->rtt = node_now(t->node) - p->sent;
    p->reply = *r;
    if (r->answer != HOP_ROUTER) { /* the way ends at this hop, when its other probes are through */
        t->last = HS_MIN(t->last, (r->token / t->o.probes + 1) * t->o.probes);
        t->reached = t->reached || r->answer == HOP_TARGET;
    }
    /* Not from here: the answer may come while a probe is being sent. */
    timer_arm_after(&t->timer, 0);
}

Traceroute *traceroute_new(Ip4 *ip, Udp *udp, const TracerouteOptions *o, const TracerouteEvents *ev)
{
    Traceroute *t = g_new0(Traceroute, 1);
    char addr[IPV4_ADDR_STR_LEN];
    char *first;

    t->node = ip4_node(ip);
    t->o = *o;
    if (ev)
        t->ev = *ev;
    t->o.first_ttl = o->first_ttl ? o->first_ttl : 1;
    t->o.max_ttl = HS_MAX(o->max_ttl ? o->max_ttl : 30, t->o.first_ttl);
    t->o.probes = o->probes ? HS_MIN(o->probes, TRACEROUTE_MAX_PROBES) : 3;
    t->o.parallel = o->parallel ? o->parallel : 1;
    t->o.wait = o->wait ? o->wait : 5 * SIM_SEC;
    t->o.total_len = o->total_len ? o->total_len : 60;
    t->n = t->last = (t->o.max_ttl - t->o.first_ttl + 1u) * t->o.probes;
    t->probe = g_new0(TracerouteProbe, t->n);
    t->prober = hop_prober_new(ip, o->icmp ? NULL : udp, o->dst, on_reply, t);
    timer_init(&t->timer, t->node, on_timer);
    ipv4_addr_format(o->dst, addr);
    first = g_strdup_printf("traceroute to %s (%s), %u hops max, %u byte packets", o->name ? o->name : addr,
                            addr, t->o.max_ttl, t->o.total_len);
    tell_line(t, first);
    g_free(first);
    timer_arm_after(&t->timer, 0);
    return t;
}

void traceroute_free(Traceroute *t)
{
    if (!t)
        return;
    hop_prober_free(t->prober);
    timer_clear(&t->timer);
    g_free(t->probe);
    g_free(t);
}

bool traceroute_is_done(const Traceroute *t)
{
    return t->is_done;
}

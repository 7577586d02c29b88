#include "models/app/udp_source.h"

#include <glib.h>

#include "sim/base/dist.h"

#define RECOVER_EVERY SIM_SEC /* after a quench: a sixteenth of the excess is taken back each second */

struct UdpSource {
    Node *node;
    UdpSock *sock;
    UdpSourceOptions o;
    UdpSourceDoneFn done;
    void *user;
    UdpSourceResult r;
    Rng *rng;
    SimTime burst_end; /* SIM_NEVER: no bursts */
    SimTime last_quench, next_recovery;
    Timer timer;
};

static SimTime period(UdpSource *s, SimTime mean)
{
    return s->o.exponential ? dist_exponential_ns(s->rng, mean) : mean;
}

/* RFC 1016 leaves the amount to the host; the gap doubles once for a round of quenches, and shrinks slowly.
 */
static void on_icmp(void *user, UdpSock *sock, const Ip4Error *e)
{
    UdpSource *s = user;
    SimTime now = node_now(s->node);

    if (e->err)
        return;
    s->r.quenched++;
    if (s->r.quenched == 1 || now >= s->last_quench + s->r.gap) {
        s->r.gap *= 2;
        s->last_quench = now;
        s->next_recovery = now + RECOVER_EVERY;
    }
}

static void recover(UdpSource *s, SimTime now)
{
    while (s->r.gap > s->o.gap && now >= s->next_recovery) {
        s->r.gap -= (s->r.gap - s->o.gap + 15) / 16;
        s->next_recovery += RECOVER_EVERY;
    }
}

static void finish(UdpSource *s)
{
    timer_cancel(&s->timer);
    if (s->done)
        s->done(s->user, &s->r);
}

static void on_timer(Timer *timer)
{
    UdpSource *s = HS_CONTAINER_OF(timer, UdpSource, timer);
    UdpSend m = {.synthetic_off = (s->r.sent + s->r.failed) * s->o.size, .len = s->o.size, .to = &s->o.to};
    SimTime now = node_now(s->node), next;
    int err = udpsock_send(s->sock, &m);

    if (HS_UNLIKELY(err)) {
        s->r.failed++;
        s->r.err = -err;
    } else {
        s->r.sent++;
    }
    if (HS_UNLIKELY(s->o.count && s->r.sent + s->r.failed >= s->o.count)) {
        finish(s);
        return;
    }
    if (HS_UNLIKELY(s->r.gap > s->o.gap))
        recover(s, now);
    next = now + s->r.gap;
    if (HS_UNLIKELY(next >= s->burst_end)) {
        next = s->burst_end + period(s, s->o.off);
        s->burst_end = next + period(s, s->o.on);
    }
    timer_arm(timer, next);
}

UdpSource *udp_source_new(Udp *udp, Ip4 *ip, const UdpSourceOptions *o, UdpSourceDoneFn done, void *user)
{
    UdpSource *s = g_new0(UdpSource, 1);
    SimTime first;

    hs_assert(o->gap > 0);
    s->node = ip4_node(ip);
    s->o = *o;
    s->r.gap = o->gap;
    s->done = done;
    s->user = user;
    s->sock = udpsock_new(udp);
    udpsock_opt(s->sock)->tos = o->tos;
    udpsock_opt(s->sock)->broadcast = true;
    udpsock_on_icmp(s->sock, on_icmp, s);
    if (udpsock_bind(s->sock, (UdpAddr){0, o->port})) {
        udpsock_close(s->sock);
        g_free(s);
        return NULL;
    }
    timer_init(&s->timer, s->node, on_timer);
    first = node_now(s->node) + o->start;
    s->burst_end = SIM_NEVER;
    if (o->on) {
        s->rng = node_rng(s->node, "udp-source");
        s->burst_end = first + period(s, o->on);
    }
    timer_arm(&s->timer, first);
    return s;
}

void udp_source_stop(UdpSource *s)
{
    if (timer_is_armed(&s->timer))
        finish(s);
}

void udp_source_free(UdpSource *s)
{
    if (!s)
        return;
    udpsock_close(s->sock);
    timer_clear(&s->timer);
    g_free(s);
}

void udp_source_result(const UdpSource *s, UdpSourceResult *out)
{
    *out = s->r;
}

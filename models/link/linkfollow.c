/* Links that follow a trace (linktrace.h has the formats).
 *
 * A schedule sets rate, delay and loss at its times; what it set last stays. One event for each line, none
 * afterwards. Its loss takes one draw for each frame, from the stream "<port>/trace".
 *
 * Opportunities (Mahimahi's mm-link; R. Netravali et al., USENIX ATC 2015) replace the transmitter: at each,
 * up to 1504 bytes may leave, and what no frame wants is lost. Frames are taken from the queue one after
 * another; one that does not fit in what is left goes on at the next opportunity and leaves when its last
 * byte does; what it leaves of that opportunity is the next frame's. A frame queued at the very time of an
 * opportunity has missed it. An Ethernet frame is charged its payload and 4 bytes, Mahimahi's TUN header, so
 * that a full-sized one takes exactly one opportunity. After its end the trace repeats. We differ in that
 * propagation delay and impairments follow in the same link, where Mahimahi nests shells. While nothing waits
 * there are no events. */
#include <glib.h>

#include "models/link/link_dir.h"
#include "models/link/linktrace.h"

#define CHARGE_EXTRA 4 /* of the 1504 bytes, those that are no IP packet */

struct LinkFollow {
    LinkDir *dir;
    LinkTrace *trace;
    SimTime start;
    Timer timer; /* the next line of the schedule; the next opportunity when something waits */

    /* Schedules. */
    size_t next; /* line */
    bool has_loss;
    uint64_t loss;
    Rng *rng;

    /* Opportunities. */
    uint64_t index;  /* of the next one not used */
    Packet *leaving; /* a frame of which a part has left */
    uint32_t left;   /* bytes that have not */
};

static SimTime absolute(const LinkFollow *f, SimTime t)
{
    return t >= SIM_NEVER - f->start ? SIM_NEVER : f->start + t;
}

/* ---- schedules ---- */

static void apply_step(LinkFollow *f, const LinkTraceStep *s)
{
    if (s->sets_rate)
        linkdir_set_rate(f->dir, s->rate_bps);
    if (s->sets_delay)
        linkdir_set_delay(f->dir, s->delay);
    if (s->sets_loss)
        f->has_loss = rng_threshold(s->loss, &f->loss);
    linkdir_update_slow(f->dir);
}

static void schedule_on(LinkFollow *f)
{
    SimTime now = node_now(linkdir_node(f->dir)), t = SIM_NEVER;

    for (; f->next < f->trace->n_steps; f->next++) {
        t = absolute(f, f->trace->steps[f->next].time);
        if (t > now)
            break;
        apply_step(f, &f->trace->steps[f->next]);
    }
    if (f->next < f->trace->n_steps && t != SIM_NEVER)
        timer_arm(&f->timer, t);
}

bool linkfollow_has_loss(const LinkFollow *f)
{
    return f->has_loss;
}

bool linkfollow_loses(LinkFollow *f)
{
    return rng_chance(f->rng, f->loss);
}

/* ---- opportunities ---- */

/* The first opportunity later than now, at least f->index. */
static uint64_t next_opportunity(const LinkFollow *f, SimTime now)
{
    const LinkTrace *t = f->trace;
    SimTime period = t->opportunities_ms[t->n_opportunities - 1] * SIM_MS;
    SimTime lap = (now - f->start) / period, rest = (now - f->start) % period;
    size_t lo = 0, hi = t->n_opportunities - 1; /* the last is later than rest, always */
    uint64_t i;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (t->opportunities_ms[mid] * SIM_MS > rest)
            hi = mid;
        else
            lo = mid + 1;
    }
    i = (uint64_t)lap * t->n_opportunities + lo;
    return HS_MAX(i, f->index);
}

static void arm_opportunity(LinkFollow *f)
{
    SimTime t;

    f->index = next_opportunity(f, node_now(linkdir_node(f->dir)));
    t = absolute(f, linktrace_opportunity_time(f->trace, f->index));
    if (t != SIM_NEVER)
        timer_arm(&f->timer, t);
}

void linkopportunity_send(LinkDir *d)
{
    LinkFollow *f = d->m->extra->follow;

    if (!timer_is_armed(&f->timer) && (f->leaving || (d->queue && d->queue->packets)))
        arm_opportunity(f);
}

static uint32_t charge(const LinkDir *d, const Packet *pkt)
{
    uint32_t len = packet_len(pkt);

    return len - HS_MIN(len, d->header_bytes) + CHARGE_EXTRA;
}

/* Uses one opportunity. false: the link is no longer ours. */
static bool serve(LinkFollow *f, SimTime now)
{
    LinkDir *d = f->dir;
    uint32_t room = LINKTRACE_OPPORTUNITY_BYTES, n;
    Packet *pkt;

    while (room) {
        if (!f->leaving) {
            f->leaving = d->queue ? linkdir_dequeue(d) : NULL;
            if (!f->leaving)
                return true;
            f->left = charge(d, f->leaving);
        }
        n = HS_MIN(room, f->left);
        room -= n;
        f->left -= n;
        if (f->left)
            return true;
        pkt = f->leaving;
        f->leaving = NULL;
        linkdir_launch(d, pkt, now);
        if (d->m->extra->follow != f || d->stop != LINK_STOP_OPPORTUNITY) /* a rule has interfered */
            return false;
    }
    return true;
}

static void opportunities_on(LinkFollow *f)
{
    LinkDir *d = f->dir;
    SimTime now = node_now(linkdir_node(d));

    if (d->stop != LINK_STOP_OPPORTUNITY) /* paused: what passes now is lost */
        return;
    while (absolute(f, linktrace_opportunity_time(f->trace, f->index)) <= now) {
        f->index++;
        if (!serve(f, now))
            return;
    }
    linkopportunity_send(d);
}

void linkfollow_on_down(LinkDir *d)
{
    LinkFollow *f = d->m->extra->follow;

    if (!f || f->trace->kind != LINKTRACE_OPPORTUNITIES)
        return;
    timer_cancel(&f->timer);
    if (!f->leaving)
        return;
    linkdir_extra(d)->queue_drops++;
    probe_drop(linkdir_node(d), &d->from->point, f->leaving, DROP_LINK_DOWN);
    f->leaving = NULL;
}

/* ---- both ---- */

static void on_timer(Timer *t);

void linkfollow_on_plug(LinkDir *d)
{
    LinkFollow *f = linkdir_has_extra(d) ? d->m->extra->follow : NULL;
    SimTime deadline;

    if (!f)
        return;
    deadline = f->timer.deadline;
    timer_clear(&f->timer);
    timer_init(&f->timer, linkdir_node(d), on_timer);
    if (deadline != SIM_NEVER)
        timer_arm(&f->timer, deadline);
}

static void on_timer(Timer *t)
{
    LinkFollow *f = HS_CONTAINER_OF(t, LinkFollow, timer);

    if (f->trace->kind == LINKTRACE_SCHEDULE)
        schedule_on(f);
    else
        opportunities_on(f);
}

void linkdir_follow(LinkDir *d, struct LinkTrace *trace)
{
    Node *node = linkdir_node(d);
    LinkFollow *f;

    linkfollow_clear(d);
    if (!trace) {
        linkdir_kick(d);
        return;
    }
    f = g_new0(LinkFollow, 1);
    f->dir = d;
    f->trace = trace;
    f->start = node_now(node);
    timer_init(&f->timer, node, on_timer);
    linkdir_extra(d)->follow = f;
    if (trace->kind == LINKTRACE_SCHEDULE) {
        char *purpose = g_strdup_printf("%s/trace", d->from->point.name);

        f->rng = node_rng(node, purpose);
        g_free(purpose);
        schedule_on(f);
    } else {
        linkring_drop(d);
        d->stop |= LINK_STOP_OPPORTUNITY;
        linkdir_unkick(d);
    }
    linkdir_kick(d);
}

void linkfollow_clear(LinkDir *d)
{
    LinkFollow *f = linkdir_has_extra(d) ? d->m->extra->follow : NULL;

    if (!f)
        return;
    linkfollow_on_down(d); /* what has left of a frame is void: no other transmitter could go on with it */
    timer_clear(&f->timer);
    d->stop &= (uint8_t)~LINK_STOP_OPPORTUNITY;
    d->m->extra->follow = NULL;
    linktrace_free(f->trace);
    g_free(f);
    linkdir_update_slow(d);
}

size_t linkfollow_bytes(const LinkFollow *f)
{
    return f ? sizeof *f + f->trace->n_steps * sizeof *f->trace->steps +
                   f->trace->n_opportunities * sizeof *f->trace->opportunities_ms
             : 0;
}

#include "models/app/ping.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#define MAXWAIT (10 * SIM_SEC) /* iputils */
#define STAMP_LEN 16           /* a struct timeval at the beginning of the payload */
#define DUP_BITS 65536         /* MAX_DUP_CHK */

struct Ping {
    Ip4 *ip;
    Node *node;
    PingOptions o;
    PingEvents ev;
    char name[64];
    uint16_t id;
    bool is_done;
    Timer send_timer, exit_timer;
    SimTime start, last_sent;
    PktChunk *pattern; /* the payload behind what fits into the packet's buffer */
    uint8_t *seen;     /* one bit for each request, modulo DUP_BITS */
    uint64_t pipe;     /* most requests in flight */
    double sum_us, sum2_us;
    PingResult r;
};

/* ---- output ---- */

static void line(Ping *p, const char *fmt, ...) HS_PRINTF(2, 3);
static void line(Ping *p, const char *fmt, ...)
{
    char buf[256];
    va_list ap;

    if (!p->ev.line)
        return;
    va_start(ap, fmt);
    g_vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    p->ev.line(p->ev.user, buf);
}

static char *addr_str(uint32_t a, char buf[IPV4_ADDR_STR_LEN])
{
    return ipv4_addr_format(a, buf);
}

/* iputils' precision: about three digits. */
static char *rtt_str(SimTime rtt, char buf[32])
{
    int64_t us = rtt / SIM_US;

    if (us >= 100000 - 50)
        g_snprintf(buf, 32, "%" G_GINT64_FORMAT, (us + 500) / 1000);
    else if (us >= 10000 - 5)
        g_snprintf(buf, 32, "%" G_GINT64_FORMAT ".%01d", (us + 50) / 1000, (int)((us + 50) % 1000 / 100));
    else if (us >= 1000)
        g_snprintf(buf, 32, "%" G_GINT64_FORMAT ".%02d", (us + 5) / 1000, (int)((us + 5) % 1000 / 10));
    else
        g_snprintf(buf, 32, "%" G_GINT64_FORMAT ".%03d", us / 1000, (int)(us % 1000));
    return buf;
}

static const char *const unreach_text[] = {
    "Destination Net Unreachable",
    "Destination Host Unreachable",
    "Destination Protocol Unreachable",
    "Destination Port Unreachable",
    NULL, /* with the MTU */
    "Source Route Failed",
    "Destination Net Unknown",
    "Destination Host Unknown",
    "Source Host Isolated",
    "Destination Net Prohibited",
    "Destination Host Prohibited",
    "Destination Net Unreachable for Type of Service",
    "Destination Host Unreachable for Type of Service",
    "Packet filtered",
    "Precedence Violation",
    "Precedence Cutoff",
};

static const char *error_text(const PingReply *r, char buf[64])
{
    switch (r->icmp_type) {
    case ICMP_DEST_UNREACH:
        if (r->icmp_code == ICMP_UNREACH_NEEDFRAG)
            g_snprintf(buf, 64, "Frag needed and DF set (mtu = %u)", r->mtu);
        else if (r->icmp_code < HS_ARRAY_LEN(unreach_text))
            return unreach_text[r->icmp_code];
        else
            g_snprintf(buf, 64, "Dest Unreachable, Bad Code: %u", r->icmp_code);
        return buf;
    case ICMP_SOURCE_QUENCH:
        return "Source Quench";
    case ICMP_TIME_EXCEEDED:
        return r->icmp_code ? "Frag reassembly time exceeded" : "Time to live exceeded";
    case ICMP_PARAM_PROBLEM:
        return "Parameter problem";
    default:
        g_snprintf(buf, 64, "Bad ICMP type: %u", r->icmp_type);
        return buf;
    }
}

void ping_result(const Ping *p, PingResult *out)
{
    double n = (double)p->r.received, avg = n > 0 ? p->sum_us / n : 0,
           var = n > 0 ? p->sum2_us / n - avg * avg : 0;

    *out = p->r;
    out->loss = p->r.sent ? (double)(p->r.sent - HS_MIN(p->r.received, p->r.sent)) / (double)p->r.sent : 0;
    out->time = p->last_sent - p->start;
    out->rtt_avg = (SimTime)avg * SIM_US;
    out->rtt_mdev = (SimTime)sqrt(var > 0 ? var : 0) * SIM_US;
}

#define MS_FMT "%" G_GINT64_FORMAT ".%03d"
#define MS(t) (t) / SIM_MS, (int)((t) / SIM_US % 1000)

static void finish(Ping *p)
{
    GString *s;
    PingResult r;

    if (p->is_done)
        return;
    p->is_done = true;
    timer_cancel(&p->send_timer);
    timer_cancel(&p->exit_timer);
    ping_result(p, &r);
    if (p->ev.line && !r.err) {
        char loss[G_ASCII_DTOSTR_BUF_SIZE];

        line(p, "%s", "");
        line(p, "--- %s ping statistics ---", p->name);
        s = g_string_new(NULL);
        g_string_append_printf(s, "%" G_GUINT64_FORMAT " packets transmitted, %" G_GUINT64_FORMAT " received",
                               r.sent, r.received);
        if (r.duplicates)
            g_string_append_printf(s, ", +%" G_GUINT64_FORMAT " duplicates", r.duplicates);
        if (r.errors)
            g_string_append_printf(s, ", +%" G_GUINT64_FORMAT " errors", r.errors);
        if (r.sent)
            g_string_append_printf(s, ", %s%% packet loss, time %" G_GINT64_FORMAT "ms",
                                   g_ascii_formatd(loss, sizeof loss, "%g", (double)(float)(100 * r.loss)),
                                   r.time / SIM_MS);
        line(p, "%s", s->str);
        g_string_truncate(s, 0);
        if (r.received && p->o.size >= STAMP_LEN)
            g_string_append_printf(s, "rtt min/avg/max/mdev = " MS_FMT "/" MS_FMT "/" MS_FMT "/" MS_FMT " ms",
                                   MS(r.rtt_min), MS(r.rtt_avg), MS(r.rtt_max), MS(r.rtt_mdev));
        if (p->pipe > 1)
            g_string_append_printf(s, "%spipe %" G_GUINT64_FORMAT, s->len ? ", " : "", p->pipe);
        line(p, "%s", s->str);
        g_string_free(s, TRUE);
    }
    if (p->ev.done)
        p->ev.done(p->ev.user, &r);
}

/* ---- sending ---- */

static void put_payload(Ping *p, Packet *pkt, SimTime now)
{
    uint32_t in_buf = HS_MIN(p->o.size, (uint32_t)(PKT_BUF - pkt->tail));
    uint8_t *at = packet_put(pkt, in_buf);

    for (uint32_t i = 0; i < in_buf; i++)
        at[i] = (uint8_t)i;
    if (p->o.size >= STAMP_LEN) { /* struct timeval as x86-64 has it */
        uint64_t part[2] = {(uint64_t)(now / SIM_SEC), (uint64_t)(now % SIM_SEC / SIM_US)};

        for (unsigned i = 0; i < STAMP_LEN; i++)
            at[i] = (uint8_t)(part[i / 8] >> 8 * (i % 8));
    }
    if (p->o.size == in_buf)
        return;
    if (!p->pattern) {
        p->pattern = pktchunk_new(p->o.size - in_buf);
        for (uint32_t i = in_buf; i < p->o.size; i++)
            p->pattern->bytes[i - in_buf] = (uint8_t)i;
    }
    packet_add_slice(pkt, &(PktSlice){p->pattern, 0, p->o.size - in_buf});
}

static int send_request(Ping *p)
{
    Packet *pkt = packet_new(ip4_pool(p->ip), p->node->id, p->node->birth_next++, PKT_HEADROOM);
    uint8_t *h = packet_put(pkt, ICMP_HDR_LEN);

    h[0] = ICMP_ECHO;
    h[1] = 0;
    wire_put16(h + 4, p->id);
    wire_put16(h + 6, (uint16_t)(p->o.first_seq + p->r.sent));
    put_payload(p, pkt, node_now(p->node));
    return icmp4_send_query(p->ip, pkt,
                            &(Ip4Tx){
                                .src = p->o.src,
                                .dst = p->o.dst,
                                .proto = IP_PROTO_ICMP,
                                .ttl = p->o.ttl,
                                .tos = p->o.tos,
                                .df = p->o.df,
                                .allow_broadcast = true,
                            });
}

static bool has_all(const Ping *p)
{
    return p->o.count && p->r.sent >= p->o.count && p->r.received + p->r.errors >= p->o.count;
}

/* __schedule_exit: twice the longest round trip, at least the interval; or -W if nothing came at all. */
static SimTime last_wait(const Ping *p)
{
    return p->r.received ? HS_MAX(2 * p->r.rtt_max, p->o.interval) : p->o.timeout;
}

static void on_send(Timer *t)
{
    Ping *p = HS_CONTAINER_OF(t, Ping, send_timer);
    uint32_t bit = (uint32_t)(p->r.sent % DUP_BITS);
    int err;

    p->seen[bit / 8] &= (uint8_t) ~(1u << bit % 8); /* a new request in an old one's place */
    err = send_request(p);
    p->last_sent = node_now(p->node);
    p->r.sent++;
    if (err == -EMSGSIZE) {
        Ip4Flow f;
        bool known = ip4_route_get(p->ip, p->o.dst, p->o.src, NULL, &f) == 0;

        p->r.errors++;
        line(p, "ping: local error: message too long, mtu=%u", known ? f.mtu : 0);
    } else if (err && p->r.sent == 1) {
        p->r.sent = 0;
        p->r.err = -err;
        line(p, "ping: connect: %s", strerrordesc_np(-err));
        finish(p);
        return;
    } else if (err) {
        p->r.errors++;
        line(p, "ping: sendmsg: %s", strerrordesc_np(-err));
    }
    if (has_all(p))
        timer_arm_after(&p->exit_timer, 0);
    else if (p->o.count && p->r.sent >= p->o.count)
        timer_arm_after(&p->exit_timer, last_wait(p));
    else
        timer_arm_after(&p->send_timer, p->o.interval);
}

static void on_exit_timer(Timer *t)
{
    finish(HS_CONTAINER_OF(t, Ping, exit_timer));
}

/* ---- receiving ---- */

/* Which request a sequence number is of: the last one sent that has it. */
static bool request_of(const Ping *p, uint16_t seq, uint64_t *n)
{
    uint16_t last = (uint16_t)(p->o.first_seq + p->r.sent - 1), back = (uint16_t)(last - seq);

    if (back >= p->r.sent)
        return false;
    *n = p->r.sent - 1 - back;
    if (back + 1u > p->pipe)
        ((Ping *)p)->pipe = back + 1u;
    return true;
}

static void answered(Ping *p)
{
    if (has_all(p))
        finish(p);
    else if (timer_is_armed(&p->exit_timer) && p->r.received == 1)
        timer_arm(&p->exit_timer, HS_MAX(node_now(p->node), p->last_sent + last_wait(p)));
}

static void on_reply(void *user, Packet *pkt, const Ip4Rx *rx)
{
    Ping *p = user;
    const uint8_t *h = packet_cdata(pkt);
    PingReply r = {.seq = icmp_seq(h), .from = rx->src, .len = packet_len(pkt), .ttl = rx->ttl};
    bool is_answer = icmp_type(h) == ICMP_ECHO_REPLY && request_of(p, r.seq, &r.n);
    char from[IPV4_ADDR_STR_LEN], rtt[32];
    uint32_t bit;

    packet_unref(pkt);
    if (!is_answer || p->is_done)
        return;
    /* The payload has the time of sending in microseconds; we know it to the nanosecond. */
    r.rtt = node_now(p->node) - (p->start + (SimTime)r.n * p->o.interval);
    bit = (uint32_t)(r.n % DUP_BITS);
    r.is_dup = p->seen[bit / 8] >> bit % 8 & 1;
    p->seen[bit / 8] |= (uint8_t)(1u << bit % 8);
    if (r.is_dup) {
        p->r.duplicates++;
    } else {
        double us = (double)(r.rtt / SIM_US);

        p->r.rtt_min = p->r.received ? HS_MIN(p->r.rtt_min, r.rtt) : r.rtt;
        p->r.rtt_max = HS_MAX(p->r.rtt_max, r.rtt);
        p->r.received++;
        p->sum_us += us;
        p->sum2_us += us * us;
    }
    if (p->ev.line)
        line(p, "%u bytes from %s: icmp_seq=%u ttl=%u%s%s%s%s", r.len, addr_str(r.from, from), r.seq, r.ttl,
             p->o.size >= STAMP_LEN ? " time=" : "", p->o.size >= STAMP_LEN ? rtt_str(r.rtt, rtt) : "",
             p->o.size >= STAMP_LEN ? " ms" : "", r.is_dup ? " (DUP!)" : "");
    if (p->ev.reply)
        p->ev.reply(p->ev.user, &r);
    if (!p->is_done)
        answered(p);
}

static void on_error(void *user, const Ip4Error *e)
{
    Ping *p = user;
    PingReply r = {
        .seq = icmp_seq(e->l4),
        .from = e->reporter,
        .icmp_type = e->icmp_type,
        .icmp_code = e->icmp_code,
        .mtu = e->mtu,
    };
    char from[IPV4_ADDR_STR_LEN], text[64];

    if (p->is_done || e->dst != p->o.dst || !request_of(p, r.seq, &r.n))
        return;
    p->r.errors++;
    line(p, "From %s icmp_seq=%u %s", addr_str(r.from, from), r.seq, error_text(&r, text));
    if (p->ev.reply)
        p->ev.reply(p->ev.user, &r);
    if (!p->is_done)
        answered(p);
}

/* ---- life ---- */

Ping *ping_new(Ip4 *ip, const PingOptions *o, const PingEvents *ev)
{
    Ping *p = g_new0(Ping, 1);
    char addr[IPV4_ADDR_STR_LEN];

    p->ip = ip;
    p->node = ip4_node(ip);
    p->o = *o;
    if (ev)
        p->ev = *ev;
    if (!p->o.interval)
        p->o.interval = SIM_SEC;
    if (!p->o.timeout)
        p->o.timeout = MAXWAIT;
    p->id = icmp4_echo_open(ip, o->id, on_reply, on_error, p);
    if (!p->id) {
        g_free(p);
        return NULL;
    }
    addr_str(o->dst, addr);
    g_strlcpy(p->name, o->name ? o->name : addr, sizeof p->name);
    p->seen = g_new0(uint8_t, p->o.count && p->o.count < DUP_BITS ? p->o.count / 8 + 1 : DUP_BITS / 8);
    timer_init(&p->send_timer, p->node, on_send);
    timer_init(&p->exit_timer, p->node, on_exit_timer);
    p->start = node_now(p->node);
    line(p, "PING %s (%s) %u(%u) bytes of data.", p->name, addr, p->o.size,
         p->o.size + ICMP_HDR_LEN + IPV4_MIN_HDR_LEN);
    timer_arm_after(&p->send_timer, 0);
    return p;
}

void ping_stop(Ping *p)
{
    finish(p);
}

bool ping_is_done(const Ping *p)
{
    return p->is_done;
}

void ping_free(Ping *p)
{
    if (!p)
        return;
    icmp4_echo_close(p->ip, p->id);
    timer_clear(&p->send_timer);
    timer_clear(&p->exit_timer);
    pktchunk_unref(p->pattern);
    g_free(p->seen);
    g_free(p);
}

/* Packet events: inbound lines are built and injected, outbound lines wait for what the stack sends and
 * compare. */
#include "models/wire/icmp.h"
#include "models/wire/ipv4.h"
#include "packetdrill/pd_format.h"
#include "packetdrill/pd_match.h"
#include "packetdrill/pd_run_priv.h"

#define PACKET_ERROR "error handling packet"
#define PROTO_RAW 255
#define MAX_RECENT 8

static bool is_v6(const PdRun *r)
{
    return r->host.ip_version == PD_IPV6;
}

/* One line for --verbose and for the packets around an error. */
static void remember(PdRun *r, const PdPacket *p, int64_t at_us, const char *note, bool ace_digits)
{
    GString *s = g_string_new(NULL);

    pd_format_time(s, at_us);
    g_string_append_c(s, ' ');
    pd_format_packet(s, p, is_v6(r), ace_digits);
    g_string_append(s, note);
    pd_run_line(r, "%s", s->str);
    if (r->recent->len == MAX_RECENT)
        g_ptr_array_remove_index(r->recent, 0);
    g_ptr_array_add(r->recent, g_string_free(s, FALSE));
}

static void append_recent(PdRun *r, GString *s)
{
    if (r->recent->len == 0)
        return;
    g_string_append(s, "\n  packets before:");
    for (guint i = 0; i < r->recent->len; i++)
        g_string_append_printf(s, "\n    %s", (const char *)r->recent->pdata[i]);
}

/* ---- inbound ---- */

static GByteArray *build_icmp(PdRun *r, const PdPacket *p)
{
    const PdConn *c = r->conn;
    PdTuple about = c->tuple;
    uint8_t proto = p->icmp.echoed == PD_ECHOED_UDP   ? IP_PROTO_UDP
                    : p->icmp.echoed == PD_ECHOED_RAW ? PROTO_RAW
                                                      : IP_PROTO_TCP;
    bool complains =
        p->icmp.echoed != PD_ECHOED_NONE || (is_v6(r) ? p->icmp.type < 128 : icmp_is_error(p->icmp.type));
    uint32_t seq =
        p->icmp.echoed == PD_ECHOED_TCP ? pd_map_local_to_live(&c->map, p->icmp.echoed_seq, false) : 0;

    return pd_packet_build_icmp(p, &r->host.remote, &r->host.local, complains ? &about : NULL, proto, seq);
}

static GByteArray *build(PdRun *r, const PdEvent *e)
{
    const PdPacket *p = e->packet;
    PdTuple tuple = pd_tuple_reversed(&r->conn->tuple);
    PdTcpOption options[PD_MAX_TCP_OPTIONS];
    PdPacket live = *p;
    uint32_t bad_ecr;

    if (p->has_ports) {
        tuple.src_port = p->src_port;
        tuple.dst_port = p->dst_port;
    }
    if (p->proto == PD_ICMP)
        return build_icmp(r, p);
    if (p->proto == PD_UDP)
        return pd_packet_build_udp(p, &tuple);
    if (!pd_map_inbound(&r->conn->map, &p->tcp, r->config->ts_ecr_scaled, &live.tcp, options, &bad_ecr)) {
        pd_run_fail(
            r, PD_FAILED, e,
            "%s: unable to infer live TS ecr: the stack has never sent a TS val that this script calls %u",
            PACKET_ERROR, bad_ecr);
        return NULL;
    }
    return pd_packet_build_tcp(&live, &tuple);
}

bool pd_packets_inbound(PdRun *r, const PdEvent *e)
{
    const PdPacket *p = e->packet;
    char *why = NULL;
    GByteArray *bytes;
    bool ok;

    if (!pd_conn_on_inbound(r, p, &why)) {
        pd_run_fail(r, PD_WRONG, e, "%s: %s", PACKET_ERROR, why);
        g_free(why);
        return false;
    }
    bytes = build(r, e);
    if (!bytes)
        return false;
    remember(r, p, pd_run_now_us(r), "", p->proto == PD_TCP && p->tcp.ace != PD_ACE_NONE);
    if (r->observer && r->observer->packet)
        r->observer->packet(r->observer->user, PD_INBOUND, r->ops->now(r->stack), bytes->data, bytes->len);
    ok =
        r->ops->inject(r->stack, bytes->data, bytes->len,
                       p->proto == PD_TCP && r->host.mss && p->tcp.len > r->host.mss ? r->host.mss : 0, &why);
    if (!ok)
        pd_run_fail(r, PD_WRONG, e, "%s: %s", PACKET_ERROR, why);
    g_free(why);
    g_byte_array_free(bytes, TRUE);
    return ok;
}

/* ---- outbound ---- */

/* Ports that a line names are those of this one packet, as they are inbound. */
static bool belongs(PdRun *r, const PdPacket *line, const PdSeen *s)
{
    const PdConn *c = r->conn;

    if (!line->has_ports)
        return pd_conn_owns(r, s);
    if (r->config->many_connections && line->proto == PD_TCP && s->ip_proto == IP_PROTO_TCP) {
        /* Between connections the order counts, too. */
        r->conn = pd_conn_by_ports(r, line->src_port, line->dst_port);
        return true;
    }
    if (s->tuple.src_port != line->src_port || s->tuple.dst_port != line->dst_port)
        return false;
    return pd_conn_owns(r, s) ||
           (c && s->ip_proto == (line->proto == PD_UDP ? IP_PROTO_UDP : IP_PROTO_TCP) &&
            pd_addr_equal(&s->tuple.src, &c->tuple.src) && pd_addr_equal(&s->tuple.dst, &c->tuple.dst));
}

/* The next captured packet of the connection under test. false: none until the limit, or an error was told.
 */
static bool next_packet(PdRun *r, const PdEvent *e, int64_t limit_ns, PdSeen *out)
{
    for (;;) {
        PdCaptured captured = {0};
        const char *why = NULL;
        bool ok;

        if (!r->ops->take_packet(r->stack, limit_ns, &captured))
            return false;
        if (r->observer && r->observer->packet)
            r->observer->packet(r->observer->user, PD_OUTBOUND, captured.at_ns, captured.bytes, captured.len);
        ok = pd_packet_explain(out, &captured, &why);
        g_free(captured.bytes);
        if (!ok)
            return pd_run_fail(r, PD_FAILED, e, "%s: the stack sent a packet that cannot be understood: %s",
                               PACKET_ERROR, why);
        if (belongs(r, e->packet, out))
            return true;
    }
}

static void remember_seen(PdRun *r, const PdSeen *s, const PdPacket *expected, const char *note)
{
    PdPacket p;

    pd_format_from_seen(&p, s, expected->ip.tos_check != PD_TOS_NONE);
    p.ip.has_flow_label = expected->ip.has_flow_label;
    p.ip.flow_label = s->flow_label;
    p.ip.has_ttl = expected->ip.has_ttl;
    p.ip.ttl = s->ttl;
    remember(r, &p, s->at_ns / PD_NS_PER_US, note,
             expected->tcp.ace != PD_ACE_NONE && expected->proto == PD_TCP);
}

/* The script's line and the packet, one under the other, and what went before. */
static bool mismatch(PdRun *r, const PdEvent *e, const PdSeen *s, const char *reason)
{
    GString *text = g_string_new(NULL);

    g_string_append(text, reason);
    g_string_append(text, "\n  script packet: ");
    if (e->time == PD_TIME_ANY)
        g_string_append(text, "       *");
    else
        pd_format_time(text, r->scheduled_us);
    g_string_append_c(text, ' ');
    pd_format_packet(text, e->packet, is_v6(r),
                     e->packet->proto == PD_TCP && e->packet->tcp.ace != PD_ACE_NONE);
    if (s) {
        /* The last line remembered is this packet's. */
        g_string_append_printf(text, "\n  actual packet: %s",
                               (const char *)r->recent->pdata[r->recent->len - 1]);
        if (s->n_pieces > 1)
            g_string_append_printf(text, " (in %u packets)", s->n_pieces);
        g_ptr_array_remove_index(r->recent, r->recent->len - 1);
    }
    append_recent(r, text);
    pd_run_fail(r, PD_FAILED, e, "%s: %s", PACKET_ERROR, text->str);
    g_string_free(text, TRUE);
    return false;
}

static bool check_time(PdRun *r, const PdEvent *e, const PdSeen *s)
{
    int64_t at_us = s->at_ns / PD_NS_PER_US,
            tolerance = pd_run_tolerance_us(r, r->scheduled_us - r->previous_us);
    GString *text;

    if (e->time == PD_TIME_ANY || (at_us >= r->scheduled_us - tolerance && at_us <= r->end_us + tolerance))
        return true;
    text = g_string_new("timing error: expected the packet ");
    g_string_append(text, e->has_window ? "from " : "at ");
    pd_format_time(text, r->scheduled_us);
    if (e->has_window) {
        g_string_append(text, " to ");
        pd_format_time(text, r->end_us);
    }
    g_string_append(text, " s, it left at ");
    pd_format_time(text, at_us);
    g_string_append(text, " s (tolerance ");
    pd_format_time(text, tolerance);
    g_string_append(text, " s)");
    mismatch(r, e, s, text->str);
    g_string_free(text, TRUE);
    return false;
}

static bool timed_out(PdRun *r, const PdEvent *e, const PdSeen *partial)
{
    char *reason;

    if (r->error)
        return false;
    if (partial)
        reason = g_strdup_printf("timed out waiting for packet: %u of %u bytes came", partial->payload_len,
                                 e->packet->tcp.len);
    else
        reason = g_strdup("timed out waiting for packet");
    mismatch(r, e, partial, reason);
    g_free(reason);
    return false;
}

/* Takes packets until their payload reaches the line's length (7, aggregation). */
static bool collect(PdRun *r, const PdEvent *e, int64_t limit_ns, PdSeen *s)
{
    const PdPacket *p = e->packet;
    const char *why;

    if (!next_packet(r, e, limit_ns, s))
        return timed_out(r, e, NULL);
    if (p->proto != PD_TCP || r->config->strict_segments || s->ip_proto != IP_PROTO_TCP)
        return true;
    while (s->payload_len > 0 && s->payload_len < p->tcp.len && !s->is_fragment) {
        PdSeen piece, before = *s;
        bool came = next_packet(r, e, limit_ns, &piece);

        if (r->error)
            return false;
        if (!came || !pd_match_join(s, &piece, &why)) {
            pd_conn_on_outbound(r, p, &before);
            pd_match_to_script(&before, p, &r->conn->map);
            remember_seen(r, &before, p, "");
            if (!came)
                return timed_out(r, e, &before);
            return mismatch(r, e, &before, why);
        }
    }
    return true;
}

bool pd_packets_outbound(PdRun *r, const PdEvent *e)
{
    int64_t limit_ns = PD_NEVER, base_us = r->previous_us;
    char *why = NULL;
    PdSeen s;

    if (!r->conn)
        return pd_run_fail(r, PD_WRONG, e, "%s: there is no connection yet that could send it", PACKET_ERROR);
    if (e->time != PD_TIME_ANY) {
        /* At least two whole seconds after the expected end. */
        int64_t wait_us = HS_MAX(r->end_us - base_us, 0) / 1000000 * 1000000 + 2000000;

        limit_ns = (HS_MAX(base_us + wait_us, r->end_us + 1000000)) * PD_NS_PER_US;
        limit_ns = HS_MAX(limit_ns, r->ops->now(r->stack));
    }
    if (!collect(r, e, limit_ns, &s))
        return false;
    /* Of another pair of ports the script knows no ISN: its numbers are the live ones. */
    if (!e->packet->has_ports || pd_conn_owns(r, &s)) {
        pd_conn_on_outbound(r, e->packet, &s);
        pd_match_to_script(&s, e->packet, &r->conn->map);
    }
    remember_seen(r, &s, e->packet, "");
    if (e->packet->has_ports &&
        (s.tuple.src_port != e->packet->src_port || s.tuple.dst_port != e->packet->dst_port)) {
        why = g_strdup_printf("ports: expected %u > %u, saw %u > %u", e->packet->src_port,
                              e->packet->dst_port, s.tuple.src_port, s.tuple.dst_port);
        mismatch(r, e, &s, why);
        g_free(why);
        return false;
    }
    if (!pd_match_packet(&s, e->packet, &r->conn->map, r->config, s.at_ns / PD_NS_PER_US, &why)) {
        mismatch(r, e, &s, why);
        g_free(why);
        return false;
    }
    if (e->time == PD_TIME_ANY)
        r->scheduled_us = r->end_us = s.at_ns / PD_NS_PER_US;
    return check_time(r, e, &s);
}

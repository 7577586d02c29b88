#include "models/ip/icmp4.h"

#include <errno.h>

#include "models/ip/icmp4_priv.h"
#include "sim/packet/checksum.h"

#define MS_PER_DAY 86400000u
/* What an answer needs in front of its ICMP header: IP, two VLAN tags, Ethernet. */
#define REPLY_HEADROOM 44

static const char *const mib_names[] = {
#define X(name) #name,
    ICMP4_MIB(X)
#undef X
};

Icmp4 *icmp4_of(Ip4 *ip)
{
    const Ip4Proto *p = ip4_proto(ip, IP_PROTO_ICMP);

    return p ? p->user : NULL;
}

uint64_t icmp4_mib(const Icmp4 *ic, unsigned i)
{
    hs_assert(i < ICMP4_MIB_COUNT);
    return ic->mib ? ic->mib[i] : 0;
}

const char *icmp4_mib_name(unsigned i)
{
    hs_assert(i < ICMP4_MIB_COUNT);
    return mib_names[i];
}

void icmp4_set_mask_agent(Icmp4 *ic, bool on)
{
    ic->mask_agent = on;
}

void icmp4_drop(Icmp4 *ic, Packet *pkt, const Ip4Rx *rx, ProbeDrop reason)
{
    probe_drop(ic->node, rx->in ? ip4_if_dev(rx->in)->point : NULL, pkt, reason);
}

/* ---- sending ---- */

/* By type; `first` counts the first of them (Linux icmpmsg_statistics). */
static void count_type(Icmp4 *ic, unsigned first, uint8_t type)
{
    static const uint8_t types[] = {0, 3, 4, 5, 8, 11, 12, 13, 14, 17, 18};

    for (unsigned i = 0; i < HS_ARRAY_LEN(types); i++)
        if (types[i] == type)
            icmp4_count(ic, first + i);
}

static void count_out(Icmp4 *ic, uint8_t type)
{
    icmp4_count(ic, MIB_IcmpOutMsgs);
    count_type(ic, MIB_IcmpMsgOutType0, type);
    switch (type) {
    case ICMP_ECHO_REPLY:
        icmp4_count(ic, MIB_IcmpOutEchoReps);
        break;
    case ICMP_DEST_UNREACH:
        icmp4_count(ic, MIB_IcmpOutDestUnreachs);
        break;
    case ICMP_SOURCE_QUENCH:
        icmp4_count(ic, MIB_IcmpOutSrcQuenchs);
        break;
    case ICMP_REDIRECT:
        icmp4_count(ic, MIB_IcmpOutRedirects);
        break;
    case ICMP_ECHO:
        icmp4_count(ic, MIB_IcmpOutEchos);
        break;
    case ICMP_TIME_EXCEEDED:
        icmp4_count(ic, MIB_IcmpOutTimeExcds);
        break;
    case ICMP_PARAM_PROBLEM:
        icmp4_count(ic, MIB_IcmpOutParmProbs);
        break;
    case ICMP_TIMESTAMP:
        icmp4_count(ic, MIB_IcmpOutTimestamps);
        break;
    case ICMP_TIMESTAMP_REPLY:
        icmp4_count(ic, MIB_IcmpOutTimestampReps);
        break;
    case ICMP_ADDRMASK:
        icmp4_count(ic, MIB_IcmpOutAddrMasks);
        break;
    case ICMP_ADDRMASK_REPLY:
        icmp4_count(ic, MIB_IcmpOutAddrMaskReps);
        break;
    default:
        break;
    }
}

int icmp4_output(Icmp4 *ic, Packet *pkt, const Ip4Tx *tx)
{
    count_out(ic, icmp_type(packet_cdata(pkt)));
    return ip4_output(ic->ip, pkt, tx);
}

int icmp4_send_query(Ip4 *ip, Packet *pkt, const Ip4Tx *tx)
{
    Icmp4 *ic = icmp4_of(ip);
    uint8_t *h = packet_data(pkt);

    hs_assert(ic && tx->proto == IP_PROTO_ICMP);
    pkt->l4 = pkt->head;
    wire_put16(h + ICMP_CHECKSUM_OFF, 0); /* ICMP has no pseudo-header */
    packet_set_csum_partial(pkt, pkt->head, pkt->head + ICMP_CHECKSUM_OFF);
    return icmp4_output(ic, pkt, tx);
}

/* ---- answers ---- */

/* The request becomes the answer: same payload, by reference, with the type changed in place. */
static Packet *reply_from(Icmp4 *ic, Packet *pkt, uint8_t type)
{
    uint8_t *h;

    if (HS_UNLIKELY(pkt->head < REPLY_HEADROOM)) {
        Packet *p = packet_new(pkt->pool, 0, 0, PKT_HEADROOM);
        unsigned n = HS_MIN(packet_header_len(pkt), PKT_BUF - PKT_HEADROOM);

        packet_copy_raw(pkt, 0, packet_put(p, n), n);
        if (packet_header_len(pkt) > n) /* the rest of buf goes with the payload */
            packet_add_bytes(p, packet_cdata(pkt) + n, packet_header_len(pkt) - n);
        packet_add_payload_of(p, pkt, 0, pkt->payload_len);
        if (pkt->csum == PKT_CSUM_PARTIAL)
            packet_set_csum_partial(p, p->head, p->head + ICMP_CHECKSUM_OFF);
        packet_unref(pkt);
        pkt = p;
    } else {
        pkt = packet_own(pkt);
    }
    pkt->birth_node = ic->node->id;
    pkt->birth_id = ic->node->birth_next++;
    pkt->flags = 0;
    pkt->pad = 0;
    pkt->l4 = pkt->head;
    h = packet_data(pkt);
    if (pkt->csum != PKT_CSUM_PARTIAL) {
        uint16_t was = wire_get16(h), is = (uint16_t)(type << 8 | (was & 0xff));

        wire_put16(h + ICMP_CHECKSUM_OFF, checksum_update16(wire_get16(h + ICMP_CHECKSUM_OFF), was, is));
    }
    h[0] = type;
    return pkt;
}

/* Changes the 32 bits at `off` of an answer, which stand at an even offset, with the checksum. */
static void reply_put32(Packet *pkt, unsigned off, uint32_t v)
{
    uint8_t *h = packet_data(pkt);

    if (pkt->csum != PKT_CSUM_PARTIAL)
        wire_put16(h + ICMP_CHECKSUM_OFF,
                   checksum_update32(wire_get16(h + ICMP_CHECKSUM_OFF), wire_get32(h + off), v));
    wire_put32(h + off, v);
}

/* RFC 1122 3.2.2.6: a Record Route or Timestamp option comes back in the answer. (Source routes are not
 * answered in reverse: as with Linux's default accept_source_route 0, such packets do not get here.) */
static unsigned reply_options(const uint8_t *hdr, uint8_t out[IPV4_MAX_OPTIONS_LEN])
{
    Ipv4OptIter it = {hdr + IPV4_MIN_HDR_LEN, ipv4_hdr_len(hdr) - IPV4_MIN_HDR_LEN, 0};
    Ipv4Opt o;
    unsigned n = 0;

    while (ipv4_opt_next(&it, &o))
        if (o.type == IPV4_OPT_RECORD_ROUTE || o.type == IPV4_OPT_TIMESTAMP) {
            memcpy(out + n, o.p, o.len);
            n += o.len;
        }
    while (n & 3)
        out[n++] = IPV4_OPT_EOL;
    return n;
}

typedef struct Reply { /* where an answer goes; taken from the request before that is gone */
    Ip4Tx tx;
    uint8_t options[IPV4_MAX_OPTIONS_LEN];
} Reply;

static void reply_init(Reply *r, const Ip4Rx *rx)
{
    r->tx = (Ip4Tx){
        .src =
            rx->type == IP4_ROUTE_LOCAL ? rx->dst : 0, /* RFC 1122 3.2.2.6; to a group: as the route says */
        .dst = rx->src,
        .proto = IP_PROTO_ICMP,
        .tos = rx->tos,
    };

    if (HS_UNLIKELY(rx->hdr[0] != 0x45)) {
        r->tx.options_len = (uint8_t)reply_options(rx->hdr, r->options);
        r->tx.options = r->options;
    }
}

/* A source that names no single host gets no answer. */
static bool can_answer(const Ip4Rx *rx)
{
    return rx->src && rx->src >> 28 < 14;
}

static void receive_echo(Icmp4 *ic, Packet *pkt, const Ip4Rx *rx)
{
    Reply r;

    icmp4_count(ic, MIB_IcmpInEchos);
    if (HS_UNLIKELY(ip4_sysctl_get(ic->ip)->icmp_echo_ignore_all) || !can_answer(rx)) {
        icmp4_drop(ic, pkt, rx, DROP_FILTER);
        return;
    }
    reply_init(&r, rx);
    icmp4_output(ic, reply_from(ic, pkt, ICMP_ECHO_REPLY), &r.tx);
}

/* RFC 792: milliseconds since midnight UT. A simulation begins at midnight. */
static uint32_t now_ms(const Icmp4 *ic)
{
    return (uint32_t)(node_now(ic->node) / SIM_MS % MS_PER_DAY);
}

static void receive_timestamp(Icmp4 *ic, Packet *pkt, const Ip4Rx *rx)
{
    Reply r;

    icmp4_count(ic, MIB_IcmpInTimestamps);
    reply_init(&r, rx);
    pkt = packet_own(pkt);
    if (!can_answer(rx) || !packet_pullup(pkt, ICMP_TIMESTAMP_LEN)) {
        icmp4_count(ic, MIB_IcmpInErrors);
        icmp4_drop(ic, pkt, rx, DROP_L4_HEADER);
        return;
    }
    pkt = reply_from(ic, pkt, ICMP_TIMESTAMP_REPLY);
    reply_put32(pkt, 12, now_ms(ic)); /* received … */
    reply_put32(pkt, 16, now_ms(ic)); /* … and answered in one instant */
    icmp4_output(ic, pkt, &r.tx);
}

/* RFC 950; RFC 1122 3.2.2.9: answered only by an authority for it. Linux never does. */
static void receive_addrmask(Icmp4 *ic, Packet *pkt, const Ip4Rx *rx)
{
    Reply r;

    icmp4_count(ic, MIB_IcmpInAddrMasks);
    if (!ic->mask_agent || !can_answer(rx) || !rx->in || !ip4_addr_count(rx->in)) {
        packet_unref(pkt);
        return;
    }
    reply_init(&r, rx);
    pkt = packet_own(pkt);
    if (!packet_pullup(pkt, ICMP_ADDRMASK_LEN)) {
        icmp4_count(ic, MIB_IcmpInErrors);
        icmp4_drop(ic, pkt, rx, DROP_L4_HEADER);
        return;
    }
    pkt = reply_from(ic, pkt, ICMP_ADDRMASK_REPLY);
    reply_put32(pkt, 8, ipv4_mask(ip4_addr(rx->in, 0).len));
    icmp4_output(ic, pkt, &r.tx);
}

/* ---- our own queries ---- */

/* The first listener with an id not below `id`. */
static unsigned listener_index(const Icmp4 *ic, uint16_t id)
{
    unsigned lo = 0, hi = ic->listeners ? ic->listeners->len : 0;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (g_array_index(ic->listeners, Icmp4Listener, mid).id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static const Icmp4Listener *listener(const Icmp4 *ic, uint16_t id)
{
    unsigned i = listener_index(ic, id);
    const Icmp4Listener *l;

    if (!ic->listeners || i >= ic->listeners->len)
        return NULL;
    l = &g_array_index(ic->listeners, Icmp4Listener, i);
    return l->id == id ? l : NULL;
}

uint16_t icmp4_echo_open(Ip4 *ip, uint16_t id, Icmp4EchoFn fn, Icmp4EchoErrorFn error, void *user)
{
    Icmp4 *ic = icmp4_of(ip);
    Icmp4Listener l = {id, fn, error, user};

    if (id == 0) {
        unsigned tries = 0;

        do {
            if (++tries > UINT16_MAX)
                return 0;
            if (++ic->id_next == 0)
                ic->id_next = 1;
        } while (listener(ic, ic->id_next));
        l.id = ic->id_next;
    } else if (listener(ic, id)) {
        return 0;
    }
    if (!ic->listeners)
        ic->listeners = g_array_new(FALSE, FALSE, sizeof(Icmp4Listener));
    g_array_insert_val(ic->listeners, listener_index(ic, l.id), l);
    return l.id;
}

void icmp4_echo_close(Ip4 *ip, uint16_t id)
{
    const Ip4Proto *p = ip4_proto(ip, IP_PROTO_ICMP);
    Icmp4 *ic = p ? p->user : NULL; /* gone with the host's power? */

    if (ic && listener(ic, id))
        g_array_remove_index(ic->listeners, listener_index(ic, id));
}

static void receive_answer(Icmp4 *ic, Packet *pkt, const Ip4Rx *rx, unsigned counter)
{
    const Icmp4Listener *l = listener(ic, icmp_id(packet_cdata(pkt)));

    icmp4_count(ic, counter);
    if (l && l->fn)
        l->fn(l->user, pkt, rx);
    else
        packet_unref(pkt);
}

/* An error about something that we sent over ICMP (Linux icmp_err, ping_err). */
static void on_error(void *user, const Ip4Error *e)
{
    Icmp4 *ic = user;
    const Icmp4Listener *l;

    if (e->l4_len < ICMP_HDR_LEN || !icmp_has_id(icmp_type(e->l4)))
        return;
    l = listener(ic, icmp_id(e->l4));
    if (l && l->error)
        l->error(l->user, e);
}

/* ---- arrival ---- */

static bool checksum_ok(const Packet *pkt)
{
    return checksum_fold(packet_sum(pkt, pkt->head, packet_len(pkt))) == 0xffff;
}

static void on_input(void *user, Packet *pkt, const Ip4Rx *rx)
{
    Icmp4 *ic = user;
    uint8_t type;

    icmp4_count(ic, MIB_IcmpInMsgs);
    if (HS_UNLIKELY(packet_header_len(pkt) < ICMP_HDR_LEN)) {
        icmp4_count(ic, MIB_IcmpInErrors);
        icmp4_drop(ic, pkt, rx, DROP_L4_HEADER);
        return;
    }
    if (HS_UNLIKELY(pkt->csum != PKT_CSUM_PARTIAL && !checksum_ok(pkt))) {
        icmp4_count(ic, MIB_IcmpInCsumErrors);
        icmp4_count(ic, MIB_IcmpInErrors);
        icmp4_drop(ic, pkt, rx, DROP_L4_CHECKSUM);
        return;
    }
    type = icmp_type(packet_cdata(pkt));
    count_type(ic, MIB_IcmpMsgInType0, type);
    /* RFC 1122 3.2.2.6, 3.2.2.8: a query to a group may be ignored; only queries are answered there at all.
     */
    if (HS_UNLIKELY(rx->type == IP4_ROUTE_BROADCAST || rx->type == IP4_ROUTE_MULTICAST)) {
        bool is_query = type == ICMP_ECHO || type == ICMP_TIMESTAMP;

        if ((is_query && ip4_sysctl_get(ic->ip)->icmp_echo_ignore_broadcasts) ||
            (!is_query && type != ICMP_ADDRMASK && type != ICMP_ADDRMASK_REPLY)) {
            icmp4_count(ic, MIB_IcmpInErrors);
            icmp4_drop(ic, pkt, rx, DROP_FILTER);
            return;
        }
    }
    switch (type) {
    case ICMP_ECHO:
        receive_echo(ic, pkt, rx);
        break;
    case ICMP_ECHO_REPLY:
        receive_answer(ic, pkt, rx, MIB_IcmpInEchoReps);
        break;
    case ICMP_TIMESTAMP:
        receive_timestamp(ic, pkt, rx);
        break;
    case ICMP_TIMESTAMP_REPLY:
        receive_answer(ic, pkt, rx, MIB_IcmpInTimestampReps);
        break;
    case ICMP_ADDRMASK:
        receive_addrmask(ic, pkt, rx);
        break;
    case ICMP_ADDRMASK_REPLY:
        receive_answer(ic, pkt, rx, MIB_IcmpInAddrMaskReps);
        break;
    case ICMP_REDIRECT:
        icmp4_receive_redirect(ic, pkt, rx);
        break;
    case ICMP_DEST_UNREACH:
    case ICMP_SOURCE_QUENCH:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAM_PROBLEM:
        icmp4_receive_error(ic, pkt, rx);
        break;
    case ICMP_ROUTER_ADVERT:
    case ICMP_ROUTER_SOLICIT:
    case ICMP_INFO_REQUEST:
    case ICMP_INFO_REPLY:
        packet_unref(pkt); /* known, of no interest (Linux icmp_discard) */
        break;
    default: /* RFC 1122 3.2.2: silently discarded */
        icmp4_count(ic, MIB_IcmpInErrors);
        icmp4_drop(ic, pkt, rx, DROP_PROTOCOL);
        break;
    }
}

/* ---- life ---- */

Icmp4 *icmp4_new(Ip4 *ip)
{
    Icmp4 *ic = g_new0(Icmp4, 1);

    ic->ip = ip;
    ic->node = ip4_node(ip);
    ip4_set_proto(ip, IP_PROTO_ICMP, &(Ip4Proto){.input = on_input, .error = on_error, .user = ic});
    return ic;
}

void icmp4_free(Icmp4 *ic)
{
    if (!ic)
        return;
    ip4_set_proto(ic->ip, IP_PROTO_ICMP, NULL);
    icmp4_rate_clear(&ic->rate);
    if (ic->listeners)
        g_array_free(ic->listeners, TRUE);
    g_free(ic->mib);
    g_free(ic);
}

/* IPv4 options on their way in and through: ip_options_compile, ip_options_fragment, ip_forward_options
 * (Linux net/ipv4/ip_options.c; RFC 791 3.1, RFC 1812 5.3.13).
 *
 * Source routing is always refused (Linux: accept_source_route 0, RFC 7126 recommends it). Security and
 * stream identifiers pass unread, router alerts are not acted on. */
#include <string.h>

#include "models/ip/ip4_priv.h"

enum { TS_ONLY = 0, TS_AND_ADDR = 1, TS_PRESPEC = 3 };

/* RFC 791: milliseconds since midnight UT; the simulation begins at midnight. */
static uint32_t ms_since_midnight(const Ip4 *ip)
{
    return (uint32_t)(node_now(ip->node) / SIM_MS % 86400000);
}

static uint32_t address_of(Ip4 *ip, const Ip4If *ifp, uint32_t dst)
{
    return ip4_is_local(ip, dst) ? dst : ip4_primary_addr(ifp);
}

/* Writes our address to the record route option at o, whose pointer has been checked. */
static void record(uint8_t *o, uint32_t addr)
{
    wire_put32(o + o[2] - 1, addr);
    o[2] += 4;
}

/* The timestamp option at o. 0, or the offset in it of what is wrong. */
static unsigned stamp(Ip4 *ip, uint8_t *o, uint32_t addr)
{
    unsigned len = o[1], ptr = o[2], flag = o[3] & 15, need = flag == TS_ONLY ? 4 : 8;

    if (ptr < 5)
        return 2;
    if (flag != TS_ONLY && flag != TS_AND_ADDR && flag != TS_PRESPEC)
        return 3;
    if (ptr > len) { /* full: count who could not sign */
        if (o[3] >> 4 == 15)
            return 3;
        o[3] += 0x10;
        return 0;
    }
    if (ptr + need - 1 > len)
        return 2;
    if (flag == TS_PRESPEC && !ip4_is_local(ip, wire_get32(o + ptr - 1)))
        return 0;
    if (flag == TS_AND_ADDR)
        wire_put32(o + ptr - 1, addr);
    wire_put32(o + ptr + need - 5, ms_since_midnight(ip));
    o[2] += (uint8_t)need;
    return 0;
}

bool ip4_options_input(Ip4 *ip, Ip4If *ifp, Packet *pkt, ProbeDrop *reason)
{
    uint8_t *h = packet_data(pkt);
    uint8_t *opt = h + IPV4_MIN_HDR_LEN, *end = h + ipv4_hdr_len(h);
    uint32_t addr = address_of(ip, ifp, ipv4_dst(h));
    bool had_rr = false, had_ts = false, changed = false;
    unsigned bad = 0;

    for (; opt < end && *opt != IPV4_OPT_EOL; opt += opt[1]) {
        while (opt < end && *opt == IPV4_OPT_NOP)
            opt++;
        if (opt == end || *opt == IPV4_OPT_EOL)
            break;
        if (end - opt < 2 || opt[1] < 2 || opt[1] > end - opt)
            goto problem;
        switch (*opt) {
        case IPV4_OPT_LSRR:
        case IPV4_OPT_SSRR:
            *reason = DROP_FILTER;
            return false;
        case IPV4_OPT_RECORD_ROUTE:
            bad = opt[1] < 3 ? 1 : had_rr ? 0 : opt[2] < 4 ? 2 : 0;
            if (bad || had_rr)
                goto problem;
            had_rr = true;
            if (opt[2] <= opt[1]) {
                bad = 2;
                if (opt[2] + 3 > opt[1])
                    goto problem;
                record(opt, addr);
                changed = true;
                bad = 0;
            }
            break;
        case IPV4_OPT_TIMESTAMP:
            bad = opt[1] < 4 ? 1 : had_ts ? 0 : stamp(ip, opt, addr);
            if (bad || had_ts)
                goto problem;
            had_ts = changed = true;
            break;
        default:
            break;
        }
    }
    if (changed)
        ipv4_fill_checksum(h);
    return true;

problem:
    ip4_count(ip, MIB_IpInHdrErrors);
    icmp4_send_error(ip, pkt, ICMP_PARAM_PROBLEM, 0, (uint32_t)(opt - h) + bad);
    *reason = DROP_IP_HEADER;
    return false;
}

/* A router records the address of the card by which the packet leaves, in the place where it put another one
 * on arrival. */
void ip4_options_forward(Ip4 *ip, Packet *pkt, const Ip4If *out)
{
    uint8_t *h = packet_data(pkt);
    Ipv4OptIter it = {h + IPV4_MIN_HDR_LEN, ipv4_hdr_len(h) - IPV4_MIN_HDR_LEN, 0};
    uint32_t addr = ip4_primary_addr(out);
    Ipv4Opt o;

    while (ipv4_opt_next(&it, &o)) {
        uint8_t *p = h + (o.p - h);
        bool full = o.len > 2 && p[2] > o.len + 1u;

        if (o.type == IPV4_OPT_RECORD_ROUTE && p[2] >= 8 && !full &&
            ip4_is_local(ip, wire_get32(p + p[2] - 5)))
            wire_put32(p + p[2] - 5, addr);
        else if (o.type == IPV4_OPT_TIMESTAMP && (p[3] & 15) == TS_AND_ADDR && p[2] >= 13 && !full &&
                 ip4_is_local(ip, wire_get32(p + p[2] - 9)))
            wire_put32(p + p[2] - 9, addr);
    }
    ipv4_fill_checksum(h);
}

unsigned ip4_options_copied(uint8_t *to, const uint8_t *options, unsigned len)
{
    Ipv4OptIter it = {options, len, 0};
    unsigned n = 0;
    Ipv4Opt o;

    while (ipv4_opt_next(&it, &o)) {
        if (!(o.type & IPV4_OPT_COPIED) || o.type == IPV4_OPT_EOL || n + o.len > IPV4_MAX_OPTIONS_LEN)
            continue;
        memcpy(to + n, o.p, o.len);
        n += o.len;
    }
    while (n & 3)
        to[n++] = IPV4_OPT_EOL;
    return n;
}

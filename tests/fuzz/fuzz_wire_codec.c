/* Every decoder on any bytes (the first byte chooses it). What decodes also encodes, and decodes again to the
 * same. */
#include <string.h>

#include "models/wire/arp.h"
#include "models/wire/bpdu.h"
#include "models/wire/eth.h"
#include "models/wire/icmp.h"
#include "models/wire/igmp.h"
#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "models/wire/llc.h"
#include "models/wire/ppp.h"
#include "models/wire/tcp.h"
#include "models/wire/tftp.h"
#include "models/wire/udp.h"
#include "models/wire/vlan.h"
#include "sim/base/base.h"

/* decode → encode → decode → encode: both encodings are equal, and as long as announced. */
#define ROUND_TRIP(Type, prefix, p, len)                                                                     \
    do {                                                                                                     \
        Type first_, second_;                                                                                \
        uint8_t a_[128], b_[128];                                                                            \
        int n_ = prefix##_decode(&first_, p, len);                                                           \
        if (n_ >= 0) {                                                                                       \
            hs_assert((size_t)n_ <= len);                                                                    \
            size_t na_ = prefix##_encode(a_, &first_);                                                       \
            hs_assert(na_ == prefix##_encoded_len(&first_) && na_ <= sizeof a_);                             \
            hs_assert(redecode_##prefix(&second_, a_, na_) >= 0);                                            \
            hs_assert(prefix##_encode(b_, &second_) == na_);                                                 \
            hs_assert(memcmp(a_, b_, na_) == 0);                                                             \
        }                                                                                                    \
    } while (0)

/* Lengths in these headers count what is not there when only the header is encoded. */
static int redecode_ipv4(Ipv4Hdr *h, const uint8_t *p, size_t len)
{
    return ipv4_decode_quoted(h, p, len);
}

static int redecode_udp(UdpHdr *h, const uint8_t *p, size_t len)
{
    return udp_decode(h, p, udp_len(p));
}

static int redecode_ipv6(Ipv6Hdr *h, const uint8_t *p, size_t len)
{
    return ipv6_decode(h, p, len + ipv6_payload_len(p));
}

#define redecode_eth eth_decode
#define redecode_vlan vlan_decode
#define redecode_llc llc_decode
#define redecode_arp arp_decode
#define redecode_icmp icmp_decode
#define redecode_tcp tcp_decode
#define redecode_bpdu bpdu_decode
#define redecode_ppp ppp_decode

static void tcp_options(const uint8_t *p, size_t len)
{
    TcpOptions o, back;
    uint8_t raw[160], again[160];
    char text[100];
    size_t n;

    tcp_options_format(p, len, text, 1 + len % sizeof text);
    if (tcp_options_decode(&o, p, len) != WIRE_OK)
        return;
    n = tcp_options_encode(raw, &o);
    hs_assert(n == tcp_options_encoded_len(&o) && n % 4 == 0);
    if (n > TCP_MAX_OPTIONS_LEN)
        return;
    hs_assert(tcp_options_decode(&back, raw, n) == WIRE_OK);
    hs_assert(tcp_options_encode(again, &back) == n && memcmp(raw, again, n) == 0);
}

static void tftp(const uint8_t *p, size_t len)
{
    TftpMsg m;
    uint8_t built[1024];
    int n = tftp_decode(&m, p, len);

    if (n < 0 || len > sizeof built)
        return;
    hs_assert((size_t)n <= len);
    hs_assert(tftp_encode(built, &m) == (size_t)n && tftp_encoded_len(&m) == (size_t)n);
    hs_assert(memcmp(built, p, (size_t)n) == 0);
}

static void igmp(const uint8_t *p, size_t len)
{
    IgmpMsg m;
    IgmpRecord r;
    uint8_t built[16];
    int n = igmp_decode(&m, p, len);

    for (unsigned i = 0; i < 70; i++)
        if (igmp_record(&r, p, len, i))
            hs_assert(r.sources + 4 * r.n_sources <= p + len);
    if (n >= 0)
        hs_assert(igmp_encode(built, &m) == igmp_encoded_len(&m));
    if (n >= 0 && m.type == IGMP_V3_REPORT)
        hs_assert(m.n_records == 0 || igmp_record(&r, p, len, m.n_records - 1u));
}

static void options_and_quotes(const uint8_t *p, size_t len)
{
    IcmpQuote q;
    Ipv4OptIter it = {p, len, 0};
    Ipv4Opt opt;

    while (ipv4_opt_next(&it, &opt))
        hs_assert(opt.p + opt.len <= p + len);
    if (icmp_quote_decode(&q, p, len) == WIRE_OK)
        hs_assert(q.l4 + q.l4_len <= p + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const uint8_t *p = data + 1;
    size_t len = size - 1;

    switch (data[0] % 15) {
    case 0:
        ROUND_TRIP(EthHdr, eth, p, len);
        break;
    case 1:
        ROUND_TRIP(VlanTag, vlan, p, len);
        break;
    case 2:
        ROUND_TRIP(LlcHdr, llc, p, len);
        break;
    case 3:
        ROUND_TRIP(ArpMsg, arp, p, len);
        break;
    case 4:
        ROUND_TRIP(Ipv4Hdr, ipv4, p, len);
        break;
    case 5:
        ROUND_TRIP(Ipv6Hdr, ipv6, p, len);
        break;
    case 6:
        ROUND_TRIP(IcmpMsg, icmp, p, len);
        break;
    case 7:
        ROUND_TRIP(UdpHdr, udp, p, len);
        break;
    case 8:
        ROUND_TRIP(TcpHdr, tcp, p, len);
        break;
    case 9:
        tcp_options(p, len);
        break;
    case 10:
        ROUND_TRIP(Bpdu, bpdu, p, len);
        break;
    case 11:
        ROUND_TRIP(PppHdr, ppp, p, len);
        break;
    case 12:
        tftp(p, len);
        break;
    case 13:
        igmp(p, len);
        break;
    default:
        options_and_quotes(p, len);
        break;
    }
    return 0;
}

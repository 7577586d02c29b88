/* Which data segment of its connection is this frame, and has it been here before? So that a rule can lose
 * exactly the third segment, or its first repetition.
 *
 * One memory belongs to each rule and observer. Per connection, direction and place it keeps which numbers
 * every new data segment had and how often its first byte has passed. A segment that begins with a byte that
 * has passed is a repetition. A SYN with another number begins anew: the ports are used again. */
#include <string.h>

#include "lua/bind/bind.h"
#include "models/wire/dissect.h"
#include "models/wire/eth.h"
#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "models/wire/tcp.h"
#include "models/wire/vlan.h"
#include "sim/base/hash64.h"

#define LOOK_BYTES 256 /* enough for Ethernet, two tags, IP and TCP with options */
#define PROTO_TCP 6

typedef struct Key {
    const void *point, *event;
    uint8_t addr[32]; /* source and destination; IPv4 in the first 8 */
    uint8_t ports[4];
    uint32_t is_v6;
} Key;

typedef struct Begin {
    uint64_t seq; /* from the first number seen on */
    uint32_t len, times;
} Begin;

typedef struct Flow {
    Key key;
    uint32_t base;   /* the number that stands for 2^32 here */
    uint64_t end;    /* behind the highest byte seen */
    GArray *begins;  /* Begin, ascending: new data segments */
    uint32_t syns;   /* SYNs with this number */
    uint64_t fin_at; /* 0: none yet */
    bool has_syn;
    uint32_t isn;
} Flow;

struct TcpSeen {
    GHashTable *flows; /* only looked up, never walked */
};

static guint key_hash(gconstpointer p)
{
    Hash64 h;

    hash64_init(&h, 0);
    hash64_update(&h, p, sizeof(Key));
    return (guint)hash64_final64(&h);
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(Key)) == 0;
}

static void flow_free(gpointer p)
{
    Flow *f = p;

    g_array_free(f->begins, true);
    g_free(f);
}

TcpSeen *bind_tcp_seen_new(void)
{
    TcpSeen *s = g_new0(TcpSeen, 1);

    s->flows = g_hash_table_new_full(key_hash, key_equal, NULL, flow_free);
    return s;
}

void bind_tcp_seen_free(TcpSeen *s)
{
    if (!s)
        return;
    g_hash_table_destroy(s->flows);
    g_free(s);
}

/* The whole TCP header lies in the len bytes at p: where, and the bytes of data behind it in the packet. */
static const uint8_t *find_tcp(const uint8_t *p, size_t len, uint16_t linktype, Key *key, uint32_t *data_len)
{
    uint16_t type = 0;
    size_t off = 0, end;

    if (linktype == WIRE_LINK_ETHERNET) {
        if (len < ETH_HDR_LEN)
            return NULL;
        type = eth_type(p);
        off = ETH_HDR_LEN;
        while ((type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ) && len >= off + 4) {
            type = wire_get16(p + off + 2);
            off += 4;
        }
    } else if (linktype == WIRE_LINK_RAW && len) {
        type = p[0] >> 4 == 4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6;
    }
    if (type == ETH_TYPE_IPV4 && len >= off + IPV4_MIN_HDR_LEN) {
        const uint8_t *ip = p + off;
        unsigned hdr = (ip[0] & 15u) * 4;

        if (ipv4_proto(ip) != PROTO_TCP || ipv4_frag_offset(ip) != 0)
            return NULL;
        memcpy(key->addr, ip + IPV4_SRC_OFF, 8);
        end = off + wire_get16(ip + IPV4_TOTAL_LEN_OFF);
        off += hdr;
    } else if (type == ETH_TYPE_IPV6 && len >= off + IPV6_HDR_LEN) {
        const uint8_t *ip = p + off;

        if (ipv6_next_header(ip) != PROTO_TCP)
            return NULL;
        memcpy(key->addr, ip + IPV6_SRC_OFF, 32);
        key->is_v6 = 1;
        end = off + IPV6_HDR_LEN + ipv6_payload_len(ip);
        off += IPV6_HDR_LEN;
    } else {
        return NULL;
    }
    if (len < off + TCP_MIN_HDR_LEN)
        return NULL;
    const uint8_t *tcp = p + off;

    if (end < off + tcp_hdr_len(tcp))
        return NULL;
    memcpy(key->ports, tcp, 4);
    *data_len = (uint32_t)(end - off - tcp_hdr_len(tcp));
    return tcp;
}

static Flow *flow_of(TcpSeen *s, const Key *key, const uint8_t *tcp)
{
    Flow *f = g_hash_table_lookup(s->flows, key);
    bool is_syn = tcp_flags(tcp) & TCP_SYN;

    if (f && is_syn && (!f->has_syn || f->isn != tcp_seq(tcp))) {
        g_hash_table_remove(s->flows, key);
        f = NULL;
    }
    if (f)
        return f;
    f = g_new0(Flow, 1);
    f->key = *key;
    f->base = tcp_seq(tcp);
    f->end = UINT64_C(1) << 32;
    f->has_syn = is_syn;
    f->isn = tcp_seq(tcp);
    f->begins = g_array_new(false, false, sizeof(Begin));
    g_hash_table_insert(s->flows, &f->key, f);
    return f;
}

/* The segment whose begin is the last one at or below seq: its index, or -1. */
static int find_begin(const Flow *f, uint64_t seq)
{
    int low = 0, high = (int)f->begins->len;

    while (low < high) {
        int mid = (low + high) / 2;

        if (g_array_index(f->begins, Begin, mid).seq <= seq)
            low = mid + 1;
        else
            high = mid;
    }
    return low - 1;
}

void bind_tcp_seen_look(TcpSeen *s, const void *point, const void *event, const Packet *pkt,
                        uint16_t linktype, TcpSeenFacts *out)
{
    uint8_t bytes[LOOK_BYTES];
    uint32_t n = packet_copy(pkt, 0, bytes, HS_MIN(packet_len(pkt), (uint32_t)sizeof bytes)), len = 0;
    Key key;

    memset(&key, 0, sizeof key);
    key.point = point;
    key.event = event;
    *out = (TcpSeenFacts){0};
    const uint8_t *tcp = find_tcp(bytes, n, linktype, &key, &len);

    if (!tcp)
        return;
    Flow *f = flow_of(s, &key, tcp);
    uint16_t flags = tcp_flags(tcp);
    /* Numbers wrap: the one nearest to the highest so far. */
    uint64_t seq = f->end + (uint64_t)(int64_t)(int32_t)(tcp_seq(tcp) - f->base - (uint32_t)f->end);
    uint64_t first = seq + !!(flags & TCP_SYN);

    out->is_known = true;
    if (flags & TCP_SYN)
        out->transmission = ++f->syns;
    if (len > 0) {
        int i = find_begin(f, first);
        Begin *b = i >= 0 ? &g_array_index(f->begins, Begin, i) : NULL;

        if (b && first < b->seq + b->len) {
            out->is_retransmission = true;
            b->len = HS_MAX(b->len, (uint32_t)(first - b->seq) + len);
        } else { /* new, although perhaps late: overtaken on its way to here */
            Begin fresh = {first, len, 0};

            g_array_insert_val(f->begins, (guint)(i + 1), fresh);
            b = &g_array_index(f->begins, Begin, ++i);
        }
        out->data_nth = (uint64_t)i + 1;
        out->transmission = ++b->times;
    } else if (flags & TCP_SYN) {
        out->is_retransmission = f->syns > 1;
    } else if (flags & TCP_FIN) {
        out->is_retransmission = f->fin_at == first;
    }
    if (flags & TCP_FIN)
        f->fin_at = first + len;
    if (first + len > f->end)
        f->end = first + len;
}

/* Reassembly of fragments at their destination: ip_frag_queue, ip_frag_reasm, ip_expire (Linux
 * net/ipv4/ip_fragment.c, inet_fragment.c; RFC 791, 815, 1122 3.3.2).
 *
 * A datagram is known by (source, destination, protocol, id). Its fragments wait in order of offset; when
 * they are complete, the payload of all is appended, by reference, to the packet of the first. A fragment
 * that lies within what is there already is a duplicate and only dropped; one that overlaps otherwise kills
 * the whole datagram (Linux since 4.19, after RFC 5722 for IPv6).
 *
 * As Linux since 4.17, every fragment is refused while more than high_thresh bytes are held; low_thresh is
 * only there to be set. */
#include <glib.h>
#include <string.h>

#include "models/ip/ip4_priv.h"

#define BUCKETS_MIN 8
#define MAX_DATA (IPV4_MAX_LEN - IPV4_MIN_HDR_LEN)

typedef struct Piece {
    Packet *pkt; /* head at its IP header */
    uint32_t off, end;
} Piece;

/* How many fragments a source has sent: ip_frag_too_far. Kept once made, so that steady traffic allocates
 * nothing. */
typedef struct Peer {
    uint32_t rid;
} Peer;

typedef struct FragQueue {
    struct FragQueue *next;
    Ip4 *ip;
    Ip4If *in; /* of the last fragment */
    Peer *peer;
    uint32_t src, dst, rid;
    uint16_t id;
    uint8_t proto, ecn; /* bit set of the fragments' ECN fields */
    bool first_in, last_in, df;
    uint32_t len, meat, mem; /* of the datagram as known so far; bytes there; true size charged */
    uint32_t n, cap;
    Piece *piece;
    Timer timer;
} FragQueue;

struct Ip4Reass {
    FragQueue **bucket;
    FragQueue *spare; /* done with, with their arrays */
    uint32_t n_buckets, n_queues;
    uint32_t mem;
    GHashTable *peers; /* by address; only looked up, never walked */
};

static uint32_t bucket_of(const Ip4Reass *r, uint32_t src, uint32_t dst, uint16_t id, uint8_t proto)
{
    uint64_t h = (((uint64_t)src << 32 | dst) ^ (uint64_t)id << 24 ^ proto) * 0x9e3779b97f4a7c15u;

    return (uint32_t)(h >> 40) & (r->n_buckets - 1);
}

static Ip4Reass *reass_of(Ip4 *ip)
{
    Ip4Rare *rare = ip4_rare(ip);

    if (!rare->reass) {
        rare->reass = g_new0(Ip4Reass, 1);
        rare->reass->n_buckets = BUCKETS_MIN;
        rare->reass->bucket = g_new0(FragQueue *, BUCKETS_MIN);
        rare->reass->peers = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    }
    return rare->reass;
}

static void rehash(Ip4Reass *r)
{
    FragQueue **old = r->bucket;
    uint32_t n = r->n_buckets;

    r->n_buckets *= 2;
    r->bucket = g_new0(FragQueue *, r->n_buckets);
    for (uint32_t i = 0; i < n; i++) {
        for (FragQueue *q = old[i], *next; q; q = next) {
            uint32_t b = bucket_of(r, q->src, q->dst, q->id, q->proto);

            next = q->next;
            q->next = r->bucket[b];
            r->bucket[b] = q;
        }
    }
    g_free(old);
}

/* Takes the queue out of the table and lets go of the memory; its packets are the caller's to drop. */
static void unlink_queue(Ip4Reass *r, FragQueue *q)
{
    FragQueue **at = &r->bucket[bucket_of(r, q->src, q->dst, q->id, q->proto)];

    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    r->n_queues--;
    r->mem -= q->mem;
    timer_clear(&q->timer);
}

static void recycle(Ip4Reass *r, FragQueue *q)
{
    q->next = r->spare;
    r->spare = q;
}

static FragQueue *take_queue(Ip4Reass *r)
{
    FragQueue *q = r->spare;
    Piece *piece;
    uint32_t cap;

    if (!q)
        return g_new0(FragQueue, 1);
    r->spare = q->next;
    piece = q->piece, cap = q->cap;
    *q = (FragQueue){.piece = piece, .cap = cap};
    return q;
}

static void drop_pieces(FragQueue *q, ProbeDrop reason)
{
    for (uint32_t i = 0; i < q->n; i++)
        ip4_drop(q->in, q->piece[i].pkt, reason);
    q->n = 0;
}

static void fail(FragQueue *q, ProbeDrop reason)
{
    ip4_count(q->ip, MIB_IpReasmFails);
    unlink_queue(q->ip->live->rare->reass, q);
    drop_pieces(q, reason);
    recycle(q->ip->live->rare->reass, q);
}

void ip4_reass_free(Ip4Reass *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->n_buckets; i++) {
        while (r->bucket[i]) {
            FragQueue *q = r->bucket[i];

            unlink_queue(r, q);
            for (uint32_t k = 0; k < q->n; k++)
                packet_unref(q->piece[k].pkt);
            recycle(r, q);
        }
    }
    while (r->spare) {
        FragQueue *q = r->spare;

        r->spare = q->next;
        g_free(q->piece);
        g_free(q);
    }
    g_hash_table_destroy(r->peers);
    g_free(r->bucket);
    g_free(r);
}

size_t ip4_reass_bytes(const Ip4Reass *r)
{
    return r ? sizeof *r + r->n_buckets * sizeof *r->bucket + r->n_queues * sizeof(FragQueue) : 0;
}

/* ip_expire: 11/1 goes to the sender if the first fragment, with the ports in it, has come. */
static void expire(Timer *timer)
{
    FragQueue *q = HS_CONTAINER_OF(timer, FragQueue, timer);
    Ip4 *ip = q->ip;

    ip4_count(ip, MIB_IpReasmTimeout);
    if (q->first_in)
        icmp4_send_error(ip, q->piece[0].pkt, ICMP_TIME_EXCEEDED, ICMP_EXCEEDED_REASSEMBLY, 0);
    fail(q, DROP_REASSEMBLY_TIMEOUT);
}

static FragQueue *find(Ip4 *ip, Ip4If *ifp, const uint8_t *h)
{
    Ip4Reass *r = reass_of(ip);
    uint32_t src = ipv4_src(h), dst = ipv4_dst(h);
    uint16_t id = ipv4_id(h);
    uint8_t proto = ipv4_proto(h);
    FragQueue *q = r->bucket[bucket_of(r, src, dst, id, proto)];
    uint32_t b;

    /* inet_frag_find: before it looks whether the datagram is known */
    if (r->mem > ip->sysctl->ipfrag_high_thresh || ip->sysctl->ipfrag_high_thresh == 0)
        return NULL;
    while (q && (q->src != src || q->dst != dst || q->id != id || q->proto != proto))
        q = q->next;
    if (q)
        return q;
    if (r->n_queues >= 2 * r->n_buckets)
        rehash(r);
    q = take_queue(r);
    q->ip = ip;
    q->in = ifp;
    q->src = src, q->dst = dst, q->id = id, q->proto = proto;
    q->peer = g_hash_table_lookup(r->peers, GUINT_TO_POINTER(src));
    if (!q->peer) {
        q->peer = g_new0(Peer, 1);
        g_hash_table_insert(r->peers, GUINT_TO_POINTER(src), q->peer);
    }
    q->rid = q->peer->rid;
    timer_init(&q->timer, ip->node, expire);
    timer_arm_after(&q->timer, ip->sysctl->ipfrag_time_ms * SIM_MS);
    b = bucket_of(r, src, dst, id, proto);
    q->next = r->bucket[b];
    r->bucket[b] = q;
    r->n_queues++;
    return q;
}

/* ip_frag_too_far: so many other fragments came from there meanwhile that the id may have wrapped around:
 * what we have is thrown away, and this fragment begins anew (ip_frag_reinit). */
static void check_distance(FragQueue *q)
{
    uint32_t max = q->ip->sysctl->ipfrag_max_dist, before = q->rid;

    q->rid = ++q->peer->rid;
    if (max == 0 || q->n == 0 || q->rid - before <= max)
        return;
    ip4_count(q->ip, MIB_IpReasmFails);
    q->ip->live->rare->reass->mem -= q->mem;
    drop_pieces(q, DROP_REASSEMBLY_TIMEOUT);
    q->mem = q->meat = q->len = 0;
    q->first_in = q->last_in = q->df = false;
    q->ecn = 0;
    timer_arm_after(&q->timer, q->ip->sysctl->ipfrag_time_ms * SIM_MS);
}

typedef enum Insert { INSERTED, DUPLICATE, OVERLAP } Insert;

/* inet_frag_queue_insert */
static Insert insert(FragQueue *q, Packet *pkt, uint32_t off, uint32_t end)
{
    uint32_t i = q->n;

    while (i > 0 && q->piece[i - 1].off > off)
        i--;
    /* Behind pieces [0, i), before [i, n). Contained in a run of pieces without a gap: a duplicate. */
    if (i > 0 && q->piece[i - 1].end > off) {
        uint32_t run = q->piece[i - 1].end;

        for (uint32_t k = i; k < q->n && q->piece[k].off == run; k++)
            run = q->piece[k].end;
        return end <= run ? DUPLICATE : OVERLAP;
    }
    if (i < q->n && q->piece[i].off < end)
        return OVERLAP;
    if (q->n == q->cap) {
        q->cap = q->cap ? q->cap * 2 : 4;
        q->piece = g_renew(Piece, q->piece, q->cap);
    }
    memmove(q->piece + i + 1, q->piece + i, (q->n - i) * sizeof *q->piece);
    q->piece[i] = (Piece){pkt, off, end};
    q->n++;
    return INSERTED;
}

/* ip_frag_ecn_table: RFC 3168 5.3. One CE marks the whole, if the others were capable; a mix with not-ECT is
 * refused. */
static int merged_ecn(unsigned bits)
{
    const unsigned not_ect = 1u << IP_ECN_NOT_ECT, ce = 1u << IP_ECN_CE;

    if ((bits & not_ect) && bits != not_ect)
        return -1;
    return (bits & ce) && bits != ce ? IP_ECN_CE : 0;
}

static Packet *complete(FragQueue *q)
{
    Ip4 *ip = q->ip;
    Packet *whole = q->piece[0].pkt;
    unsigned hlen = ipv4_hdr_len(packet_cdata(whole));
    int ecn = merged_ecn(q->ecn);
    uint8_t *h;

    if (ecn < 0 || hlen + q->len > IPV4_MAX_LEN) {
        fail(q, DROP_REASSEMBLY_OVERLAP);
        return NULL;
    }
    unlink_queue(ip->live->rare->reass, q);
    for (uint32_t i = 1; i < q->n; i++) {
        Packet *p = q->piece[i].pkt;
        unsigned fh = ipv4_hdr_len(packet_cdata(p));

        packet_add_bytes(whole, packet_cdata(p) + fh, packet_header_len(p) - fh);
        packet_add_payload_of(whole, p, 0, p->payload_len);
        packet_unref(p);
    }
    h = packet_data(whole);
    ipv4_set_frag(h, q->df ? IPV4_FLAG_DF : 0);
    ipv4_set_total_len(h, (uint16_t)(hlen + q->len));
    ipv4_set_tos(h, ipv4_tos(h) | (uint8_t)ecn);
    ipv4_fill_checksum(h);
    ip4_count(ip, MIB_IpReasmOKs);
    ip4_probe(q->in, &ip4_probe_reassembled, whole);
    recycle(ip->live->rare->reass, q);
    return whole;
}

Packet *ip4_reassemble(Ip4 *ip, Ip4If *ifp, Packet *pkt)
{
    const uint8_t *h = packet_cdata(pkt);
    unsigned hlen = ipv4_hdr_len(h);
    uint32_t off = ipv4_frag_offset(h), end = off + packet_len(pkt) - hlen;
    bool more = ipv4_frag(h) & IPV4_FLAG_MF;
    ProbeDrop reason = DROP_IP_HEADER;
    FragQueue *q;

    ip4_count(ip, MIB_IpReasmReqds);
    q = find(ip, ifp, h);
    if (!q) {
        ip4_count(ip, MIB_IpReasmFails);
        ip4_drop(ifp, pkt, DROP_REASSEMBLY_MEMORY);
        return NULL;
    }
    q->in = ifp;
    check_distance(q);
    if (!more) {
        /* The last one must end where the datagram does. */
        if (end < q->len || (q->last_in && end != q->len))
            goto discard;
    } else if ((end & 7) && end > off) {
        end &= ~7u;
    }
    if (end > q->len) {
        if (more && q->last_in) /* beyond the known end */
            goto discard;
    }
    if (end <= off || end > MAX_DATA + IPV4_MIN_HDR_LEN)
        goto discard;
    packet_trim(pkt, hlen + end - off);
    switch (insert(q, pkt, off, end)) {
    case DUPLICATE:
        ip4_drop(ifp, pkt, DROP_REASSEMBLY_OVERLAP);
        return NULL;
    case OVERLAP:
        ip4_count(ip, MIB_IpExtReasmOverlaps);
        reason = DROP_REASSEMBLY_OVERLAP;
        goto discard;
    case INSERTED:
        break;
    }
    q->len = HS_MAX(q->len, end);
    q->last_in |= !more;
    q->first_in |= off == 0;
    q->df |= (ipv4_frag(h) & IPV4_FLAG_DF) != 0;
    q->ecn |= (uint8_t)(1u << ipv4_ecn(h));
    q->meat += end - off;
    q->mem += neigh_truesize(pkt);
    ip->live->rare->reass->mem += neigh_truesize(pkt);
    if (q->first_in && q->last_in && q->meat == q->len)
        return complete(q);
    return NULL;

discard:
    ip4_drop(ifp, pkt, reason);
    fail(q, reason);
    return NULL;
}

/* Signed segments (RFC 2385; Linux tcp_v4_md5_hash_skb, tcp_inbound_md5_hash, TCP_MD5SIG). */
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"

/* struct tcp_md5sig of <linux/tcp.h> */
typedef struct MdSig {
    struct sockaddr_storage addr;
    uint8_t flags, prefix_len;
    uint16_t key_len;
    int32_t ifindex;
    uint8_t key[80];
} MdSig;
#define MD5SIG_PREFIX 1

static bool prefix_matches(const TcpMd5Key *k, const InetAddr *peer)
{
    unsigned bits = k->is_v6 ? k->prefix_len : 96u + k->prefix_len;

    if (k->is_v6 == inet_is_ip4(peer))
        return false;
    for (unsigned i = 0; i < 4 && bits; i++) {
        unsigned n = HS_MIN(bits, 32u);

        if ((k->addr.w[i] ^ peer->w[i]) & ~(n == 32 ? 0 : UINT32_MAX >> n))
            return false;
        bits -= n;
    }
    return true;
}

const TcpMd5Key *tcp_md5_find(const TcpConn *c, const InetAddr *peer)
{
    const TcpMd5Key *best = NULL;

    for (const TcpMd5Key *k = c->md5; k; k = k->next)
        if (prefix_matches(k, peer) && (!best || k->prefix_len > best->prefix_len))
            best = k;
    return best;
}

static bool parse_addr(const MdSig *s, bool sock_v6, TcpMd5Key *out)
{
    if (sock_v6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)&s->addr;
        Ipv6Addr v6;

        if (a->sin6_family != AF_INET6)
            return false;
        memcpy(v6.b, &a->sin6_addr, 16);
        out->addr = inet_from_ip6(&v6);
    } else {
        const struct sockaddr_in *a = (const struct sockaddr_in *)&s->addr;

        if (a->sin_family != AF_INET)
            return false;
        out->addr = inet_from_ip4(ntohl(a->sin_addr.s_addr));
    }
    out->is_v6 = !inet_is_ip4(&out->addr);
    out->prefix_len = out->is_v6 ? 128 : 32;
    return true;
}

static TcpMd5Key **find_exact(TcpConn *c, const TcpMd5Key *like)
{
    for (TcpMd5Key **p = &c->md5; *p; p = &(*p)->next)
        if ((*p)->is_v6 == like->is_v6 && (*p)->prefix_len == like->prefix_len &&
            inet_eq(&(*p)->addr, &like->addr))
            return p;
    return NULL;
}

int tcp_md5_set(TcpConn *c, const void *val, unsigned len, bool is_ext)
{
    TcpMd5Key made = {0}, **at;
    MdSig s;

    if (len < sizeof(s))
        return -EINVAL;
    memcpy(&s, val, sizeof(s));
    if (!parse_addr(&s, c->sflags & TCP_S_V6, &made))
        return -EINVAL;
    if (is_ext && s.flags & MD5SIG_PREFIX) {
        if (s.prefix_len > made.prefix_len)
            return -EINVAL;
        made.prefix_len = s.prefix_len;
        made.has_prefix = true;
    }
    at = find_exact(c, &made);
    if (!s.key_len) {
        TcpMd5Key *k = at ? *at : NULL;

        if (!k)
            return -ENOENT;
        *at = k->next;
        g_free(k);
        return 0;
    }
    if (s.key_len > sizeof(made.key))
        return -EINVAL;
    if (!at) {
        TcpMd5Key *k = g_new0(TcpMd5Key, 1);

        *k = made;
        k->next = c->md5;
        c->md5 = k;
        at = &c->md5;
    }
    memcpy((*at)->key, s.key, s.key_len);
    (*at)->key_len = (uint8_t)s.key_len;
    return 0;
}

void tcp_md5_free(TcpConn *c)
{
    for (TcpMd5Key *k = c->md5, *next; k; k = next) {
        next = k->next;
        g_free(k);
    }
    c->md5 = NULL;
}

void tcp_md5_copy(TcpConn *child, const TcpConn *listener, const InetAddr *peer)
{
    const TcpMd5Key *k = tcp_md5_find(listener, peer);

    if (!k)
        return;
    child->md5 = g_new(TcpMd5Key, 1);
    *child->md5 = *k;
    child->md5->next = NULL;
    child->md5->addr = *peer;
    child->md5->prefix_len = k->is_v6 ? 128 : 32;
}

/* ---- signing ---- */

static void add_payload(GChecksum *sum, const Packet *pkt, unsigned from)
{
    uint32_t off = from - pkt->head, left = packet_len(pkt) - pkt->pad - off;
    uint8_t piece[512];

    while (left) {
        uint32_t n = HS_MIN(left, (uint32_t)sizeof(piece));

        packet_copy_raw(pkt, off, piece, n);
        g_checksum_update(sum, piece, n);
        off += n;
        left -= n;
    }
}

void tcp_md5_sign(uint8_t digest[16], const TcpMd5Key *k, const InetAddr *src, const InetAddr *dst,
                  bool is_v6, const Packet *pkt, unsigned tcp_off)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_MD5);
    const uint8_t *h = pkt->buf + tcp_off;
    unsigned hdr_len = tcp_hdr_len(h), at = tcp_off + hdr_len;
    uint32_t len = pkt->tail - tcp_off + pkt->payload_len;
    uint8_t pseudo[40] = {0}, header[TCP_MIN_HDR_LEN];
    gsize digest_len = 16;
    unsigned n = 0;

    for (unsigned i = is_v6 ? 0 : 3; i < 4; i++, n += 4)
        wire_put32(pseudo + n, src->w[i]);
    for (unsigned i = is_v6 ? 0 : 3; i < 4; i++, n += 4)
        wire_put32(pseudo + n, dst->w[i]);
    if (is_v6) {
        wire_put32(pseudo + n, len);
        pseudo[n + 7] = 6;
        n += 8;
    } else {
        pseudo[n + 1] = 6;
        wire_put16(pseudo + n + 2, (uint16_t)len);
        n += 4;
    }
    memcpy(header, h, sizeof(header));
    wire_put16(header + TCP_CHECKSUM_OFF, 0);
    g_checksum_update(sum, pseudo, n);
    g_checksum_update(sum, header, sizeof(header));
    if (pkt->head > at) { /* a packet whose head has moved on to the payload */
        add_payload(sum, pkt, pkt->head);
    } else {
        add_payload(sum, pkt, at);
    }
    g_checksum_update(sum, k->key, k->key_len);
    g_checksum_get_digest(sum, digest, &digest_len);
    g_checksum_free(sum);
}

/* tcp_do_parse_auth_options: only as long as a signature would still fit, an option of a wrong length or a
 * second signature is no header at all. */
bool tcp_md5_is_bad_header(const TcpIn *in)
{
    const uint8_t *p = in->raw + TCP_MIN_HDR_LEN;
    unsigned left = in->hdr_len - TCP_MIN_HDR_LEN;
    bool has_md5 = false;

    while (left >= TCP_OPT_MD5_LEN) {
        unsigned len;

        if (*p == TCP_OPT_EOL)
            return false;
        if (*p == TCP_OPT_NOP) {
            p++;
            left--;
            continue;
        }
        len = p[1];
        if (len < 2 || len > left)
            return true;
        if (*p == TCP_OPT_MD5) {
            if (len != TCP_OPT_MD5_LEN || has_md5)
                return true;
            has_md5 = true;
        }
        p += len;
        left -= len;
    }
    return false;
}

bool tcp_md5_is_bad(Tcp *t, const TcpConn *c, TcpIn *in)
{
    const TcpMd5Key *k = c->md5 ? tcp_md5_find(c, &in->src) : NULL;
    uint8_t digest[16];

    if (in->hdr_len >= TCP_MIN_HDR_LEN + TCP_OPT_MD5_LEN) {
        if (tcp_md5_is_bad_header(in)) /* counted by nobody */
            return true;
    } else if (!k) {
        return false;
    }
    tcpin_options(in);
    if (!k && !in->opt.has_md5)
        return false;
    if (k && !in->opt.has_md5) {
        TCP_INC(t, TcpExtTCPMD5NotFound);
        return true;
    }
    if (!k) {
        TCP_INC(t, TcpExtTCPMD5Unexpected);
        return true;
    }
    tcp_md5_sign(digest, k, &in->src, &in->dst, in->is_v6, in->pkt, (unsigned)(in->raw - in->pkt->buf));
    if (memcmp(digest, in->opt.md5, sizeof(digest)) == 0)
        return false;
    TCP_INC(t, TcpExtTCPMD5Failure);
    return true;
}

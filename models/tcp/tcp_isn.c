/* Numbers that outsiders must not guess: initial sequence numbers (RFC 6528; Linux secure_tcp_seq), offsets
 * of the timestamp clock (RFC 7323 5.4; secure_tcp_ts_off) and where the search for a port begins (RFC
 * 6056 3.3.4; secure_ipv4_port_ephemeral). Keyed with SipHash by keys drawn from the host's own stream:
 * unguessable inside the simulation, the same for the same seed. */
#include "models/tcp/tcp_life.h"
#include "models/wire/wire.h"

#define ADDRS_LEN 32
#define PORTS_LEN 4

#define N_KEYS (sizeof(TcpKeys) / sizeof(uint64_t))

void tcp_isn_keys_init(Tcp *t)
{
    uint64_t from = node_pass_draws(t->node, TCP_STREAM, N_KEYS);

    hs_assert(from < 1u << 31);
    t->keys_from = (uint32_t)from & 0x7fffffff;
}

static unsigned place(const Tcp *t)
{
    return t->node->id % HS_ARRAY_LEN(t->shared->recent);
}

void tcp_isn_keys_forget(const Tcp *t)
{
    if (t->shared->recent[place(t)].of == t)
        t->shared->recent[place(t)].of = NULL;
}

const TcpKeys *tcp_isn_keys(const Tcp *t)
{
    TcpKeys *k = &t->shared->recent[place(t)].keys;
    uint64_t w[N_KEYS];

    if (t->shared->recent[place(t)].of == t)
        return k;
    node_passed_draws(t->node, TCP_STREAM, t->keys_from, w, N_KEYS);
    *k = (TcpKeys){{w[0], w[1]}, {w[2], w[3]}, {w[4], w[5]}, {{w[6], w[7]}, {w[8], w[9]}}};
    t->shared->recent[place(t)].of = t;
    return k;
}

static size_t put_addrs(uint8_t *p, const InetAddr *a, const InetAddr *b)
{
    for (unsigned i = 0; i < 4; i++) {
        wire_put32(p + 4 * i, a->w[i]);
        wire_put32(p + 16 + 4 * i, b->w[i]);
    }
    return ADDRS_LEN;
}

uint32_t tcp_isn(Tcp *t, const InetAddr *local, const InetAddr *remote, uint16_t lport, uint16_t rport,
                 bool is_v6)
{
    uint8_t tuple[ADDRS_LEN + PORTS_LEN];
    SimTime now = node_now(t->node);
    size_t n;

    switch (t->sysctl->isn_mode) {
    case 1: /* RFC 793 3.3: a clock that ticks every 4 microseconds, for everybody to see */
        return (uint32_t)(now / 4000);
    case 2:
        return t->sysctl->isn_fixed;
    default:
        break;
    }
    n = put_addrs(tuple, local, remote);
    wire_put16(tuple + n, lport);
    wire_put16(tuple + n + 2, rport);
    /* ISN = M + F(four-tuple, secret), M of 64 ns (Linux seq_scale) */
    return (uint32_t)siphash(&tcp_isn_keys(t)->isn, tuple, sizeof(tuple)) + (uint32_t)((uint64_t)now >> 6);
}

uint32_t tcp_isn_ts_offset(Tcp *t, const InetAddr *local, const InetAddr *remote, bool is_v6)
{
    uint8_t pair[ADDRS_LEN];

    if (t->sysctl->tcp_timestamps != 1)
        return 0;
    put_addrs(pair, local, remote);
    return (uint32_t)siphash(&tcp_isn_keys(t)->ts, pair, sizeof(pair));
}

uint64_t tcp_isn_port_offset(Tcp *t, const TcpConn *c)
{
    uint8_t to[ADDRS_LEN + 2];
    size_t n = put_addrs(to, &c->local, &c->remote);

    wire_put16(to + n, c->remote_port);
    return siphash(&tcp_isn_keys(t)->port, to, sizeof(to));
}

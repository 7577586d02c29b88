/* Numbers that outsiders must not guess: initial sequence numbers (RFC 6528; Linux secure_tcp_seq), offsets
 * of the timestamp clock (RFC 7323 5.4; secure_tcp_ts_off) and where the search for a port begins (RFC
 * 6056 3.3.4; secure_ipv4_port_ephemeral). Keyed with SipHash by keys drawn from the host's own stream:
 * unguessable inside the simulation, the same for the same seed. */
#include "models/tcp/tcp_life.h"
#include "models/wire/wire.h"

#define ADDRS_LEN 32
#define PORTS_LEN 4

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
    return (uint32_t)siphash(&t->isn_key, tuple, sizeof(tuple)) + (uint32_t)((uint64_t)now >> 6);
}

uint32_t tcp_isn_ts_offset(Tcp *t, const InetAddr *local, const InetAddr *remote, bool is_v6)
{
    uint8_t pair[ADDRS_LEN];

    if (t->sysctl->tcp_timestamps != 1)
        return 0;
    put_addrs(pair, local, remote);
    return (uint32_t)siphash(&t->ts_key, pair, sizeof(pair));
}

uint64_t tcp_isn_port_offset(Tcp *t, const TcpConn *c)
{
    uint8_t to[ADDRS_LEN + 2];
    size_t n = put_addrs(to, &c->local, &c->remote);

    wire_put16(to + n, c->remote_port);
    return siphash(&t->port_key, to, sizeof(to));
}

/* How much a writer may queue: SO_SNDBUF or its tuned value, TCP_NOTSENT_LOWAT, and who is told when there is
 * room again (Linux net/core/stream.c; tcp_input.c: tcp_sndbuf_expand, tcp_check_space). */
#include "models/tcp/tcp_sndbuf.h"

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_sockopt.h"

/* MAX_TCP_HEADER, sizeof(skb_shared_info), sizeof(sk_buff), aligned */
#define LINUX_MAX_TCP_HEADER 256u
#define LINUX_SHARED_INFO 320u
#define LINUX_SK_BUFF 256u

static uint32_t notsent_lowat(const TcpConn *c)
{
    uint32_t v = c->opts ? c->opts->notsent_lowat : 0;

    return v ? v : c->tcp->sysctl->tcp_notsent_lowat;
}

bool tcp_sndbuf_has_room(const TcpConn *c)
{
    if (c->snd.wmem_queued >= c->win.sndbuf)
        return false;
    return c->write_seq - c->snd_nxt < notsent_lowat(c);
}

static uint32_t round_up_pow2(uint32_t v)
{
    uint32_t p = 1;

    while (p < v)
        p <<= 1;
    return p;
}

/* Room for twice what the window may have in flight, each frame costing a power of
 * two. */
void tcp_sndbuf_expand(TcpConn *c)
{
    uint32_t per_mss =
        HS_MAX((uint32_t)c->mss_clamp, c->mss_cache) + LINUX_MAX_TCP_HEADER + LINUX_SHARED_INFO;
    uint32_t n = HS_MAX(TCP_INIT_CWND, c->cc.s.cwnd);
    uint32_t factor = 2;

    per_mss = round_up_pow2(per_mss) + LINUX_SK_BUFF;
    n = HS_MAX(n, c->sack.reordering + 1);
    if (c->cc.ops && c->cc.ops->sndbuf_expand) {
        CcView v;

        tcp_cc_fill_view(c, &v);
        factor = cc_sndbuf_expand(&c->cc, &v);
    }

    uint64_t mem = (uint64_t)factor * n * per_mss;

    if (c->win.sndbuf < mem)
        c->win.sndbuf = (uint32_t)HS_MIN(mem, (uint64_t)c->tcp->sysctl->tcp_wmem[2]);
}

/* Linux tcp_should_expand_sndbuf */
static bool should_expand(const TcpConn *c)
{
    if (c->win.is_sndbuf_locked || c->tcp->mem_pressure)
        return false;
    if (c->tcp->mem_pages8 / 4096 >= (int64_t)c->tcp->sysctl->tcp_mem[0])
        return false;
    return tcp_packets_in_flight(c) < c->cc.s.cwnd;
}

/* Linux tcp_check_space: a writer waits, and ACKs may have made room. */
void tcp_sndbuf_check_space(TcpConn *c)
{
    if (!(c->sflags & TCP_S_NOSPACE) || c->sflags & TCP_S_DEAD)
        return;
    if (should_expand(c)) {
        tcp_sndbuf_expand(c);
        c->snd_cwnd_stamp = c->mstamp;
    }
    if (tcp_poll_is_writeable(c)) {
        c->sflags &= ~(uint32_t)TCP_S_NOSPACE;
        tcp_wake(c);
    }
    if (!(c->sflags & TCP_S_NOSPACE))
        tcp_cwnd_chrono_stop(c, 3);
}

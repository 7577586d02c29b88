#include "tests/fuzz/tcp_invariants.h"

#include <stdio.h>
#include <stdlib.h>

#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_timer.h"

static _Noreturn void broken(const TcpConn *c, const char *what, uint64_t is, uint64_t should_be)
{
    fprintf(stderr, "connection %u (%s): %s: %llu, but %llu\n", c->id, tcp_state_name(c->state), what,
            (unsigned long long)is, (unsigned long long)should_be);
    abort();
}

static void expect_eq(const TcpConn *c, const char *what, uint64_t is, uint64_t should_be)
{
    if (is != should_be)
        broken(c, what, is, should_be);
}

static void expect_ordered(const TcpConn *c, const char *what, uint32_t low, uint32_t high)
{
    if (tcp_after(low, high))
        broken(c, what, low, high);
}

/* Between them, the two queues hold everything from snd_una to write_seq, once and in order. */
static void check_sending(const TcpConn *c)
{
    uint32_t packets = 0, sacked = 0, lost = 0, retrans = 0, wmem = 0, end = c->snd_nxt;
    const TcpSeg *last = NULL;

    expect_ordered(c, "snd_una is beyond snd_nxt", c->snd_una, c->snd_nxt);
    expect_ordered(c, "snd_nxt is beyond write_seq", c->snd_nxt, c->write_seq);
    for (const TcpSeg *s = c->snd.rtx_head; s; last = s, s = s->next) {
        if (last)
            expect_eq(c, "a gap between sent segments", s->seq, last->end_seq);
        else if (tcp_after(s->seq, c->snd_una) || !tcp_after(s->end_seq, c->snd_una))
            broken(c, "the first sent segment does not hold snd_una", s->seq, c->snd_una);
        if (s->prev != last)
            broken(c, "the sent queue's links differ", s->seq, last ? last->seq : 0);
        packets += s->pcount;
        sacked += s->sacked & SEG_SACKED ? s->pcount : 0;
        lost += s->sacked & SEG_LOST ? s->pcount : 0;
        retrans += s->sacked & SEG_RETRANS ? s->pcount : 0;
        wmem += s->truesize;
        if ((s->sacked & (SEG_SACKED | SEG_LOST)) == (SEG_SACKED | SEG_LOST))
            broken(c, "a segment is delivered and lost", s->sacked, 0);
    }
    if (last)
        expect_eq(c, "the last sent segment's end", last->end_seq, c->snd_nxt);
    expect_eq(c, "packets_out", c->packets_out, packets);
    if (c->sack.is_sack_ok)
        expect_eq(c, "sacked_out", c->sacked_out, sacked);
    expect_eq(c, "lost_out", c->lost_out, lost);
    /* Linux, too, counts a retransmission twice that was in flight when a reduction was undone and is sent
     * again after the next timeout (tests/packetdrill/eifel/timeout-after-undo.pkt). */
    if (c->retrans_out < retrans)
        broken(c, "retrans_out", c->retrans_out, retrans);
    if ((uint64_t)c->sacked_out + c->lost_out > c->packets_out)
        broken(c, "sacked_out + lost_out", c->sacked_out + c->lost_out, c->packets_out);
    last = NULL;
    for (const TcpSeg *s = c->snd.write_head; s; last = s, s = s->next) {
        expect_eq(c, "a gap in the write queue", s->seq, end);
        end = s->end_seq;
        wmem += s->truesize;
    }
    expect_eq(c, "write_seq", c->write_seq, end);
    expect_eq(c, "wmem_queued", c->snd.wmem_queued, wmem);
    if (c->cc.s.cwnd == 0)
        broken(c, "cwnd", 0, 1);
}

static void check_receiving(const TcpConn *c)
{
    uint32_t rmem = 0, end = 0;
    const TcpRcvSeg *last = NULL;

    for (const TcpRcvSeg *s = c->rcv.head; s; last = s, s = s->next) {
        if (last) /* pieces may overlap, as in Linux: the reader skips what it has seen */
            expect_ordered(c, "a gap in what was received", s->seq, end);
        end = s->end_seq;
        rmem += s->truesize;
    }
    if (last)
        expect_eq(c, "the end of what was received", end, c->rcv_nxt);
    expect_ordered(c, "copied_seq is beyond rcv_nxt", c->copied_seq, c->rcv_nxt);
    last = NULL;
    for (RbNode *n = rbtree_first(&c->rcv.ooo); n; n = rbtree_next(n)) {
        const TcpRcvSeg *s = HS_CONTAINER_OF(n, TcpRcvSeg, rb);

        if (!tcp_after(s->seq, c->rcv_nxt))
            broken(c, "an early segment that is not early", s->seq, c->rcv_nxt);
        /* Where Linux appends to a buffer we keep pieces, each right behind the one before it; one that
         * overlaps the buffer's end stands behind them all. */
        if (last && last->truesize)
            expect_ordered(c, "early segments out of order", last->seq, s->seq);
        rmem += s->truesize;
        last = s;
    }
    expect_eq(c, "rmem_alloc", c->rcv.rmem_alloc, rmem);
    for (unsigned i = 0; i < c->rcv.num_sacks; i++)
        expect_ordered(c, "a SACK block is inside out", c->rcv.selective_acks[i].left,
                       c->rcv.selective_acks[i].right);
}

/* Data in flight are watched by a timer, or nobody would ever notice their loss. */
static void check_timers(const TcpConn *c)
{
    if (c->packets_out && !timer_is_armed(&c->t_rtx) && !tcp_timer_is_seldom_armed(c, TCP_SELDOM_PACE) &&
        !c->fastopen_req)
        broken(c, "no timer watches packets in flight", c->packets_out, 0);
}

void tcp_invariants_check(Tcp *t)
{
    for (const TcpConn *c = t->all_head; c; c = c->all_next) {
        if (c->state == TCP_LISTEN || c->state == TCP_CLOSE)
            continue;
        check_sending(c);
        if (c->state != TCP_SYN_SENT)
            check_receiving(c);
        check_timers(c);
    }
}

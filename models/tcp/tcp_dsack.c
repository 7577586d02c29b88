/* The SACK blocks that we send (RFC 2018, RFC 2883): the list of islands beyond rcv_nxt, the most recently
 * touched first, and one D-SACK for what came twice. Which of them fit into a segment is tcp_opt_out.c's
 * business. */
#include "models/tcp/tcp_input.h"

#include "models/tcp/tcp_life.h"

/* As many blocks as fit beside timestamps without the last being lost (Linux TCP_SACK_BLOCKS_EXPECTED) */
#define SACK_BLOCKS_EXPECTED 2

/* Joins [seq, end_seq) to the block if they touch or overlap. */
static bool extend(TcpSackBlock *b, uint32_t seq, uint32_t end_seq)
{
    if (tcp_after(seq, b->right) || tcp_after(b->left, end_seq))
        return false;
    if (tcp_before(seq, b->left))
        b->left = seq;
    if (tcp_after(end_seq, b->right))
        b->right = end_seq;
    return true;
}

void tcp_dsack_set(TcpConn *c, uint32_t seq, uint32_t end_seq)
{
    if (!c->sack.is_sack_ok || !c->tcp->sysctl->tcp_dsack)
        return;
    if (tcp_before(seq, c->rcv_nxt))
        TCP_INC(c->tcp, TcpExtTCPDSACKOldSent);
    else
        TCP_INC(c->tcp, TcpExtTCPDSACKOfoSent);
    c->rcv.dsack = 1;
    c->rcv.duplicate_sack = (TcpSackBlock){seq, end_seq};
}

void tcp_dsack_extend(TcpConn *c, uint32_t seq, uint32_t end_seq)
{
    if (!c->rcv.dsack)
        tcp_dsack_set(c, seq, end_seq);
    else
        extend(&c->rcv.duplicate_sack, seq, end_seq);
}

static void remove_at(TcpRcvq *r, unsigned i)
{
    r->num_sacks--;
    for (; i < r->num_sacks; i++)
        r->selective_acks[i] = r->selective_acks[i + 1];
}

/* The first block has grown: what it touches now becomes part of it. */
static void coalesce_first(TcpRcvq *r)
{
    for (unsigned i = 1; i < r->num_sacks;) {
        if (extend(&r->selective_acks[0], r->selective_acks[i].left, r->selective_acks[i].right))
            remove_at(r, i);
        else
            i++;
    }
}

static void move_to_front(TcpRcvq *r, unsigned i)
{
    TcpSackBlock b = r->selective_acks[i];

    for (; i > 0; i--)
        r->selective_acks[i] = r->selective_acks[i - 1];
    r->selective_acks[0] = b;
}

void tcp_dsack_sack_new(TcpConn *c, uint32_t seq, uint32_t end_seq)
{
    TcpRcvq *r = &c->rcv;
    unsigned i;

    /* RFC 2018 4: the first block is the one that holds the segment that triggered the ACK. */
    for (i = 0; i < r->num_sacks; i++) {
        if (!extend(&r->selective_acks[i], seq, end_seq))
            continue;
        if (i >= SACK_BLOCKS_EXPECTED) /* the peer has not been told of this block lately */
            tcp_delack_flush_compressed(c);
        move_to_front(r, i);
        coalesce_first(r);
        return;
    }
    if (i >= SACK_BLOCKS_EXPECTED)
        tcp_delack_flush_compressed(c);
    if (i >= TCP_NUM_SACKS) { /* full: the oldest is forgotten */
        i--;
        r->num_sacks--;
    }
    if (!r->selective_acks)
        r->selective_acks = pool_alloc(c->tcp->shared->sacks);
    r->selective_acks[i] = (TcpSackBlock){seq, end_seq};
    move_to_front(r, i);
    r->num_sacks++;
}

void tcp_dsack_sack_remove(TcpConn *c)
{
    TcpRcvq *r = &c->rcv;

    if (rbtree_is_empty(&r->ooo)) {
        r->num_sacks = 0;
        return;
    }
    for (unsigned i = 0; i < r->num_sacks;) {
        if (!tcp_before(c->rcv_nxt, r->selective_acks[i].left))
            remove_at(r, i);
        else
            i++;
    }
}

void tcp_dsack_sack_reset(TcpConn *c)
{
    c->rcv.dsack = 0;
    c->rcv.num_sacks = 0;
}

/* The sender's scoreboard (RFC 2018, RFC 2883; Linux tcp_sacktag_write_queue): which segments of the rtx
 * queue the peer has; what D-SACKs say about our retransmissions; how far the network reorders. Without SACK,
 * duplicate ACKs are counted as if they were SACKs of somebody ("Reno SACKs").
 *
 * Marks of a segment, as in Linux:
 *     SACKED              delivered
 *     RETRANS             sent again, and that copy is in flight
 *     LOST                thought to be lost
 *     LOST | RETRANS      lost, sent again; if that is lost too, RETRANS is taken away
 *     EVER_RETRANS        stays: no round-trip samples (Karn)
 *
 * What is SACKed moves to the SACKed segment before it (Linux tcp_shift_skb_data), so that a run of delivered
 * data is one segment: that saves memory, and shows in what a partial block covers and in what is sent again
 * after a receiver went back on its word. */
#include "models/tcp/tcp_ack.h"

#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"

uint32_t tcp_sack_highest_seq(const TcpConn *c)
{
    if (!c->sacked_out)
        return c->snd_una;
    if (!c->sack.highest_sack)
        return c->snd_nxt;
    return c->sack.highest_sack->seq;
}

void tcp_sack_reset(TcpConn *c)
{
    c->sack.lost_hint = NULL;
    c->sack.retransmit_hint = NULL;
}

void tcp_sack_update_reordering(TcpConn *c, uint32_t low_seq, int ts)
{
    uint32_t mss = c->mss_cache, fack = tcp_sack_highest_seq(c), metric;

    if (!tcp_before(low_seq, fack))
        return;
    metric = fack - low_seq;
    if (mss && metric > c->sack.reordering * mss)
        c->sack.reordering = HS_MIN((metric + mss - 1) / mss, c->tcp->sysctl->tcp_max_reordering);
    c->sack.reord_seen++;
    if (ts)
        TCP_INC(c->tcp, TcpExtTCPTSReorder);
    else
        TCP_INC(c->tcp, TcpExtTCPSACKReorder);
}

/* ---- without SACK ---- */

void tcp_sack_reset_reno(TcpConn *c)
{
    c->sacked_out = 0;
}

/* More duplicates than packets that could have caused them, one hole at least being open: something was
 * reordered or duplicated (tcp_limit_reno_sacked). */
void tcp_sack_check_reno_reordering(TcpConn *c, uint32_t addend)
{
    uint32_t holes = HS_MIN(HS_MAX(c->lost_out, 1u), c->packets_out);

    if (c->sacked_out + holes <= c->packets_out)
        return;
    c->sacked_out = c->packets_out - holes;
    c->sack.reordering = HS_MIN(c->packets_out + addend, c->tcp->sysctl->tcp_max_reordering);
    c->sack.reord_seen++;
    TCP_INC(c->tcp, TcpExtTCPRenoReorder);
}

/* Each duplicate ACK stands for a packet that has left the network. */
void tcp_sack_add_reno(TcpConn *c, int num_dupack, bool ece_ack)
{
    uint32_t prior = c->sacked_out;
    int32_t delivered;

    if (!num_dupack)
        return;
    c->sacked_out += (uint32_t)num_dupack;
    tcp_sack_check_reno_reordering(c, 0);
    delivered = (int32_t)(c->sacked_out - prior);
    if (delivered > 0)
        tcp_ack_count_delivered(c, (uint32_t)delivered, ece_ack);
}

/* A partial ACK: one packet filled the hole, the others were counted by their duplicate ACKs. */
void tcp_sack_remove_reno(TcpConn *c, uint32_t acked, bool ece_ack)
{
    if (acked > 0) {
        int32_t fresh = (int32_t)(acked - c->sacked_out);

        tcp_ack_count_delivered(c, (uint32_t)HS_MAX(fresh, 1), ece_ack);
        if (acked - 1 >= c->sacked_out)
            c->sacked_out = 0;
        else
            c->sacked_out -= acked - 1;
    }
    tcp_sack_check_reno_reordering(c, acked);
}

/* ---- D-SACK ---- */

/* How many segments the duplicate report stands for; 0: we never sent that many twice, so the network did, or
 * somebody lies (tcp_dsack_seen). */
static uint32_t dsack_seen(TcpConn *c, uint32_t start, uint32_t end, TcpSackState *st)
{
    uint32_t len, dup_segs = 1;

    if (!tcp_before(start, end))
        return 0;
    len = end - start;
    if (len > c->max_window)
        return 0;
    if (len > c->mss_cache)
        dup_segs = (len + c->mss_cache - 1) / c->mss_cache;
    else if (c->tlp.high_seq && c->tlp.high_seq == end)
        st->flag |= ACK_DSACK_TLP;

    c->sack.dsack_dups += dup_segs;
    if (c->sack.dsack_dups > c->stats.total_retrans)
        return 0;

    c->sack.dsack_seen = true;
    /* RACK's window was too small only where the network reorders; and a probe that was not needed says
     * nothing of it. */
    if (c->sack.reord_seen && !(st->flag & ACK_DSACK_TLP))
        c->rack.dsack_seen = true;
    st->flag |= ACK_DSACKING_ACK;
    /* the duplicate, too, has left the network */
    st->sack_delivered += dup_segs;
    return dup_segs;
}

/* RFC 2883 4: the first block is a D-SACK if it lies below the ACK, or within the second block
 * (tcp_check_dsack). */
static bool check_dsack(TcpConn *c, const TcpIn *in, uint32_t prior_snd_una, TcpSackState *st)
{
    uint32_t start = in->opt.sack[0].left, end = in->opt.sack[0].right, dup_segs;

    if (tcp_before(start, in->ack)) {
        TCP_INC(c->tcp, TcpExtTCPDSACKRecv);
    } else if (in->opt.n_sack > 1) {
        if (tcp_after(end, in->opt.sack[1].right) || tcp_before(start, in->opt.sack[1].left))
            return false;
        TCP_INC(c->tcp, TcpExtTCPDSACKOfoRecv);
    } else {
        return false;
    }

    dup_segs = dsack_seen(c, start, end, st);
    if (!dup_segs) {
        TCP_INC(c->tcp, TcpExtTCPDSACKIgnoredDubious);
        return false;
    }
    TCP_ADD(c->tcp, TcpExtTCPDSACKRecvSegs, dup_segs);

    /* for data that has left the queue: no segment to look at */
    if (c->rec.undo_marker && c->rec.undo_retrans > 0 && !tcp_after(end, prior_snd_una) &&
        tcp_after(end, c->rec.undo_marker))
        c->rec.undo_retrans = HS_MAX(0, c->rec.undo_retrans - (int32_t)dup_segs);
    return true;
}

/* Linux tcp_is_sackblock_valid, with its picture: SACK blocks lie strictly between snd_una and snd_nxt; a
 * D-SACK may lie below snd_una, if it is not older than the undo marker and the largest window. */
static bool is_block_valid(const TcpConn *c, bool is_dsack, uint32_t start, uint32_t end)
{
    if (tcp_after(end, c->snd_nxt) || !tcp_before(start, end))
        return false;
    if (!tcp_before(start, c->snd_nxt))
        return false;
    /* A block that begins at snd_una is a reneging receiver's, or a D-SACK. */
    if (tcp_after(start, c->snd_una))
        return true;
    if (!is_dsack || !c->rec.undo_marker)
        return false;
    if (tcp_after(end, c->snd_una))
        return false;
    if (!tcp_before(start, c->rec.undo_marker))
        return true;
    if (!tcp_after(end, c->rec.undo_marker))
        return false;
    return !tcp_before(start, end - c->max_window);
}

/* ---- the walk ---- */

/* Does the block cover the segment? One that stands for several is cut at a border of mss. -1: too little of
 * it is covered (tcp_match_skb_to_sack). */
static int match_block(TcpConn *c, TcpSeg *s, uint32_t start, uint32_t end)
{
    bool in_sack = !tcp_after(start, s->seq) && !tcp_before(end, s->end_seq);
    uint32_t mss = s->mss, len;

    if (s->pcount <= 1 || in_sack || !tcp_after(s->end_seq, start))
        return in_sack;

    in_sack = !tcp_after(start, s->seq);
    if (!in_sack) {
        len = HS_MAX(start - s->seq, mss);
    } else {
        len = end - s->seq;
        if (len < mss)
            return -1;
    }
    if (len > mss) {
        uint32_t whole = len / mss * mss;

        if (!in_sack && whole < len)
            whole += mss;
        len = whole;
    }
    if (len >= tcpseg_len(s) && !in_sack)
        return 0;
    if (len >= tcpseg_len(s) || !tcpsndq_fragment(c, s, len, mss))
        return -1;
    return in_sack;
}

/* What a block says of [start, end), the whole or the front of a segment with these marks. Returns the marks
 * it should have. */
static uint8_t tag_range(TcpConn *c, uint8_t sacked, uint32_t start, uint32_t end, bool dup_sack,
                         uint32_t pcount, uint32_t bytes, const TcpSeg *of, TcpSackState *st)
{
    if (dup_sack && (sacked & (SEG_RETRANS | SEG_EVER_RETRANS))) {
        if (c->rec.undo_marker && c->rec.undo_retrans > 0 && tcp_after(end, c->rec.undo_marker))
            c->rec.undo_retrans = HS_MAX(0, c->rec.undo_retrans - (int32_t)pcount);
        if ((sacked & SEG_SACKED) && tcp_before(start, st->reord))
            st->reord = start;
    }
    if (!tcp_after(end, c->snd_una))
        return sacked; /* acknowledged by this very ACK */

    if (!(sacked & SEG_SACKED)) {
        tcp_rack_advance(c, of, sacked, end);
        if (sacked & SEG_RETRANS) {
            /* If it is not marked lost, its retransmission is still thought to be in flight. */
            if (sacked & SEG_LOST) {
                sacked &= (uint8_t) ~(SEG_LOST | SEG_RETRANS);
                c->lost_out -= pcount;
                c->retrans_out -= pcount;
            }
        } else {
            if (!(sacked & SEG_EVER_RETRANS)) {
                /* never sent again and in a hole: the network reordered */
                if (tcp_before(start, tcp_sack_highest_seq(c)) && tcp_before(start, st->reord))
                    st->reord = start;
                if (!tcp_after(end, c->rec.high_seq))
                    st->flag |= ACK_ORIG_SACK_ACKED;
                if (!st->first_sackt)
                    st->first_sackt = of->sent_ns;
                st->last_sackt = of->sent_ns;
            }
            if (sacked & SEG_LOST) {
                sacked &= (uint8_t)~SEG_LOST;
                c->lost_out -= pcount;
            }
        }
        sacked |= SEG_SACKED;
        st->flag |= ACK_DATA_SACKED;
        c->sacked_out += pcount;
        st->sack_delivered += pcount;
        st->delivered_bytes += bytes;
    }

    /* the retransmission was needless and is not in flight any more */
    if (dup_sack && (sacked & SEG_RETRANS)) {
        sacked &= (uint8_t)~SEG_RETRANS;
        c->retrans_out -= pcount;
    }
    return sacked;
}

/* ---- a run of SACKed data becomes one segment ---- */

static uint32_t segment_size(const TcpSeg *s)
{
    return s->pcount > 1 ? s->mss : tcpseg_len(s);
}

/* prev, SACKed, takes the first len bytes of s. true: s is gone (tcp_shifted_skb). */
static bool shifted(TcpConn *c, TcpSeg *prev, TcpSeg *s, TcpSackState *st, uint32_t pcount, uint32_t len,
                    uint32_t mss, bool dup_sack)
{
    bool is_hint = c->sack.retransmit_hint == s, is_highest = c->sack.highest_sack == s;
    bool is_whole = len == tcpseg_len(s);
    uint32_t end = is_whole ? s->end_seq : s->seq + len;
    TcpSeg *next = s->next;

    tag_range(c, s->sacked, s->seq, end, dup_sack, pcount, len, s, st);
    tcp_rate_on_delivered(c, s, st->rate);
    prev->pcount += (uint16_t)pcount;
    s->pcount -= (uint16_t)pcount;
    if (!prev->mss)
        prev->mss = (uint16_t)mss;
    if (s->pcount <= 1)
        s->mss = 0;
    prev->sacked |= s->sacked & SEG_EVER_RETRANS;
    if (!is_whole) {
        tcpsndq_shift(c, prev, s, len);
        TCP_INC(c->tcp, TcpExtTCPSackShifted);
        return false;
    }
    if (is_hint)
        c->sack.retransmit_hint = prev;
    if (c->sack.lost_hint == s)
        c->sack.lost_hint = prev;
    if (is_highest)
        c->sack.highest_sack = next;
    prev->delivered_ns = 0;
    tcpsndq_shift(c, prev, s, len);
    if (HS_UNLIKELY(c->has_errq))
        tcp_errq_on_joined(c, prev->seq, prev->end_seq);
    TCP_INC(c->tcp, TcpExtTCPSackMerged);
    return true;
}

/* What the block covers of s joins the SACKed segment before it. Returns where the walk goes on from: that
 * one, or s if nothing of s is to be marked; NULL: s is to be looked at by itself (tcp_shift_skb_data). */
static TcpSeg *shift_data(TcpConn *c, TcpSeg *s, TcpSackState *st, uint32_t start, uint32_t end,
                          bool dup_sack)
{
    TcpSeg *prev = s->prev;
    uint32_t len = tcpseg_len(s), pcount = s->pcount, mss = segment_size(s);
    bool in_sack = !tcp_after(start, s->seq) && !tcp_before(end, s->end_seq);

    /* sent again and that copy not known to be lost: it may be what was delivered */
    if (!dup_sack && (s->sacked & (SEG_LOST | SEG_RETRANS)) == SEG_RETRANS)
        goto fallback;
    /* a bare FIN has nothing to move (skb_can_shift) */
    if (!tcpseg_len(s) || !tcp_after(s->end_seq, c->snd_una))
        goto fallback;
    if (!prev || (prev->sacked & SEG_TAGBITS) != SEG_SACKED || prev->eor)
        goto fallback;
    if (!in_sack) {
        if (!tcp_after(s->end_seq, start) || pcount <= 1)
            return s;
        if (tcp_after(start, s->seq))
            goto fallback;
        /* borders of segments are kept */
        len = (end - s->seq) / mss * mss;
        pcount = len / mss;
    }
    if (mss != segment_size(prev))
        goto fallback;
    if (!len)
        return s;
    if (!tcp_after(s->seq + len, c->snd_una) || !tcpsndq_can_shift(prev, s, len))
        goto fallback;
    if (!shifted(c, prev, s, st, pcount, len, mss, dup_sack))
        return prev;

    /* The hole is filled: what follows may join as well. */
    s = prev->next;
    if (s && tcpseg_len(s) && (s->sacked & SEG_TAGBITS) == SEG_SACKED && mss == segment_size(s) &&
        !prev->eor && tcpsndq_can_shift(prev, s, tcpseg_len(s)))
        shifted(c, prev, s, st, s->pcount, tcpseg_len(s), mss, false);
    return prev;

fallback:
    TCP_INC(c->tcp, TcpExtTCPSackShiftFallback);
    return NULL;
}

static TcpSeg *walk(TcpConn *c, TcpSeg *s, const TcpSackBlock *next_dup, TcpSackState *st, uint32_t start,
                    uint32_t end, bool dup_sack_in)
{
    for (; s; s = s->next) {
        bool dup_sack = dup_sack_in;
        int in_sack = 0;

        if (!tcp_before(s->seq, end))
            break;
        if (next_dup && tcp_before(s->seq, next_dup->right)) {
            in_sack = match_block(c, s, next_dup->left, next_dup->right);
            if (in_sack > 0)
                dup_sack = true;
        }
        if (in_sack <= 0) {
            TcpSeg *on = shift_data(c, s, st, start, end, dup_sack);

            if (on) {
                s = on;
                continue;
            }
            in_sack = match_block(c, s, start, end);
        }
        if (in_sack < 0)
            break;
        if (in_sack) {
            s->sacked =
                tag_range(c, s->sacked, s->seq, s->end_seq, dup_sack, s->pcount, tcpseg_len(s), s, st);
            tcp_rate_on_delivered(c, s, st->rate);
            if (s->sacked & SEG_SACKED)
                tcpsndq_tsort_unlink(c, s);
            if (!tcp_before(s->seq, tcp_sack_highest_seq(c)))
                c->sack.highest_sack = s->next;
        }
    }
    return s;
}

static TcpSeg *skip_to(TcpConn *c, TcpSeg *s, uint32_t seq)
{
    if (s && tcp_after(s->seq, seq))
        return s;
    return tcpsndq_rtx_find(c, seq);
}

static TcpSeg *maybe_skipping_dsack(TcpConn *c, TcpSeg *s, const TcpSackBlock *next_dup, TcpSackState *st,
                                    uint32_t skip_to_seq)
{
    if (!next_dup || !tcp_before(next_dup->left, skip_to_seq))
        return s;
    s = skip_to(c, s, next_dup->left);
    return walk(c, s, NULL, st, next_dup->left, next_dup->right, true);
}

/* Takes over the segment's blocks that make sense, in order of sequence. *first: where the first one (which
 * may be a D-SACK) went; -1: it was not taken. */
static int take_blocks(TcpConn *c, const TcpIn *in, uint32_t prior_snd_una, bool found_dup, TcpSackBlock *sp,
                       int *first)
{
    int n = 0;

    *first = 0;
    for (int i = 0; i < in->opt.n_sack && i < TCP_NUM_SACKS; i++) {
        const TcpSackBlock *b = &in->opt.sack[i];
        bool dup_sack = i == 0 && found_dup;

        if (!is_block_valid(c, dup_sack, b->left, b->right)) {
            if (dup_sack) {
                if (c->rec.undo_marker)
                    TCP_INC(c->tcp, TcpExtTCPDSACKIgnoredOld);
                else
                    TCP_INC(c->tcp, TcpExtTCPDSACKIgnoredNoUndo);
            } else {
                /* old because ACKs were reordered: not worth counting */
                if (in->ack != c->snd_una && !tcp_after(b->right, c->snd_una))
                    continue;
                TCP_INC(c->tcp, TcpExtTCPSACKDiscard);
            }
            if (i == 0)
                *first = -1;
            continue;
        }
        if (!tcp_after(b->right, prior_snd_una)) {
            if (i == 0)
                *first = -1;
            continue;
        }
        sp[n++] = *b;
    }

    for (int i = n - 1; i > 0; i--) {
        for (int j = 0; j < i; j++) {
            if (tcp_after(sp[j].left, sp[j + 1].left)) {
                TcpSackBlock tmp = sp[j];

                sp[j] = sp[j + 1];
                sp[j + 1] = tmp;
                if (j == *first)
                    *first = j + 1;
            }
        }
    }
    return n;
}

/* What the previous ACK's blocks said is known: only what is new is walked. */
static void tag_blocks(TcpConn *c, const TcpSackBlock *sp, int n, bool found_dup, int first, TcpSackState *st)
{
    const TcpSackBlock *cache = c->sack.recv_cache, *cache_end = cache ? cache + TCP_NUM_SACKS : NULL;
    TcpSeg *s = NULL;
    int i = 0;

    if (!c->sacked_out)
        cache = cache_end;
    while (cache < cache_end && !cache->left && !cache->right)
        cache++;

    while (i < n) {
        uint32_t start = sp[i].left, end = sp[i].right;
        bool dup_sack = found_dup && i == first;
        const TcpSackBlock *next_dup = found_dup && i + 1 == first ? &sp[i + 1] : NULL;

        while (cache < cache_end && !tcp_before(start, cache->right))
            cache++;

        if (cache < cache_end && !dup_sack && tcp_after(end, cache->left)) {
            if (tcp_before(start, cache->left)) {
                s = skip_to(c, s, start);
                s = walk(c, s, next_dup, st, start, cache->left, dup_sack);
            }
            if (!tcp_after(end, cache->right)) {
                i++;
                continue;
            }
            s = maybe_skipping_dsack(c, s, next_dup, st, cache->right);
            if (tcp_sack_highest_seq(c) != cache->right) {
                s = skip_to(c, s, cache->right);
                cache++;
                continue; /* the block may overlap the next cached one as well */
            }
            s = c->sack.highest_sack;
            if (!s)
                return;
            cache++;
        } else {
            if (!tcp_before(start, tcp_sack_highest_seq(c))) {
                s = c->sack.highest_sack;
                if (!s)
                    return;
            }
            s = skip_to(c, s, start);
        }
        s = walk(c, s, next_dup, st, start, end, dup_sack);
        i++;
    }
}

int tcp_sack_tag_queue(TcpConn *c, const TcpIn *in, uint32_t prior_snd_una, TcpSackState *st)
{
    TcpSackBlock sp[TCP_NUM_SACKS];
    bool found_dup;
    int n, first, i;

    st->flag = 0;
    st->reord = c->snd_nxt;
    if (!c->sacked_out)
        c->sack.highest_sack = c->snd.rtx_head;

    found_dup = check_dsack(c, in, prior_snd_una, st);

    /* A very old ACK; a little older ones may bring news. */
    if (tcp_before(in->ack, prior_snd_una - c->max_window))
        return 0;
    if (!c->packets_out)
        return st->flag;

    n = take_blocks(c, in, prior_snd_una, found_dup, sp, &first);
    st->mss_now = tcp_pmtu_current_mss(c);
    tag_blocks(c, sp, n, found_dup, first, st);

    if (!c->sack.recv_cache)
        c->sack.recv_cache = pool_alloc(c->tcp->shared->sacks);
    for (i = 0; i < TCP_NUM_SACKS - n; i++)
        c->sack.recv_cache[i] = (TcpSackBlock){0, 0};
    for (int j = 0; j < n; j++)
        c->sack.recv_cache[i++] = sp[j];

    if (c->rec.ca_state != TCP_CA_LOSS || c->rec.undo_marker)
        tcp_sack_update_reordering(c, st->reord, 0);
    hs_assert(tcp_left_out(c) <= c->packets_out);
    return st->flag;
}

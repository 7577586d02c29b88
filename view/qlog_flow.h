/* What the log of a connection has to remember of it: which packets are outstanding in either direction, so
 * that an acknowledgment can be told in packets, and what was logged last, so that only changes are. */
#pragma once

#include <glib.h>

#include "models/wire/tcp_opt.h"
#include "sim/trace/qlog.h"
#include "view/story_segment.h"

typedef struct QlogSent {
    uint32_t seq, end; /* with SYN and FIN counted */
    uint64_t number;
    bool is_lost;     /* declared */
    const char *type; /* "data" */
} QlogSent;

/* How much is said of a connection: the importance levels of the main schema (section 8.3), as QUIC's events
 * have them. */
typedef enum QlogLevel {
    QLOG_CORE,  /* packets, what was lost, metrics */
    QLOG_BASE,  /* and states, timeouts, packets that were refused */
    QLOG_EXTRA, /* and every timer that is set or stopped, windows, all options of every segment */
} QlogLevel;

/* Of tcp.rtt, until the tcp.cwnd of the same instant comes. */
typedef struct QlogRtt {
    bool is_pending;
    SimTime time;
    int64_t sample_us; /* negative: none */
    uint64_t srtt_us, rttvar_us;
} QlogRtt;

typedef struct QlogFlow {
    QlogFile *file; /* NULL: nobody wants this host's */
    QlogLevel level;
    char *group;
    uint32_t node; /* id */
    bool is_client;
    bool has_port; /* the local one is known: a packet was seen */
    uint16_t local_port, remote_port;
    char remote[STORY_ADDR_LEN];
    /* Own and the peer's, as their SYNs say. */
    uint32_t isn[2];
    uint16_t mss[2]; /* 0: no option, or not seen */
    uint8_t wscale[2];
    bool has_isn[2], has_syn[2], has_ts[2], has_wscale[2];
    uint64_t highest[2]; /* offset in the stream that was seen last; to count beyond 2^32 */
    uint64_t limit[2];   /* up to where this side allowed the other one to send */
    QlogRtt rtt;
    uint32_t snd_max;       /* end of what was sent, to tell repetitions */
    GArray *sent, *arrived; /* QlogSent: outstanding, in order; arrived ones wait for our acknowledgment */
    /* as logged last */
    uint64_t cwnd, ssthresh, inflight, pacing, srtt_us, rttvar_us, rcv_wnd, snd_wnd;
    int64_t min_rtt_us; /* of all samples; 0: none yet */
    const char *cc_state;
} QlogFlow;

QlogFlow *qlog_flow_new(QlogFile *file, const char *group);
void qlog_flow_free(gpointer flow);

/* Where in the stream of `side` (0: own, 1: the peer's) the sequence number is; its first byte follows the
 * SYN. */
uint64_t qlog_flow_offset(QlogFlow *f, unsigned side, uint32_t seq);
/* Up to where the segment of `side` allows the other one to send, if that is further than before; else 0. */
uint64_t qlog_flow_new_limit(QlogFlow *f, unsigned side, const StorySegment *seg);

/* Payload bytes of a full segment to the peer: what the SYNs allow (RFC 9293 3.7.1: options come off it). */
uint32_t qlog_flow_mss(const QlogFlow *f);
/* The packets of `list` that the segment acknowledges (ack, and SACK blocks if `options` has any) go off it;
 * their numbers are appended as [from,to],[number],… Returns how many; nothing is appended for none. */
unsigned qlog_flow_acked(GArray *list, uint32_t ack, const TcpOptions *options, GString *ranges);

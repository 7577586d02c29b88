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
    bool is_lost; /* declared */
} QlogSent;

typedef struct QlogFlow {
    QlogFile *file; /* NULL: nobody wants this host's */
    char *group;
    uint32_t node; /* id */
    bool is_client;
    bool has_port; /* the local one is known: a packet was seen */
    uint16_t local_port, remote_port;
    char remote[STORY_ADDR_LEN];
    /* Own and the peer's, as their SYNs say. */
    uint32_t isn[2];
    uint16_t mss[2]; /* 0: no option, or not seen */
    bool has_isn[2], has_syn[2], has_ts[2];
    uint32_t snd_max;       /* end of what was sent, to tell repetitions */
    GArray *sent, *arrived; /* QlogSent: outstanding, in order; arrived ones wait for our acknowledgment */
    /* as logged last */
    uint64_t cwnd, ssthresh, inflight, pacing, srtt_us, rttvar_us, rcv_wnd, snd_wnd;
    int64_t min_rtt_us; /* of all samples; 0: none yet */
    const char *cc_state;
} QlogFlow;

QlogFlow *qlog_flow_new(QlogFile *file, const char *group);
void qlog_flow_free(gpointer flow);

/* Payload bytes of a full segment to the peer: what the SYNs allow (RFC 9293 3.7.1: options come off it). */
uint32_t qlog_flow_mss(const QlogFlow *f);
/* The packets of `list` that the segment acknowledges (ack, and SACK blocks if `options` has any) go off it;
 * their numbers are appended as [[from,to],…]. Returns how many; nothing is appended for none. */
unsigned qlog_flow_acked(GArray *list, uint32_t ack, const TcpOptions *options, GString *ranges);

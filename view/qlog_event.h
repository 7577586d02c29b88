/* One function for each kind of event that the log of a TCP connection has: names, categories and members. */
#pragma once

#include "view/qlog_flow.h"

/* A packet of the flow as it was seen at its host. */
typedef struct QlogPacket {
    SimTime time;
    uint64_t number;
    const StoryPacket *packet;
    const StorySegment *seg;
    const TcpOptions *options;
    bool is_sent;
    bool is_retransmission;
    const char *acked;  /* ranges as text of packets of the other direction ("": none) */
    uint64_t new_limit; /* up to where it allows the other side to send; 0: no further than before */
} QlogPacket;

/* "syn", "data", …: constants. */
const char *qlog_event_packet_type(const StorySegment *seg);

void qlog_event_started(QlogFlow *f, const QlogPacket *p);
/* Of the SYN: what this side offers. */
void qlog_event_parameters(QlogFlow *f, const QlogPacket *p);
void qlog_event_packet(QlogFlow *f, const QlogPacket *p);
void qlog_event_packet_dropped(QlogFlow *f, const QlogPacket *p, const char *reason);
void qlog_event_lost(QlogFlow *f, SimTime time, const QlogSent *sent, const char *trigger);

/* Of records tcp.state, tcp.cwnd, tcp.rtt, tcp.window, tcp.timer, tcp.drop. */
void qlog_event_state(QlogFlow *f, const ProbeRecord *r);
void qlog_event_cwnd(QlogFlow *f, const ProbeRecord *r);
void qlog_event_rtt(QlogFlow *f, const ProbeRecord *r);
void qlog_event_window(QlogFlow *f, const ProbeRecord *r);
void qlog_event_timer(QlogFlow *f, const ProbeRecord *r);
void qlog_event_refused(QlogFlow *f, const ProbeRecord *r);

/* The one of tcp.rtt waits for the tcp.cwnd of the same instant, to be told with it; this tells it alone.
 * Before anything later, anything of another flow and every packet. */
void qlog_event_flush(QlogFlow *f);

/* A field of a record by its name, which it must have. */
ProbeValue qlog_event_field(const ProbeRecord *r, const char *name);

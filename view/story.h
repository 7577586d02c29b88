/* What happened in a run, kept in memory to be drawn: every record of the probe bus that was asked for, the
 * frames' bytes, which record of an arrival belongs to which sending, and the conversations that the packets
 * make up. Ladders, reports and `step` are drawn from it.
 *
 * Order of calls: story_new; story_attach before the scenario's first line; the run; story_seal while the
 * network still exists; questions; story_free. After story_seal nothing of the simulation is referred to any
 * more: names, bytes and strings are the story's own, and so is everything that questions return.
 *
 * Indices count from 0 in order of first appearance, and -1 (STORY_NONE) is none. The order of records is
 * that of the run, so that a story is as deterministic as its run. */
#pragma once

#include <glib.h>

#include "sim/trace/probe.h"

typedef struct Story Story;

#define STORY_NONE (-1)

typedef struct StoryConfig {
    uint64_t classes;     /* PROBE_BIT(…) of the records to keep; 0: all */
    uint32_t snaplen;     /* bytes kept of each frame; 0: all */
    uint64_t max_records; /* keep the first ones (story_is_cut); 0: no limit */
    uint64_t max_bytes;   /* likewise, until their values and bytes take so much; 0: no limit */
    /* What the bus does not know; each may be NULL. "host", "router", "switch", "hub"; the name of the link
     * that is plugged in at the point ("client-r"), NULL for none and for a shared medium (a hub). */
    const char *(*kind_of)(void *user, const Node *node);
    const char *(*link_of)(void *user, const ProbePoint *point);
    const Node *(*far_of)(void *user, const ProbePoint *point); /* at that link's other end */
    uint64_t (*cookies_of)(void *user, const Node *node);       /* SYN cookies that the host has sent */
    void *user;
} StoryConfig;

typedef struct StoryNode {
    const char *name;
    const char *kind; /* "" unknown; the scenario itself is a node of no kind */
} StoryNode;

typedef struct StoryPoint {
    int32_t node;
    int32_t far;       /* node at the other end of the cable that it had first */
    const char *name;  /* "eth0" */
    uint16_t linktype; /* as in pcapng */
    uint8_t mac[6];
} StoryPoint;

typedef struct StoryRecord {
    SimTime time;
    uint64_t event; /* number of the engine's event in which it happened, from 1; 0: before the first one */
    const ProbeDesc *desc;
    const ProbeValue *value; /* desc->n_fields of them */
    int32_t node, point;
    int32_t link;   /* index of story_link: what was plugged in at the point then */
    int32_t packet; /* its bytes, as they were here */
    int32_t flight; /* of frame.tx, frame.rx and frame.drop: the crossing that it begins or ends */
} StoryRecord;

/* Bytes that were seen. A packet that a router has changed is another StoryPacket with the same birth. */
typedef struct StoryPacket {
    int32_t birth_node; /* who made it: index of story_node */
    uint64_t birth;     /* its number there */
    const uint8_t *bytes;
    uint32_t len, kept; /* on the wire without FCS; of these in bytes */
    uint16_t linktype;  /* what the bytes begin with */
    int32_t flow;       /* STORY_NONE: no TCP or UDP */
    int32_t about;      /* of an ICMP error: the flow of the packet that it quotes, if any */
    uint8_t side;       /* 0 or 1: which side of the flow sent it */
    bool is_cookie;     /* a SYN-ACK whose sequence number is a SYN cookie: its sender remembers nothing */
} StoryPacket;

/* One crossing of one link: sent (frame.tx), then received or lost. A broadcast on a shared medium is one
 * crossing for each receiver, with the same tx. */
typedef struct StoryFlight {
    int32_t tx;     /* record; STORY_NONE: dropped before it was sent, or inside a node */
    int32_t end;    /* record: frame.rx or frame.drop; STORY_NONE: in flight when the run ended */
    int32_t packet; /* as sent */
    bool is_lost;   /* end is a frame.drop */
} StoryFlight;

/* A TCP connection or a UDP conversation as packets show it. Side 0 sent first. */
typedef struct StoryFlow {
    uint8_t proto;       /* 6 or 17 */
    const char *addr[2]; /* "10.0.0.2" */
    uint16_t port[2];
    int32_t node[2];     /* who makes the packets of that side; STORY_NONE: that side sent none */
    uint64_t packets[2]; /* different ones */
    uint32_t isn[2];     /* of TCP: the number that counts as 0; the SYN's, else the first one seen */
    bool has_isn[2], has_syn[2];
    bool has_wscale[2]; /* the SYN offered it: windows are scaled if both did */
    uint8_t wscale[2];
    SimTime begin;
} StoryFlow;

/* A TCP endpoint inside a host, as the tcp.* records name it. */
typedef struct StoryConn {
    int32_t node;
    uint64_t id;  /* field "conn" */
    int32_t flow; /* STORY_NONE: no packet of it was seen */
    uint8_t side; /* that it is, of that flow */
    uint16_t local_port, remote_port;
    const char *remote;
} StoryConn;

Story *story_new(const StoryConfig *config);
void story_attach(Story *s, Probes *probes);
/* Detaches; pairs what was sent with what arrived, finds flows and connections. */
void story_seal(Story *s);
void story_free(Story *s); /* detaches if need be; NULL is allowed */

bool story_is_cut(const Story *s); /* there were more records than max_records and max_bytes allow */
SimTime story_end(const Story *s); /* of the run, when it was sealed */

int32_t story_node_count(const Story *s);
const StoryNode *story_node(const Story *s, int32_t i);
int32_t story_node_by_name(const Story *s, const char *name);
int32_t story_point_count(const Story *s);
const StoryPoint *story_point(const Story *s, int32_t i);
int32_t story_link_count(const Story *s);
const char *story_link(const Story *s, int32_t i);
int32_t story_record_count(const Story *s);
const StoryRecord *story_record(const Story *s, int32_t i);
int32_t story_packet_count(const Story *s);
const StoryPacket *story_packet(const Story *s, int32_t i);
int32_t story_flight_count(const Story *s);
const StoryFlight *story_flight(const Story *s, int32_t i);
int32_t story_flow_count(const Story *s);
const StoryFlow *story_flow(const Story *s, int32_t i);
int32_t story_conn_count(const Story *s);
const StoryConn *story_conn(const Story *s, int32_t i);
/* The connection that a tcp.* record tells of. */
int32_t story_conn_of(const Story *s, const StoryRecord *r);

/* A field of a record by its name; NULL: the record has none of that name. kind may be NULL. */
const ProbeValue *story_value(const StoryRecord *r, const char *field, ProbeKind *kind);
/* Likewise as a string, "" if there is none or it is no string. */
const char *story_str(const StoryRecord *r, const char *field);
bool story_is(const StoryRecord *r, const char *probe); /* "tcp.state" */

/* The probe bus: models emit, sinks receive *described* records and know no model.
 *
 * A probe is a constant ProbeDesc: its name, its class (one bit of Partition.probe_mask), and named, typed
 * fields. Emitting costs one predictable branch while nobody listens:
 *
 *     if (probe_wanted(node, PROBE_NEIGH))
 *         probe_emit(node, &neigh_probe_state, point, pkt, (ProbeValue[]){{.u = old}, {.u = new}});
 *
 * Frames (the three classes FRAME_*) are emitted by links and devices, always with a point and a packet:
 *   FRAME_TX    the first bit of the frame goes on the wire at `point` (the sending port)
 *   FRAME_RX    the last bit has arrived at `point` (the receiving port), before any check
 *   FRAME_DROP  the frame ends here; value 0 is the reason (ProbeDrop). Where it is not yet or no longer a
 *               frame (dropped by a router's lookup, a full socket), the packet is what is left of it and the
 *               point the device it came by.
 * Every frame given to a link is accounted for by exactly one FRAME_TX or FRAME_DROP at the sender, and every
 * FRAME_TX by one FRAME_RX or FRAME_DROP or is in flight when the run ends (duplicates are an extra FRAME_TX
 * with reason "duplicate").
 *
 * A sink must not change the simulation; it may read packets (packet_copy) and keep none of them beyond the
 * call without packet_ref. */
#pragma once

#include "sim/engine/node.h"
#include "sim/packet/packet.h"

typedef enum ProbeClass {
    PROBE_FRAME_TX,
    PROBE_FRAME_RX,
    PROBE_FRAME_DROP,
    PROBE_QUEUE,  /* a queue's length changed */
    PROBE_LINK,   /* a link or port changed: up, down, rate */
    PROBE_SWITCH, /* MAC table, spanning tree */
    PROBE_NEIGH,  /* neighbour cache */
    PROBE_ROUTE,
    PROBE_IP, /* stages of the packet path inside a host, fragments, ICMP */
    PROBE_UDP,
    PROBE_SOCKET,
    PROBE_TCP,
    PROBE_APP,
    PROBE_LOG,         /* what the scenario says */
    PROBE_TRANSLATION, /* the same in another language: for readers, and no part of what the run is */
    PROBE_CLASSES
} ProbeClass;

#define PROBE_BIT(cls) (UINT64_C(1) << (cls))
/* The classes that make up the digest's grade "state": everything but the frames and translations, so that
 * who mends a translation moves no digest. */
#define PROBE_STATE_MASK                                                                                     \
    ((PROBE_BIT(PROBE_CLASSES) - 1) & ~(PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX) |              \
                                        PROBE_BIT(PROBE_FRAME_DROP) | PROBE_BIT(PROBE_TRANSLATION)))

typedef enum ProbeKind {
    PROBE_U64,
    PROBE_I64,
    PROBE_BOOL,
    PROBE_TIME,  /* SimTime, in .i */
    PROBE_IP4,   /* host order, in .u */
    PROBE_MAC,   /* 48 bits, in .u */
    PROBE_STR,   /* .s; only read during the call */
    PROBE_FLOAT, /* .f */
} ProbeKind;

typedef union ProbeValue {
    uint64_t u;
    int64_t i;
    double f;
    const char *s;
} ProbeValue;

#define PROBE_MAX_FIELDS 8

typedef struct ProbeDesc {
    const char *name; /* "neigh.state" */
    const char *help; /* one sentence */
    ProbeClass cls;
    unsigned n_fields;
    struct {
        const char *name; /* units last: "length_bytes" */
        ProbeKind kind;
    } field[PROBE_MAX_FIELDS];
} ProbeDesc;

/* A place on a node where frames come and go: a network card, a switch port. Embedded in its owner, which
 * outlives every sink. Ids count up in order of creation within a simulation. */
typedef struct ProbePoint {
    const Node *node;
    const char *name; /* "eth0", "p3" */
    uint32_t id;
    uint16_t linktype;  /* as in pcapng: 1 Ethernet, 9 PPP, 101 raw IP */
    uint8_t mac[6];     /* all zero: none. Eight bytes from here may be read */
    uint8_t heard;      /* frame.tx, frame.rx: bits of the classes that a sink wants from here */
    uint8_t ignored_by; /* bits of sinks (probes_ignore_point) */
} ProbePoint;

typedef struct ProbeRecord {
    const ProbeDesc *desc;
    SimTime time;
    const Node *node;
    const ProbePoint *point; /* or NULL */
    const Packet *pkt;       /* or NULL */
    const ProbeValue *value; /* desc->n_fields of them */
    bool is_copy;            /* frame.tx: a duplicate that the link makes of the frame before */
} ProbeRecord;

typedef struct ProbeSink ProbeSink;
struct ProbeSink {
    uint64_t mask; /* classes wanted */
    void (*record)(ProbeSink *sink, const ProbeRecord *r);
    /* NULL, or called for frame.tx and frame.rx instead, but not for copies: of them there are many, and they
     * have no fields. */
    void (*frame)(ProbeSink *sink, ProbeClass cls, const ProbePoint *point, const Packet *pkt);
    ProbeSink *next; /* set by probes_attach: sinks are called in order of attachment */
    uint8_t bit;     /* likewise: its own in ProbePoint.ignored_by, 0 for the ninth sink and later ones */
};

typedef struct Probes Probes;
Probes *probes_new(Partition *part);
Partition *probes_partition(const Probes *p);
void probes_free(Probes *p); /* sinks are their owners' */
void probes_attach(Probes *p, ProbeSink *sink);
void probes_detach(Probes *p, ProbeSink *sink);
void probes_add_point(Probes *p, ProbePoint *point); /* gives the id */
void probes_remove_point(Probes *p, ProbePoint *point);
/* The sink needs no more frame.tx and frame.rx of this point, until another sink comes: then it is asked
 * again. Spares the call, nothing else: a record may come all the same while another sink wants it. */
void probes_ignore_point(Probes *p, const ProbeSink *sink, const ProbePoint *point);
unsigned probes_point_count(const Probes *p);
const ProbePoint *probes_point(const Probes *p, unsigned id); /* NULL for a removed one */

static inline bool probe_wanted(const Node *n, ProbeClass cls)
{
    return HS_UNLIKELY(n->part->probe_mask >> cls & 1);
}

void probe_emit(const Node *n, const ProbeDesc *desc, const ProbePoint *point, const Packet *pkt,
                const ProbeValue *value);

/* Frames. Reasons of drops are constant strings from probe_drop_name, so that counters, captures and lessons
 * agree. */
typedef enum ProbeDrop {
    DROP_NONE,
    /* link and queue */
    DROP_QUEUE_FULL,
    DROP_LINK_DOWN,
    DROP_LOSS,       /* a loss model */
    DROP_LOSS_BURST, /* Gilbert–Elliott's bad state */
    DROP_LOSS_LIST,  /* "the 3rd and 7th" */
    DROP_RULE,       /* a scenario's packet rule */
    DROP_AQM,        /* a queue discipline's decision */
    DROP_COLLISION,  /* 16 attempts on a shared segment */
    DROP_MTU,        /* larger than the link carries */
    /* device */
    DROP_FCS,
    DROP_NOT_FOR_ME, /* another MAC address */
    DROP_RING_FULL,  /* receive ring overrun */
    DROP_BACKLOG_FULL,
    DROP_ETHERTYPE, /* no handler */
    DROP_MALFORMED,
    DROP_DEVICE_DOWN,
    DROP_NO_CARRIER,
    /* switch */
    DROP_SAME_PORT, /* the destination is where it came from */
    DROP_VLAN,
    DROP_STP, /* the port does not forward */
    /* neighbour */
    DROP_NEIGH_QUEUE_FULL,
    DROP_NEIGH_FAILED,
    /* IP */
    DROP_IP_HEADER,
    DROP_IP_CHECKSUM,
    DROP_TTL,
    DROP_NO_ROUTE,
    DROP_NOT_FORWARDING,
    DROP_MARTIAN,
    DROP_DF, /* too big and must not be fragmented */
    DROP_REASSEMBLY_TIMEOUT,
    DROP_REASSEMBLY_OVERLAP,
    DROP_REASSEMBLY_MEMORY,
    DROP_DIRECTED_BROADCAST,
    DROP_PROTOCOL,
    DROP_FILTER, /* administratively prohibited */
    /* transport */
    DROP_L4_CHECKSUM,
    DROP_L4_HEADER,
    DROP_NO_SOCKET,
    DROP_SOCKET_BUFFER,
    DROP_HOST_DOWN,
    DROP_END
} ProbeDrop;
const char *probe_drop_name(ProbeDrop d); /* "queue full" */

extern const ProbeDesc probe_frame_tx;   /* "frame.tx": no fields */
extern const ProbeDesc probe_frame_rx;   /* "frame.rx": no fields */
extern const ProbeDesc probe_frame_drop; /* "frame.drop": reason (STR) */
static inline const ProbeDesc *probe_frame_desc(ProbeClass cls)
{
    return cls == PROBE_FRAME_TX ? &probe_frame_tx : &probe_frame_rx;
}

/* Of PROBE_FRAME_TX and PROBE_FRAME_RX, which point->heard has. */
static inline void probe_emit_frame(ProbeClass cls, const ProbePoint *point, const Packet *pkt)
{
    ProbeSink *sink = point->node->part->frame_sink;

    sink->frame(sink, cls, point, pkt);
}

static inline void probe_tx(const ProbePoint *point, const Packet *pkt)
{
    if (point->heard & PROBE_BIT(PROBE_FRAME_TX))
        probe_emit_frame(PROBE_FRAME_TX, point, pkt);
}

static inline void probe_rx(const ProbePoint *point, const Packet *pkt)
{
    if (point->heard & PROBE_BIT(PROBE_FRAME_RX))
        probe_emit_frame(PROBE_FRAME_RX, point, pkt);
}

/* The link sends the frame once more, by itself. */
void probe_tx_copy(const ProbePoint *point, const Packet *pkt);

/* Reports the drop and releases the packet: the one way in which a frame ends before its receiver. point may
 * be NULL. */
void probe_drop(const Node *node, const ProbePoint *point, Packet *pkt, ProbeDrop reason);

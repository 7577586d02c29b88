/* The error queue of a socket (recvmsg with MSG_ERRQUEUE): ICMP errors of IP_RECVERR, transmit timestamps of
 * SO_TIMESTAMPING, completions of MSG_ZEROCOPY. Made for the socket that asks for one of them first. */
#pragma once

#include "models/tcp/tcp_conn.h"

struct TcpIcmp;

enum { /* SO_TIMESTAMPING */
       TCP_TS_TX_SOFTWARE = 1 << 1,
       TCP_TS_RX_SOFTWARE = 1 << 3,
       TCP_TS_SOFTWARE = 1 << 4,
       TCP_TS_OPT_ID = 1 << 7,
       TCP_TS_TX_SCHED = 1 << 8,
       TCP_TS_TX_ACK = 1 << 9,
       TCP_TS_OPT_CMSG = 1 << 10,
       TCP_TS_OPT_TSONLY = 1 << 11,
       TCP_TS_OPT_STATS = 1 << 12,
       TCP_TS_BIND_PHC = 1 << 15,
       TCP_TS_OPT_ID_TCP = 1 << 16,
       TCP_TS_TX_COMPLETION = 1 << 18,
       TCP_TS_TX_RECORD =
           1 << 0 | TCP_TS_TX_SOFTWARE | TCP_TS_TX_SCHED | TCP_TS_TX_ACK | TCP_TS_TX_COMPLETION,
       TCP_TS_ALL = (1 << 19) - 1,
};

enum { TCP_STAMP_SENT, TCP_STAMP_SCHED, TCP_STAMP_ACKED }; /* SCM_TSTAMP_* */

#define TCP_ERRQ_STATS 256 /* all of TCP_NLA_*, as netlink attributes */

typedef struct TcpErrWay { /* what IP says of the packet that a message is about */
    bool is_known;         /* the packet has been at a device, and is there still */
    bool is_ip6;
    uint8_t ttl, tos;
    uint16_t to_port;
    uint32_t ifindex, flowinfo;
    InetAddr from, to;
} TcpErrWay;

enum {
    TCP_CLONE_NOT,
    TCP_CLONE_SHARES, /* a segment's bytes: it is not joined with others while they are (skb_cloned) */
    TCP_CLONE_HELD,   /* the segment itself, of which a part is still to be acknowledged: it is not even sent
                         again (skb_fclone_busy takes this for a copy on its way to the device) */
};

typedef struct TcpErrMsg { /* struct sock_extended_err and what goes with it */
    struct TcpErrMsg *next;
    uint32_t ee_errno, ee_info, ee_data;
    uint8_t origin, type, code;
    bool is_v6; /* told by IPV6_RECVERR */
    bool has_offender;
    bool has_stamp;
    InetAddr offender;
    TcpErrWay way;
    SimTime stamp;
    uint32_t truesize;    /* what it takes of the receive buffer, as Linux would count it */
    uint32_t start, end;  /* of the segment that it is a clone of */
    uint8_t clone;        /* TCP_CLONE_* */
    uint32_t payload_len; /* what Linux would hand back of the packet; its bytes are not kept */
    uint32_t stats_len;
    uint8_t stats[];
} TcpErrMsg;

/* The next message becomes the caller's (g_free); NULL: none. */
TcpErrMsg *tcp_errq_take(TcpConn *c);
bool tcp_errq_is_empty(const TcpConn *c);
void tcp_errq_clear(TcpConn *c);
void tcp_errq_icmp(TcpConn *c, const struct TcpIcmp *e); /* ip_icmp_error, when IP_RECVERR is on */

/* tcp_sendmsg has queued bytes up to write_seq: tcp_tx_timestamp, for `tsflags` of that call; and with
 * MSG_ZEROCOPY a completion to come: of this call, or of those before and this one together. */
enum { TCP_LEND_NOTHING, TCP_LEND, TCP_LEND_MORE };
void tcp_errq_on_written(TcpConn *c, const TcpSeg *tail, uint32_t tsflags, int lend);
void tcp_errq_on_copied(TcpConn *c); /* zerocopy, but all of it went into the SYN: complete at once */
/* Bytes of the kernel's joined lent ones in the last segment, which now ends there: all of it, in whatever
 * pieces it leaves, goes on holding the loan (skb_zcopy_clone). */
void tcp_errq_on_appended(TcpConn *c, uint32_t end_seq);
/* A segment went to the device, with so many bytes of IP and TCP headers, which are handed back with it; it
 * was acknowledged up to snd_una, of which before prior_snd_una is no news; and one that ended there is about
 * to be freed. Only called while somebody waits for that. */
void tcp_errq_note_sent(TcpConn *c, TcpSeg *s, uint32_t headers);
void tcp_errq_note_acked(TcpConn *c, TcpSeg *s, uint32_t prior_snd_una, uint8_t ttl);
void tcp_errq_note_freed(TcpConn *c, uint32_t end_seq);
/* Does an unread message share the segment's bytes (skb_cloned)? From now on none does (skb_unclone). */
bool tcp_errq_shares(const TcpConn *c, const TcpSeg *s);
void tcp_errq_unshare(TcpConn *c, const TcpSeg *s);
void tcp_errq_note_purged(TcpConn *c); /* tcp_write_queue_purge: what was lent is given back, unsent or not */
/* Segments from `start` to `end` have become one, which keeps one timestamp, the last. */
void tcp_errq_note_joined(TcpConn *c, uint32_t start, uint32_t end);
static inline void tcp_errq_on_joined(TcpConn *c, uint32_t start, uint32_t end)
{
    if (HS_UNLIKELY(c->has_errq))
        tcp_errq_note_joined(c, start, end);
}
static inline void tcp_errq_on_sent(TcpConn *c, TcpSeg *s, uint32_t headers)
{
    if (HS_UNLIKELY(c->has_errq))
        tcp_errq_note_sent(c, s, headers);
}
static inline void tcp_errq_on_acked(TcpConn *c, TcpSeg *s, uint32_t prior_snd_una, uint8_t ttl)
{
    if (HS_UNLIKELY(c->has_errq))
        tcp_errq_note_acked(c, s, prior_snd_una, ttl);
}
static inline void tcp_errq_on_freed(TcpConn *c, uint32_t end_seq)
{
    if (HS_UNLIKELY(c->has_errq))
        tcp_errq_note_freed(c, end_seq);
}
static inline void tcp_errq_on_purged(TcpConn *c)
{
    if (HS_UNLIKELY(c->has_errq))
        tcp_errq_note_purged(c);
}

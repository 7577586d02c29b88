/* Who a segment belongs to, and the passive side: tcp_demux.c (tcp_v4_rcv, tcp_v6_rcv: checks, look-up,
 * TIME_WAIT, requests, RST to nobody), tcp_table.c (connections, listeners), tcp_ports.c (bound ports, port
 * selection), tcp_req.c (a half-open connection: SYN, SYN-ACK and its timer, the last ACK), tcp_child.c (the
 * connection that it becomes), tcp_listen.c (queues and limits), tcp_cookie.c, tcp_fastopen.c (server),
 * tcp_fastopen_tx.c (client), tcp_tw.c (TIME_WAIT), tcp_isn.c, tcp_md5.c, tcp_metrics.c (cached per
 * destination), tcp_err.c (ICMP), tcp_ip.c and tcp_ip6.c (the network below). */
#pragma once

#include "models/tcp/tcp_conn.h"
#include "sim/base/siphash.h"

#define TCP_FASTOPEN_NONE 0xff /* TcpFastopenCookie.len: no option (Linux -1) */
typedef struct TcpFastopenCookie {
    uint8_t len;
    bool exp;
    uint8_t val[TCP_MAX_FASTOPEN_COOKIE];
} TcpFastopenCookie;
enum { /* bits of the sysctl tcp_fastopen */
       TCP_FASTOPEN_CLIENT = 1,
       TCP_FASTOPEN_SERVER = 2,
       TCP_FASTOPEN_CLIENT_NO_COOKIE = 4,
       TCP_FASTOPEN_SERVER_NO_COOKIE = 0x200,
       TCP_FASTOPEN_WITHOUT_OPTION = 0x400,
};
/* TcpConn.fastopen_client_fail (tcpi_fastopen_client_fail): why the client's data did not go in the SYN */
enum { TCP_TFO_NO_FAIL, TCP_TFO_COOKIE_UNAVAILABLE, TCP_TFO_DATA_NOT_ACKED, TCP_TFO_SYN_RETRANSMITTED };
/* Client: the cookie and data of a SYN that is being made (Linux tcp_fastopen_request). A cookie of length 0
 * asks for one. */
struct TcpFastopenTx {
    TcpFastopenCookie cookie;
    const TcpSend *data;
    size_t size, copied;
};

struct TcpReq { /* Linux request_sock with tcp_request_sock: a SYN was answered */
    TcpReq *hash_next;
    TcpReq *next, *prev; /* all of its listener */
    Tcp *tcp;
    TcpConn *listener;
    Timer timer; /* SYN-ACK retransmission */
    InetAddr local, remote;
    uint16_t local_port, remote_port;
    uint32_t rcv_isn, snt_isn, rcv_nxt, ts_recent, ts_off, last_tsecr;
    SimTime snt_synack, last_oow_ack;
    uint32_t rcv_wnd, window_clamp, rsk_rcv_wnd;
    uint32_t timeout_ms;
    uint16_t mss;
    uint8_t rcv_wscale, snd_wscale, num_timeout, num_retrans;
    uint8_t is_v6 : 1, wscale_ok : 1, tstamp_ok : 1, sack_ok : 1, ecn_ok : 1, acked : 1, tfo_listener : 1,
        is_cookie : 1, is_again : 1; /* is_again: the SYN-ACK goes out once more */
    uint8_t accecn_ok : 1, syn_ect_snt : 2, syn_ect_rcv : 2, accecn_fail_mode : 4;
    uint8_t saw_accecn_opt;
    uint8_t tos;                /* of the SYN, for tcp_reflect_tos */
    bool is_hashed, is_queued;  /* in the table; in its listener's list */
    TcpConn *child;             /* Fast Open */
    uint32_t ts_first, ts_last; /* timestamp values that its SYN-ACKs carried: an echo must lie between */
    SimTime rst_until;          /* in TcpListen.rst_head: it counts until then */
    Packet *saved_syn;
    uint32_t flow_label; /* of the SYN */
    uint32_t txhash;     /* IPv6: of our answers (Linux tcp_rsk txhash) */
    void *dev;
};

typedef struct TcpTwMore {
    InetAddr local, remote;
    TcpMd5Key *md5;
} TcpTwMore;

/* Linux tcp_timewait_sock. Hosts hold thousands of them, nearly all of IPv4 and without a key. */
struct TcpTw {
    TcpTw *hash_next;
    Tcp *tcp;
    Event *end; /* its last moment: there always is one, and it seldom moves, so a Timer would be a waste */
    TcpTw *all_next, *all_prev;
    TcpTw *bind_next, *bind_prev;
    SimTime last_oow_ack, entry_stamp;
    uint32_t rcv_nxt, snd_nxt, rcv_wnd, ts_recent, ts_offset, id;
    uint32_t ts_recent_stamp; /* s */
    uint32_t local4, remote4; /* unless has_more */
    uint16_t local_port, remote_port;
    uint8_t substate; /* TCP_FIN_WAIT2 or TCP_TIME_WAIT */
    uint8_t rcv_wscale, tos;
    uint8_t is_v6 : 1, sflag_v6 : 1, has_reuse : 1, has_reuseport : 1;
    uint8_t has_more : 1; /* more[0] is there: IPv6, or a key */
    TcpTwMore more[];
};
_Static_assert(sizeof(TcpTw) <= 120, "TcpTw has grown: what few of them have belongs into TcpTwMore");

static inline InetAddr tcp_tw_local(const TcpTw *w)
{
    return w->has_more ? w->more[0].local : inet_from_ip4(w->local4);
}
static inline InetAddr tcp_tw_remote(const TcpTw *w)
{
    return w->has_more ? w->more[0].remote : inet_from_ip4(w->remote4);
}
static inline const TcpMd5Key *tcp_tw_md5(const TcpTw *w)
{
    return w->has_more ? w->more[0].md5 : NULL;
}

struct TcpListen {               /* of a listening socket */
    TcpReq *req_head, *req_tail; /* half-open, oldest first */
    uint32_t qlen, young;        /* reqsk_queue */
    TcpConn *accept_head, *accept_tail;
    uint32_t ack_backlog, max_ack_backlog;
    uint32_t max_qlen;                         /* half-open; 0: max_ack_backlog, as Linux since 4.4 */
    uint32_t fastopen_qlen, fastopen_max_qlen; /* TCP_FASTOPEN; 0: off */
    TcpReq *rst_head,
        *rst_tail;    /* requests of Fast Open children that were reset and still count (RFC 7413 5.1) */
    TcpReq *tfo_head; /* requests of Fast Open children before the end of their handshake */
    uint8_t n_fastopen_keys; /* TCP_FASTOPEN_KEY: instead of the host's; 0: not set */
    uint8_t fastopen_key[2][16];
    SimTime synq_overflow_ts; /* when a cookie was last sent */
    bool has_overflown;
    bool syn_wait_logged;
};

/* A bucket of the ports that are bound: tcp_table.c. */
typedef struct TcpBind TcpBind;

/* Who has which four-tuple and which port: the tables of tcp_table.c and tcp_ports.c, whose sizes are powers
 * of two. With one slot it is in here, and most hosts need no more. */
typedef struct TcpSlot {
    TcpConn *conn;
    TcpReq *req;
    TcpTw *tw;
} TcpSlot;
typedef struct TcpTable {
    union {
        TcpSlot one; /* mask is 0 */
        TcpSlot *many;
    } slots;
    union {
        TcpBind *one; /* port_mask is 0 */
        TcpBind **many;
    } ports;
    uint32_t mask, n, port_mask, n_binds;
    /* Linux's table_perturb: how far the search for ports has come, of the one slot that is in use */
    uint32_t perturb;
    uint8_t perturb_slot;
    bool has_perturb;
    struct TcpPorts *search; /* of all that are, and how it ended; NULL: at most that one */
} TcpTable;

/* ---- tcp_table.c ---- */
void tcp_table_clear(Tcp *t);
size_t tcp_table_bytes(const Tcp *t);
TcpConn *tcp_table_find(Tcp *t, const TcpIn *in, TcpReq **req,
                        TcpTw **tw); /* the connection, request or TIME_WAIT of this four-tuple */
TcpConn *tcp_table_find_listener(Tcp *t,
                                 const TcpIn *in); /* best match (compute_score), SO_REUSEPORT by hash */
void tcp_table_insert(TcpConn *c); /* established hash; the tuple is complete (also SYN_SENT) */
void tcp_table_insert_listener(TcpConn *c);
/* Out of the connections or listeners; the port goes too, unless bind() chose it (Linux
 * tcp_set_state(TCP_CLOSE): unhash, inet_put_port). */
void tcp_table_remove(TcpConn *c);
void tcp_table_unbind(
    TcpConn *c); /* inet_put_port: also a port that bind() chose (the socket is destroyed, or disconnected) */
/* inet_num: 0 when the port was given back, which the socket's address goes on showing (inet_sport). */
static inline uint16_t tcp_table_port(const TcpConn *c)
{
    return c->sflags & TCP_S_BOUND ? c->local_port : 0;
}
int tcp_table_bind(TcpConn *c, uint16_t port); /* inet_csk_get_port: 0 chooses; -EADDRINUSE */
int tcp_table_connect_port(TcpConn *c);        /* inet_hash_connect: chooses a port (even ones first), checks
                                                  uniqueness, TIME_WAIT reuse; inserts */
void tcp_table_bind_child(TcpConn *child, const TcpConn *listener);
void tcp_table_insert_req(TcpReq *r);
void tcp_table_remove_req(TcpReq *r);
void tcp_table_insert_tw(TcpTw *tw, TcpConn *c);
void tcp_table_remove_tw(TcpTw *tw);

/* ---- tcp_demux.c ---- */
void tcp_demux_receive(Tcp *t, TcpIn *in);                            /* from tcp_ip.c, checksum verified */
void tcp_demux_send_reset(Tcp *t, const TcpConn *c, const TcpIn *in); /* tcp_v4_send_reset; c may be NULL */
void tcp_demux_send_ack(Tcp *t, const TcpIn *in, uint32_t seq, uint32_t ack, uint32_t win, uint32_t tsval,
                        uint32_t tsecr, bool has_ts, const TcpMd5Key *md5, uint8_t tos,
                        uint16_t extra_flags); /* tcp_v4_send_ack */

/* ---- tcp_req.c ---- */
void tcp_req_on_syn(TcpConn *listener, TcpIn *in); /* tcp_conn_request */
/* tcp_check_req: a segment for a half-open connection. The child to go on with, the listener (goes on there),
 * or NULL: dealt with. *req_stolen/lost as Linux. */
TcpConn *tcp_req_check(TcpConn *listener, TcpReq *r, TcpIn *in, bool fastopen, bool *lost_race);
/* tcp_child_process: the first segment of a new child; an unacceptable one is answered with a RST. Wakes the
 * listener. */
void tcp_req_child_process(TcpConn *listener, TcpConn *child, TcpIn *in);
void tcp_req_drop(TcpReq *r); /* inet_csk_reqsk_queue_drop: out of table and queue, freed */
bool tcp_req_init_window(TcpReq *r, TcpConn *listener,
                         bool is_cookie_ack); /* tcp_openreq_init_rwin; false: no route */
TcpConn *tcp_req_make_child(TcpConn *listener, TcpReq *r,
                            TcpIn *in); /* tcp_v4_syn_recv_sock + tcp_create_openreq_child; NULL: no room */
void tcp_req_free(TcpReq *r);
void tcp_req_on_timeout(TcpReq *r);                           /* reqsk_timer_handler */
void tcp_req_retransmit_synack(TcpConn *listener, TcpReq *r); /* inet_rtx_syn_ack */

/* ---- tcp_listen.c ---- */
TcpListen *
tcp_listen_get(TcpConn *c); /* allocated when first needed (TCP_FASTOPEN may be set before listen) */
void tcp_listen_free(TcpConn *c);
void tcp_listen_start(TcpConn *c, int backlog);
void tcp_listen_stop(TcpConn *c);                             /* inet_csk_listen_stop */
void tcp_listen_add_child(TcpConn *listener, TcpConn *child); /* into the accept queue; wakes */
TcpConn *tcp_listen_accept(TcpConn *listener);                /* NULL: empty */
static inline bool tcp_listen_accept_is_full(const TcpConn *c)
{
    return c->listen->ack_backlog > c->listen->max_ack_backlog;
}
static inline bool tcp_listen_syn_is_full(const TcpConn *c)
{
    const TcpListen *l = c->listen;

    return l->max_qlen ? l->qlen >= l->max_qlen : l->qlen > l->max_ack_backlog;
}

/* ---- tcp_cookie.c ---- */
uint32_t tcp_cookie_make(TcpConn *listener, const TcpIn *in, uint16_t *mss); /* cookie_v4_init_sequence */
TcpConn *tcp_cookie_check(TcpConn *listener,
                          TcpIn *in); /* cookie_v4_check: a child, the listener itself (no cookie), or NULL */
uint32_t tcp_cookie_tsval(const TcpReq *r, SimTime now); /* cookie_init_timestamp, without the offset */
bool tcp_cookie_ts_decode(Tcp *t, TcpOptions *o, uint32_t ts_off);

/* ---- tcp_fastopen.c, tcp_fastopen_tx.c ---- */
/* tcp_try_fastopen: a child if SYN data is to be accepted. *reply: the cookie to send with the SYN-ACK. */
TcpConn *tcp_fastopen_try(TcpConn *listener, TcpIn *in, TcpReq *r, TcpFastopenCookie *foc);
bool tcp_fastopen_has_space(TcpConn *listener);
void tcp_fastopen_remove_child(TcpConn *listener, TcpReq *r, bool reset); /* reqsk_fastopen_remove */
void tcp_fastopen_make_cookie(Tcp *t, const uint8_t key[16], const InetAddr *client, const InetAddr *server,
                              bool is_v6, uint8_t out[8]);
int tcp_fastopen_set_key(TcpConn *c, const uint8_t *key, unsigned len); /* TCP_FASTOPEN_KEY */
int tcp_fastopen_connect_syn(TcpConn *c, TcpSeg *syn);                  /* tcp_send_syn_data */
bool tcp_fastopen_cookie_check(TcpConn *c, uint16_t *mss, TcpFastopenCookie *cookie);
bool tcp_fastopen_defer_connect(TcpConn *c, int *err);
/* cookie: NULL when the SYN-ACK has no such option. true: the data of the SYN was not acknowledged and goes
 * again. */
bool tcp_fastopen_rcv_synack(TcpConn *c, TcpIn *in,
                             const TcpFastopenCookie *cookie); /* tcp_rcv_fastopen_synack */
void tcp_fastopen_active_disable(TcpConn *c);
void tcp_fastopen_active_disable_ofo_check(TcpConn *c);
bool tcp_fastopen_active_should_disable(TcpConn *c);
void tcp_fastopen_active_detect_blackhole(TcpConn *c, bool expired);
void tcp_fastopen_add_skb(TcpConn *c, TcpIn *in); /* SYN data into the receive queue */
int64_t tcp_fastopen_sendmsg(TcpConn *c, const TcpSend *m, size_t *copied); /* tcp_sendmsg_fastopen */
void tcp_fastopen_free_tx(TcpConn *c);
void tcp_fastopen_cookie_of(const TcpIn *in,
                            TcpFastopenCookie *out); /* what the segment's options say; in->opt is decoded */

/* ---- tcp_tw.c ---- */
void tcp_tw_enter(TcpConn *c, TcpState substate,
                  uint32_t timeo_ms); /* tcp_time_wait: the connection is gone afterwards (tcp_done) */
/* tcp_timewait_state_process. TW_SYN: a new SYN may reuse it (isn is set in *isn). */
typedef enum TcpTwAnswer { TCP_TW_SUCCESS, TCP_TW_RST, TCP_TW_ACK, TCP_TW_ACK_OOW, TCP_TW_SYN } TcpTwAnswer;
TcpTwAnswer tcp_tw_process(TcpTw *tw, TcpIn *in, uint32_t *isn);
void tcp_tw_free(TcpTw *tw);
bool tcp_tw_is_reuse_on(const TcpConn *c);    /* tcp_tw_reuse, for this destination */
bool tcp_tw_may_reuse(TcpConn *c, TcpTw *tw); /* tcp_twsk_unique */

/* ---- tcp_isn.c ---- */
/* The host's secrets: ten numbers of its stream, which are found again when needed. */
typedef struct TcpKeys {
    SipKey isn, ts, port, cookie[2];
} TcpKeys;
void tcp_isn_keys_init(Tcp *t);
void tcp_isn_keys_forget(const Tcp *t);
const TcpKeys *tcp_isn_keys(const Tcp *t); /* for the moment: another host's may take their place */
uint32_t tcp_isn(Tcp *t, const InetAddr *local, const InetAddr *remote, uint16_t lport, uint16_t rport,
                 bool is_v6);
uint32_t tcp_isn_ts_offset(Tcp *t, const InetAddr *local, const InetAddr *remote, bool is_v6);
uint64_t tcp_isn_port_offset(Tcp *t, const TcpConn *c);

/* ---- tcp_md5.c ---- */
struct TcpMd5Key {
    TcpMd5Key *next;
    InetAddr addr;
    uint8_t prefix_len;
    bool is_v6, has_prefix;
    uint8_t key[80];
    uint8_t key_len;
};
const TcpMd5Key *tcp_md5_find(const TcpConn *c, const InetAddr *peer);
int tcp_md5_set(TcpConn *c, const void *val, unsigned len, bool is_ext);
/* RFC 2385 2.0 over the header (options excluded, checksum zero) and payload. */
void tcp_md5_sign(uint8_t digest[16], const TcpMd5Key *k, const InetAddr *src, const InetAddr *dst,
                  bool is_v6, const Packet *pkt, unsigned tcp_off);
bool tcp_md5_is_bad(Tcp *t, const TcpConn *c, TcpIn *in); /* counts; true: drop */
bool tcp_md5_is_bad_header(const TcpIn *in);
void tcp_md5_copy(TcpConn *child, const TcpConn *listener, const InetAddr *peer);
void tcp_md5_free(TcpConn *c);

/* ---- tcp_metrics.c ---- */
void tcp_metrics_init(TcpConn *c);   /* tcp_init_metrics */
void tcp_metrics_update(TcpConn *c); /* tcp_update_metrics */
bool tcp_metrics_peer_is_proven(Tcp *t, const TcpReq *r);
void tcp_metrics_fastopen_get(TcpConn *c, uint16_t *mss, TcpFastopenCookie *cookie);
void tcp_metrics_fastopen_set(TcpConn *c, uint16_t mss, const TcpFastopenCookie *cookie, bool syn_lost,
                              uint16_t try_exp);
void tcp_metrics_free(Tcp *t);
size_t tcp_metrics_bytes(const Tcp *t);

/* ---- tcp_err.c ---- */
typedef struct TcpIcmp {
    InetAddr src, dst;
    uint16_t src_port, dst_port;
    uint32_t seq;
    int err;
    bool hard, is_pmtu, is_v6, is_redirect;
    uint32_t mtu;
    uint8_t type, code;
    InetAddr reporter, to; /* the message's own addresses, and how it came */
    uint8_t ttl, tos;
    uint32_t len; /* of the message, IP header included */
    uint32_t ifindex;
} TcpIcmp;
bool tcp_err_icmp(Tcp *t, const TcpIcmp *e); /* false: about none of our connections */

/* ---- tcp_ip.c ---- */
/* Route of a connection, cached; brings metrics, mtu, source address. 0 or -errno. */
int tcp_ip_route(TcpConn *c);
uint32_t tcp_ip_mtu(TcpConn *c); /* path MTU now (dst_mtu) */
bool tcp_ip_mtu_is_locked(TcpConn *c);
uint32_t tcp_ip_advmss(const TcpConn *c); /* dst_metric_advmss: device MTU - headers, or the route's advmss */
uint32_t tcp_ip_header_len(const TcpConn *c); /* 20 or 40 */
struct TcpErrWay;
void tcp_ip_way_out(const TcpConn *c, struct TcpErrWay *way); /* of the segment that was sent last */
void tcp_ip_pmtu_update(TcpConn *c, uint32_t mtu);
void tcp_ip_confirm_neigh(TcpConn *c);   /* forward progress */
void tcp_ip_negative_advice(TcpConn *c); /* dst_negative_advice: repeated timeouts */
bool tcp_ip_is_local(const TcpConn *c);  /* the peer is this host (loopback) */
/* Sends a built segment (head at the TCP header, checksum field 0, its pseudo header filled in here). Takes
 * it. */
int tcp_ip_send(TcpConn *c, Packet *pkt, uint8_t ecn_bits, SimTime edt);
/* Does the route to that peer ask for ECN (ip route … features ecn)? */
bool tcp_ip_wants_ecn(Tcp *t, const InetAddr *remote, bool is_v6);
/* The route names a controller that does (Linux DST_FEATURE_ECN_CA). */
bool tcp_ip_cc_needs_ecn(Tcp *t, const InetAddr *remote, bool is_v6);
/* Of a destination that has no connection yet (requests); false: no route. */
/* Without a route to learn from: what the flow label is for that hash (ip6_make_flowlabel), never 0. */
uint32_t tcp_ip_flow_label(Tcp *t, uint32_t txhash, uint32_t n_rehash);
typedef struct TcpPath {
    uint32_t mtu, advmss, window, initrwnd;
    bool is_loopback;
    const struct RouteMetrics *metrics;
} TcpPath;
bool tcp_ip_path(Tcp *t, const InetAddr *local, const InetAddr *remote, TcpPath *out);
void tcp_ip_attach(Tcp *t); /* as protocol 6 of both */
void tcp_ip_detach(Tcp *t);
bool tcp_ip_may_bind(
    Tcp *t, const InetAddr *a); /* one of ours, a group or broadcast address (inet_addr_valid_or_nonlocal) */
/* For segments of no connection; ttl 0: the default. */
typedef struct TcpRaw {
    InetAddr src, dst;
    bool is_v6;
    uint8_t tos;
    uint8_t ttl;
    uint32_t flow_label;
} TcpRaw;
int tcp_ip_send_raw(Tcp *t, Packet *pkt, const TcpRaw *to);
Packet *tcp_ip_new_packet(Tcp *t); /* with headroom for the layers below */

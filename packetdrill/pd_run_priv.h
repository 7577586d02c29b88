/* One run: what its files share. */
#pragma once

#include "packetdrill/pd_code.h"
#include "packetdrill/pd_map.h"
#include "packetdrill/pd_packet.h"
#include "packetdrill/pd_run.h"

typedef struct PdRun PdRun;
typedef struct PdConn PdConn;

typedef enum PdConnState {
    PD_CONN_FRESH,
    PD_CONN_LISTENING,
    PD_CONN_CONNECTING, /* its local port is not known yet */
    PD_CONN_ACTIVE,
    PD_CONN_PASSIVE, /* came into being with an inbound packet */
} PdConnState;

/* What the script's packets may belong to. */
struct PdConn {
    PdConnState state;
    int script_fd, live_fd; /* -1: none (yet) */
    int domain, type, protocol;
    bool has_remote_isn;
    bool closed;
    bool is_disconnected; /* FRESH again, and tuple and map are those of the connection it has left */
    uint16_t bound_port;  /* 0: not bound */
    PdTuple tuple;        /* src: the stack under test, dst: the peer; a port of 0 is not known */
    PdMap map;
};

/* A script's descriptor and the stack's. */
typedef struct PdLabel {
    int script_fd, live_fd;
    bool is_open;
} PdLabel;

/* A call that has begun and its expectation. */
typedef struct PdPending {
    bool is_pending;
    const PdEvent *event;
    int64_t start_us, end_us; /* scheduled */
    int64_t started_us;
    PdCall call; /* owned: pd_call_clear */
} PdPending;

struct PdRun {
    const PdScript *script;
    const PdConfig *config;
    PdHostConfig host;
    const PdStackOps *ops;
    PdStack *stack;
    const PdObserver *observer;
    GPtrArray *conns; /* of PdConn */
    PdConn *conn;     /* the one under test; NULL: none */
    GArray *labels;   /* of PdLabel */
    uint16_t next_port;
    PdPending pending;
    PdCode *code;
    GPtrArray *recent; /* lines of the last packets, for messages */
    const PdEvent *event;
    int64_t scheduled_us, end_us; /* of the event */
    int64_t previous_us;          /* scheduled time of the event before */
    char *error;
    PdOutcome outcome;
};

int64_t pd_run_now_us(const PdRun *r);
/* The first error is kept; always false. what: "error handling packet". */
bool pd_run_fail(PdRun *r, PdOutcome outcome, const PdEvent *e, const char *format, ...) HS_PRINTF(4, 5);
void pd_run_line(PdRun *r, const char *format, ...) HS_PRINTF(2, 3);
/* How far off a time may be: section 4. */
int64_t pd_run_tolerance_us(const PdRun *r, int64_t distance_us);

/* ---- pd_conn.c: which connection ---- */

PdConn *pd_conn_new(PdRun *r, int domain, int type, int protocol);
void pd_conn_free(void *conn);
PdConn *pd_conn_by_fd(PdRun *r, int script_fd);
void pd_conn_disconnect(PdConn *c);
/* What is known of the connection's numbers and ports is forgotten. */
void pd_conn_leave(PdConn *c);
/* An inbound packet is about to be built: the passive child comes into being here. false: it can belong to
 * nothing. */
bool pd_conn_on_inbound(PdRun *r, const PdPacket *p, char **why);
/* --many_connections: the one with these ports, which comes into being with the first line that names them.
 */
PdConn *pd_conn_by_ports(PdRun *r, uint16_t local_port, uint16_t remote_port);
/* Does what was captured belong to the connection under test? Learns the local port. */
bool pd_conn_owns(PdRun *r, const PdSeen *s);
/* What an expected and captured packet teaches: the local ISN (of several on the same ports the last one). */
void pd_conn_on_outbound(PdRun *r, const PdPacket *expected, const PdSeen *s);

/* ---- pd_packets.c: packet events ---- */

bool pd_packets_inbound(PdRun *r, const PdEvent *e);
bool pd_packets_outbound(PdRun *r, const PdEvent *e);

/* ---- pd_call*.c: system calls ---- */

bool pd_call_start(PdRun *r, const PdEvent *e);
/* A call that sleeps: looks whether it has returned by now + wait_us. must: it is an error if not. */
bool pd_call_finish(PdRun *r, int64_t wait_us, bool must);
/* Script text to numbers. NULL-terminated *why on false. */
bool pd_call_prepare(PdRun *r, const PdSyscall *s, PdCall *call, char **why);
/* Compares a result with what the script says about it; binds new labels. */
bool pd_call_check(PdRun *r, const PdSyscall *s, const PdCall *call, const PdResult *result, char **why);
/* The two arguments from i on that say where an address comes back, and what came back there. */
bool pd_call_take_name(const PdSyscall *s, unsigned i, PdCall *call, char **why);
bool pd_call_check_name(const PdSyscall *s, unsigned i, const PdCall *call, const PdResult *r, char **why);
/* getsockopt's [length] or [room => length], behind its value; and what has to come back there. */
bool pd_call_take_length(const PdSyscall *s, unsigned i, PdCall *call, int64_t *room, char **why);
bool pd_call_length(const PdSyscall *s, unsigned i, int64_t *len, char **why);
bool pd_call_check_addr(const PdExpr *e, const PdResult *r, char **why);
void pd_call_clear(PdCall *call);
/* What a call means for the connection under test: before it is made, and after it returned. */
void pd_call_on_start(PdRun *r, const PdSyscall *s, const PdCall *call);
void pd_call_on_return(PdRun *r, const PdSyscall *s, const PdCall *call, const PdResult *result);

int pd_run_live_fd(PdRun *r, int script_fd); /* the label's own number when it is not bound: EBADF */
void pd_run_bind_fd(PdRun *r, int script_fd, int live_fd);
void pd_run_unbind_fd(PdRun *r, int script_fd);

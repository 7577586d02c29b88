/* The state of a spanning tree, for the rstp files. Names are the standard's (802.1D-2004 17.15–17.19), in
 * our spelling.
 *
 * The standard's timers count seconds down to 0; ours are instants: a timer "is 0" when its instant is not in
 * the future. Some of them the standard holds at their initial value while a role lasts; ours are set when
 * the role ends (rstp_port.c). */
#pragma once

#include "models/ether/rstp.h"
#include "models/wire/bpdu.h"

/* 17.6: compared from left to right, lower is better. */
typedef struct RstpVector {
    uint64_t root;
    uint32_t cost;
    uint64_t bridge;
    uint16_t port;
} RstpVector;

typedef struct RstpTimes {
    SimTime message_age, max_age, hello, forward_delay;
} RstpTimes;

typedef enum RstpInfoIs { RSTP_INFO_DISABLED, RSTP_INFO_AGED, RSTP_INFO_MINE, RSTP_INFO_RECEIVED } RstpInfoIs;
typedef enum RstpMigration { RSTP_CHECKING_RSTP, RSTP_SELECTING_STP, RSTP_SENSING } RstpMigration;
typedef enum RstpTcState { RSTP_TC_INACTIVE, RSTP_TC_LEARNING, RSTP_TC_ACTIVE } RstpTcState;

struct RstpPort {
    SwitchPort *sp;
    Rstp *r;
    uint16_t port_id; /* priority << 8 | number */
    uint32_t cost, admin_cost;
    bool admin_edge, auto_edge, point_to_point;

    RstpRole role, selected_role;
    RstpInfoIs info_is;
    RstpMigration migration;
    RstpTcState tc_state;

    bool enabled;
    bool agree, agreed, proposed, proposing, disputed, sync, synced, re_root;
    bool learn, forward;       /* wanted */
    bool learning, forwarding; /* done */
    bool oper_edge;
    bool new_info, reselect, selected, updt_info;
    bool send_rstp, rcvd_rstp, rcvd_stp;
    bool rcvd_msg, rcvd_tc, rcvd_tcn, rcvd_tc_ack, tc_ack, tc_prop;

    SimTime fd_while, hello_when, mdelay_while, rb_while, rcvd_info_while, rr_while, tc_while,
        edge_delay_while;
    SimTime tx_dec_at;
    unsigned tx_count;

    RstpVector port_priority, designated_priority, msg_priority;
    RstpTimes port_times, designated_times, msg_times;
    Bpdu msg;
};

struct Rstp {
    Switch *sw;
    bool legacy; /* 17.13.4 forceProtocolVersion 0 */
    uint64_t bridge_id;
    RstpTimes bridge_times;
    RstpVector root_priority;
    RstpTimes root_times;
    RstpPort *root_port;
    RstpPort **ports;
    unsigned n_ports;
    Timer timer;
    bool running; /* the machines are: what they cause is seen by them */
    uint64_t topology_changes, tx_bpdus, rx_bpdus, rx_bad_bpdus;
};

#define RSTP_MIGRATE_TIME (3 * SIM_SEC)
#define RSTP_TX_HOLD_COUNT 6

static inline SimTime rstp_now(const Rstp *r)
{
    return node_now(&r->sw->node);
}

static inline bool rstp_is_over(const RstpPort *p, SimTime timer)
{
    return timer <= rstp_now(p->r);
}

/* rstp_roles.c */
int rstp_vector_cmp(const RstpVector *a, const RstpVector *b);
bool rstp_times_equal(const RstpTimes *a, const RstpTimes *b);
/* 17.6: better, or newer news from the port that sent the old ones. */
bool rstp_vector_supersedes(const RstpVector *msg, const RstpVector *old);
/* 17.21.25 updtRolesTree and 17.28: chooses root and roles when a port asks for it. true: it did. */
bool rstp_roles_select(Rstp *r);

/* rstp_port.c */
void rstp_port_init(RstpPort *p);
/* One round of the port's machines. true: something changed, so another round is due. */
bool rstp_port_step(RstpPort *p);

/* rstp.c */
void rstp_port_transmit(RstpPort *p);   /* an RST, configuration or topology change BPDU, as due */
void rstp_port_note_state(RstpPort *p); /* role or state changed: tell the switch and the probes */
void rstp_port_note_topology(RstpPort *p);

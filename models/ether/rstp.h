/* Rapid spanning tree (IEEE 802.1D-2004 clause 17): bridges agree on a tree without loops, and on a new one
 * within milliseconds when a link fails, by proposals and agreements between neighbours. switch_set_stp turns
 * it on.
 *
 * Parts: rstp.c (messages, timers, settings), rstp_roles.c (who is root, which port is what), rstp_port.c
 * (the state machines of a port). */
#pragma once

#include "models/ether/switch.h"

typedef enum RstpRole {
    RSTP_ROLE_DISABLED,
    RSTP_ROLE_ROOT,
    RSTP_ROLE_DESIGNATED,
    RSTP_ROLE_ALTERNATE,
    RSTP_ROLE_BACKUP,
} RstpRole;

typedef enum RstpState { RSTP_DISCARDING, RSTP_LEARNING, RSTP_FORWARDING } RstpState;

#define RSTP_PRIORITY_DEFAULT 32768
#define RSTP_PORT_PRIORITY_DEFAULT 128

/* Settings: at any time once the spanning tree is on; they are forgotten when it is turned off.
 * false: not a multiple of 4096 up to 61440. The lowest priority, then the lowest address, is the root. */
bool rstp_set_priority(Rstp *r, unsigned priority);
/* 802.1D-2004 17.14: hello 1–2 s, max age 6–40 s, forward delay 4–30 s, and
 * 2 (forward delay - 1 s) >= max age >= 2 (hello + 1 s). false otherwise. */
bool rstp_set_times(Rstp *r, SimTime hello, SimTime max_age, SimTime forward_delay);
/* 0: by the link's speed. */
void rstp_port_set_cost(SwitchPort *p, uint32_t cost);
/* false: not a multiple of 16 up to 240. */
bool rstp_port_set_priority(SwitchPort *p, unsigned priority);
/* An edge port has no bridge behind it and forwards at once. auto_edge: find out by hearing no BPDU
 * (default). */
void rstp_port_set_edge(SwitchPort *p, bool admin_edge, bool auto_edge);

RstpRole rstp_port_role(const SwitchPort *p);
RstpState rstp_port_state(const SwitchPort *p);
bool rstp_port_is_edge(const SwitchPort *p);
const char *rstp_role_name(RstpRole role);    /* "root" */
const char *rstp_state_name(RstpState state); /* "forwarding" */

typedef struct RstpInfo {
    uint64_t bridge_id, root_id; /* equal: we are the root */
    uint32_t root_cost;
    int root_port;             /* index, -1: none */
    uint64_t topology_changes; /* detected here or heard of */
    uint64_t tx_bpdus, rx_bpdus, rx_bad_bpdus;
} RstpInfo;
void rstp_get_info(const Rstp *r, RstpInfo *info);

/* ---- for switch.c ---- */

Rstp *rstp_new(Switch *sw, bool legacy);
void rstp_free(Rstp *r); /* NULL allowed; the ports forward everything again */
void rstp_add_port(Rstp *r, SwitchPort *p);
void rstp_port_set_link(SwitchPort *p, bool up);
void rstp_receive(SwitchPort *p, Packet *pkt); /* takes a frame sent to the Bridge Group Address */

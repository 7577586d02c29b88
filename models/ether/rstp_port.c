/* The state machines of a port (802.1D-2004 17.23–17.31), one function each, in the order in which
 * rstp_port_step runs them. A function makes the transitions that are due and says whether it made one; the
 * bridge repeats rounds until nobody does.
 *
 * Differences: timers are instants (rstp_port.h). What the standard holds at its initial value while a role
 * lasts (fdWhile and rrWhile of alternate, rrWhile of root, rbWhile of backup ports) is set when the role
 * ends: leave_role. In legacy mode a port that comes up listens for one forward delay and not for the maximum
 * age, as 802.1D-1998 had it. */
#include "models/ether/rstp_port.h"

#include <string.h>

static SimTime in(const RstpPort *p, SimTime d)
{
    return rstp_now(p->r) + d;
}

/* 17.20.5–17.20.8 */
static SimTime forward_delay(const RstpPort *p)
{
    return p->send_rstp ? p->designated_times.hello : p->designated_times.forward_delay;
}

static SimTime edge_delay(const RstpPort *p)
{
    return p->point_to_point ? RSTP_MIGRATE_TIME : p->designated_times.max_age;
}

/* ---- 17.24 port protocol migration ---- */

static bool step_migration(RstpPort *p)
{
    bool over = rstp_is_over(p, p->mdelay_while);

    switch (p->migration) {
    case RSTP_CHECKING_RSTP:
        if (!p->enabled || !over)
            return false;
        break;
    case RSTP_SELECTING_STP:
        if (p->enabled && !over)
            return false;
        break;
    case RSTP_SENSING:
        if (!p->enabled || (!p->r->legacy && !p->send_rstp && p->rcvd_rstp)) {
            p->migration = RSTP_CHECKING_RSTP;
            p->send_rstp = !p->r->legacy;
        } else if (p->send_rstp && p->rcvd_stp) {
            p->migration = RSTP_SELECTING_STP;
            p->send_rstp = false;
        } else {
            return false;
        }
        p->mdelay_while = in(p, RSTP_MIGRATE_TIME);
        return true;
    }
    p->migration = RSTP_SENSING;
    p->rcvd_rstp = p->rcvd_stp = false;
    return true;
}

/* ---- 17.25 bridge detection ---- */

static bool step_edge(RstpPort *p)
{
    bool edge = p->oper_edge;

    if (!p->enabled)
        edge = p->admin_edge;
    else if (!edge)
        edge = rstp_is_over(p, p->edge_delay_while) && p->auto_edge && p->send_rstp && p->proposing;
    if (edge == p->oper_edge)
        return false;
    p->oper_edge = edge;
    return true;
}

/* ---- 17.27 port information ---- */

static void record_proposal(RstpPort *p)
{
    if (p->msg.type == BPDU_TYPE_RST && p->msg.flags & BPDU_FLAG_PROPOSAL)
        p->proposed = true;
}

static void set_tc_flags(RstpPort *p)
{
    p->rcvd_tc |= !!(p->msg.flags & BPDU_FLAG_TC);
    p->rcvd_tc_ack |= p->msg.type == BPDU_TYPE_CONFIG && p->msg.flags & BPDU_FLAG_TC_ACK;
}

/* 17.21.23: information that has come too far is not kept. */
static void update_info_while(RstpPort *p)
{
    if (p->msg_times.message_age + SIM_SEC <= p->msg_times.max_age)
        p->rcvd_info_while = in(p, 3 * p->msg_times.hello);
    else
        p->rcvd_info_while = 0;
}

static void on_superior(RstpPort *p)
{
    p->agreed = p->proposing = false;
    record_proposal(p);
    set_tc_flags(p);
    p->agree = p->agree && p->info_is == RSTP_INFO_RECEIVED &&
               rstp_vector_cmp(&p->msg_priority, &p->port_priority) <= 0;
    p->port_priority = p->msg_priority;
    p->port_times = p->msg_times;
    update_info_while(p);
    p->info_is = RSTP_INFO_RECEIVED;
    p->reselect = true;
    p->selected = false;
}

/* 17.21.8 rcvInfo and the states that follow from it. */
static void on_message(RstpPort *p)
{
    bool config = p->msg.type == BPDU_TYPE_CONFIG;
    unsigned role = config ? BPDU_ROLE_DESIGNATED : bpdu_role(p->msg.flags);
    int c;

    p->rcvd_msg = false;
    if (p->msg.type == BPDU_TYPE_TCN) {
        p->rcvd_tcn = true;
        return;
    }
    c = rstp_vector_cmp(&p->msg_priority, &p->port_priority);
    if (role == BPDU_ROLE_DESIGNATED) {
        if (rstp_vector_supersedes(&p->msg_priority, &p->port_priority) ||
            (c == 0 &&
             (p->info_is != RSTP_INFO_RECEIVED || !rstp_times_equal(&p->msg_times, &p->port_times)))) {
            on_superior(p);
        } else if (c == 0) { /* repeated */
            record_proposal(p);
            set_tc_flags(p);
            update_info_while(p);
        } else if (!config &&
                   p->msg.flags & BPDU_FLAG_LEARNING) { /* inferior, and forwarding: a one-way link */
            p->disputed = true;
            p->agreed = false;
        }
    } else if (role != BPDU_ROLE_UNKNOWN && c >= 0) { /* from a root or alternate port: recordAgreement */
        p->agreed = !p->r->legacy && p->point_to_point && p->msg.flags & BPDU_FLAG_AGREEMENT;
        if (p->agreed)
            p->proposing = false;
        set_tc_flags(p);
    }
}

static bool step_information(RstpPort *p)
{
    if (!p->enabled) {
        p->rcvd_msg = false;
        if (p->info_is == RSTP_INFO_DISABLED)
            return false;
        p->proposing = p->proposed = p->agree = p->agreed = p->disputed = false;
        p->rcvd_info_while = 0;
        p->info_is = RSTP_INFO_DISABLED;
        p->reselect = true;
        p->selected = false;
        return true;
    }
    if (p->selected && p->updt_info) { /* UPDATE */
        p->proposing = p->proposed = false;
        p->agreed = p->agreed && rstp_vector_cmp(&p->port_priority, &p->designated_priority) >= 0 &&
                    p->info_is == RSTP_INFO_MINE;
        p->synced = p->synced && p->agreed;
        p->port_priority = p->designated_priority;
        p->port_times = p->designated_times;
        p->updt_info = false;
        p->info_is = RSTP_INFO_MINE;
        p->new_info = true;
        return true;
    }
    if (p->info_is == RSTP_INFO_DISABLED || (p->info_is == RSTP_INFO_RECEIVED && !p->updt_info &&
                                             !p->rcvd_msg && rstp_is_over(p, p->rcvd_info_while))) {
        p->info_is = RSTP_INFO_AGED;
        p->reselect = true;
        p->selected = false;
        return true;
    }
    if (p->rcvd_msg && !p->updt_info && p->info_is != RSTP_INFO_AGED) {
        on_message(p);
        return true;
    }
    return false;
}

/* ---- 17.29 port role transitions ---- */

static void leave_role(RstpPort *p)
{
    switch (p->role) {
    case RSTP_ROLE_ROOT:
        p->rr_while = in(p, p->designated_times.forward_delay);
        break;
    case RSTP_ROLE_BACKUP:
        p->rb_while = in(p, 2 * p->designated_times.hello);
        p->fd_while = in(p, forward_delay(p));
        break;
    case RSTP_ROLE_ALTERNATE:
        p->fd_while = in(p, forward_delay(p));
        break;
    case RSTP_ROLE_DISABLED:
        p->fd_while = in(p, p->r->legacy ? p->designated_times.forward_delay : p->designated_times.max_age);
        break;
    case RSTP_ROLE_DESIGNATED:
        break;
    }
}

static bool enter_role(RstpPort *p)
{
    leave_role(p);
    p->role = p->selected_role;
    if (p->role != RSTP_ROLE_ROOT && p->role != RSTP_ROLE_DESIGNATED) {
        p->learn = p->forward = false;
        p->synced = false;
    }
    rstp_port_note_state(p);
    return true;
}

/* Disabled, alternate and backup ports: nothing passes, so they are in step with anything. */
static bool step_blocked(RstpPort *p)
{
    if (p->learning || p->forwarding || (p->synced && !p->sync && !p->re_root))
        return false;
    p->synced = true;
    p->sync = p->re_root = false;
    p->rr_while = 0;
    return true;
}

static bool all_synced(const Rstp *r)
{
    for (unsigned i = 0; i < r->n_ports; i++) {
        const RstpPort *p = r->ports[i];

        if (!p->selected || p->role != p->selected_role || (p->role != RSTP_ROLE_ROOT && !p->synced))
            return false;
    }
    return true;
}

static bool re_rooted(const RstpPort *p)
{
    for (unsigned i = 0; i < p->r->n_ports; i++) {
        const RstpPort *o = p->r->ports[i];

        if (o != p && !rstp_is_over(o, o->rr_while))
            return false;
    }
    return true;
}

/* The answer to a proposal: first make sure that nothing behind us can loop, then agree. */
static bool step_agreement(RstpPort *p)
{
    Rstp *r = p->r;

    if (p->proposed && !p->agree) {
        for (unsigned i = 0; i < r->n_ports; i++)
            r->ports[i]->sync = true;
        p->proposed = false;
        return true;
    }
    if ((all_synced(r) && !p->agree) || (p->proposed && p->agree)) {
        p->proposed = p->sync = false;
        p->agree = true;
        p->new_info = true;
        return true;
    }
    return false;
}

/* From discarding to learning, from learning to forwarding. */
static void open_further(RstpPort *p)
{
    if (!p->learn) {
        p->learn = true;
        p->fd_while = in(p, forward_delay(p));
    } else {
        p->forward = true;
        p->fd_while = 0;
    }
}

static bool step_root(RstpPort *p)
{
    Rstp *r = p->r;

    if (step_agreement(p))
        return true;
    if (!p->forward && !p->re_root) {
        for (unsigned i = 0; i < r->n_ports; i++)
            r->ports[i]->re_root = true;
        return true;
    }
    if (p->re_root && p->forward) {
        p->re_root = false;
        return true;
    }
    if (p->forward ||
        !(rstp_is_over(p, p->fd_while) || (re_rooted(p) && rstp_is_over(p, p->rb_while) && !r->legacy)))
        return false;
    open_further(p);
    return true;
}

static bool step_designated(RstpPort *p)
{
    bool retired = !p->re_root || rstp_is_over(p, p->rr_while);

    if (!p->forward && !p->agreed && !p->proposing && !p->oper_edge) {
        p->proposing = true;
        p->edge_delay_while = in(p, edge_delay(p));
        p->new_info = true;
        return true;
    }
    if ((!p->learning && !p->forwarding && !p->synced) || (p->agreed && !p->synced) ||
        (p->oper_edge && !p->synced) || (p->sync && p->synced)) {
        p->rr_while = 0;
        p->synced = true;
        p->sync = false;
        return true;
    }
    if (p->re_root && rstp_is_over(p, p->rr_while)) {
        p->re_root = false;
        return true;
    }
    if (((p->sync && !p->synced) || !retired || p->disputed) && !p->oper_edge && (p->learn || p->forward)) {
        p->learn = p->forward = p->disputed = false;
        p->fd_while = in(p, forward_delay(p));
        return true;
    }
    if (!(rstp_is_over(p, p->fd_while) || p->agreed || p->oper_edge) || !retired || p->sync || p->forward)
        return false;
    open_further(p);
    if (p->forward)
        p->agreed = p->send_rstp;
    return true;
}

static bool step_role(RstpPort *p)
{
    if (!p->selected || p->updt_info)
        return false;
    if (p->role != p->selected_role)
        return enter_role(p);
    switch (p->role) {
    case RSTP_ROLE_DISABLED:
        return step_blocked(p);
    case RSTP_ROLE_ALTERNATE:
    case RSTP_ROLE_BACKUP:
        return step_blocked(p) || (!p->learning && !p->forwarding && step_agreement(p));
    case RSTP_ROLE_ROOT:
        return step_root(p);
    case RSTP_ROLE_DESIGNATED:
        return step_designated(p);
    }
    return false;
}

/* ---- 17.30 port state transition ---- */

static bool step_state(RstpPort *p)
{
    if (p->learn == p->learning && p->forward == p->forwarding)
        return false;
    p->learning = p->learn;
    p->forwarding = p->forward;
    rstp_port_note_state(p);
    return true;
}

/* ---- 17.31 topology change ---- */

/* 17.21.7 newTcWhile */
static void new_tc_while(RstpPort *p)
{
    const RstpTimes *t = &p->r->root_times;

    if (!rstp_is_over(p, p->tc_while))
        return;
    if (p->send_rstp) {
        p->tc_while = in(p, p->r->bridge_times.hello + SIM_SEC);
        p->new_info = true;
    } else {
        p->tc_while = in(p, t->max_age + t->forward_delay);
    }
}

static void set_tc_prop(RstpPort *p)
{
    Rstp *r = p->r;

    r->topology_changes++;
    for (unsigned i = 0; i < r->n_ports; i++)
        if (r->ports[i] != p)
            r->ports[i]->tc_prop = true;
    rstp_port_note_topology(p);
}

static void forget_tc(RstpPort *p)
{
    p->rcvd_tc = p->rcvd_tcn = p->rcvd_tc_ack = p->tc_prop = false;
}

static bool step_topology(RstpPort *p)
{
    bool active = p->role == RSTP_ROLE_ROOT || p->role == RSTP_ROLE_DESIGNATED;

    switch (p->tc_state) {
    case RSTP_TC_INACTIVE:
        if (!p->learn)
            return false;
        p->tc_state = RSTP_TC_LEARNING;
        forget_tc(p);
        return true;
    case RSTP_TC_LEARNING:
        if (active && p->forward && !p->oper_edge) { /* DETECTED */
            new_tc_while(p);
            set_tc_prop(p);
            p->new_info = true;
            p->tc_state = RSTP_TC_ACTIVE;
            return true;
        }
        if (p->rcvd_tc || p->rcvd_tcn || p->rcvd_tc_ack || p->tc_prop) {
            forget_tc(p);
            return true;
        }
        if (!active && !p->learn && !p->learning) {
            switch_port_flush(p->sp);
            p->tc_while = 0;
            p->tc_ack = false;
            p->tc_state = RSTP_TC_INACTIVE;
            return true;
        }
        return false;
    case RSTP_TC_ACTIVE:
        if (!active || p->oper_edge) {
            p->tc_state = RSTP_TC_LEARNING;
            forget_tc(p);
            return true;
        }
        if (p->rcvd_tcn || p->rcvd_tc) {
            if (p->rcvd_tcn)
                new_tc_while(p);
            p->rcvd_tcn = p->rcvd_tc = false;
            if (p->role == RSTP_ROLE_DESIGNATED)
                p->tc_ack = true;
            set_tc_prop(p);
            return true;
        }
        if (p->tc_prop) {
            new_tc_while(p);
            switch_port_flush(p->sp);
            p->tc_prop = false;
            return true;
        }
        if (p->rcvd_tc_ack) {
            p->tc_while = 0;
            p->rcvd_tc_ack = false;
            return true;
        }
        return false;
    }
    return false;
}

/* ---- 17.26 port transmit ---- */

static bool step_transmit(RstpPort *p)
{
    if (!p->enabled || !p->selected || p->updt_info)
        return false;
    if (rstp_is_over(p, p->hello_when)) {
        p->new_info |=
            p->role == RSTP_ROLE_DESIGNATED || (p->role == RSTP_ROLE_ROOT && !rstp_is_over(p, p->tc_while));
        p->hello_when = in(p, p->designated_times.hello);
        return true;
    }
    if (!p->new_info || p->tx_count >= RSTP_TX_HOLD_COUNT)
        return false;
    p->new_info = false;
    /* A bridge that speaks the old protocol only wants to hear designated and root ports. */
    if (!p->send_rstp && p->role != RSTP_ROLE_DESIGNATED && p->role != RSTP_ROLE_ROOT)
        return true;
    rstp_port_transmit(p);
    if (p->tx_count++ == 0)
        p->tx_dec_at = in(p, SIM_SEC);
    p->hello_when = in(p, p->designated_times.hello);
    return true;
}

/* ---- together ---- */

static bool step_tx_count(RstpPort *p)
{
    if (!p->tx_count || !rstp_is_over(p, p->tx_dec_at))
        return false;
    if (--p->tx_count)
        p->tx_dec_at = in(p, SIM_SEC);
    return true;
}

bool rstp_port_step(RstpPort *p)
{
    bool changed = step_tx_count(p);

    changed |= step_migration(p);
    changed |= step_edge(p);
    changed |= step_information(p);
    changed |= rstp_roles_select(p->r);
    changed |= step_role(p);
    changed |= step_state(p);
    changed |= step_topology(p);
    return changed | step_transmit(p);
}

void rstp_port_init(RstpPort *p)
{
    p->role = p->selected_role = RSTP_ROLE_DISABLED;
    p->info_is = RSTP_INFO_DISABLED;
    p->migration = RSTP_CHECKING_RSTP;
    p->send_rstp = !p->r->legacy;
    p->auto_edge = true;
    p->synced = true;
    p->reselect = true;
    p->designated_times = p->port_times = p->r->bridge_times;
}

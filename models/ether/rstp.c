/* Spanning tree: messages in and out, the one timer, settings. The machines are in rstp_port.c. */
#include "models/ether/rstp.h"

#include <glib.h>

#include "models/ether/rstp_port.h"
#include "models/wire/eth.h"
#include "models/wire/llc.h"

#define ROUNDS_MAX 1000 /* of the machines at one instant: they settle within some tens */
#define COST_MAX 200000000u
#define PORT_NUMBER_BITS 12

const ProbeDesc probe_port_state = {"stp.port",
                                    "A port's role or state in the spanning tree changed.",
                                    PROBE_SWITCH,
                                    3,
                                    {{"port", PROBE_U64}, {"role", PROBE_STR}, {"state", PROBE_STR}}};
const ProbeDesc probe_topology = {"stp.topology",
                                  "A topology change was detected or heard of at a port.",
                                  PROBE_SWITCH,
                                  1,
                                  {{"port", PROBE_U64}}};
const ProbeDesc probe_root = {
    "stp.root",
    "A bridge follows another root, or another way to it (port 0: it is the root).",
    PROBE_SWITCH,
    4,
    {{"priority", PROBE_U64}, {"mac", PROBE_MAC}, {"cost", PROBE_U64}, {"port", PROBE_U64}}};

/* ---- running ---- */

static void earliest(SimTime *best, SimTime t, SimTime now)
{
    if (t > now && t < *best)
        *best = t;
}

static void arm(Rstp *r)
{
    SimTime now = rstp_now(r), next = SIM_NEVER;

    for (unsigned i = 0; i < r->n_ports; i++) {
        const RstpPort *p = r->ports[i];

        if (!p->enabled)
            continue;
        earliest(&next, p->hello_when, now);
        earliest(&next, p->mdelay_while, now);
        earliest(&next, p->edge_delay_while, now);
        earliest(&next, p->fd_while, now);
        earliest(&next, p->rb_while, now);
        earliest(&next, p->rr_while, now);
        earliest(&next, p->rcvd_info_while, now);
        earliest(&next, p->tc_while, now);
        if (p->tx_count)
            earliest(&next, p->tx_dec_at, now);
    }
    if (next == SIM_NEVER)
        timer_cancel(&r->timer);
    else
        timer_arm(&r->timer, next);
}

static void run(Rstp *r)
{
    RstpVector old_root = r->root_priority;
    RstpPort *old_port = r->root_port;
    unsigned rounds = 0;
    bool changed;

    if (r->running)
        return;
    r->running = true;
    do {
        changed = false;
        for (unsigned i = 0; i < r->n_ports; i++)
            changed |= rstp_port_step(r->ports[i]);
        hs_assert(++rounds < ROUNDS_MAX);
    } while (changed);
    r->running = false;
    if ((rstp_vector_cmp(&old_root, &r->root_priority) != 0 || old_port != r->root_port) &&
        probe_wanted(&r->sw->node, PROBE_SWITCH))
        probe_emit(&r->sw->node, &probe_root, NULL, NULL,
                   (ProbeValue[]){{.u = r->root_priority.root >> 48},
                                  {.u = r->root_priority.root & 0xffffffffffff},
                                  {.u = r->root_priority.cost},
                                  {.u = r->root_port ? r->root_port->sp->index + 1u : 0}});
    arm(r);
}

static void on_timer(Timer *t)
{
    run(HS_CONTAINER_OF(t, Rstp, timer));
}

void rstp_port_note_state(RstpPort *p)
{
    Switch *sw = p->r->sw;

    switch_port_set_state(p->sp, p->learning, p->forwarding);
    if (probe_wanted(&sw->node, PROBE_SWITCH))
        probe_emit(&sw->node, &probe_port_state, &p->sp->port.point, NULL,
                   (ProbeValue[]){{.u = p->sp->index + 1u},
                                  {.s = rstp_role_name(p->role)},
                                  {.s = rstp_state_name(rstp_port_state(p->sp))}});
}

void rstp_port_note_topology(RstpPort *p)
{
    Switch *sw = p->r->sw;

    if (probe_wanted(&sw->node, PROBE_SWITCH))
        probe_emit(&sw->node, &probe_topology, &p->sp->port.point, NULL,
                   (ProbeValue[]){{.u = p->sp->index + 1u}});
}

/* ---- messages ---- */

/* Times travel in 1/256 s (9.2.8). */
static uint16_t to_wire_time(SimTime t)
{
    return (uint16_t)(t * 256 / SIM_SEC);
}

static SimTime from_wire_time(uint16_t t)
{
    return (SimTime)t * SIM_SEC / 256;
}

static unsigned wire_role(RstpRole role)
{
    switch (role) {
    case RSTP_ROLE_ROOT:
        return BPDU_ROLE_ROOT;
    case RSTP_ROLE_DESIGNATED:
        return BPDU_ROLE_DESIGNATED;
    case RSTP_ROLE_ALTERNATE:
    case RSTP_ROLE_BACKUP:
        return BPDU_ROLE_ALTERNATE_BACKUP;
    case RSTP_ROLE_DISABLED:
        break;
    }
    return BPDU_ROLE_UNKNOWN;
}

static void fill_flags(const RstpPort *p, Bpdu *b)
{
    if (!rstp_is_over(p, p->tc_while))
        b->flags |= BPDU_FLAG_TC;
    if (b->type == BPDU_TYPE_CONFIG) {
        b->flags |= p->tc_ack ? BPDU_FLAG_TC_ACK : 0;
        return;
    }
    b->flags |= (uint8_t)(wire_role(p->role) << 2);
    b->flags |= p->proposing ? BPDU_FLAG_PROPOSAL : 0;
    b->flags |= p->agree ? BPDU_FLAG_AGREEMENT : 0;
    b->flags |= p->learning ? BPDU_FLAG_LEARNING : 0;
    b->flags |= p->forwarding ? BPDU_FLAG_FORWARDING : 0;
}

void rstp_port_transmit(RstpPort *p)
{
    Switch *sw = p->r->sw;
    const RstpVector *v = &p->designated_priority;
    const RstpTimes *t = &p->designated_times;
    Bpdu b = {.version = p->send_rstp ? BPDU_VERSION_RSTP : BPDU_VERSION_STP,
              .type = p->send_rstp                      ? BPDU_TYPE_RST
                      : p->role == RSTP_ROLE_DESIGNATED ? BPDU_TYPE_CONFIG
                                                        : BPDU_TYPE_TCN,
              .root_id = v->root,
              .root_cost = v->cost,
              .bridge_id = v->bridge,
              .port_id = v->port,
              .message_age = to_wire_time(t->message_age),
              .max_age = to_wire_time(t->max_age),
              .hello_time = to_wire_time(t->hello),
              .forward_delay = to_wire_time(t->forward_delay)};
    MacAddr src = mac_from_u64(mac_to_u64(sw->mac) + p->sp->index + 1);
    uint8_t frame[BPDU_MAX_FRAME_LEN];
    size_t len;
    Packet *pkt;

    fill_flags(p, &b);
    p->tc_ack = false;
    len = bpdu_encode_frame(frame, src, &b);
    pkt = packet_from_bytes(sw->node.part->packets, sw->node.id, sw->node.birth_next++, frame, len);
    if (len < ETH_MIN_FRAME)
        pkt->pad = (uint8_t)(ETH_MIN_FRAME - len);
    p->r->tx_bpdus++;
    switch_port_send(p->sp, pkt);
}

/* 9.3.4: what must not be acted on. */
static bool is_valid(const RstpPort *p, const Bpdu *b)
{
    if (b->type == BPDU_TYPE_TCN)
        return true;
    if (b->type == BPDU_TYPE_CONFIG && b->message_age >= b->max_age)
        return false;
    return !(b->bridge_id == p->r->bridge_id && b->port_id == p->port_id); /* our own */
}

void rstp_receive(SwitchPort *sp, Packet *pkt)
{
    RstpPort *p = sp->stp;
    Rstp *r = p->r;
    uint8_t b[ETH_MIN_FRAME];
    uint32_t n = packet_copy(pkt, 0, b, sizeof b), llc = ETH_HDR_LEN, at = llc + LLC_HDR_LEN;
    uint16_t len = eth_type(b);
    Bpdu msg;

    packet_unref(pkt);
    if (!p->enabled)
        return;
    if (len > ETH_MAX_802_3_LEN || llc + len > n || len < LLC_HDR_LEN || b[llc] != LLC_SAP_STP ||
        b[llc + 1] != LLC_SAP_STP || b[llc + 2] != LLC_UI || bpdu_decode(&msg, b + at, llc + len - at) < 0 ||
        !is_valid(p, &msg)) {
        r->rx_bad_bpdus++;
        return;
    }
    r->rx_bpdus++;
    p->msg = msg;
    p->msg_priority = (RstpVector){msg.root_id, msg.root_cost, msg.bridge_id, msg.port_id};
    p->msg_times =
        (RstpTimes){from_wire_time(msg.message_age), from_wire_time(msg.max_age),
                    HS_MAX(from_wire_time(msg.hello_time), SIM_SEC), from_wire_time(msg.forward_delay)};
    /* 17.23 port receive */
    if (msg.type == BPDU_TYPE_RST && !r->legacy)
        p->rcvd_rstp = true;
    else if (msg.type != BPDU_TYPE_RST)
        p->rcvd_stp = true;
    p->oper_edge = false;
    p->rcvd_msg = true;
    p->edge_delay_while = rstp_now(r) + RSTP_MIGRATE_TIME;
    run(r);
}

/* ---- ports ---- */

/* Table 17-3: 20 000 at 1 Gbit/s, inversely. */
static uint32_t cost_of_rate(uint64_t rate_bps)
{
    uint64_t cost = rate_bps ? UINT64_C(20000000000000) / rate_bps : 1;

    return (uint32_t)HS_MAX(HS_MIN(cost, COST_MAX), 1);
}

static void look_at_link(RstpPort *p)
{
    LinkTxInfo info;
    uint32_t cost = p->admin_cost;

    port_describe(&p->sp->port, &info);
    p->point_to_point = !info.half_duplex;
    if (!cost)
        cost = cost_of_rate(info.rate_bps);
    if (cost != p->cost) {
        p->cost = cost;
        p->reselect = true;
        p->selected = false;
    }
}

static void enable(RstpPort *p)
{
    SimTime now = rstp_now(p->r);

    look_at_link(p);
    p->enabled = true;
    p->edge_delay_while = p->mdelay_while = now + RSTP_MIGRATE_TIME;
    p->hello_when = now + p->r->bridge_times.hello;
}

void rstp_port_set_link(SwitchPort *sp, bool up)
{
    RstpPort *p = sp->stp;

    if (up)
        enable(p);
    else
        p->enabled = false;
    run(p->r);
}

void rstp_add_port(Rstp *r, SwitchPort *sp)
{
    RstpPort *p = g_new0(RstpPort, 1);

    p->sp = sp;
    p->r = r;
    p->port_id = (uint16_t)(RSTP_PORT_PRIORITY_DEFAULT << 8 | (sp->index + 1));
    rstp_port_init(p);
    r->ports = g_renew(RstpPort *, r->ports, r->n_ports + 1);
    r->ports[r->n_ports++] = p;
    sp->stp = p;
    switch_port_set_state(sp, false, false);
    if (sp->port.carrier)
        enable(p);
}

/* ---- settings ---- */

static void reselect_all(Rstp *r)
{
    for (unsigned i = 0; i < r->n_ports; i++) {
        r->ports[i]->reselect = true;
        r->ports[i]->selected = false;
    }
    run(r);
}

bool rstp_set_priority(Rstp *r, unsigned priority)
{
    if (priority % 4096 || priority > 61440)
        return false;
    r->bridge_id = bpdu_bridge_id((uint16_t)priority, r->sw->mac);
    reselect_all(r);
    return true;
}

bool rstp_set_times(Rstp *r, SimTime hello, SimTime max_age, SimTime forward_delay)
{
    if (hello < SIM_SEC || hello > 2 * SIM_SEC || max_age < 6 * SIM_SEC || max_age > 40 * SIM_SEC ||
        forward_delay < 4 * SIM_SEC || forward_delay > 30 * SIM_SEC ||
        2 * (forward_delay - SIM_SEC) < max_age || max_age < 2 * (hello + SIM_SEC))
        return false;
    r->bridge_times = (RstpTimes){0, max_age, hello, forward_delay};
    reselect_all(r);
    return true;
}

void rstp_port_set_cost(SwitchPort *sp, uint32_t cost)
{
    sp->stp->admin_cost = HS_MIN(cost, COST_MAX);
    look_at_link(sp->stp);
    run(sp->stp->r);
}

bool rstp_port_set_priority(SwitchPort *sp, unsigned priority)
{
    if (priority % 16 || priority > 240)
        return false;
    sp->stp->port_id = (uint16_t)(priority << 8 | (sp->stp->port_id & ((1 << PORT_NUMBER_BITS) - 1)));
    reselect_all(sp->stp->r);
    return true;
}

void rstp_port_set_edge(SwitchPort *sp, bool admin_edge, bool auto_edge)
{
    sp->stp->admin_edge = admin_edge;
    sp->stp->auto_edge = auto_edge;
    sp->stp->oper_edge = admin_edge;
    run(sp->stp->r);
}

/* ---- looking ---- */

RstpRole rstp_port_role(const SwitchPort *sp)
{
    return sp->stp->role;
}

RstpState rstp_port_state(const SwitchPort *sp)
{
    return sp->stp->forwarding ? RSTP_FORWARDING : sp->stp->learning ? RSTP_LEARNING : RSTP_DISCARDING;
}

bool rstp_port_is_edge(const SwitchPort *sp)
{
    return sp->stp->oper_edge;
}

const char *rstp_role_name(RstpRole role)
{
    static const char *const names[] = {"disabled", "root", "designated", "alternate", "backup"};

    return names[role];
}

const char *rstp_state_name(RstpState state)
{
    static const char *const names[] = {"discarding", "learning", "forwarding"};

    return names[state];
}

void rstp_get_info(const Rstp *r, RstpInfo *info)
{
    *info = (RstpInfo){.bridge_id = r->bridge_id,
                       .root_id = r->root_priority.root,
                       .root_cost = r->root_priority.cost,
                       .root_port = r->root_port ? r->root_port->sp->index : -1,
                       .topology_changes = r->topology_changes,
                       .tx_bpdus = r->tx_bpdus,
                       .rx_bpdus = r->rx_bpdus,
                       .rx_bad_bpdus = r->rx_bad_bpdus};
}

/* ---- life ---- */

Rstp *rstp_new(Switch *sw, bool legacy)
{
    Rstp *r = g_new0(Rstp, 1);

    r->sw = sw;
    r->legacy = legacy;
    r->bridge_id = bpdu_bridge_id(RSTP_PRIORITY_DEFAULT, sw->mac);
    r->bridge_times = (RstpTimes){0, 20 * SIM_SEC, 2 * SIM_SEC, 15 * SIM_SEC};
    r->root_times = r->bridge_times;
    r->root_priority = (RstpVector){r->bridge_id, 0, r->bridge_id, 0};
    timer_init(&r->timer, &sw->node, on_timer);
    for (unsigned i = 0; i < sw->n_ports; i++)
        rstp_add_port(r, sw->ports[i]);
    run(r);
    return r;
}

void rstp_free(Rstp *r)
{
    if (!r)
        return;
    timer_clear(&r->timer);
    for (unsigned i = 0; i < r->n_ports; i++) {
        r->ports[i]->sp->stp = NULL;
        switch_port_set_state(r->ports[i]->sp, true, true);
        g_free(r->ports[i]);
    }
    g_free(r->ports);
    g_free(r);
}

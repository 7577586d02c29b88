/* The switch. See switch.h for what it is; IEEE 802.1D-2004 7.7 (forwarding) and 7.8 (learning), Linux
 * br_handle_frame, br_handle_frame_finish and br_flood.
 *
 * on_receive: FCS, length → [delay] → forward: reserved addresses, VLAN, learning, look-up → send_one |
 * flood.
 *
 * Addresses are handled as 48-bit numbers in 64-bit words, which are also the table's keys. */
#include "models/ether/switch.h"

#include <glib.h>

#include "models/ether/rstp.h"
#include "models/ether/switch_vlan.h"
#include "models/wire/eth.h"
#include "models/wire/vlan.h"

#define MAC_GROUP_BIT (UINT64_C(1) << 40)
#define HELD_MIN 16

struct SwitchHeld { /* a frame that is being processed */
    Packet *pkt;
    SwitchPort *in;
    SimTime due;
};

const ProbeDesc probe_learn = {"switch.learn",
                               "A switch learnt at which port a station is.",
                               PROBE_SWITCH,
                               3,
                               {{"vlan", PROBE_U64}, {"mac", PROBE_MAC}, {"port", PROBE_U64}}};
const ProbeDesc probe_move = {
    "switch.move",
    "A known station appeared at another port.",
    PROBE_SWITCH,
    4,
    {{"vlan", PROBE_U64}, {"mac", PROBE_MAC}, {"from_port", PROBE_U64}, {"to_port", PROBE_U64}}};
const ProbeDesc probe_age = {
    "switch.age",
    "An entry of the MAC table was found to be too old; it died at `due`.",
    PROBE_SWITCH,
    4,
    {{"vlan", PROBE_U64}, {"mac", PROBE_MAC}, {"port", PROBE_U64}, {"due", PROBE_TIME}}};
const ProbeDesc probe_flush = {"switch.flush",
                               "A switch forgot what it had learnt at a port.",
                               PROBE_SWITCH,
                               2,
                               {{"port", PROBE_U64}, {"entries", PROBE_U64}}};
const ProbeDesc probe_flood = {
    "switch.flood", "A frame went out of all other ports.", PROBE_SWITCH, 1, {{"copies", PROBE_U64}}};

/* ---- out ---- */

static void drop(SwitchPort *in, Packet *pkt, ProbeDrop reason)
{
    in->stats.rx_dropped++;
    probe_drop(&in->sw->node, &in->port.point, pkt, reason);
}

static void count_and_send(SwitchPort *out, Packet *pkt)
{
    out->stats.tx_frames++;
    out->stats.tx_bytes += packet_len(pkt);
    port_send(&out->port, pkt);
}

void switch_port_send(SwitchPort *out, Packet *pkt)
{
    if (HS_UNLIKELY(out->mirror != NULL))
        count_and_send(out->mirror, packet_ref(pkt));
    count_and_send(out, pkt);
}

static void send_one(SwitchPort *in, SwitchPort *out, Packet *pkt, uint16_t vid)
{
    Switch *sw = in->sw;

    if (out == in) { /* both stations are on that side: nothing to do (802.1D 7.7.1 c) */
        sw->stats.same_port++;
        drop(in, pkt, DROP_SAME_PORT);
        return;
    }
    if (HS_UNLIKELY(!out->is_open)) { /* only static entries lead to closed ports */
        sw->stats.stp_drops += !out->forwards;
        drop(in, pkt, out->forwards ? DROP_NO_CARRIER : DROP_STP);
        return;
    }
    if (HS_UNLIKELY(vid != 0)) {
        SwitchVlanForms forms;
        bool admitted = switch_vlan_admits(out, vid);

        switch_vlan_forms_init(&forms, pkt, vid);
        pkt = admitted ? switch_vlan_form(&forms, out) : NULL;
        if (!pkt) {
            sw->stats.vlan_drops++;
            drop(in, packet_ref(forms.original), DROP_VLAN);
            switch_vlan_forms_clear(&forms);
            return;
        }
        switch_vlan_forms_clear(&forms);
    }
    sw->stats.forwarded++;
    switch_port_send(out, pkt);
}

static unsigned flood_vlan(SwitchPort *in, Packet *pkt, uint16_t vid)
{
    Switch *sw = in->sw;
    SwitchVlanForms forms;
    unsigned copies = 0;

    switch_vlan_forms_init(&forms, packet_ref(pkt), vid);
    for (unsigned i = 0; i < sw->n_ports; i++) {
        SwitchPort *out = sw->ports[i];
        Packet *form;

        if (!out->is_open || out == in || !switch_vlan_admits(out, vid))
            continue;
        form = switch_vlan_form(&forms, out);
        if (!form)
            continue;
        switch_port_send(out, form);
        copies++;
    }
    switch_vlan_forms_clear(&forms);
    return copies;
}

static void flood(SwitchPort *in, Packet *pkt, uint16_t vid)
{
    Switch *sw = in->sw;
    unsigned copies = 0;

    if (HS_UNLIKELY(vid != 0)) {
        copies = flood_vlan(in, pkt, vid);
    } else {
        for (unsigned i = 0; i < sw->n_ports; i++) {
            SwitchPort *out = sw->ports[i];

            if (!out->is_open || out == in)
                continue;
            switch_port_send(out, packet_ref(pkt));
            copies++;
        }
    }
    sw->stats.flooded++;
    sw->stats.flood_copies += copies;
    if (probe_wanted(&sw->node, PROBE_SWITCH))
        probe_emit(&sw->node, &probe_flood, &in->port.point, pkt, (ProbeValue[]){{.u = copies}});
    packet_unref(pkt);
}

/* ---- in ---- */

static void learn(SwitchPort *in, uint64_t key)
{
    Switch *sw = in->sw;
    uint16_t old_port = 0;
    uint64_t vid = key >> 48, mac = key & 0xffffffffffff;

    switch (switch_table_learn(&sw->table, key, in->index, node_now(&sw->node), &old_port)) {
    case SWITCH_LEARN_NEW:
        sw->stats.learnt++;
        if (probe_wanted(&sw->node, PROBE_SWITCH))
            probe_emit(&sw->node, &probe_learn, &in->port.point, NULL,
                       (ProbeValue[]){{.u = vid}, {.u = mac}, {.u = in->index + 1u}});
        break;
    case SWITCH_LEARN_MOVED:
        sw->stats.moved++;
        if (probe_wanted(&sw->node, PROBE_SWITCH))
            probe_emit(&sw->node, &probe_move, &in->port.point, NULL,
                       (ProbeValue[]){{.u = vid}, {.u = mac}, {.u = old_port + 1u}, {.u = in->index + 1u}});
        break;
    case SWITCH_LEARN_FULL:
        sw->stats.not_learnt++;
        break;
    case SWITCH_LEARN_KNOWN:
    case SWITCH_LEARN_STATIC:
        break;
    }
}

static void on_aged(SwitchTable *t, const SwitchEntry *e)
{
    Switch *sw = HS_CONTAINER_OF(t, Switch, table);

    sw->stats.aged++;
    if (probe_wanted(&sw->node, PROBE_SWITCH))
        probe_emit(&sw->node, &probe_age, &sw->ports[e->port]->port.point, NULL,
                   (ProbeValue[]){{.u = e->key >> 48},
                                  {.u = e->key & 0xffffffffffff},
                                  {.u = e->port + 1u},
                                  {.i = e->seen + t->age}});
}

static void forward(SwitchPort *in, Packet *pkt)
{
    Switch *sw = in->sw;
    const uint8_t *p = packet_cdata(pkt);
    uint64_t dst = wire_get64(p) >> 16, src = wire_get64(p + ETH_SRC_OFF) >> 16;
    const SwitchEntry *e;
    uint16_t vid = 0;

    if (HS_UNLIKELY(dst >> 4 == 0x0180c200000)) { /* 802.1D table 7-10: for bridges, never through them */
        sw->stats.reserved++;
        if (in->stp && (dst & 15) == 0)
            rstp_receive(in, pkt);
        else
            drop(in, pkt, DROP_NOT_FOR_ME);
        return;
    }
    if (HS_UNLIKELY(src & MAC_GROUP_BIT || src == 0)) { /* Linux br_handle_frame: is_valid_ether_addr */
        sw->stats.malformed++;
        drop(in, pkt, DROP_MALFORMED);
        return;
    }
    if (HS_UNLIKELY(sw->vlan_aware)) {
        vid = switch_vlan_classify(in, pkt);
        if (vid == 0) {
            sw->stats.vlan_drops++;
            drop(in, pkt, DROP_VLAN);
            return;
        }
    }
    if (HS_LIKELY(in->learns))
        learn(in, switch_table_key(vid, src));
    if (HS_UNLIKELY(!in->is_open)) {
        sw->stats.stp_drops++;
        drop(in, pkt, DROP_STP);
        return;
    }
    if (!(dst & MAC_GROUP_BIT)) {
        e = switch_table_find(&sw->table, switch_table_key(vid, dst), node_now(&sw->node));
        if (e) {
            send_one(in, sw->ports[e->port], pkt, vid);
            return;
        }
    }
    flood(in, pkt, vid);
}

static void hold(SwitchPort *in, Packet *pkt)
{
    Switch *sw = in->sw;
    struct SwitchHeld h = {pkt, in, node_now(&sw->node) + sw->delay};

    if (sw->held_len == sw->held_cap) {
        uint32_t cap = sw->held_cap ? 2 * sw->held_cap : HELD_MIN;
        struct SwitchHeld *ring = g_new(struct SwitchHeld, cap);

        for (uint32_t i = 0; i < sw->held_len; i++)
            ring[i] = sw->held[(sw->held_head + i) & (sw->held_cap - 1)];
        g_free(sw->held);
        sw->held = ring;
        sw->held_cap = cap;
        sw->held_head = 0;
    }
    if (sw->held_len) { /* a shortened delay does not let frames overtake */
        SimTime last = sw->held[(sw->held_head + sw->held_len - 1) & (sw->held_cap - 1)].due;
        h.due = HS_MAX(h.due, last);
    }
    sw->held[(sw->held_head + sw->held_len) & (sw->held_cap - 1)] = h;
    if (sw->held_len++ == 0)
        timer_arm(&sw->held_timer, h.due);
}

static void on_held(Timer *t)
{
    Switch *sw = HS_CONTAINER_OF(t, Switch, held_timer);
    struct SwitchHeld h = sw->held[sw->held_head];

    sw->held_head = (sw->held_head + 1) & (sw->held_cap - 1);
    if (--sw->held_len)
        timer_arm(t, sw->held[sw->held_head].due);
    forward(h.in, h.pkt);
}

/* Addresses, type and tag are to be read from buf. */
static Packet *show_headers(Packet *pkt)
{
    unsigned have = packet_header_len(pkt);

    if (have >= ETH_HDR_LEN && eth_type(packet_cdata(pkt)) != ETH_TYPE_VLAN)
        return pkt;
    pkt = packet_own(pkt);
    hs_assert(packet_pullup(pkt, ETH_HDR_LEN + VLAN_TAG_LEN)); /* there are 60 bytes */
    return pkt;
}

static void on_receive(LinkPort *port, Packet *pkt)
{
    SwitchPort *in = switch_port_of(port);
    Switch *sw = in->sw;
    uint32_t len = packet_len(pkt);

    sw->stats.rx_frames++;
    sw->stats.rx_bytes += len;
    in->stats.rx_frames++;
    in->stats.rx_bytes += len;
    if (HS_UNLIKELY(pkt->flags & PKT_HAS_FCS) && !packet_fcs_ok(pkt)) {
        sw->stats.bad_fcs++;
        in->stats.rx_bad_fcs++;
        drop(in, pkt, DROP_FCS);
        return;
    }
    if (HS_UNLIKELY(len < ETH_MIN_FRAME)) {
        sw->stats.malformed++;
        drop(in, pkt, DROP_MALFORMED);
        return;
    }
    if (HS_UNLIKELY(packet_header_len(pkt) < ETH_HDR_LEN + VLAN_TAG_LEN))
        pkt = show_headers(pkt);
    if (HS_UNLIKELY(in->mirror != NULL))
        count_and_send(in->mirror, packet_ref(pkt));
    if (HS_UNLIKELY(sw->delay || sw->held_len))
        hold(in, pkt);
    else
        forward(in, pkt);
}

/* ---- ports ---- */

static void update_open(SwitchPort *p)
{
    p->is_open = p->port.carrier && p->forwards && !p->is_mirror;
}

void switch_port_set_state(SwitchPort *p, bool learns, bool forwards)
{
    p->learns = learns;
    p->forwards = forwards;
    update_open(p);
}

void switch_port_flush(SwitchPort *p)
{
    uint32_t n = switch_table_flush(&p->sw->table, p->index);

    if (n && probe_wanted(&p->sw->node, PROBE_SWITCH))
        probe_emit(&p->sw->node, &probe_flush, &p->port.point, NULL,
                   (ProbeValue[]){{.u = p->index + 1u}, {.u = n}});
}

/* A pulled cable takes its stations with it (Linux br_fdb_delete_by_port). */
static void on_carrier(LinkPort *port, bool up)
{
    SwitchPort *p = switch_port_of(port);

    update_open(p);
    if (!up)
        switch_port_flush(p);
    if (p->stp)
        rstp_port_set_link(p, up);
}

static const LinkPortOps switch_port_ops = {.receive = on_receive, .carrier = on_carrier};

LinkPort *switch_add_port(Switch *sw)
{
    SwitchPort *p = g_new0(SwitchPort, 1);

    hs_assert(sw->n_ports < SWITCH_PORTS_MAX);
    p->sw = sw;
    p->index = (uint16_t)sw->n_ports;
    g_snprintf(p->name, sizeof p->name, "p%u", sw->n_ports + 1);
    p->port =
        (LinkPort){.point = {.node = &sw->node, .name = p->name, .linktype = 1}, .ops = &switch_port_ops};
    if (sw->probes)
        probes_add_point(sw->probes, &p->port.point);
    sw->ports = g_renew(SwitchPort *, sw->ports, sw->n_ports + 1);
    sw->ports[sw->n_ports++] = p;
    switch_port_set_state(p, true, true);
    if (sw->vlan_aware)
        switch_vlan_port_init(p);
    if (sw->stp)
        rstp_add_port(sw->stp, p);
    return &p->port;
}

/* ---- settings ---- */

void switch_set_delay(Switch *sw, SimTime delay)
{
    hs_assert(delay >= 0);
    sw->delay = delay;
}

void switch_set_age(Switch *sw, SimTime age)
{
    hs_assert(age >= 0);
    sw->table.age = age;
    sw->table.sweep_after = 0;
}

void switch_set_stp(Switch *sw, SwitchStp mode)
{
    rstp_free(sw->stp); /* all ports forward again */
    sw->stp = mode == SWITCH_STP_OFF ? NULL : rstp_new(sw, mode == SWITCH_STP_LEGACY);
}

void switch_set_mirror(SwitchPort *from, SwitchPort *to)
{
    SwitchPort *old = from->mirror;
    bool used = false;

    hs_assert(from != to);
    from->mirror = to;
    if (to) {
        to->is_mirror = true;
        switch_port_flush(to);
        update_open(to);
    }
    for (unsigned i = 0; old && i < from->sw->n_ports; i++)
        used |= from->sw->ports[i]->mirror == old;
    if (old && !used) {
        old->is_mirror = false;
        update_open(old);
    }
}

bool switch_add_static(Switch *sw, MacAddr mac, uint16_t vid, const SwitchPort *port)
{
    return switch_table_set_static(&sw->table, switch_table_key(vid, mac_to_u64(mac)), port->index,
                                   node_now(&sw->node));
}

SwitchPort *switch_lookup(Switch *sw, MacAddr mac, uint16_t vid)
{
    const SwitchEntry *e =
        switch_table_find(&sw->table, switch_table_key(vid, mac_to_u64(mac)), node_now(&sw->node));

    return e ? sw->ports[e->port] : NULL;
}

void switch_foreach(Switch *sw, void (*fn)(void *user, const SwitchEntry *e), void *user)
{
    switch_table_foreach(&sw->table, node_now(&sw->node), fn, user);
}

/* ---- life ---- */

Switch *switch_new(Sim *sim, const char *name, MacAddr mac, Probes *probes)
{
    Switch *sw = g_new0(Switch, 1);

    node_init(&sw->node, sim, name);
    sw->mac = mac;
    sw->probes = probes;
    switch_table_init(&sw->table);
    sw->table.aged = on_aged;
    timer_init(&sw->held_timer, &sw->node, on_held);
    return sw;
}

void switch_free(Switch *sw)
{
    if (!sw)
        return;
    rstp_free(sw->stp);
    timer_clear(&sw->held_timer);
    for (; sw->held_len; sw->held_len--, sw->held_head++)
        packet_unref(sw->held[sw->held_head & (sw->held_cap - 1)].pkt);
    g_free(sw->held);
    for (unsigned i = 0; i < sw->n_ports; i++) {
        SwitchPort *p = sw->ports[i];

        hs_assert(!p->port.tx);
        if (sw->probes)
            probes_remove_point(sw->probes, &p->port.point);
        g_free(p->vlan);
        g_free(p);
    }
    g_free(sw->ports);
    switch_table_clear(&sw->table);
    node_clear(&sw->node);
    g_free(sw);
}

size_t switch_bytes(const Switch *sw)
{
    return sizeof *sw + sw->n_ports * (sizeof(SwitchPort) + sizeof(SwitchPort *)) +
           (sw->vlan_aware ? sw->n_ports * sizeof(SwitchVlanPort) : 0) + switch_table_bytes(&sw->table) +
           sw->held_cap * sizeof *sw->held;
}

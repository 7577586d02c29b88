#include "models/ether/switch_vlan.h"

#include <glib.h>
#include <string.h>

#include "models/wire/eth.h"
#include "models/wire/vlan.h"

static bool is_tagged(const Packet *pkt)
{
    return eth_type(packet_cdata(pkt)) == ETH_TYPE_VLAN;
}

static uint16_t tag_vid(const Packet *pkt)
{
    return vlan_vid(packet_cdata(pkt) + ETH_HDR_LEN);
}

uint16_t switch_vlan_classify(const SwitchPort *in, const Packet *pkt)
{
    uint16_t vid = is_tagged(pkt) ? tag_vid(pkt) : 0;

    if (vid == 0) /* a priority tag names no VLAN (802.1Q 6.9) */
        vid = in->vlan->pvid;
    else if (!in->vlan->is_trunk)
        return 0;
    return vid != 0 && vid <= VLAN_VID_MAX && switch_vlan_admits(in, vid) ? vid : 0;
}

/* Without the tag the frame may be too short; a switch pads it (802.1Q 6.7 note). The check sequence it came
 * with was right, and the new frame gets a right one of its own. */
static Packet *untag(const Packet *pkt)
{
    Packet *p = packet_clone(pkt);
    uint8_t addresses[12];
    uint32_t len;

    memcpy(addresses, packet_data(p), sizeof addresses);
    memcpy(packet_pull(p, VLAN_TAG_LEN), addresses, sizeof addresses);
    len = packet_len(p);
    if (len < ETH_MIN_FRAME)
        p->pad += (uint8_t)(ETH_MIN_FRAME - len);
    p->flags &= (uint8_t)~PKT_HAS_FCS;
    return p;
}

static Packet *tag(const Packet *pkt, uint16_t vid)
{
    Packet *p = packet_clone(pkt);
    uint8_t *at;

    if (p->head < VLAN_TAG_LEN) { /* no headroom: a frame from outside */
        if (p->tail + VLAN_TAG_LEN > PKT_BUF) {
            packet_unref(p);
            return NULL;
        }
        packet_fill_csum(p);
        memmove(p->buf + p->head + VLAN_TAG_LEN, p->buf + p->head, packet_header_len(p));
        p->head += VLAN_TAG_LEN;
        p->tail += VLAN_TAG_LEN;
        p->l3 += VLAN_TAG_LEN;
        p->l4 += VLAN_TAG_LEN;
    }
    at = packet_push(p, VLAN_TAG_LEN);
    memmove(at, at + VLAN_TAG_LEN, 12);
    wire_put16(at + 12, ETH_TYPE_VLAN);
    wire_put16(at + 14, vid);
    p->flags &= (uint8_t)~PKT_HAS_FCS;
    return p;
}

/* A priority tag becomes a VLAN tag of the same priority. */
static Packet *retag(const Packet *pkt, uint16_t vid)
{
    Packet *p = packet_clone(pkt);
    uint8_t *tci = packet_data(p) + ETH_HDR_LEN;

    wire_put16(tci, (uint16_t)((wire_get16(tci) & 0xf000) | vid));
    p->flags &= (uint8_t)~PKT_HAS_FCS;
    return p;
}

void switch_vlan_forms_init(SwitchVlanForms *f, Packet *pkt, uint16_t vid)
{
    *f = (SwitchVlanForms){.original = pkt, .vid = vid};
    if (!is_tagged(pkt))
        f->untagged = packet_ref(pkt);
    else if (tag_vid(pkt) != 0)
        f->tagged = packet_ref(pkt);
}

Packet *switch_vlan_form(SwitchVlanForms *f, const SwitchPort *out)
{
    bool tagged = out->vlan->is_trunk && out->vlan->pvid != f->vid;

    if (!tagged) {
        if (!f->untagged)
            f->untagged = untag(f->original);
        return packet_ref(f->untagged);
    }
    if (!f->tagged)
        f->tagged = is_tagged(f->original) ? retag(f->original, f->vid) : tag(f->original, f->vid);
    return f->tagged ? packet_ref(f->tagged) : NULL;
}

void switch_vlan_forms_clear(SwitchVlanForms *f)
{
    packet_unref(f->tagged);
    packet_unref(f->untagged);
    packet_unref(f->original);
}

/* ---- settings ---- */

static void allow(SwitchVlanPort *v, uint16_t vid)
{
    v->allowed[vid >> 6] |= UINT64_C(1) << (vid & 63);
}

void switch_vlan_port_init(SwitchPort *port)
{
    port->vlan = g_new0(SwitchVlanPort, 1);
    port->vlan->pvid = SWITCH_VLAN_DEFAULT;
    allow(port->vlan, SWITCH_VLAN_DEFAULT);
}

static void begin(SwitchPort *port)
{
    Switch *sw = port->sw;

    if (!sw->vlan_aware) {
        sw->vlan_aware = true;
        for (unsigned i = 0; i < sw->n_ports; i++)
            switch_vlan_port_init(sw->ports[i]);
        switch_table_flush(&sw->table, SWITCH_TABLE_ANY_PORT); /* learnt without VLANs */
    }
    switch_port_flush(port);
    memset(port->vlan, 0, sizeof *port->vlan);
}

bool switch_vlan_set_access(SwitchPort *port, uint16_t vid)
{
    if (vid == 0 || vid > VLAN_VID_MAX)
        return false;
    begin(port);
    port->vlan->pvid = vid;
    allow(port->vlan, vid);
    return true;
}

bool switch_vlan_set_trunk(SwitchPort *port, const uint16_t *vids, unsigned n, uint16_t native)
{
    for (unsigned i = 0; i < n; i++)
        if (vids[i] == 0 || vids[i] > VLAN_VID_MAX)
            return false;
    if (native > VLAN_VID_MAX)
        return false;
    begin(port);
    port->vlan->is_trunk = true;
    port->vlan->pvid = native;
    for (unsigned i = 0; i < n; i++)
        allow(port->vlan, vids[i]);
    for (uint16_t vid = 1; n == 0 && vid <= VLAN_VID_MAX; vid++)
        allow(port->vlan, vid);
    if (native)
        allow(port->vlan, native);
    return true;
}

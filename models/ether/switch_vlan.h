/* 802.1Q on a switch. Every frame belongs to one VLAN: its tag says which, or the port where it came in. A
 * port is access: one VLAN, frames without tags; or trunk: many VLANs, frames with tags, but one (the native
 * VLAN) without.
 *
 * A switch starts to know VLANs when the first port is set; its other ports are then access ports of VLAN 1.
 * Learning is per VLAN (independent VLAN learning), the spanning tree is one for all. */
#pragma once

#include "models/ether/switch.h"

#define SWITCH_VLAN_DEFAULT 1

struct SwitchVlanPort {
    bool is_trunk;
    uint16_t pvid; /* of frames without a tag; 0 (trunk without native VLAN): they are dropped */
    uint64_t allowed[64];
};

/* false: vid is not in 1…4094. */
bool switch_vlan_set_access(SwitchPort *port, uint16_t vid);
/* n == 0: all VLANs. native 0: none; otherwise it is among the allowed ones without being listed. */
bool switch_vlan_set_trunk(SwitchPort *port, const uint16_t *vids, unsigned n, uint16_t native);

/* ---- for switch.c ---- */

/* The VLAN of a frame that came in here; 0: the port does not take it. Needs 18 bytes in buf when tagged. */
uint16_t switch_vlan_classify(const SwitchPort *in, const Packet *pkt);

static inline bool switch_vlan_admits(const SwitchPort *out, uint16_t vid)
{
    return out->vlan->allowed[vid >> 6] >> (vid & 63) & 1;
}

/* The frame in both forms, made when first needed. */
typedef struct SwitchVlanForms {
    Packet *untagged, *tagged;
    Packet *original;
    uint16_t vid;
} SwitchVlanForms;

void switch_vlan_forms_init(SwitchVlanForms *f, Packet *pkt, uint16_t vid); /* takes the packet */
/* A new reference to the form in which `out` sends that VLAN; NULL: the tag does not fit. */
Packet *switch_vlan_form(SwitchVlanForms *f, const SwitchPort *out);
void switch_vlan_forms_clear(SwitchVlanForms *f);

void switch_vlan_port_init(SwitchPort *port);

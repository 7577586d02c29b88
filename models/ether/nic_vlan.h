/* A VLAN on top of a network card: "eth0.10" sends and receives the frames of VLAN 10 with an 802.1Q tag. It
 * is a NetDev of its own, follows the card's carrier, and uses the card's address and MTU (Linux net/8021q).
 */
#pragma once

#include "models/ether/nic.h"

struct NicVlan {
    NetDev dev; /* first */
    NetDevStats stats;
    Nic *nic;
    uint16_t vid;
    uint8_t pcp; /* priority of the frames we send, 0–7 */
    NicVlan *next;
};

/* NULL: vid is not in 1…4094, or the card has that VLAN already. name NULL: the card's name, a dot and the
 * number. Freed with the card. */
NicVlan *nic_vlan_new(Nic *nic, uint16_t vid, const char *name);
NicVlan *nic_vlan_find(const Nic *nic, uint16_t vid);

/* ---- for nic.c ---- */

/* A tagged frame from the wire: returns it with head at the network header, the device it belongs to and the
 * inner type, or NULL when it ended here. A priority tag (VLAN 0) belongs to the card itself. */
Packet *nic_vlan_receive(Nic *nic, Packet *pkt, NetDev **dev, uint16_t *type);
/* The card's state, address or MTU changed. */
void nic_vlan_follow(Nic *nic);
void nic_vlan_clear(Nic *nic);

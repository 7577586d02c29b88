/* What the files of p (a frame as rules and observers see it) share: bind_packet.c (the view's life, what it
 * knows), bind_packet_dissect.c (its headers), bind_packet_layer.c (p.ip), bind_packet_set.c (changing it).
 *
 *   PacketView ── Dissection (pooled by the Scenario): bytes, layers, fields
 *        ↑
 *   LayerView (p.ip): keeps its PacketView by a user value */
#pragma once

#include "lua/bind/bind.h"
#include "models/wire/dissect.h"

#define PACKET_MAX_FIELDS 192
#define PACKET_MAX_LAYERS 24

typedef struct PacketField {
    const char *name;
    uint64_t value;
    uint32_t bit_off, bit_len;
    uint32_t at; /* bytes: where in the frame */
    uint8_t kind;
} PacketField;

typedef struct PacketLayer {
    const WireLayer *type;
    uint32_t off, len;
    uint16_t first, n;
    uint8_t depth;
} PacketLayer;

typedef struct Dissection {
    struct Dissection *next; /* in the pool */
    uint8_t *bytes;
    uint32_t len, cap;
    unsigned n_fields, n_layers;
    bool is_malformed;
    PacketLayer layer[PACKET_MAX_LAYERS];
    PacketField field[PACKET_MAX_FIELDS];
} Dissection;

struct PacketView {
    Scenario *s;
    const Packet *pkt; /* NULL: the call is over */
    bool is_kept;      /* pkt is our reference */
    bool is_altered, keep_sums;
    bool in_call, is_orphan; /* the rule or observer runs; Lua has collected its value meanwhile */
    PacketFacts facts;
    Dissection *d;
};

/* The bytes, copied and dissected at the first call. */
Dissection *bind_packet_dissect(PacketView *v);
void bind_packet_dissect_again(Dissection *d, uint16_t linktype); /* its bytes were changed */
void bind_packet_undissect(Scenario *s, Dissection *d);           /* back into the pool; may be NULL */
/* The first layer of that type outside (depth 0) or inside (depth 1) an ICMP error; -1: none. */
int bind_packet_find_layer(const Dissection *d, WireLayerId id, unsigned depth);
const PacketField *bind_packet_find_field(const Dissection *d, const PacketLayer *layer, const char *name);

void bind_packet_check_alive(lua_State *L, const PacketView *v); /* raises if it is gone */
PacketView *bind_packet_check(lua_State *L, int idx);            /* likewise */
/* The layer of the view at 1; index < 0: nil. */
void bind_packet_push_layer(lua_State *L, PacketView *v, int index);
_Noreturn void bind_packet_unknown_field(lua_State *L, const Dissection *d, const PacketLayer *layer,
                                         const char *name);
void bind_packet_set_field(lua_State *L, PacketView *v, unsigned index, const char *name, int value_idx);
int bind_packet_set(lua_State *L); /* p:set */

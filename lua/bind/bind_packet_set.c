/* Changing a frame: p.ip.ttl = 3, p:set("ip.ttl", 3). It changes the copy of the bytes; checksums that were
 * right before are made right again at the end. */
#include <string.h>

#include "lua/bind/bind_packet.h"
#include "sim/packet/checksum.h"

static void put_bits(uint8_t *p, uint32_t bit_off, uint32_t bit_len, uint64_t value)
{
    for (uint32_t i = 0; i < bit_len; i++) {
        uint32_t at = bit_off + i;
        uint8_t mask = (uint8_t)(0x80 >> (at & 7));

        if (value >> (bit_len - 1 - i) & 1)
            p[at >> 3] |= mask;
        else
            p[at >> 3] = (uint8_t)(p[at >> 3] & ~mask);
    }
}

static uint64_t value_for(lua_State *L, int idx, const PacketField *f, const char *name)
{
    int is_int = 0;
    lua_Integer n;

    switch ((WireKind)f->kind) {
    case WIRE_MAC:
        return mac_to_u64(bind_check_mac(L, idx, name));
    case WIRE_IP4:
        return bind_check_addr(L, idx, name, NULL);
    case WIRE_BOOL:
        if (lua_isboolean(L, idx))
            return (uint64_t)lua_toboolean(L, idx);
        break;
    default:
        break;
    }
    n = lua_type(L, idx) == LUA_TNUMBER ? lua_tointegerx(L, idx, &is_int) : 0;
    if (!is_int || n < 0 || (f->bit_len < 63 && n >> f->bit_len != 0))
        luaerr_raise(L, "bad value for %s: got %s, expected a whole number of %d bits", name,
                     luaerr_describe(L, idx), (int)f->bit_len);
    return (uint64_t)n;
}

void bind_packet_set_field(lua_State *L, PacketView *v, unsigned index, const char *name, int value_idx)
{
    Dissection *d = bind_packet_dissect(v);
    const PacketLayer *layer = &d->layer[index];
    const PacketField *f = bind_packet_find_field(d, layer, name);

    if (!f)
        bind_packet_unknown_field(L, d, layer, name);
    if (f->bit_len == 0)
        luaerr_raise(L, "%s.%s is derived from other fields: it cannot be set", layer->type->name, name);
    if (f->kind == WIRE_BYTES || f->kind == WIRE_TEXT || f->kind == WIRE_IP6) {
        size_t len;
        const char *bytes = luaL_checklstring(L, value_idx, &len);

        if (len != f->bit_len / 8)
            luaerr_raise(L, "bad value for %s: got %d bytes, expected %d", name, (int)len,
                         (int)(f->bit_len / 8));
        memcpy(d->bytes + f->at, bytes, len);
    } else {
        put_bits(d->bytes + layer->off, f->bit_off, f->bit_len, value_for(L, value_idx, f, name));
    }
    v->is_altered = true;
    /* A checksum that is set by hand stays as it was set. */
    if (strcmp(name, "checksum") == 0)
        v->keep_sums = true;
    bind_packet_dissect_again(d, v->facts.linktype);
}

/* p:set("ip.ttl", 3 [, { checksums = false }]) */
int bind_packet_set(lua_State *L)
{
    PacketView *v = bind_packet_check(L, 1);
    const char *path = bind_check_name(L, 2, "field"), *dot = strchr(path, '.');
    bool checksums = true;
    static const LuaOpt opts[] = {{.name = "checksums", .kind = LUAOPT_BOOL}};

    luaL_checkany(L, 3);
    luaopt_read(L, 4, "p:set", opts, 1, 0, &checksums);
    const char *layer = lua_pushlstring(L, path, dot ? (size_t)(dot - path) : strlen(path));
    const WireLayer *type = wire_layer_by_name(layer);
    int index = type ? bind_packet_find_layer(bind_packet_dissect(v), type->id, 0) : -1;

    if (!dot || !type)
        luaerr_arg(L, 2, "field", NULL, "layer and field, such as \"ip.ttl\"");
    if (index < 0)
        luaerr_raise(L, "this packet has no %s layer", layer);
    bind_packet_set_field(L, v, (unsigned)index, dot + 1, 3);
    if (!checksums)
        v->keep_sums = true;
    lua_settop(L, 1);
    return 1;
}

/* Makes the checksums right: outermost IP header, and what it carries unless that is a fragment. */
static void fix_checksums(Dissection *d)
{
    int ip = bind_packet_find_layer(d, WIRE_LAYER_IP, 0);
    unsigned field_off = 0, l4_off, l4_len;
    uint8_t *h;
    uint32_t sum = 0;

    if (ip < 0 || d->layer[ip].len < 20)
        return;
    h = d->bytes + d->layer[ip].off;
    wire_put16(h + 10, 0);
    wire_put16(h + 10, checksum_finish(checksum_add(0, h, d->layer[ip].len)));
    if ((unsigned)ip + 1 >= d->n_layers || wire_get16(h + 6) & 0x3fff)
        return;
    const PacketLayer *l4 = &d->layer[ip + 1];

    l4_off = l4->off;
    if (wire_get16(h + 2) < d->layer[ip].len || d->layer[ip].off + wire_get16(h + 2) > d->len)
        return;
    l4_len = wire_get16(h + 2) - d->layer[ip].len;
    if (l4->type->id == WIRE_LAYER_UDP && l4_len >= 8 && wire_get16(d->bytes + l4_off + 6) != 0)
        field_off = 6;
    else if (l4->type->id == WIRE_LAYER_TCP && l4_len >= 20)
        field_off = 16;
    else if (l4->type->id == WIRE_LAYER_ICMP && l4_len >= 4)
        field_off = 2;
    else
        return;
    if (l4->type->id != WIRE_LAYER_ICMP) {
        uint8_t rest[4] = {0, h[9], (uint8_t)(l4_len >> 8), (uint8_t)l4_len};

        sum = checksum_add(checksum_add(0, h + 12, 8), rest, 4);
    }
    wire_put16(d->bytes + l4_off + field_off, 0);
    uint16_t value = checksum_finish(checksum_add(sum, d->bytes + l4_off, l4_len));

    wire_put16(d->bytes + l4_off + field_off, value == 0 && field_off == 6 ? 0xffff : value);
}

Packet *bind_packet_altered(PacketView *v, PacketPool *pool)
{
    if (!v->is_altered)
        return NULL;
    if (!v->keep_sums)
        fix_checksums(v->d);
    return packet_from_bytes(pool, v->pkt->birth_node, v->pkt->birth_id, v->d->bytes, v->d->len);
}

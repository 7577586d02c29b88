/* The headers of a frame, found once and kept by name. A view costs almost nothing until somebody asks for a
 * header: then the true bytes are copied and dissected (models/wire). */
#include <string.h>

#include "lua/bind/bind_packet.h"

static Dissection *dissection_new(Scenario *s)
{
    Dissection *d = s->free_dissections;

    if (d)
        s->free_dissections = d->next;
    else
        d = g_new0(Dissection, 1);
    d->n_fields = d->n_layers = 0;
    d->is_malformed = false;
    return d;
}

void bind_packet_undissect(Scenario *s, Dissection *d)
{
    if (!d)
        return;
    d->next = s->free_dissections;
    s->free_dissections = d;
}

void bind_packets_free(Scenario *s)
{
    if (s->buffers)
        g_hash_table_destroy(s->buffers);
    while (s->free_dissections) {
        Dissection *d = s->free_dissections;

        s->free_dissections = d->next;
        g_free(d->bytes);
        g_free(d);
    }
}

static void on_layer(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    Dissection *d = user;

    if (d->n_layers < PACKET_MAX_LAYERS)
        d->layer[d->n_layers++] = (PacketLayer){.type = layer,
                                                .off = (uint32_t)off,
                                                .len = (uint32_t)len,
                                                .first = (uint16_t)d->n_fields,
                                                .depth = (uint8_t)HS_MIN(depth, 255)};
}

static void on_field(void *user, const WireLayer *layer, const WireField *f)
{
    Dissection *d = user;

    if (d->n_fields == PACKET_MAX_FIELDS || d->n_layers == 0 || d->layer[d->n_layers - 1].type != layer)
        return;
    d->field[d->n_fields++] = (PacketField){.name = f->name,
                                            .value = f->value,
                                            .bit_off = f->bit_off,
                                            .bit_len = f->bit_len,
                                            .at = f->bytes ? (uint32_t)(f->bytes - d->bytes) : 0,
                                            .kind = (uint8_t)f->kind};
    d->layer[d->n_layers - 1].n++;
}

static void on_malformed(void *user, const WireLayer *layer, size_t off, WireError err, const char *why)
{
    ((Dissection *)user)->is_malformed = true;
}

void bind_packet_dissect_again(Dissection *d, uint16_t linktype)
{
    const WireSink sink = {
        .user = d, .no_text = true, .begin_layer = on_layer, .field = on_field, .malformed = on_malformed};

    d->n_fields = d->n_layers = 0;
    wire_dissect((WireLinkType)linktype, d->bytes, d->len, &sink);
}

Dissection *bind_packet_dissect(PacketView *v)
{
    Dissection *d = v->d;

    if (d)
        return d;
    d = v->d = dissection_new(v->s);
    d->len = packet_len(v->pkt);
    if (d->cap < d->len) {
        d->cap = HS_MAX(d->len, 2048);
        d->bytes = g_realloc(d->bytes, d->cap);
    }
    packet_copy(v->pkt, 0, d->bytes, d->len);
    bind_packet_dissect_again(d, v->facts.linktype);
    return d;
}

int bind_packet_find_layer(const Dissection *d, WireLayerId id, unsigned depth)
{
    for (unsigned i = 0; i < d->n_layers; i++)
        if (d->layer[i].type->id == id && d->layer[i].depth == depth)
            return (int)i;
    return -1;
}

const PacketField *bind_packet_find_field(const Dissection *d, const PacketLayer *layer, const char *name)
{
    for (unsigned i = layer->first; i < layer->first + layer->n; i++)
        if (strcmp(d->field[i].name, name) == 0)
            return &d->field[i];
    return NULL;
}

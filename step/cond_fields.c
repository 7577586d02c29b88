#include "step/cond_fields.h"

#include <glib.h>
#include <string.h>

#include "models/wire/dissect.h"
#include "models/wire/tcp.h"
#include "sim/base/base.h"
#include "sim/base/suggest.h"

#define NAMES_MAX 64

/* Frames with every field of their headers but TCP's options, which tcp_field_is_optional knows. */
static const uint8_t tcp_frame[] = {
    0x02, 0, 0, 0,  0, 2, 0x02, 0, 0,  0, 0, 1, 0x81, 0x00, 0x00, 0x05, 0x08, 0x00, /* Ethernet, VLAN 5 */
    0x47, 0, 0, 48, 0, 1, 0x40, 0, 64, 6, 0, 0, 10,   0,    0,    1,    10,   0,    0, 2, /* IPv4 */
    7,    7, 8, 10, 0, 0, 3,    0, /* its option: a route */
    0x80, 0, 0, 80, 0, 0, 0,    1, 0,  0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0,    0,    0, 0};    /* TCP */
static const uint8_t udp_frame[] = {0x02, 0, 0,  0,  0, 2, 0x02, 0, 0,  0,  0, 1, 0x08, 0x00, /* Ethernet */
                                    0x45, 0, 0,  28, 0, 1, 0x40, 0, 64, 17, 0, 0, 10,   0,
                                    0,    1, 10, 0,  0, 2,           /* IPv4 */
                                    0x80, 0, 0,  53, 0, 8, 0,    0}; /* UDP */
static const uint8_t arp_frame[] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0,    0, 0,  1, 0x08, 0x06, /* Ethernet */
    0,    1,    8,    0,    6,    4,    0,    1, 0x02, 0, 0,  0, 0,    1,
    10,   0,    0,    1,    0,    0,    0,    0, 0,    0, 10, 0, 0,    2}; /* ARP */

typedef struct Specimen {
    WireLayerId id;
    const uint8_t *frame;
    size_t len;
} Specimen;

static const Specimen specimens[] = {
    {WIRE_LAYER_TCP, tcp_frame, sizeof tcp_frame},  {WIRE_LAYER_IP, tcp_frame, sizeof tcp_frame},
    {WIRE_LAYER_VLAN, tcp_frame, sizeof tcp_frame}, {WIRE_LAYER_UDP, udp_frame, sizeof udp_frame},
    {WIRE_LAYER_ARP, arp_frame, sizeof arp_frame},
};

typedef struct Names {
    WireLayerId id;
    bool only_flags;
    const char *name[NAMES_MAX];
    size_t n;
} Names;

static void take(void *user, const WireLayer *layer, const WireField *f)
{
    Names *names = user;

    if (layer->id == names->id && (!names->only_flags || f->kind == WIRE_BOOL) && names->n < NAMES_MAX)
        names->name[names->n++] = f->name;
}

char *stepfields_check(WireLayerId id, const char *name, bool is_flag)
{
    Names names = {.id = id, .only_flags = is_flag};
    const WireSink sink = {.user = &names, .no_text = true, .field = take};
    const char *what = is_flag ? "flag" : "field", *layer = wire_layer(id)->name, *closest;

    for (unsigned i = 0; i < HS_ARRAY_LEN(specimens); i++)
        if (specimens[i].id == id)
            wire_dissect(WIRE_LINK_ETHERNET, specimens[i].frame, specimens[i].len, &sink);
    if (!names.n || (id == WIRE_LAYER_TCP && !is_flag && tcp_field_is_optional(name)))
        return NULL;
    for (size_t i = 0; i < names.n; i++)
        if (!strcmp(names.name[i], name))
            return NULL;
    closest = suggest_closest(name, names.name, names.n);
    return closest ? g_strdup_printf("%s has no %s \"%s\"; did you mean \"%s\"?", layer, what, name, closest)
                   : g_strdup_printf("%s has no %s \"%s\"; 'packet' shows what it has", layer, what, name);
}

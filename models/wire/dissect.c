/* The chain of layers through a frame. */
#include "models/wire/dissect.h"

#include "models/wire/data.h"
#include "models/wire/eth.h"
#include "sim/base/base.h"

/* Far beyond any frame; keeps bit offsets within 32 bits. */
#define MAX_LEN ((size_t)1 << 24)
/* VLAN tags can be nested without end in hostile bytes; people would not read so many layers. */
#define MAX_LAYERS 64

bool wire_link_type_is_known(int linktype)
{
    return linktype == WIRE_LINK_ETHERNET || linktype == WIRE_LINK_PPP || linktype == WIRE_LINK_RAW ||
           linktype == WIRE_LINK_IPV4 || linktype == WIRE_LINK_IPV6 ||
           linktype == (int)WIRE_LINK_ETHERNET_FCS;
}

static WireLayerId first_layer(WireLinkType linktype, const uint8_t *p, size_t len)
{
    switch (linktype) {
    case WIRE_LINK_ETHERNET:
    case WIRE_LINK_ETHERNET_FCS:
        return WIRE_LAYER_ETH;
    case WIRE_LINK_PPP:
        return WIRE_LAYER_PPP;
    case WIRE_LINK_IPV4:
        return WIRE_LAYER_IP;
    case WIRE_LINK_IPV6:
        return WIRE_LAYER_IP6;
    case WIRE_LINK_RAW:
        return len > 0 && p[0] >> 4 == 6 ? WIRE_LAYER_IP6 : WIRE_LAYER_IP;
    }
    return WIRE_LAYER_DATA;
}

bool wire_dissect(WireLinkType linktype, const uint8_t *p, size_t len, const WireSink *sink)
{
    WireCursor c = {.sink = sink, .p = p, .len = HS_MIN(len, MAX_LEN)};
    bool ok = true;
    size_t fcs_len = 0;

    c.next = first_layer(linktype, p, c.len);
    if (linktype == WIRE_LINK_ETHERNET_FCS && c.len >= ETH_HDR_LEN + ETH_FCS_LEN)
        fcs_len = ETH_FCS_LEN;
    c.len -= fcs_len;
    for (int n = 0; ok && c.next != WIRE_LAYER_NONE; n++) {
        if (c.next == WIRE_LAYER_DATA && c.len == 0)
            break;
        if (n == MAX_LAYERS)
            c.next = WIRE_LAYER_DATA;
        ok = wire_layer(c.next)->describe(&c);
    }
    if (c.len > 0)
        data_describe(&c);
    c.len = c.padding;
    if (c.len > 0)
        data_describe_padding(&c);
    c.len = fcs_len;
    if (fcs_len)
        data_describe_fcs(&c);
    return ok;
}

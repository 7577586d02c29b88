/* ICMP: RFC 792, 950, 1122, 1812; ICMPv6: RFC 4443. */
#include "packetdrill/pd_icmp.h"

#include <string.h>

#include "models/wire/icmp.h"
#include "sim/base/base.h"

#define V6_UNREACH 1
#define V6_TOO_BIG 2
#define V6_EXCEEDED 3
#define V6_PARAM 4

typedef struct Name {
    const char *name;
    uint8_t type, code;
} Name;

static const Name types4[] = {{"echo_reply", 0},          {"unreachable", 3},
                              {"source_quench", 4},       {"redirect", 5},
                              {"echo_request", 8},        {"time_exceeded", 11},
                              {"parameter_problem", 12},  {"timestamp_request", 13},
                              {"timestamp_reply", 14},    {"information_request", 15},
                              {"information_reply", 16},  {"address_mask_request", 17},
                              {"address_mask_reply", 18}, {0}};
static const Name codes4[] = {{"net_unreachable", 3, 0},
                              {"host_unreachable", 3, 1},
                              {"protocol_unreachable", 3, 2},
                              {"port_unreachable", 3, 3},
                              {"frag_needed", 3, 4},
                              {"source_route_failed", 3, 5},
                              {"net_unknown", 3, 6},
                              {"host_unknown", 3, 7},
                              {"source_host_isolated", 3, 8},
                              {"net_prohibited", 3, 9},
                              {"host_prohibited", 3, 10},
                              {"net_unreachable_for_tos", 3, 11},
                              {"host_unreachable_for_tos", 3, 12},
                              {"packet_filtered", 3, 13},
                              {"precedence_violation", 3, 14},
                              {"precedence_cutoff", 3, 15},
                              {0}};
static const Name types6[] = {{"unreachable", V6_UNREACH},
                              {"packet_too_big", V6_TOO_BIG},
                              {"time_exceeded", V6_EXCEEDED},
                              {"parameter_problem", V6_PARAM},
                              {"echo_request", 128},
                              {"echo_reply", 129},
                              {0}};
/* net_unreachable is the older name of no_route; the first one is printed. */
static const Name codes6[] = {{"no_route", V6_UNREACH, 0},
                              {"net_unreachable", V6_UNREACH, 0},
                              {"admin_prohibited", V6_UNREACH, 1},
                              {"not_neighbour", V6_UNREACH, 2},
                              {"address_unreachable", V6_UNREACH, 3},
                              {"port_unreachable", V6_UNREACH, 4},
                              {"exceeded_hop_limit", V6_EXCEEDED, 0},
                              {"exceeded_frag_time", V6_EXCEEDED, 1},
                              {"header_field", V6_PARAM, 0},
                              {"unknown_next_header", V6_PARAM, 1},
                              {"unknown_option", V6_PARAM, 2},
                              {0}};

bool pd_icmp_type_find(bool v6, const char *name, uint8_t *type)
{
    for (const Name *n = v6 ? types6 : types4; n->name; n++) {
        if (strcmp(n->name, name) == 0) {
            *type = n->type;
            return true;
        }
    }
    return false;
}

bool pd_icmp_code_find(bool v6, uint8_t type, const char *name, uint8_t *code)
{
    for (const Name *n = v6 ? codes6 : codes4; n->name; n++) {
        if (n->type == type && strcmp(n->name, name) == 0) {
            *code = n->code;
            return true;
        }
    }
    return false;
}

bool pd_icmp_code_find_any(bool v6, const char *name, uint8_t *code)
{
    for (const Name *n = v6 ? codes6 : codes4; n->name; n++) {
        if (strcmp(n->name, name) == 0) {
            *code = n->code;
            return true;
        }
    }
    return false;
}

const char *pd_icmp_type_name(bool v6, uint8_t type)
{
    for (const Name *n = v6 ? types6 : types4; n->name; n++) {
        if (n->type == type)
            return n->name;
    }
    return NULL;
}

const char *pd_icmp_code_name(bool v6, uint8_t type, uint8_t code)
{
    for (const Name *n = v6 ? codes6 : codes4; n->name; n++) {
        if (n->type == type && n->code == code)
            return n->name;
    }
    return NULL;
}

bool pd_icmp_has_mtu(bool v6, uint8_t type, uint8_t code)
{
    return v6 ? type == V6_TOO_BIG : type == ICMP_DEST_UNREACH && code == ICMP_UNREACH_NEEDFRAG;
}

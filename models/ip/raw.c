#include "models/ip/raw.h"

#include "models/ip/ip4_priv.h"
#include "models/ip/ip6_priv.h"

static void add(RawTap **list, RawTap *tap)
{
    while (*list) /* in the order in which they came */
        list = &(*list)->next;
    tap->next = NULL;
    *list = tap;
}

static void remove_tap(RawTap **list, RawTap *tap)
{
    while (*list && *list != tap)
        list = &(*list)->next;
    if (*list)
        *list = tap->next;
    tap->next = NULL;
}

void ip4_raw_add(Ip4 *ip, RawTap *tap)
{
    add(&ip->raw, tap);
}

void ip4_raw_remove(Ip4 *ip, RawTap *tap)
{
    remove_tap(&ip->raw, tap);
}

void ip6_raw_add(Ip6 *ip, RawTap *tap)
{
    add(&ip->raw, tap);
}

void ip6_raw_remove(Ip6 *ip, RawTap *tap)
{
    remove_tap(&ip->raw, tap);
}

bool ip4_raw_show(const Ip4 *ip, const Packet *pkt, const Ip4Rx *rx)
{
    bool is_wanted = false;

    for (const RawTap *t = ip->raw; t; t = t->next)
        if (t->proto == rx->proto && t->input4(t->user, pkt, rx))
            is_wanted = true;
    return is_wanted;
}

bool ip6_raw_show(const Ip6 *ip, const Packet *pkt, const Ip6Rx *rx)
{
    bool is_wanted = false;

    for (const RawTap *t = ip->raw; t; t = t->next)
        if (t->proto == rx->proto && t->input6(t->user, pkt, rx))
            is_wanted = true;
    return is_wanted;
}

void ip4_raw_error(const Ip4 *ip, uint8_t proto, const Ip4Error *e)
{
    for (const RawTap *t = ip->raw; t; t = t->next)
        if (t->proto == proto)
            t->error4(t->user, e);
}

void ip6_raw_error(const Ip6 *ip, uint8_t proto, const Ip6Error *e)
{
    for (const RawTap *t = ip->raw; t; t = t->next)
        if (t->proto == proto)
            t->error6(t->user, e);
}

#include "models/ether/rarp.h"

#include <glib.h>

#include "models/wire/eth.h"

typedef struct RarpEntry {
    MacAddr mac;
    uint32_t addr;
} RarpEntry;

static void send(NetDev *dev, const MacAddr *to, const ArpMsg *m)
{
    Packet *pkt = packet_new(dev->node->part->packets, dev->node->id, dev->node->birth_next++, PKT_HEADROOM);

    pkt->l3 = pkt->l4 = pkt->head;
    arp_encode(packet_put(pkt, ARP_LEN), m);
    dev->ops->xmit(dev, pkt, to, ETH_TYPE_RARP);
}

/* Takes the packet. */
static bool receive(NetDev *dev, Packet *pkt, uint16_t op, ArpMsg *m)
{
    uint8_t bytes[ARP_LEN];
    bool whole = packet_copy_raw(pkt, 0, bytes, ARP_LEN) == ARP_LEN && arp_decode(m, bytes, ARP_LEN) >= 0;

    if (pkt->flags & PKT_OTHERHOST)
        probe_drop(dev->node, dev->point, pkt, DROP_NOT_FOR_ME);
    else if (!whole)
        probe_drop(dev->node, dev->point, pkt, DROP_MALFORMED);
    else
        packet_unref(pkt);
    return whole && m->op == op;
}

/* ---- client ---- */

static void ask(Timer *t)
{
    RarpClient *c = HS_CONTAINER_OF(t, RarpClient, timer);
    const MacAddr all = MAC_BROADCAST;

    if (c->max_tries && c->tries == c->max_tries) {
        c->done(c->user, 0, 0);
        return;
    }
    c->tries++;
    timer_arm_after(t, c->wait);
    c->wait = HS_MIN(c->wait * 2, RARP_RETRY_MAX);
    /* RFC 903: the target is oneself; the protocol addresses are undefined, zero here. */
    send(c->dev, &all, &(ArpMsg){.op = RARP_OP_REQUEST, .sha = c->dev->mac, .tha = c->dev->mac});
}

void rarpclient_init(RarpClient *c, NetDev *dev, RarpClientFn done, void *user)
{
    *c = (RarpClient){.dev = dev, .done = done, .user = user};
    timer_init(&c->timer, dev->node, ask);
}

void rarpclient_start(RarpClient *c, unsigned max_tries)
{
    c->tries = 0;
    c->max_tries = max_tries;
    c->wait = RARP_RETRY_FIRST;
    timer_arm_after(&c->timer, 0);
}

void rarpclient_clear(RarpClient *c)
{
    timer_clear(&c->timer);
}

void rarpclient_input(RarpClient *c, Packet *pkt)
{
    ArpMsg m;

    if (!receive(c->dev, pkt, RARP_OP_REPLY, &m) || !mac_equal(m.tha, c->dev->mac) ||
        !timer_is_armed(&c->timer))
        return;
    timer_cancel(&c->timer);
    c->done(c->user, m.tpa, m.spa);
}

/* ---- server ---- */

void rarpserver_init(RarpServer *s, NetDev *dev, uint32_t addr)
{
    *s = (RarpServer){.dev = dev, .addr = addr};
}

void rarpserver_clear(RarpServer *s)
{
    g_free(s->entry);
    s->entry = NULL;
    s->n_entries = 0;
}

static RarpEntry *find(RarpServer *s, MacAddr mac)
{
    for (unsigned i = 0; i < s->n_entries; i++)
        if (mac_equal(s->entry[i].mac, mac))
            return &s->entry[i];
    return NULL;
}

void rarpserver_set(RarpServer *s, MacAddr mac, uint32_t addr)
{
    RarpEntry *e = find(s, mac);

    if (!e) {
        s->entry = g_renew(RarpEntry, s->entry, s->n_entries + 1);
        e = &s->entry[s->n_entries++];
    }
    *e = (RarpEntry){mac, addr};
}

void rarpserver_input(RarpServer *s, Packet *pkt)
{
    const RarpEntry *e;
    ArpMsg m;

    if (!receive(s->dev, pkt, RARP_OP_REQUEST, &m))
        return;
    s->requests++;
    e = find(s, m.tha); /* who is asked about; usually the sender */
    if (!e)
        return; /* RFC 903: another server may know */
    s->answers++;
    send(s->dev, &m.sha,
         &(ArpMsg){.op = RARP_OP_REPLY, .sha = s->dev->mac, .spa = s->addr, .tha = m.tha, .tpa = e->addr});
}

#include "sim/trace/sink_frame.h"

#include "sim/trace/pcapng.h"

#define ETH_HEADER_BYTES 14

static const Packet *with_head(SinkFrame *frame, const Packet *p, unsigned head)
{
    if (head == p->head)
        return frame->pkt = p;
    frame->view = *p;
    frame->view.head = (uint16_t)head;
    return frame->pkt = &frame->view;
}

/* l3 is only set once somebody has parsed or built the network header. */
static bool is_ip_at(const Packet *p, unsigned at)
{
    unsigned version = p->buf[at] >> 4;

    return at > 0 && at < p->tail && (version == 4 || version == 6);
}

const Packet *sinkframe_find(SinkFrame *frame, const ProbeRecord *r)
{
    const Packet *p = r->pkt;

    frame->linktype = r->point ? r->point->linktype : SINKFRAME_BYTES;
    if (r->point && (p->l3 == 0 || p->head < p->l3))
        return with_head(frame, p, p->head);
    if (is_ip_at(p, p->l3)) {
        frame->linktype = PCAPNG_LINKTYPE_RAW_IP;
        return with_head(frame, p, HS_MIN(p->head, p->l3));
    }
    /* Not IP, but a network header: it came in a frame, whose link header still stands in front
     * (models/ether/netdev.h). */
    if (r->point && r->point->linktype == PCAPNG_LINKTYPE_ETHERNET && p->l3 >= ETH_HEADER_BYTES)
        return with_head(frame, p, p->l3 - ETH_HEADER_BYTES);
    return with_head(frame, p, p->head);
}

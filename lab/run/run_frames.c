#include "lab/run/run_frames.h"

/* What stations sent on a hub: everybody hears it, but it is one frame. */
static uint64_t hub_frames(const Net *net, const NetLink *l)
{
    for (unsigned end = 0; end < 2; end++) {
        const Segment *hub = net_segment_of(net, netlink_node(l, end));
        const SegmentPortStats *s = hub ? segment_port_stats(hub, netlink_port(l, !end)) : NULL;

        if (s)
            return s->tx_frames;
    }
    return 0;
}

RunFrames run_frames_count(const Net *net)
{
    RunFrames f = {0};

    for (unsigned i = 0; i < net_link_count(net); i++) {
        uint64_t heard = hub_frames(net, net_link_at(net, i));

        f.sent += heard;
        f.delivered += heard;
        for (unsigned end = 0; end < 2; end++) {
            const LinkDir *d = netlink_dir(net_link_at(net, i), end);
            const LinkDirStats s = d ? linkdir_stats(d) : (LinkDirStats){0};

            f.sent += s.tx_packets + s.duplicate_packets;
            f.delivered += s.delivered_packets;
            f.lost += s.lost_packets;
        }
    }
    return f;
}

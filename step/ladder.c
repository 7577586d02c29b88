#include "step/ladder.h"

#include "view/ladder.h"

#define SNAPLEN 256 /* headers, and an ICMP error's quote */

static const char *kind_of(void *user, const Node *node)
{
    (void)user;
    return net_kind_name(node);
}

static const NetLink *link_at(const Net *net, const ProbePoint *point)
{
    for (unsigned i = 0; i < net_link_count(net); i++) {
        const NetLink *l = net_link_at(net, i);

        if (netlink_link(l) && (netlink_point(l, 0) == point || netlink_point(l, 1) == point))
            return l;
    }
    return NULL;
}

static const char *link_of(void *user, const ProbePoint *point)
{
    const NetLink *l = link_at(user, point);

    return l ? netlink_name(l) : NULL;
}

static const Node *far_of(void *user, const ProbePoint *point)
{
    const NetLink *l = link_at(user, point);

    return l ? netlink_node(l, netlink_point(l, 0) == point) : NULL;
}

Story *stepladder_record(Net *net)
{
    const StoryConfig config = {.classes = PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX) |
                                           PROBE_BIT(PROBE_FRAME_DROP) | PROBE_BIT(PROBE_TCP),
                                .snaplen = SNAPLEN,
                                .kind_of = kind_of,
                                .link_of = link_of,
                                .far_of = far_of,
                                .user = net};
    Story *story = story_new(&config);

    story_attach(story, net_probes(net));
    return story;
}

char *stepladder_draw(Story *story, SimTime from, unsigned columns)
{
    const LadderConfig config = {
        .from = from, .to = SIM_NEVER, .hops = true, .timers = true, .unfold = true, .is_running = true};
    const LadderTextConfig style = {.width = columns};
    char *error = NULL, *text;
    Ladder *l;

    story_seal(story);
    l = ladder_new(story, &config, &error);
    if (!l)
        return error;
    text = ladder_text(l, &style);
    ladder_free(l);
    story_free(story);
    return text;
}

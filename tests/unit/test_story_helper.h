/* A story of a scenario that a test writes down, with what the story asks of the network. */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lua/scenario.h"
#include "view/story.h"

typedef struct StoryTest {
    StoryConfig config; /* set before storytest_run, all may be 0 */
    Scenario *scenario;
    Story *story;
} StoryTest;

static const char *storytest_kind_of(void *user, const Node *node)
{
    (void)user;
    return node->kind == NET_HOST     ? "host"
           : node->kind == NET_ROUTER ? "router"
           : node->kind == NET_SWITCH ? "switch"
           : node->kind == NET_HUB    ? "hub"
                                      : "";
}

static const NetLink *storytest_link(StoryTest *t, const ProbePoint *point, unsigned *end)
{
    Net *net = scenario_net(t->scenario);

    for (unsigned i = 0; i < net_link_count(net); i++)
        for (*end = 0; *end < 2; ++*end)
            if (netlink_point(net_link_at(net, i), *end) == point && netlink_link(net_link_at(net, i)))
                return net_link_at(net, i);
    return NULL;
}

static const char *storytest_link_of(void *user, const ProbePoint *point)
{
    unsigned end;
    const NetLink *l = storytest_link(user, point, &end);

    return l ? netlink_name(l) : NULL;
}

static const Node *storytest_far_of(void *user, const ProbePoint *point)
{
    unsigned end;
    const NetLink *l = storytest_link(user, point, &end);

    return l ? netlink_node(l, !end) : NULL;
}

static bool storytest_on_start(void *user, Scenario *s)
{
    StoryTest *t = user;

    t->scenario = s;
    t->config.kind_of = storytest_kind_of;
    t->config.link_of = storytest_link_of;
    t->config.far_of = storytest_far_of;
    t->config.user = t;
    t->story = story_new(&t->config);
    story_attach(t->story, net_probes(scenario_net(s)));
    return true;
}

static inline void storytest_run(StoryTest *t, const char *lua)
{
    char *dir = g_dir_make_tmp("hopscope-test-XXXXXX", NULL), *path = g_build_filename(dir, "s.lua", NULL);
    ScenarioConfig config = {
        .path = path, .until = SIM_NEVER, .quiet = true, .on_start = storytest_on_start, .user = t};
    Scenario *s;

    g_assert_true(g_file_set_contents(path, lua, -1, NULL));
    s = scenario_new(&config);
    g_assert_cmpint(scenario_run(s), ==, SCENARIO_OK);
    story_seal(t->story);
    g_unlink(path);
    g_rmdir(dir);
    g_free(path);
    g_free(dir);
    scenario_free(s); /* a sealed story needs it no more */
}

static inline void storytest_clear(StoryTest *t)
{
    story_free(t->story);
}

/* A client and a server that know each other's addresses; `link` is between them. */
#define STORYTEST_PAIR                                                                                       \
    "local hs = require 'hopscope'\n"                                                                        \
    "local client, server = hs.host 'client', hs.host 'server'\n"                                            \
    "local link = hs.link(client, server, { delay = '10ms' })\n"                                             \
    "client:arp_set('server', server:dev().mac)\n"                                                           \
    "server:arp_set('client', client:dev().mac)\n"

/* view/story: what was sent belongs to what arrived, packets to conversations, records to connections. */
#include "view/story.h"

#include "models/wire/tcp.h"
#include "test_story_helper.h"
#include "view/story_segment.h"

#define ECHO                                                                                                 \
    "server:spawn(function(os) local c = os.tcp():bind(80):listen(8):accept() c:write(c:read()) end)\n"      \
    "client:spawn(function(os) local c = os.tcp():connect(server, 80) c:write(('x'):rep(1000)) c:read() "    \
    "end)\n"

static void test_handshake(void)
{
    StoryTest t = {0};
    const StoryFlow *f;
    const StoryFlight *flight;
    const StoryConn *c;
    bool client_seen = false;

    storytest_run(&t, STORYTEST_PAIR ECHO "hs.run '1s'\n");
    g_assert_cmpint(story_flow_count(t.story), ==, 1);
    f = story_flow(t.story, 0);
    g_assert_cmpint(f->proto, ==, 6);
    g_assert_cmpstr(f->addr[0], ==, "10.0.0.1");
    g_assert_cmpstr(f->addr[1], ==, "10.0.0.2");
    g_assert_cmpint(f->port[1], ==, 80);
    g_assert_cmpint(f->node[0], ==, story_node_by_name(t.story, "client"));
    g_assert_cmpint(f->node[1], ==, story_node_by_name(t.story, "server"));
    g_assert_true(f->has_syn[0] && f->has_syn[1] && f->has_wscale[0] && f->has_wscale[1]);
    for (int32_t i = 0; i < story_flight_count(t.story); i++) { /* 10 ms after it was sent it is there */
        flight = story_flight(t.story, i);
        g_assert_cmpint(flight->tx, !=, STORY_NONE);
        g_assert_cmpint(flight->end, !=, STORY_NONE);
        g_assert_false(flight->is_lost);
        g_assert_cmpint(story_record(t.story, flight->end)->time - story_record(t.story, flight->tx)->time,
                        ==, 10 * SIM_MS);
        g_assert_cmpint(story_record(t.story, flight->end)->flight, ==, i);
    }
    for (int32_t i = 0; i < story_conn_count(t.story); i++) {
        c = story_conn(t.story, i);
        if (c->remote_port == 80) {
            client_seen = true;
            g_assert_cmpint(c->flow, ==, 0);
            g_assert_cmpint(c->side, ==, 0);
            g_assert_cmpint(c->node, ==, f->node[0]);
        } else if (c->remote_port) {
            g_assert_cmpint(c->flow, ==, 0);
            g_assert_cmpint(c->side, ==, 1);
        } else { /* who only listens has no packets */
            g_assert_cmpint(c->flow, ==, STORY_NONE);
        }
    }
    g_assert_true(client_seen);
    g_assert_cmpint(story_end(t.story), ==, SIM_SEC);
    storytest_clear(&t);
}

static const StoryFlight *first_lost(const Story *s)
{
    for (int32_t i = 0; i < story_flight_count(s); i++)
        if (story_flight(s, i)->is_lost)
            return story_flight(s, i);
    return NULL;
}

static void test_loss(void)
{
    StoryTest t = {0};
    const StoryFlight *f;

    storytest_run(&t, STORYTEST_PAIR "link:dir(client):rule(function(p) return 'drop' end)\n"
                                     "local s = client:udp() s:sendto('hello', server, 9)\n"
                                     "hs.run '1s'\n");
    f = first_lost(t.story);
    g_assert_nonnull(f);
    g_assert_cmpint(f->tx, !=, STORY_NONE);
    g_assert_cmpstr(story_str(story_record(t.story, f->end), "reason"), ==, "packet rule");
    g_assert_cmpint(story_flight_count(t.story), ==, 1);
    storytest_clear(&t);
}

/* A host hears its own broadcast too, and drops it inside: the frame on the cable is another matter. */
static void test_own_copy(void)
{
    StoryTest t = {0};
    int arrived = 0, inside = 0;

    storytest_run(&t, STORYTEST_PAIR "local s = client:udp { broadcast = true } s:setopt('SO_BINDTODEVICE', "
                                     "'eth0') s:sendto('all', '255.255.255.255', 9)\n"
                                     "hs.run '1s'\n");
    for (int32_t i = 0; i < story_flight_count(t.story); i++) {
        const StoryFlight *f = story_flight(t.story, i);

        arrived += f->tx != STORY_NONE && !f->is_lost && f->end != STORY_NONE;
        inside += f->tx == STORY_NONE && f->is_lost;
    }
    g_assert_cmpint(arrived, ==, 1);
    g_assert_cmpint(inside, >=, 1);
    storytest_clear(&t);
}

static void test_duplicate(void)
{
    StoryTest t = {0};

    storytest_run(&t, "local hs = require 'hopscope'\n"
                      "local a, b = hs.host 'a', hs.host 'b'\n"
                      "hs.link(a, b, { delay = '10ms', duplicate = 1 })\n"
                      "a:arp_set('b', b:dev().mac)\n"
                      "local s = a:udp() s:sendto('twice', b, 9)\n"
                      "hs.run '1ms'\n" /* it is still on its way */);
    g_assert_cmpint(story_flight_count(t.story), ==, 2);
    for (int32_t i = 0; i < 2; i++) {
        g_assert_cmpint(story_flight(t.story, i)->end, ==, STORY_NONE);
        g_assert_cmpint(story_flight(t.story, i)->packet, ==, story_flight(t.story, 0)->packet);
    }
    storytest_clear(&t);
}

/* One sending on a hub arrives at every station. */
static void test_hub(void)
{
    StoryTest t = {0};
    int32_t tx = STORY_NONE;
    int arrived = 0;

    storytest_run(
        &t,
        "local hs = require 'hopscope'\n"
        "local hub = hs.hub 'hub'\n"
        "local h = {}\n"
        "for i = 1, 3 do h[i] = hs.host('h' .. i) hs.link(h[i], hub) end\n"
        "h[1]:udp { broadcast = true }:setopt('SO_BINDTODEVICE', 'eth0'):sendto('x', '255.255.255.255', 9)\n"
        "hs.run '10ms'\n");
    for (int32_t i = 0; i < story_flight_count(t.story); i++) {
        const StoryFlight *f = story_flight(t.story, i);

        if (f->tx == STORY_NONE || f->is_lost)
            continue;
        g_assert_true(tx == STORY_NONE || tx == f->tx);
        tx = f->tx;
        arrived++;
    }
    g_assert_cmpint(arrived, ==, 2);
    storytest_clear(&t);
}

/* RFC 791 3.2: later fragments have no ports, and belong to the datagram all the same. Cut bytes do not
 * matter. They have one birth: what was lost is told by the bytes. */
static void test_fragments(void)
{
    StoryTest t = {.config.snaplen = 60,
                   .config.classes =
                       PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_DROP) | PROBE_BIT(PROBE_FRAME_RX)};
    static const uint32_t offsets[] = {0, 1480, 2960};

    storytest_run(&t, STORYTEST_PAIR
                  "link:dir(client):rule(function(p) if p.ip.frag_offset == 1480 then return 'drop' end "
                  "end)\n"
                  "local s = client:udp() s:sendto(('x'):rep(4000), server, 9)\n"
                  "hs.run '1s'\n");
    for (int32_t i = 0; i < 3; i++) {
        const StoryFlight *f = story_flight(t.story, i);
        const StoryPacket *p = story_packet(t.story, f->packet);
        StorySegment seg;

        g_assert_true(story_segment(p, &seg));
        g_assert_true(seg.is_fragment);
        g_assert_cmpint(p->kept, ==, 60);
        g_assert_cmpint(p->len, >, 1000);
        g_assert_cmpint(p->flow, ==, 0);
        g_assert_cmpint(p->side, ==, 0);
        g_assert_cmpint(seg.has_ports, ==, i == 0);
        g_assert_cmpuint(seg.fragment_offset, ==, offsets[i]);
        g_assert_cmpint(f->is_lost, ==, i == 1);
    }
    storytest_clear(&t);
}

static void test_limits(void)
{
    StoryTest t = {.config.max_records = 10};

    storytest_run(&t, STORYTEST_PAIR ECHO "hs.run '1s'\n");
    g_assert_true(story_is_cut(t.story));
    g_assert_cmpint(story_record_count(t.story), ==, 10);
    storytest_clear(&t);
}

/* A second connection on the same ports is another flow (its SYN has another number). */
static void test_reused_ports(void)
{
    StoryTest t = {0};

    storytest_run(
        &t, STORYTEST_PAIR
        "local function syn(seq) client:forge { to = server, sport = 4000, dport = 81, seq = seq } end\n"
        "syn(100) hs.run '1s' syn(100) hs.run '1s' syn(5000) hs.run '1s'\n");
    g_assert_cmpint(story_flow_count(t.story), ==, 2);
    g_assert_cmpuint(story_flow(t.story, 0)->isn[0], ==, 100);
    g_assert_cmpuint(story_flow(t.story, 1)->isn[0], ==, 5000);
    g_assert_cmpuint(story_flow(t.story, 0)->packets[0], ==, 2);
    storytest_clear(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/view/story/handshake", test_handshake);
    g_test_add_func("/view/story/loss", test_loss);
    g_test_add_func("/view/story/own-copy", test_own_copy);
    g_test_add_func("/view/story/duplicate", test_duplicate);
    g_test_add_func("/view/story/hub", test_hub);
    g_test_add_func("/view/story/fragments", test_fragments);
    g_test_add_func("/view/story/limits", test_limits);
    g_test_add_func("/view/story/reused-ports", test_reused_ports);
    return g_test_run();
}

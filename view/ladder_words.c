/* What stands beside the arrows: states of TCP connections, their timers, what the scenario says. */
#include <string.h>

#include "models/wire/ipv4.h"
#include "models/wire/tcp.h"
#include "view/ladder_priv.h"

static bool is_within(const Ladder *l, SimTime t)
{
    return t >= l->config.from && t <= l->config.to;
}

/* A listener belongs to a chosen flow if the port is one of its node's. */
static bool concerns(const Ladder *l, const StoryConn *c)
{
    if (!l->config.flow)
        return true;
    if (c->flow != STORY_NONE)
        return ladder_shows_flow(l, c->flow);
    for (int32_t i = 0; i < story_flow_count(l->story); i++) {
        const StoryFlow *f = story_flow(l->story, i);

        if (!ladder_shows_flow(l, i) || f->proto != IP_PROTO_TCP)
            continue;
        for (unsigned side = 0; side < 2; side++)
            if (f->node[side] == c->node && f->port[side] == c->local_port)
                return true;
    }
    return false;
}

static void add(Ladder *l, LadderEventKind kind, int32_t lane, int32_t record, LadderTone tone,
                const char *text)
{
    LadderEvent e = {story_record(l->story, record)->time, record, kind, STORY_NONE, lane, tone, text};

    g_array_append_val(l->events, e);
}

/* "#2 " where several connections are seen. */
static const char *prefix_of(const Ladder *l, const StoryConn *c, char buf[16])
{
    *buf = 0;
    if (l->legend->len > 1 && c->flow != STORY_NONE)
        g_snprintf(buf, 16, "#%d ", c->flow + 1);
    return buf;
}

static const StoryConn *conn_seen(const Ladder *l, const StoryRecord *r, int32_t *lane)
{
    int32_t conn = story_conn_of(l->story, r);

    *lane = ladder_lane_of(l, r->node);
    if (conn == STORY_NONE || *lane == STORY_NONE || !concerns(l, story_conn(l->story, conn)))
        return NULL;
    return story_conn(l->story, conn);
}

/* Where each side of each flow first sent a SYN-ACK; NONE if it never did, or if that was a SYN cookie. */
static int32_t *find_answers(const Ladder *l)
{
    int32_t n = 2 * story_flow_count(l->story), *answers = g_new(int32_t, n + 1);

    for (int32_t i = 0; i < n; i++)
        answers[i] = STORY_NONE;
    for (int32_t i = 0; i < story_record_count(l->story); i++) {
        const StoryRecord *r = story_record(l->story, i);
        const StoryPacket *p = r->packet == STORY_NONE ? NULL : story_packet(l->story, r->packet);
        StorySegment seg;

        if (p && r->desc == &probe_frame_tx && p->flow != STORY_NONE && r->node == p->birth_node &&
            !p->is_cookie && answers[2 * p->flow + p->side] == STORY_NONE && story_segment(p, &seg) &&
            seg.has_ports && (seg.flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
            answers[2 * p->flow + p->side] = i;
    }
    return answers;
}

/* As in Linux a connection comes to be when the handshake is complete, and its first state is then told; but
 * the request was remembered since its SYN was answered, and `ss` shows it as SYN-RECV. */
static void add_state(Ladder *l, const StoryRecord *r, int32_t record, const int32_t *answers)
{
    int32_t lane, answer = STORY_NONE;
    const StoryConn *c = conn_seen(l, r, &lane);
    char prefix[16];

    if (!c)
        return;
    if (c->flow != STORY_NONE && !strcmp(story_str(r, "new"), "SYN-RECEIVED"))
        answer = answers[2 * c->flow + c->side];
    add(l, LADDER_EV_STATE, lane, answer != STORY_NONE && answer < record ? answer : record, LADDER_PLAIN,
        !strcmp(story_str(r, "old"), "LISTEN") && !strcmp(story_str(r, "new"), "CLOSED")
            ? "not listening"
            : ladder_keep_printf(l, "%s%s", prefix_of(l, c, prefix), story_str(r, "new")));
}

static void add_timer(Ladder *l, const StoryRecord *r, int32_t record)
{
    int32_t lane;
    const StoryConn *c = conn_seen(l, r, &lane);
    const char *what = story_str(r, "what");
    char prefix[16], left[32];
    SimTime at;

    if (!c)
        return;
    at = story_value(r, "at", NULL)->i;
    if (!strcmp(what, "armed"))
        add(l, LADDER_EV_TIMER, lane, record, LADDER_PLAIN,
            ladder_keep_printf(l, "%s%s: %s", prefix_of(l, c, prefix), story_str(r, "timer"),
                               ladder_duration(HS_MAX(at - r->time, 0), left)));
    else
        add(l, LADDER_EV_TIMER, lane, record, !strcmp(what, "fired") ? LADDER_LOST : LADDER_PLAIN,
            ladder_keep_printf(l, "%s%s %s", prefix_of(l, c, prefix), story_str(r, "timer"), what));
}

/* Any bytes can be said; a picture has characters and line ends. */
static char *printable(const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);

    for (char *p = valid; *p; p++)
        if (((guchar)*p < 0x20 && *p != '\n') || *p == 0x7f)
            *p = ' ';
    return valid;
}

/* The record before, in another language. */
static void add_translation(Ladder *l, const StoryRecord *r, int32_t record)
{
    LadderEvent *last = l->events->len ? LADDER_AT(l->events, LadderEvent, l->events->len - 1) : NULL;
    const StoryRecord *before = record ? story_record(l->story, record - 1) : NULL;
    bool is_title = !strcmp(story_str(r, "kind"), "title");
    char *text;

    if (!l->config.lang || strcmp(story_str(r, "lang"), l->config.lang) != 0 || !before)
        return;
    text = printable(story_str(r, "text"));
    if (is_title && !l->config.has_own_title && !strcmp(story_str(before, "text"), l->title))
        l->title = ladder_keep(l, text);
    else if (!is_title && last && last->kind == LADDER_EV_NOTE && last->order == record - 1)
        last->text = ladder_keep(l, text);
    g_free(text);
}

static void add_said(Ladder *l, const StoryRecord *r, int32_t record, bool *has_title)
{
    const char *kind = story_str(r, "kind");
    char *text = printable(story_str(r, "text"));

    if (!strcmp(kind, "title")) {
        if (!*has_title)
            l->title = ladder_keep(l, text);
        *has_title = true;
    } else if (!l->config.no_notes && is_within(l, r->time)) {
        const char *name = story_node(l->story, r->node)->name;
        bool is_node = !strcmp(kind, "log") && ladder_lane_of(l, r->node) != STORY_NONE;

        add(l, LADDER_EV_NOTE, STORY_NONE, record, LADDER_PLAIN,
            is_node ? ladder_keep_printf(l, "%s: %s", name, text) : ladder_keep(l, text));
    }
    g_free(text);
}

void ladder_add_words(Ladder *l)
{
    bool has_title = l->config.has_own_title;
    int32_t *answers = find_answers(l);

    for (int32_t i = 0; i < story_record_count(l->story); i++) {
        const StoryRecord *r = story_record(l->story, i);

        if (story_is(r, "scenario.log"))
            add_said(l, r, i, &has_title);
        else if (story_is(r, "scenario.translation"))
            add_translation(l, r, i);
        else if (!is_within(l, r->time))
            continue;
        else if (!l->config.no_states && story_is(r, "tcp.state"))
            add_state(l, r, i, answers);
        else if (l->config.timers && story_is(r, "tcp.timer"))
            add_timer(l, r, i);
    }
    g_free(answers);
}

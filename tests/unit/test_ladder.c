/* view/ladder: what is shown, in which words, and where it is. */
#include "view/ladder.h"

#include "test_story_helper.h"
#include "view/ladder_place.h"
#include "view/textwidth.h"

#define TALK                                                                                                 \
    "server:spawn(function(os) local c = os.tcp():bind(80):listen(8):accept() c:read() os.sleep '9s' end)\n"

static Ladder *ladder_of(StoryTest *t, LadderConfig config)
{
    char *error = NULL;
    Ladder *l;

    if (!config.to)
        config.to = SIM_NEVER;
    l = ladder_new(t->story, &config, &error);
    g_assert_cmpstr(error, ==, NULL);
    g_assert_nonnull(l);
    return l;
}

static const LadderArrow *arrow_with(const Ladder *l, const char *words)
{
    for (int32_t i = 0; i < ladder_arrow_count(l); i++)
        if (strstr(ladder_arrow(l, i)->label, words))
            return ladder_arrow(l, i);
    return NULL;
}

/* RFC 9293 figure 6, with the options of Linux. */
static void test_handshake(void)
{
    StoryTest t = {0};
    Ladder *l;
    char *text;

    storytest_run(&t, STORYTEST_PAIR TALK
                  "client:spawn(function(os) os.tcp():connect(server, 80) os.sleep '9s' end)\n"
                  "hs.title 'Handshake' hs.run '1s'\n");
    l = ladder_of(&t, (LadderConfig){0});
    g_assert_cmpstr(ladder_title(l), ==, "Handshake");
    g_assert_cmpint(ladder_lane_count(l), ==, 2);
    g_assert_cmpstr(ladder_lane(l, 0)->name, ==, "client");
    g_assert_cmpint(ladder_arrow_count(l), ==, 3);
    g_assert_cmpstr(ladder_arrow(l, 0)->label, ==, "SYN seq 0 win 64240\nmss 1460, sackOK, TS, wscale 10");
    g_assert_cmpint(ladder_arrow(l, 1)->from, ==, 1);
    g_assert_cmpint(ladder_arrow(l, 1)->sent, ==, 10 * SIM_MS);
    g_assert_cmpint(ladder_arrow(l, 1)->ended, ==, 20 * SIM_MS);
    g_assert_cmpstr(ladder_arrow(l, 2)->label, ==, "ACK ack 1 win 64512");
    text = ladder_text(l, &(LadderTextConfig){.width = 80});
    g_assert_cmpstr(text, ==,
                    "Handshake\n\n"
                    "                  client                                      server\n"
                    "0.000 s     SYN-SENT ├─ SYN seq 0 win 64240 ─────────────╮       │ LISTEN\n"
                    "                     │  mss 1460, sackOK, TS, wscale 10  │       │\n"
                    "0.010 s              │                                   ╰──────▶│ SYN-RECEIVED\n"
                    "                     │       ╭─── SYN ACK seq 0 ack 1 win 65160 ─┤\n"
                    "                     │       │  mss 1460, sackOK, TS, wscale 10  │\n"
                    "0.020 s  ESTABLISHED │◀──────╯                                   │\n"
                    "                     ├─ ACK ack 1 win 64512 ──────╮              │\n"
                    "0.030 s              │                            ╰─────────────▶│ ESTABLISHED\n\n");
    g_free(text);
    ladder_free(l);
    storytest_clear(&t);
}

static void test_losses(void)
{
    StoryTest t = {0};
    Ladder *l;
    const LadderArrow *a;

    storytest_run(
        &t, "local hs = require 'hopscope'\n"
            "local client, server, r = hs.host 'client', hs.host 'server', hs.router 'r'\n"
            "hs.link(client, r, { delay = '10ms' })\n"
            "local link = hs.link(r, server, { delay = '10ms' })\n"
            "local n = 0\n"
            "link:dir(r):rule(function(p) if p.tcp and p.tcp.len > 0 then n = n + 1 if n == 1 then return "
            "'drop' end end end)\n" TALK
            "client:spawn(function(os) local c = os.tcp():connect(server, 80) c:write 'hello' os.sleep '9s' "
            "end)\n"
            "hs.run '5s'\n");
    l = ladder_of(&t, (LadderConfig){0});
    a = arrow_with(l, "seq 1:6 (5)");
    g_assert_nonnull(a);
    g_assert_true(a->is_lost);
    g_assert_cmpint(a->to, ==, 1);       /* where it was heading */
    g_assert_cmpfloat(a->reach, >, 0.5); /* on the second of two links */
    g_assert_cmpfloat(a->reach, <, 1);
    g_assert_cmpstr(a->loss, ==, "packet rule at r");
    a = arrow_with(l, "retransmission");
    g_assert_nonnull(a);
    g_assert_false(a->is_lost);
    g_assert_cmpint(a->tone, ==, LADDER_AGAIN);
    ladder_free(l);
    l = ladder_of(&t, (LadderConfig){.hops = true});
    g_assert_cmpint(ladder_lane_count(l), ==, 3);
    g_assert_cmpstr(ladder_lane(l, 1)->name, ==, "r");
    ladder_free(l);
    storytest_clear(&t);
}

static void test_choices(void)
{
    StoryTest t = {0};
    Ladder *l;
    char *error = NULL;
    static const char *const strangers[] = {"client", "sever", NULL}, *const turned[] = {"server", "client",
                                                                                         NULL};
    LadderConfig config = {.to = SIM_NEVER, .between = strangers};

    storytest_run(&t, STORYTEST_PAIR TALK "client:spawn(function(os) os.tcp():connect(server, 80) end)\n"
                                          "local s = client:udp() s:sendto('x', server, 9)\n"
                                          "hs.run '1s'\n");
    g_assert_null(ladder_new(t.story, &config, &error));
    g_assert_nonnull(strstr(error, "did you mean \"server\"?"));
    g_clear_pointer(&error, g_free);
    config = (LadderConfig){.to = SIM_NEVER, .flow = "client>server:81"};
    g_assert_null(ladder_new(t.story, &config, &error));
    g_assert_nonnull(strstr(error, "no flow is"));
    g_clear_pointer(&error, g_free);
    l = ladder_of(&t, (LadderConfig){.between = turned, .flow = "client>server:80"});
    g_assert_cmpstr(ladder_lane(l, 0)->name, ==, "server");
    g_assert_null(arrow_with(l, "UDP"));
    g_assert_nonnull(arrow_with(l, "SYN ACK"));
    ladder_free(l);
    l = ladder_of(&t, (LadderConfig){.from = 5 * SIM_MS});
    g_assert_null(arrow_with(l, "SYN seq"));
    ladder_free(l);
    storytest_clear(&t);
}

/* RFC 1122 3.2.2.1: nobody listens there. The error belongs to the conversation. */
static void test_errors(void)
{
    StoryTest t = {0};
    Ladder *l;

    storytest_run(&t, STORYTEST_PAIR "local s = client:udp() s:sendto('x', server, 9)\n"
                                     "client:ping(server, { count = 1 }) hs.run '1s'\n");
    l = ladder_of(&t, (LadderConfig){.flow = "9"});
    g_assert_cmpint(ladder_arrow_count(l), ==, 2);
    g_assert_nonnull(arrow_with(l, " > 9, 1 byte"));
    g_assert_nonnull(arrow_with(l, "udp port 9 unreachable"));
    ladder_free(l);
    storytest_clear(&t);
}

#define BULK                                                                                                 \
    STORYTEST_PAIR                                                                                           \
    "client:dev():tso(false) server:tcp_sink(5001)\n"                                                        \
    "client:tcp_source { to = server, port = 5001, bytes = 400 * 1448 }\n"                                   \
    "hs.note(('A word and another one. '):rep(20)) hs.run '10s'\n"

static void test_fold(void)
{
    StoryTest t = {0};
    Ladder *l;
    char *text;
    int folded = 0;

    storytest_run(&t, BULK);
    l = ladder_of(&t, (LadderConfig){0});
    for (int32_t i = 0; i < ladder_arrow_count(l); i++) {
        folded += ladder_arrow(l, i)->is_folded;
        if (ladder_arrow(l, i)->is_folded)
            g_assert_false(ladder_arrow(l, i)->is_marked);
    }
    g_assert_cmpint(folded, >, 300);
    text = ladder_text(l, &(LadderTextConfig){.width = 80});
    g_assert_nonnull(strstr(text, " bytes, "));
    g_free(text);
    ladder_free(l);
    l = ladder_of(&t, (LadderConfig){.unfold = true, .max_rows = 30});
    text = ladder_text(l, &(LadderTextConfig){.width = 80});
    g_assert_nonnull(strstr(text, "Cut after 30 rows"));
    g_free(text);
    ladder_free(l);
    storytest_clear(&t);
}

/* What only repeats itself is shown twice, and once more. */
static void test_repeats(void)
{
    StoryTest t = {0};
    Ladder *l;
    char *text;

    storytest_run(&t, STORYTEST_PAIR
                  "link:dir(client):rule(function(p) return 'drop' end)\n"
                  "for i = 1, 20 do hs.after(i / 10, function() client:forge { to = server, sport = "
                  "999 + i, dport = 80, seq = i } end) end\n"
                  "hs.run '30s'\n");
    l = ladder_of(&t, (LadderConfig){.no_notes = true});
    text = ladder_text(l, &(LadderTextConfig){.width = 80});
    g_assert_nonnull(strstr(text, "the same 17 times more: 17 segments, 1.6 s"));
    g_free(text);
    ladder_free(l);
    storytest_clear(&t);
}

static double cells(const char *text, LadderRole role)
{
    (void)role;
    return textwidth_columns(text);
}

static double pixels(const char *text, LadderRole role)
{
    return textwidth_sans(text, role == LADDER_NAME) * 12 / 1000;
}

/* No two words touch, and none leaves the picture. */
static void check_geometry(const Ladder *l, const LadderMedium *m)
{
    LadderLayout *g = ladder_layout(l, m);
    const LadderBox *last = NULL;

    for (guint i = 0; i < g->boxes->len; i++) {
        const LadderBox *b = LADDER_AT(g->boxes, LadderBox, i);

        g_assert_cmpfloat(b->x, >=, 0);
        g_assert_cmpfloat(b->x + b->width, <=, g->width);
        g_assert_cmpint(b->row, <, g->n_rows);
        if (last && last->row == b->row)
            g_assert_cmpfloat(last->x + last->width, <=, b->x);
        last = b;
    }
    for (guint i = 0; i < g->lines->len; i++) {
        const LadderLine *line = LADDER_AT(g->lines, LadderLine, i);

        g_assert_cmpint(line->row_to, >=, line->row_from);
        g_assert_cmpint(line->row_from, >=, g->lane_from);
        g_assert_cmpint(line->row_to, <=, g->lane_to);
    }
    ladder_layout_free(g);
}

static void test_geometry(void)
{
    StoryTest t = {0};

    storytest_run(&t, BULK);
    for (int timers = 0; timers < 2; timers++) {
        Ladder *l = ladder_of(&t, (LadderConfig){.timers = timers, .options = timers, .unfold = timers});

        for (unsigned width = 60; width <= 160; width += 20)
            check_geometry(
                l, &(LadderMedium){.width = cells, .total = width, .unit = 1, .slant = 1, .is_inline = true});
        check_geometry(l, &(LadderMedium){.width = pixels, .unit = 7, .slant = 2});
        ladder_free(l);
    }
    storytest_clear(&t);
}

static void test_wrap(void)
{
    const LadderMedium m = {.width = cells, .unit = 1};
    GPtrArray *lines = ladder_wrap(&m, "one two\nthreefourfive 六七八", 5, LADDER_NOTE);
    static const char *const wanted[] = {"one", "two", "three", "fourf", "ive", "六七", "八"};

    g_assert_cmpint(lines->len, ==, HS_ARRAY_LEN(wanted));
    for (guint i = 0; i < lines->len; i++)
        g_assert_cmpstr(lines->pdata[i], ==, wanted[i]);
    g_ptr_array_free(lines, TRUE);
}

static void test_durations(void)
{
    char buf[32];

    g_assert_cmpstr(ladder_duration(999, buf), ==, "999 ns");
    g_assert_cmpstr(ladder_duration(1500, buf), ==, "1.5 µs");
    g_assert_cmpstr(ladder_duration(20 * SIM_MS, buf), ==, "20 ms");
    g_assert_cmpstr(ladder_duration(59990 * SIM_MS, buf), ==, "59.99 s");
    g_assert_cmpstr(ladder_duration(120 * SIM_SEC, buf), ==, "120 s");
}

/* The widths of DejaVu Sans: "SYN" is 635 + 611 + 749 thousandths, rounded up; East Asian characters are
 * squares. */
static void test_textwidth(void)
{
    g_assert_cmpint(textwidth_columns("SYN 六"), ==, 6);
    g_assert_cmpfloat(textwidth_sans("SYN", false), ==, 635 + 611 + 749);
    g_assert_cmpfloat(textwidth_sans("六", false), ==, 1000);
    g_assert_cmpfloat(textwidth_sans("i", true), >, textwidth_sans("i", false));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/view/ladder/handshake", test_handshake);
    g_test_add_func("/view/ladder/losses", test_losses);
    g_test_add_func("/view/ladder/choices", test_choices);
    g_test_add_func("/view/ladder/errors", test_errors);
    g_test_add_func("/view/ladder/fold", test_fold);
    g_test_add_func("/view/ladder/repeats", test_repeats);
    g_test_add_func("/view/ladder/geometry", test_geometry);
    g_test_add_func("/view/ladder/wrap", test_wrap);
    g_test_add_func("/view/ladder/durations", test_durations);
    g_test_add_func("/view/ladder/textwidth", test_textwidth);
    return g_test_run();
}

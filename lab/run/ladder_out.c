#include "lab/run/ladder_out.h"

#include <string.h>

#include "lab/run/story_net.h"
#include "sim/trace/outfile.h"

#define SNAPLEN 256         /* headers, an ICMP error's quote, the beginning of what an application says */
#define MAX_RECORDS 4000000 /* a gigabyte, about */

struct LadderRecorder {
    Story *story;
    StoryNet *net;
};

LadderRecorder *ladderout_record(Scenario *s, uint32_t max_records)
{
    LadderRecorder *r = g_new0(LadderRecorder, 1);
    StoryConfig config = {.classes = PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX) |
                                     PROBE_BIT(PROBE_FRAME_DROP) | PROBE_BIT(PROBE_TCP) |
                                     PROBE_BIT(PROBE_LOG) | PROBE_BIT(PROBE_TRANSLATION),
                          .snaplen = SNAPLEN,
                          .max_records = max_records ? max_records : MAX_RECORDS};

    r->net = storynet_new(s);
    storynet_fill(r->net, &config);
    r->story = story_new(&config);
    story_attach(r->story, net_probes(scenario_net(s)));
    return r;
}

Story *ladderout_story(LadderRecorder *r)
{
    return r->story;
}

void ladderout_free(LadderRecorder *r)
{
    if (!r)
        return;
    story_free(r->story);
    storynet_free(r->net);
    g_free(r);
}

bool ladderout_write(const Ladder *l, const char *path, unsigned width, bool ascii, GError **error)
{
    LadderTextConfig config = {.width = width, .ascii = ascii};
    char *text = g_str_has_suffix(path, ".svg") ? ladder_svg(l) : ladder_text(l, &config);
    OutFile *f = outfile_open(path, OUTFILE_WHOLE, error);

    if (f)
        outfile_write(f, text, strlen(text));
    g_free(text);
    return f && outfile_close(f, error);
}

bool ladderout_fulfil(LadderRecorder *r, Scenario *s, unsigned wish, const char *dir, const char *name,
                      char **path, GError **error)
{
    ScenarioLadder w;
    LadderConfig config;
    Ladder *l;
    char *why = NULL;
    bool ok;

    scenario_ladder(s, wish, &w);
    /* A title of its own is shown even if the scenario says another one afterwards. */
    config = (LadderConfig){.title = w.title              ? w.title
                                     : *scenario_title(s) ? scenario_title(s)
                                                          : name,
                            .has_own_title = w.title != NULL,
                            .between = w.between,
                            .flow = w.flow,
                            .from = w.from,
                            .to = w.to,
                            .hops = w.hops,
                            .timers = w.timers,
                            .options = w.options,
                            .absolute = w.absolute,
                            .unfold = w.unfold,
                            .no_notes = w.no_notes,
                            .no_states = w.no_states};
    *path = strcmp(dir, ".") ? g_build_filename(dir, w.file, NULL) : g_strdup(w.file);
    l = ladder_new(r->story, &config, &why);
    if (!l) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "cannot draw %s: %s", *path, why);
        g_free(why);
        return false;
    }
    ok = ladderout_write(l, *path, LADDEROUT_WIDTH, false, error);
    ladder_free(l);
    return ok;
}

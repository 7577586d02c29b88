#include "lab/run/outputs_pictures.h"

#include <string.h>

#include "lab/run/gnuplot.h"
#include "lab/run/ladder_out.h"
#include "lab/run/plot_net.h"
#include "view/plot_build.h"
#include "view/plot_gnuplot.h"

typedef struct Plot {
    PlotSink *sink;
    char *path;
} Plot;

struct OutputsPictures {
    Scenario *scenario;
    Probes *probes;
    char *name, *out_dir;
    GPtrArray *plots;       /* Plot */
    unsigned n_plots;       /* that were looked at */
    LadderRecorder *ladder; /* NULL: no ladder was asked for */
};

static void free_plot(gpointer ptr)
{
    Plot *p = ptr;

    plotsink_free(p->sink);
    g_free(p->path);
    g_free(p);
}

OutputsPictures *outputs_pictures_new(Scenario *s, const char *scenario, const char *out_dir)
{
    OutputsPictures *p = g_new0(OutputsPictures, 1);

    p->scenario = s;
    p->probes = net_probes(scenario_net(s));
    p->name = g_path_get_basename(scenario);
    p->out_dir = g_strdup(out_dir);
    p->plots = g_ptr_array_new_with_free_func(free_plot);
    return p;
}

static void add_plot(OutputsPictures *p, unsigned i)
{
    PlotSinkConfig config = {0};
    ScenarioPlot wish;
    Plot *kept = g_new0(Plot, 1);
    char *error = NULL;
    bool is_known;

    scenario_plot(p->scenario, i, &wish);
    config.wish = (PlotWish){.from = wish.from,
                             .to = wish.to,
                             .interval = wish.interval,
                             .host = wish.host,
                             .flow = wish.flow,
                             .title = wish.title,
                             .cdf = wish.cdf,
                             .no_states = wish.no_states,
                             .separate = wish.separate,
                             .log = wish.log,
                             .look = {.width = wish.width,
                                      .height = wish.height,
                                      .font = wish.font,
                                      .is_paper = wish.is_paper,
                                      .no_legend = wish.no_legend}};
    is_known = plot_parse_what(wish.what, &config.wish.what, &error);
    hs_assert(is_known); /* the binding has checked it */
    plotnet_fill(&config, p->scenario);
    kept->path =
        strcmp(p->out_dir, ".") ? g_build_filename(p->out_dir, wish.file, NULL) : g_strdup(wish.file);
    kept->sink = plotsink_new(&config);
    plotsink_attach(kept->sink, p->probes);
    g_ptr_array_add(p->plots, kept);
}

void outputs_pictures_on_wish(OutputsPictures *p)
{
    while (p->n_plots < scenario_plot_count(p->scenario))
        add_plot(p, p->n_plots++);
    if (!p->ladder && scenario_ladder_count(p->scenario))
        p->ladder = ladderout_record(p->scenario, 0);
}

static bool draw_plot(OutputsPictures *p, const Plot *plot, GError **error)
{
    PlotRun run = {plot->sink, ""};
    PlotFigure *figure;
    char *why = NULL, *script;
    bool ok;

    plotnet_add_notes(plot->sink, p->scenario);
    plotsink_seal(plot->sink);
    figure = plot_build(&run, 1, p->name, &why);
    if (!figure) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "cannot draw %s: %s", plot->path, why);
        g_free(why);
        return false;
    }
    script = plotgnuplot_beside(plot->path, ".gp");
    ok = plotgnuplot_write(figure, plot->path, error) && gnuplot_draw(script, plot->path, error);
    plotfigure_free(figure);
    g_free(script);
    return ok;
}

bool outputs_pictures_draw(OutputsPictures *p, void (*tell)(void *user, const char *path, bool has_data),
                           void *user, GError **error)
{
    GError *first = NULL;

    for (unsigned i = 0; i < p->plots->len; i++) {
        const Plot *plot = p->plots->pdata[i];

        if (draw_plot(p, plot, first ? NULL : &first))
            tell(user, plot->path, true);
    }
    if (p->ladder)
        story_seal(ladderout_story(p->ladder));
    for (unsigned i = 0; p->ladder && i < scenario_ladder_count(p->scenario); i++) {
        char *path = NULL;

        if (ladderout_fulfil(p->ladder, p->scenario, i, p->out_dir, p->name, &path, first ? NULL : &first))
            tell(user, path, false);
        g_free(path);
    }
    if (first)
        g_propagate_error(error, first);
    return !first;
}

void outputs_pictures_free(OutputsPictures *p)
{
    if (!p)
        return;
    g_ptr_array_free(p->plots, TRUE);
    ladderout_free(p->ladder);
    g_free(p->name);
    g_free(p->out_dir);
    g_free(p);
}

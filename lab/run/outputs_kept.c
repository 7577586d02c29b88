#include "lab/run/outputs_kept.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <inttypes.h>

#include "lab/run/gnuplot.h"
#include "lab/run/keep.h"
#include "lab/run/kept_series.h"
#include "lab/run/ladder_out.h"
#include "lab/run/plot_net.h"
#include "lab/run/run_frames.h"
#include "view/plot_build.h"
#include "view/plot_gnuplot.h"

#define SERIES "series"
#define PICTURES "pictures"
/* What a ladder can show and people read; of longer runs `hopscope ladder` draws a part. */
#define LADDER_RECORDS 20000
/* Thousands of curves take gnuplot longer than the run took, and show nothing. */
#define PICTURE_FLOWS 500

struct OutputsKept {
    Scenario *scenario;
    char *name, *dir;
    unsigned kinds;
    PlotSink *plot;
    LadderRecorder *ladder; /* NULL: no pictures are wanted */
    const OutputsKeptTell *tell;
};

OutputsKept *outputs_kept_new(Scenario *s, const char *scenario, const char *dir, unsigned kinds)
{
    OutputsKept *k = g_new0(OutputsKept, 1);
    PlotSinkConfig config = {.wish = {.what = PLOT_BIT(PLOT_CWND) | PLOT_BIT(PLOT_SSTHRESH) |
                                              PLOT_BIT(PLOT_RTT) | PLOT_BIT(PLOT_QUEUE),
                                      .to = SIM_NEVER}};

    k->scenario = s;
    k->name = g_path_get_basename(scenario);
    k->dir = g_strdup(dir);
    k->kinds = kinds;
    plotnet_fill(&config, s);
    k->plot = plotsink_new(&config);
    plotsink_attach(k->plot, net_probes(scenario_net(s)));
    if (kinds & KEEP_PICTURES)
        k->ladder = ladderout_record(s, LADDER_RECORDS);
    return k;
}

static char *path_in(const OutputsKept *k, const char *folder, const char *file)
{
    return g_build_filename(k->dir, folder, file, NULL);
}

static bool make_folder(const OutputsKept *k, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(k->dir, name, NULL);

    if (g_mkdir(path, 0777) == 0 || (errno == EEXIST && g_file_test(path, G_FILE_TEST_IS_DIR)))
        return true;
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "cannot make the folder %s: %s",
                path, g_strerror(errno));
    return false;
}

/* The folder is there when something comes into it. */
static void remove_if_empty(const OutputsKept *k, const char *name)
{
    g_autofree char *path = g_build_filename(k->dir, name, NULL);

    g_rmdir(path);
}

static void leave_out(const OutputsKept *k, const char *path, const char *what)
{
    k->tell->left_out(k->tell->user, path, what);
}

/* ---- series ---- */

static void tell_table(const OutputsKept *k, const char *path, const KeptTable *t, const char *what)
{
    g_autofree char *note = NULL;

    if (!t->blocks)
        return;
    note = g_strdup_printf("%u %s%s, %" PRIu64 " row%s", t->blocks, what, t->blocks == 1 ? "" : "s", t->rows,
                           t->rows == 1 ? "" : "s");
    k->tell->wrote(k->tell->user, path, note);
    if (t->is_thinned)
        leave_out(k, path, "values between the extremes of each interval of time (hs.series, --events: all)");
}

static bool write_series(const OutputsKept *k, GError **error)
{
    g_autofree char *tcp = path_in(k, SERIES, "tcp.tsv"), *queues = path_in(k, SERIES, "queues.tsv");
    KeptTable table;

    if (!make_folder(k, SERIES, error) || !kept_series_tcp(k->plot, tcp, &table, error))
        return false;
    tell_table(k, tcp, &table, "connection");
    if (!kept_series_queues(k->plot, queues, &table, error))
        return false;
    tell_table(k, queues, &table, "queue");
    remove_if_empty(k, SERIES);
    return true;
}

/* ---- pictures ---- */

/* Connections whose congestion window has changed: equal values are one or two points. */
static unsigned count_courses(const OutputsKept *k)
{
    unsigned n = 0;

    for (unsigned i = 0; i < plotsink_end_count(k->plot); i++) {
        const PlotEnd *e = plotsink_end(k->plot, i);

        n += e->payload && plotseries_count(&e->s[PLOT_END_CWND]) > 2;
    }
    return n;
}

/* A run needs no gnuplot to be a run: without it data and script are there. */
static bool draw_figure(const OutputsKept *k, const PlotFigure *figure, const char *path, GError **error)
{
    g_autofree char *script = plotgnuplot_beside(path, ".gp"), *data = plotgnuplot_beside(path, ".tsv");
    g_autoptr(GError) why = NULL;

    if (!plotgnuplot_write(figure, path, error))
        return false;
    if (gnuplot_draw(script, path, &why)) {
        k->tell->wrote(k->tell->user, path, NULL);
    } else {
        k->tell->wrote(k->tell->user, script, NULL);
        leave_out(k, path, why->message);
    }
    k->tell->wrote_beside(k->tell->user, script);
    k->tell->wrote_beside(k->tell->user, data);
    return true;
}

static bool draw_cwnd(const OutputsKept *k, GError **error)
{
    g_autofree char *path = path_in(k, PICTURES, "cwnd.svg"), *why = NULL, *what = NULL;
    unsigned n = count_courses(k);
    PlotRun run = {k->plot, ""};
    PlotFigure *figure;
    bool ok;

    if (!n)
        return true;
    if (n > PICTURE_FLOWS) {
        what = g_strdup_printf("%u connections are too many for one (hopscope plot --flow … draws some)", n);
        leave_out(k, path, what);
        return true;
    }
    plotnet_add_notes(k->plot, k->scenario);
    figure = plot_build(&run, 1, k->name, &why);
    if (!figure)
        return true; /* there is nothing to see */
    ok = draw_figure(k, figure, path, error);
    plotfigure_free(figure);
    return ok;
}

static bool draw_ladder(const OutputsKept *k, GError **error)
{
    g_autofree char *path = path_in(k, PICTURES, "ladder.svg"), *why = NULL;
    LadderConfig config = {.title = *scenario_title(k->scenario) ? scenario_title(k->scenario) : k->name,
                           .to = SIM_NEVER};
    Ladder *l;
    bool ok;

    if (!run_frames_count(scenario_net(k->scenario)).sent)
        return true;
    if (story_is_cut(ladderout_story(k->ladder))) {
        leave_out(k, path, "the run is too long for one (hopscope ladder --from … --to … draws a part)");
        return true;
    }
    l = ladder_new(ladderout_story(k->ladder), &config, &why);
    if (!l)
        return true; /* nobody sent anything */
    ok = ladderout_write(l, path, LADDEROUT_WIDTH, false, error);
    if (ok)
        k->tell->wrote(k->tell->user, path, NULL);
    ladder_free(l);
    return ok;
}

static bool draw_pictures(const OutputsKept *k, GError **error)
{
    bool ok = make_folder(k, PICTURES, error) && (scenario_plot_count(k->scenario) || draw_cwnd(k, error)) &&
              (scenario_ladder_count(k->scenario) || draw_ladder(k, error));

    remove_if_empty(k, PICTURES);
    return ok;
}

bool outputs_kept_write(OutputsKept *k, const OutputsKeptTell *tell, GError **error)
{
    k->tell = tell;
    plotsink_seal(k->plot);
    if (k->ladder)
        story_seal(ladderout_story(k->ladder));
    return (!(k->kinds & KEEP_SERIES) || write_series(k, error)) &&
           (!(k->kinds & KEEP_PICTURES) || draw_pictures(k, error));
}

void outputs_kept_free(OutputsKept *k)
{
    if (!k)
        return;
    plotsink_free(k->plot);
    ladderout_free(k->ladder);
    g_free(k->name);
    g_free(k->dir);
    g_free(k);
}

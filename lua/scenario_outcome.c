/* What a scenario leaves for those who ran it: errors, expectations, results, and the files and pictures that
 * it asked for. */
#include "lua/scenario_private.h"

const char *scenario_error(const Scenario *s)
{
    return s->error;
}

const char *scenario_traceback(const Scenario *s)
{
    return s->traceback;
}

Net *scenario_net(Scenario *s)
{
    return s->net;
}

const char *scenario_path(const Scenario *s)
{
    return s->path;
}

const char *scenario_out_dir(const Scenario *s)
{
    return s->out_dir;
}

uint64_t scenario_seed(const Scenario *s)
{
    return s->config.seed;
}

SimTime scenario_until(const Scenario *s)
{
    return HS_MIN(s->in_run ? s->run_until : SIM_NEVER, s->config.until);
}

size_t scenario_lua_bytes(const Scenario *s, size_t *peak)
{
    *peak = s->sb ? sandbox_memory_peak_bytes(s->sb) : 0;
    return s->sb ? sandbox_memory_bytes(s->sb) : 0;
}

unsigned scenario_expect_count(const Scenario *s)
{
    return s->expects->len;
}

void scenario_expect(const Scenario *s, unsigned i, ScenarioExpect *out)
{
    const Expectation *e = g_ptr_array_index(s->expects, i);

    *out = (ScenarioExpect){e->name, e->ok, e->detail ? e->detail : ""};
}

unsigned scenario_word_count(const Scenario *s)
{
    return s->words->len / 2;
}

void scenario_word(const Scenario *s, unsigned i, const char **en, const char **zh)
{
    *en = s->words->pdata[(size_t)2 * i];
    *zh = s->words->pdata[(size_t)2 * i + 1];
}

unsigned scenario_result_count(const Scenario *s)
{
    return s->results->len;
}

void scenario_result(const Scenario *s, unsigned i, ScenarioResult *out)
{
    const Result *r = g_ptr_array_index(s->results, i);

    *out = (ScenarioResult){r->name, r->unit, r->help, r->missing, r->value, r->samples, r->n_samples};
}

unsigned scenario_param_count(const Scenario *s)
{
    return s->param_list->len;
}

void scenario_param(const Scenario *s, unsigned i, ScenarioParam *out)
{
    const Param *p = g_ptr_array_index(s->param_list, i);

    *out = (ScenarioParam){p->name, p->value, p->standard, p->help};
}

unsigned scenario_capture_count(const Scenario *s)
{
    return s->captures->len;
}

void scenario_capture(const Scenario *s, unsigned i, ScenarioCapture *out)
{
    const Capture *c = g_ptr_array_index(s->captures, i);

    *out = (ScenarioCapture){c->file, (const ProbePoint *const *)c->points->pdata, c->points->len, c->drops,
                             c->snaplen};
}

unsigned scenario_series_count(const Scenario *s)
{
    return s->series->len;
}

void scenario_series(const Scenario *s, unsigned i, ScenarioSeries *out)
{
    const Series *w = g_ptr_array_index(s->series, i);

    *out = (ScenarioSeries){w->file, w->of, (const char *const *)w->places->pdata,
                            (const char *const *)w->fields->pdata, w->every};
}

unsigned scenario_plot_count(const Scenario *s)
{
    return s->plots->len;
}

void scenario_plot(const Scenario *s, unsigned i, ScenarioPlot *out)
{
    const Plot *w = g_ptr_array_index(s->plots, i);

    *out = (ScenarioPlot){.file = w->file,
                          .what = w->what,
                          .host = w->host,
                          .flow = w->flow,
                          .title = w->title,
                          .font = w->font,
                          .from = w->from,
                          .to = w->to,
                          .interval = w->interval,
                          .width = w->width,
                          .height = w->height,
                          .cdf = w->cdf,
                          .no_states = w->no_states,
                          .separate = w->separate,
                          .log = w->log,
                          .no_legend = w->no_legend,
                          .is_paper = w->is_paper};
}

unsigned scenario_ladder_count(const Scenario *s)
{
    return s->ladders->len;
}

void scenario_ladder(const Scenario *s, unsigned i, ScenarioLadder *out)
{
    const LadderWish *w = g_ptr_array_index(s->ladders, i);

    *out = (ScenarioLadder){.file = w->file,
                            .between = w->between ? (const char *const *)w->between->pdata : NULL,
                            .flow = w->flow,
                            .title = w->title,
                            .from = w->from,
                            .to = w->to,
                            .hops = w->hops,
                            .timers = w->timers,
                            .options = w->options,
                            .absolute = w->absolute,
                            .unfold = w->unfold,
                            .no_notes = w->no_notes,
                            .no_states = w->no_states};
}

unsigned scenario_qlog_count(const Scenario *s)
{
    return s->qlogs->len;
}

void scenario_qlog(const Scenario *s, unsigned i, ScenarioQlog *out)
{
    const QlogFileWish *w = g_ptr_array_index(s->qlogs, i);

    *out = (ScenarioQlog){w->file, w->host, w->role, w->level, w->port};
}

const char *scenario_title(const Scenario *s)
{
    return s->title ? s->title : "";
}

unsigned scenario_plot_note_count(const Scenario *s)
{
    return s->plot_notes->len;
}

const char *scenario_plot_note(const Scenario *s, unsigned i, SimTime *time)
{
    const PlotNote *note = &g_array_index(s->plot_notes, PlotNote, i);

    *time = note->time;
    return note->text;
}

unsigned scenario_plot_level_count(const Scenario *s)
{
    return s->plot_levels->len;
}

const char *scenario_plot_level(const Scenario *s, unsigned i, const char **what, double *value)
{
    const PlotLine *line = &g_array_index(s->plot_levels, PlotLine, i);

    *what = line->what;
    *value = line->value;
    return line->text;
}

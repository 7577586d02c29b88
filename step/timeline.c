#include "step/timeline.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "step/pipe.h"

#define MARKS_MAX_DEFAULT 40
#define COLUMNS_DEFAULT 100
#define LISTEN_MS 50 /* how soon ^C is noticed */

typedef struct Mark {
    StepPos pos;
    SimTime time;
    int fd;
} Mark;

struct StepTimeline {
    StepTimelineConfig config;
    pid_t group;    /* of all processes */
    int fd;         /* to the one that stands here; -1: there is none */
    GArray *marks;  /* Mark, in order */
    uint64_t focus; /* the event around which checkpoints should be dense; 0: the newest one */
    StepStop here;
    GString *said;
};

/* ---- checkpoints ---- */

static Mark *mark_at(const StepTimeline *t, unsigned i)
{
    return &g_array_index(t->marks, Mark, i);
}

static double distance(uint64_t a, uint64_t b)
{
    return a < b ? (double)(b - a) : (double)(a - b);
}

/* Lets the one go that leaves the smallest gap in relation to how far away it is. The first one stays. */
static void thin_out(StepTimeline *t)
{
    const unsigned n = t->marks->len;
    const uint64_t focus = t->focus ? t->focus : mark_at(t, n - 1)->pos.event;
    unsigned worst = 1;
    double least = 0;

    for (unsigned i = 1; i + 1 < n; i++) {
        double gap = distance(mark_at(t, i - 1)->pos.event, mark_at(t, i + 1)->pos.event);
        double cost = gap / (1 + distance(mark_at(t, i)->pos.event, focus));

        if (i == 1 || cost < least)
            least = cost, worst = i;
    }
    close(mark_at(t, worst)->fd);
    g_array_remove_index(t->marks, worst);
}

/* How many are at pos or before. */
static unsigned marks_until(const StepTimeline *t, StepPos pos)
{
    unsigned n = 0;

    while (n < t->marks->len && steppos_compare(mark_at(t, n)->pos, pos) <= 0)
        n++;
    return n;
}

static void add_mark(StepTimeline *t, const StepMsg *m)
{
    StepMatch at;
    Mark mark;
    unsigned n;

    hs_assert(m->body->len == sizeof(at));
    memcpy(&at, m->body->str, sizeof(at));
    n = marks_until(t, at.pos);
    if (m->fd < 0)
        return;
    if (n && !steppos_compare(mark_at(t, n - 1)->pos, at.pos)) {
        close(m->fd);
        return;
    }
    mark = (Mark){at.pos, at.time, m->fd};
    g_array_insert_val(t->marks, n, mark);
    if (t->marks->len > t->config.max_marks)
        thin_out(t);
}

/* A process that stands where the mark was made, or -1. */
static int wake(StepTimeline *t, unsigned i)
{
    int fd[2];

    if (!steppipe_pair(fd))
        return -1;
    if (!steppipe_send(mark_at(t, i)->fd, STEP_MSG_WAKE, NULL, 0, NULL, 0, fd[1])) {
        close(fd[0]);
        fd[0] = -1;
    }
    close(fd[1]);
    return fd[0];
}

/* ---- following a plan ---- */

typedef struct Trip {
    StepStop stop;
    GArray *matches;
    GString *text; /* what was said at the stop */
    bool shows;
} Trip;

static void trip_clear(Trip *trip)
{
    if (trip->matches)
        g_array_free(trip->matches, TRUE);
    if (trip->text)
        g_string_free(trip->text, TRUE);
    *trip = (Trip){0};
}

static void take_stop(Trip *trip, const GString *body)
{
    size_t at = sizeof(StepStop);

    hs_assert(body->len >= at);
    memcpy(&trip->stop, body->str, at);
    trip->matches = g_array_new(FALSE, TRUE, sizeof(StepMatch));
    g_array_append_vals(trip->matches, body->str + at, trip->stop.n_matches);
    at += trip->stop.n_matches * sizeof(StepMatch);
    trip->text = g_string_new_len(body->str + at, (gssize)(body->len - at));
}

/* Listens until the process stops. false: it is gone. */
static bool listen_to(StepTimeline *t, int fd, Trip *trip)
{
    for (;;) {
        StepMsg m;
        bool done = false;

        while (!steppipe_has_news(fd, LISTEN_MS))
            if (t->config.was_interrupted && t->config.was_interrupted(t->config.user))
                steppipe_send(fd, STEP_MSG_ASK, NULL, 0, NULL, 0, -1);
        if (!steppipe_receive(fd, &m))
            return false;
        switch (m.type) {
        case STEP_MSG_MARK:
            add_mark(t, &m);
            m.fd = -1;
            break;
        case STEP_MSG_TEXT:
            if (trip->shows)
                t->config.text(t->config.user, m.body->str, m.body->len);
            break;
        case STEP_MSG_STOPPED:
            take_stop(trip, m.body);
            done = true;
            break;
        default:
            break;
        }
        stepmsg_clear(&m);
        if (done)
            return true;
    }
}

static bool travel(StepTimeline *t, int fd, const StepPlan *plan, const char *watches, Trip *trip)
{
    if (!watches)
        watches = "";
    t->focus = plan->limit.event == UINT64_MAX ? 0 : plan->limit.event;
    return steppipe_send(fd, STEP_MSG_PLAN, plan, sizeof(*plan), watches, strlen(watches), -1) &&
           listen_to(t, fd, trip);
}

static void arrive(StepTimeline *t, Trip *trip)
{
    t->here = trip->stop;
    g_string_assign(t->said, trip->text->str);
    trip_clear(trip);
}

/* ---- life ---- */

static _Noreturn void be_backend(StepTimeline *t, int fd)
{
    StepBackendConfig config = {.fd = fd,
                                .has_digest = t->config.has_digest,
                                .cpu_ns = t->config.cpu_ns,
                                .checkpoint_ns = t->config.checkpoint_ns,
                                .user = t->config.user};

    /* A process group of their own: the terminal's signals are not for them, and they can be ended
     * together. */
    setpgid(0, 0);
    t->config.run(t->config.user, stepbackend_new(&config));
    _exit(0);
}

StepTimeline *steptimeline_new(const StepTimelineConfig *config, char **error)
{
    StepTimeline *t = g_new0(StepTimeline, 1);
    Trip trip = {.shows = true};
    int fd[2];
    pid_t pid;

    t->config = *config;
    if (!t->config.max_marks)
        t->config.max_marks = MARKS_MAX_DEFAULT;
    if (!t->config.columns)
        t->config.columns = COLUMNS_DEFAULT;
    t->marks = g_array_new(FALSE, FALSE, sizeof(Mark));
    t->said = g_string_new(NULL);
    t->fd = -1;
    /* Whoever loses its parent becomes a child of this process, which sees to its end. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!steppipe_pair(fd)) {
        *error = g_strdup_printf("cannot make a socket: %s", g_strerror(errno));
        goto fail;
    }
    pid = fork();
    if (pid == 0) {
        close(fd[0]);
        be_backend(t, fd[1]);
    }
    close(fd[1]);
    t->fd = fd[0];
    if (pid < 0) {
        *error = g_strdup_printf("cannot make a process: %s", g_strerror(errno));
        goto fail;
    }
    setpgid(pid, pid);
    t->group = pid;
    if (!listen_to(t, t->fd, &trip)) {
        *error = g_strdup("the run ended before its beginning");
        goto fail;
    }
    arrive(t, &trip);
    return t;
fail:
    steptimeline_free(t);
    return NULL;
}

void steptimeline_free(StepTimeline *t)
{
    if (!t)
        return;
    if (t->fd >= 0)
        close(t->fd);
    for (unsigned i = 0; i < t->marks->len; i++)
        close(mark_at(t, i)->fd);
    if (t->group > 0) {
        kill(-t->group, SIGKILL);
        while (waitpid(-t->group, NULL, 0) > 0 || errno == EINTR)
            continue;
    }
    g_array_free(t->marks, TRUE);
    g_string_free(t->said, TRUE);
    g_free(t);
}

const StepStop *steptimeline_here(const StepTimeline *t)
{
    return &t->here;
}

const char *steptimeline_said(const StepTimeline *t)
{
    return t->said->str;
}

/* Processes that ended while nobody waited for them. */
static void reap(const StepTimeline *t)
{
    while (waitpid(-t->group, NULL, WNOHANG) > 0)
        continue;
}

/* ---- moving ---- */

/* A process at pos, or as far towards it as the run goes; -1. It is at the stop in trip. */
static int scout(StepTimeline *t, StepPos pos, Trip *trip)
{
    const StepPlan plan = {.limit = pos, .time = SIM_NEVER};
    unsigned n = marks_until(t, pos);
    int fd;

    if (!n)
        return -1;
    fd = wake(t, n - 1);
    if (fd >= 0 && !travel(t, fd, &plan, NULL, trip)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void replace(StepTimeline *t, int fd)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = fd;
    reap(t);
}

/* The process here is gone: another one takes its place. */
static bool recover(StepTimeline *t, char **error)
{
    Trip trip = {0};
    int fd = scout(t, t->here.pos, &trip);

    replace(t, fd);
    trip_clear(&trip);
    *error = g_strdup(fd >= 0 ? "the process that runs the scenario ended; we are back where we were"
                              : "the process that runs the scenario ended, and there is no way back");
    return false;
}

bool steptimeline_go(StepTimeline *t, const StepPlan *plan, const char *watches, char **error)
{
    Trip trip = {.shows = true};

    if (t->fd < 0 || !travel(t, t->fd, plan, watches, &trip))
        return recover(t, error);
    arrive(t, &trip);
    return true;
}

bool steptimeline_goto(StepTimeline *t, StepPos pos, char **error)
{
    unsigned n = marks_until(t, pos);
    Trip trip = {0};
    int fd;

    if (!steppos_compare(pos, t->here.pos))
        return true;
    if (steppos_compare(pos, t->here.pos) > 0 &&
        (!n || steppos_compare(mark_at(t, n - 1)->pos, t->here.pos) <= 0)) {
        const StepPlan plan = {.limit = pos, .time = SIM_NEVER};

        return steptimeline_go(t, &plan, NULL, error);
    }
    fd = scout(t, pos, &trip);
    if (fd < 0) {
        trip_clear(&trip);
        *error = g_strdup(n ? "cannot wake a checkpoint" : "there is nothing before the first event");
        return false;
    }
    replace(t, fd);
    arrive(t, &trip);
    return true;
}

bool steptimeline_goto_time(StepTimeline *t, SimTime time, char **error)
{
    const StepPlan plan = {.limit = STEP_POS_NEVER, .time = time};
    Trip trip = {0};
    unsigned n = 0;
    int fd;

    if (time > t->here.time)
        return steptimeline_go(t, &plan, NULL, error);
    while (n < t->marks->len && mark_at(t, n)->time < time)
        n++;
    fd = t->marks->len ? wake(t, n ? n - 1 : 0) : -1;
    if (fd < 0 || !travel(t, fd, &plan, NULL, &trip)) {
        *error = g_strdup("cannot wake a checkpoint");
        trip_clear(&trip);
        return false;
    }
    replace(t, fd);
    arrive(t, &trip);
    return true;
}

/* ---- searching ---- */

/* One interval: from the mark to the limit. false: the search is at its end. */
static bool search_interval(StepTimeline *t, unsigned mark, const StepPlan *plan, const char *watches,
                            GArray *found, char **error)
{
    Trip trip = {0};
    int fd = wake(t, mark);
    bool goes_on = false;

    if (fd < 0 || !travel(t, fd, plan, watches, &trip)) {
        *error = g_strdup("the process that searches ended");
    } else if (trip.stop.why == STEP_WHY_ERROR) {
        *error = g_strdup(trip.text->str);
    } else if (trip.stop.why == STEP_WHY_ASKED) {
        *error = g_strdup("interrupted");
    } else {
        g_array_prepend_vals(found, trip.matches->data, trip.matches->len);
        if (found->len > plan->count)
            g_array_remove_range(found, 0, (guint)(found->len - plan->count));
        goes_on = found->len < plan->count;
    }
    if (fd >= 0)
        close(fd);
    trip_clear(&trip);
    reap(t);
    return goes_on;
}

GArray *steptimeline_search(StepTimeline *t, const StepPlan *plan, const char *watches, StepPos before,
                            char **error)
{
    GArray *found = g_array_new(FALSE, TRUE, sizeof(StepMatch));
    StepPlan p = *plan;

    p.limit = before;
    p.time = SIM_NEVER;
    for (;;) {
        unsigned n = marks_until(t, p.limit);
        StepPos from;

        if (n && !steppos_compare(mark_at(t, n - 1)->pos, p.limit))
            n--;
        if (!n)
            break;
        from = mark_at(t, n - 1)->pos;
        if (!search_interval(t, n - 1, &p, watches, found, error))
            break;
        p.limit = from;
        p.inclusive = true;
    }
    return found;
}

bool steptimeline_event(StepTimeline *t, uint64_t event, StepEvent *out, char **lines)
{
    const StepPlan plan = {.limit = {event + 1, 0}, .time = SIM_NEVER, .tell_event = true};
    unsigned n = marks_until(t, (StepPos){event, 0});
    Trip trip = {0};
    int fd = n ? wake(t, n - 1) : -1;
    bool fine = fd >= 0 && travel(t, fd, &plan, NULL, &trip) && trip.text->len >= sizeof(*out) &&
                steppos_compare(trip.stop.pos, plan.limit) >= 0;

    if (fine) {
        memcpy(out, trip.text->str, sizeof(*out));
        *lines = g_strdup(trip.text->str + sizeof(*out));
    }
    if (fd >= 0)
        close(fd);
    trip_clear(&trip);
    reap(t);
    return fine;
}

char *steptimeline_ladder(StepTimeline *t, const StepMatch *from, StepPos to)
{
    const StepPlan plan = {
        .limit = to, .time = SIM_NEVER, .ladder = t->config.columns, .ladder_from = from->time};
    unsigned n = marks_until(t, from->pos);
    Trip trip = {0};
    int fd = n ? wake(t, n - 1) : -1;
    char *text = NULL;

    if (fd >= 0 && travel(t, fd, &plan, NULL, &trip))
        text = g_strdup(trip.text->str);
    if (fd >= 0)
        close(fd);
    trip_clear(&trip);
    reap(t);
    return text ? text : g_strdup("");
}

void steptimeline_set_columns(StepTimeline *t, unsigned columns)
{
    t->config.columns = columns ? columns : COLUMNS_DEFAULT;
}

void steptimeline_show(StepTimeline *t, StepPos from, StepPos to, StepUnit unit, uint32_t node)
{
    const StepPlan plan = {.limit = to,
                           .time = SIM_NEVER,
                           .show = unit == STEP_UNIT_NONE ? STEP_SHOW_ALL : STEP_SHOW_ONLY,
                           .show_from = from,
                           .unit = unit,
                           .count = UINT64_MAX,
                           .is_at_node = node != UINT32_MAX,
                           .node = node};
    unsigned n = marks_until(t, from);
    Trip trip = {.shows = true};
    int fd = n ? wake(t, n - 1) : -1;

    if (fd >= 0) {
        travel(t, fd, &plan, NULL, &trip);
        close(fd);
    }
    trip_clear(&trip);
    reap(t);
}

StepPos steptimeline_next(StepTimeline *t, StepPos from, const char *watches)
{
    const StepPlan plan = {.limit = STEP_POS_NEVER, .time = SIM_NEVER, .use_breaks = true};
    Trip trip = {0};
    int fd = scout(t, from, &trip);
    StepPos at = from;

    trip_clear(&trip);
    if (fd >= 0 && travel(t, fd, &plan, watches, &trip))
        at = trip.stop.pos;
    if (fd >= 0)
        close(fd);
    trip_clear(&trip);
    reap(t);
    return at;
}

/* ---- asking ---- */

static char *ask(StepTimeline *t, int fd, const char *query, bool *fine)
{
    StepMsg m;
    char *text;

    *fine = false;
    if (fd < 0 || !steppipe_send(fd, STEP_MSG_QUERY, query, strlen(query), NULL, 0, -1) ||
        !steppipe_receive(fd, &m))
        return g_strdup("there is no process to ask");
    *fine = m.body->len && m.body->str[0];
    text = g_strdup(m.body->len ? m.body->str + 1 : "");
    stepmsg_clear(&m);
    return text;
}

char *steptimeline_ask(StepTimeline *t, const char *query, bool *fine)
{
    return ask(t, t->fd, query, fine);
}

char *steptimeline_ask_at(StepTimeline *t, StepPos pos, const char *query, bool *fine)
{
    Trip trip = {0};
    int fd = scout(t, pos, &trip);
    char *text = ask(t, fd, query, fine);

    if (fd >= 0)
        close(fd);
    trip_clear(&trip);
    reap(t);
    return text;
}

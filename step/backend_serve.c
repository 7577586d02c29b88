/* What the running process says and hears while it stands still; checkpoints. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "step/backend_priv.h"
#include "step/inspect.h"
#include "step/pipe.h"
#include "step/record.h"

/* A copy of this process. Whoever has ended meanwhile is taken note of. */
static pid_t copy(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    return fork();
}

static void answer(int fd, bool fine, const char *text, size_t len)
{
    uint8_t ok = fine;

    steppipe_send(fd, STEP_MSG_ANSWER, &ok, 1, text, len, -1);
}

/* In a copy that ends with its answer: looking may fill caches and make protocols that a host has not needed
 * so far. */
static void query(StepBackend *b, const char *text)
{
    int fd = b->config.fd;
    int status = 0;
    pid_t pid = copy();

    if (pid == 0) {
        GString *out = g_string_new(NULL);
        const StepInspect what = {.scenario = b->scenario,
                                  .net = b->net,
                                  .cond = b->cond,
                                  .digest = b->digest,
                                  .record = b->record,
                                  .seqs = b->seqs,
                                  .pos = b->pos,
                                  .is_ended = b->is_ended};
        bool fine;

        b->is_free = true;
        fine = stepinspect(&what, text, out);
        answer(fd, fine, out->str, out->len);
        _exit(0);
    }
    if (pid < 0) {
        g_autofree char *why = g_strdup_printf("cannot make a process to look: %s", g_strerror(errno));

        answer(fd, false, why, strlen(why));
        return;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        const char *why = "looking at that went wrong: this is a mistake in hopscope";

        answer(fd, false, why, strlen(why));
    }
}

/* NULL: taken. Otherwise what is wrong with its conditions. */
static char *take_plan(StepBackend *b, const GString *body)
{
    const char *text = body->str + sizeof(StepPlan);
    StepWatches *watches = NULL;
    char *error = NULL;

    hs_assert(body->len >= sizeof(StepPlan));
    memcpy(&b->plan, body->str, sizeof(StepPlan));
    if (b->plan.use_breaks && b->cond)
        watches = stepwatches_new(b->cond, text, &error);
    if (error)
        return error;
    stepwatches_free(b->watches);
    b->watches = watches;
    return NULL;
}

/* An expression that ran into a limit leaves a Lua that runs no more. */
static void renew_conditions(StepBackend *b)
{
    stepwatches_free(b->watches);
    b->watches = NULL;
    stepcond_free(b->cond);
    b->cond = stepcond_new(b->net);
}

void stepbackend_serve(StepBackend *b)
{
    if (b->cond && stepcond_is_spent(b->cond))
        renew_conditions(b);
    for (;;) {
        StepMsg m;
        char *error;

        if (!steppipe_receive(b->config.fd, &m))
            _exit(0);
        switch (m.type) {
        case STEP_MSG_PLAN:
            error = take_plan(b, m.body);
            stepmsg_clear(&m);
            if (!error)
                return;
            b->plan = (StepPlan){.limit = b->pos};
            stepbackend_stop(b, STEP_WHY_ERROR, 0, error);
            g_free(error);
            return;
        case STEP_MSG_QUERY:
            query(b, m.body->str);
            break;
        default:
            break;
        }
        stepmsg_clear(&m);
    }
}

void stepbackend_stop(StepBackend *b, StepWhy why, uint32_t break_id, const char *text)
{
    StepStop s = {.why = why,
                  .pos = b->pos,
                  .time = b->part ? b->part->now : 0,
                  .break_id = break_id,
                  .is_main = b->is_main && !b->is_ended,
                  .is_ended = b->is_ended,
                  .status = b->status,
                  .has_before = b->has_before,
                  .n_matches = b->matches->len};
    GString *body = g_string_new(NULL);

    if (b->shown > STEP_SHOW_MAX) {
        g_string_printf(body, "… and %" G_GUINT64_FORMAT " more\n", b->shown - STEP_SHOW_MAX);
        steppipe_send(b->config.fd, STEP_MSG_TEXT, body->str, body->len, NULL, 0, -1);
        g_string_truncate(body, 0);
    }
    g_string_append_len(body, (const char *)b->matches->data, (gssize)(b->matches->len * sizeof(StepMatch)));
    if (b->story) {
        char *ladder = stepladder_draw(b->story, b->plan.ladder_from, b->plan.ladder);

        g_string_append(body, ladder);
        g_free(ladder);
        b->story = NULL;
    } else if (b->plan.tell_event) {
        g_string_append_len(body, (const char *)&b->told, sizeof(b->told));
        g_string_append_len(body, b->told_text->str, (gssize)b->told_text->len);
    } else {
        if (b->record && !b->is_shown && b->plan.scan == STEP_SCAN_NO) {
            steprecord_line(body, b->record, b->seqs);
            g_string_append_c(body, '\n');
        }
        if (text && *text)
            g_string_append_printf(body, "%s%s", text, g_str_has_suffix(text, "\n") ? "" : "\n");
    }
    if (!steppipe_send(b->config.fd, STEP_MSG_STOPPED, &s, sizeof(s), body->str, body->len, -1))
        _exit(0);
    g_string_free(body, TRUE);
    stepbackend_serve(b);
}

/* ---- checkpoints ---- */

/* Sleeps until woken, then makes a copy that returns; this process goes on sleeping. */
static void sleep_here(StepBackend *b)
{
    for (;;) {
        StepMsg m;
        pid_t pid;

        if (!steppipe_receive(b->config.fd, &m))
            _exit(0);
        if (m.type != STEP_MSG_WAKE || m.fd < 0) {
            stepmsg_clear(&m);
            continue;
        }
        pid = copy();
        if (pid == 0) {
            close(b->config.fd);
            b->config.fd = m.fd;
            m.fd = -1;
            stepmsg_clear(&m);
            return;
        }
        stepmsg_clear(&m); /* if there is no copy, the other side sees the end of its socket */
    }
}

void stepbackend_mark(StepBackend *b)
{
    StepMatch here = {.pos = b->pos, .time = b->part->now};
    int fd[2];
    pid_t pid;

    if (!steppipe_pair(fd))
        return;
    pid = copy();
    if (pid == 0) {
        close(b->config.fd);
        close(fd[0]);
        b->config.fd = fd[1];
        sleep_here(b);
        if (b->config.cpu_ns)
            b->mark_at = b->config.cpu_ns(b->config.user);
        stepbackend_serve(b);
        stepbackend_begin(b);
        b->is_woken = true;
        return;
    }
    close(fd[1]);
    if (pid > 0 && !steppipe_send(b->config.fd, STEP_MSG_MARK, &here, sizeof(here), NULL, 0, fd[0]))
        _exit(0);
    close(fd[0]);
}

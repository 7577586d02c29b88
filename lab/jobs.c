/* A process has two pipes: what it says (stdout and stderr), and its answer. */
#include "lab/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS 100
#define ANSWER_FD 3

typedef struct Slot {
    unsigned job;
    pid_t pid; /* 0: idle */
    int fd[2]; /* what it says, its answer; -1: came to an end */
    GString *text[2];
    gint64 started_us;
    bool is_late;
} Slot;

typedef struct Jobs {
    const JobsConfig *config;
    Slot *slot;
    struct pollfd *polled; /* two for each slot */
    unsigned next, busy;
} Jobs;

/* ---- in the process ---- */

static void send_answer(const char *answer)
{
    size_t len = strlen(answer), at = 0;

    while (at < len) {
        ssize_t n = write(ANSWER_FD, answer + at, len - at);

        if (n < 0 && errno != EINTR)
            _exit(1);
        at += n > 0 ? (size_t)n : 0;
    }
}

/* ^C is the parent's; when that is gone nobody wants the answer. */
_Noreturn static void work(const Jobs *j, unsigned job, const int *fds, pid_t parent)
{
    const struct rlimit none = {0, 0};
    int null = open("/dev/null", O_RDONLY);

    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &none);
    /* The numbers may overlap: out of the way first. */
    int said = fcntl(fds[0], F_DUPFD, ANSWER_FD + 1), answer = fcntl(fds[1], F_DUPFD, ANSWER_FD + 1);

    if (getppid() != parent || said < 0 || answer < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(said, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0 || dup2(answer, ANSWER_FD) < 0 ||
        close_range(ANSWER_FD + 1, ~0U, 0) != 0)
        _exit(1);
    send_answer(j->config->work(j->config->user, job));
    fflush(NULL);
    _exit(0);
}

/* ---- in the parent ---- */

static bool start(Jobs *j, Slot *slot, GError **error)
{
    pid_t self = getpid(), pid;
    int said[2], answer[2];

    fflush(NULL);
    if (pipe2(said, O_CLOEXEC) != 0 || pipe2(answer, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FORK, "cannot start a process: %s",
                    g_strerror(errno));
        return false;
    }
    if (pid == 0)
        work(j, j->next, (const int[]){said[1], answer[1]}, self);
    close(said[1]);
    close(answer[1]);
    *slot = (Slot){.job = j->next,
                   .pid = pid,
                   .fd = {said[0], answer[0]},
                   .text = {g_string_new(NULL), g_string_new(NULL)},
                   .started_us = j->config->clock_us()};
    j->next++;
    j->busy++;
    return true;
}

static void hear(Slot *slot, unsigned i)
{
    char buf[16384];
    ssize_t n = read(slot->fd[i], buf, sizeof(buf));

    if (n > 0 && (i || slot->text[i]->len < JOBS_SAID_MAX))
        g_string_append_len(slot->text[i], buf, n);
    if (n == 0 || (n < 0 && errno != EINTR)) {
        close(slot->fd[i]);
        slot->fd[i] = -1;
    }
}

static void clear_slot(Jobs *j, Slot *slot)
{
    for (unsigned i = 0; i < 2; i++) {
        if (slot->fd[i] >= 0)
            close(slot->fd[i]);
        g_string_free(slot->text[i], TRUE);
    }
    slot->pid = 0;
    j->busy--;
}

static bool finish(Jobs *j, Slot *slot)
{
    JobResult r = {.job = slot->job, .is_late = slot->is_late, .said = slot->text[0]->str};
    bool go_on;

    while (waitpid(slot->pid, &r.wait_status, 0) < 0 && errno == EINTR)
        ;
    r.seconds = (double)(j->config->clock_us() - slot->started_us) / 1e6;
    if (WIFEXITED(r.wait_status) && WEXITSTATUS(r.wait_status) == 0 && slot->text[1]->len)
        r.answer = slot->text[1]->str;
    go_on = j->config->on_result(j->config->user, &r);
    clear_slot(j, slot);
    return go_on;
}

static void end_late(Jobs *j)
{
    gint64 now = j->config->clock_us();

    for (unsigned i = 0; j->config->timeout && i < j->config->at_a_time; i++) {
        Slot *slot = &j->slot[i];

        if (slot->pid && !slot->is_late && (now - slot->started_us) * 1000 > j->config->timeout) {
            slot->is_late = true;
            kill(slot->pid, SIGKILL);
        }
    }
}

static bool serve(Jobs *j)
{
    unsigned n = j->config->at_a_time;

    for (unsigned i = 0; i < 2 * n; i++)
        j->polled[i] =
            (struct pollfd){.fd = j->slot[i / 2].pid ? j->slot[i / 2].fd[i % 2] : -1, .events = POLLIN};
    if (poll(j->polled, 2 * n, TICK_MS) < 0)
        return errno == EINTR;
    for (unsigned i = 0; i < 2 * n; i++)
        if (j->polled[i].fd >= 0 && j->polled[i].revents)
            hear(&j->slot[i / 2], i % 2);
    for (unsigned i = 0; i < n; i++)
        if (j->slot[i].pid && j->slot[i].fd[0] < 0 && j->slot[i].fd[1] < 0 && !finish(j, &j->slot[i]))
            return false;
    return true;
}

static bool fill(Jobs *j, GError **error)
{
    for (unsigned i = 0; i < j->config->at_a_time && j->next < j->config->n_jobs; i++)
        if (!j->slot[i].pid && !start(j, &j->slot[i], error))
            return false;
    return true;
}

static void end_all(Jobs *j)
{
    for (unsigned i = 0; i < j->config->at_a_time; i++) {
        Slot *slot = &j->slot[i];

        if (!slot->pid)
            continue;
        kill(slot->pid, SIGKILL);
        while (waitpid(slot->pid, NULL, 0) < 0 && errno == EINTR)
            ;
        clear_slot(j, slot);
    }
}

bool jobs_run(const JobsConfig *config, GError **error)
{
    Jobs j = {.config = config,
              .slot = g_new0(Slot, config->at_a_time),
              .polled = g_new0(struct pollfd, 2 * config->at_a_time)};
    bool ok = fill(&j, error);

    while (ok && j.busy) {
        end_late(&j);
        ok = serve(&j) && (!config->on_tick || config->on_tick(config->user)) && fill(&j, error);
    }
    end_all(&j);
    g_free(j.slot);
    g_free(j.polled);
    return ok;
}

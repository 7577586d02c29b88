/* A process for each run, forked without exec: it has the scenario's files and the spec in memory, and writes
 * its row into a pipe. What else it says (an assertion's last words) comes before the row. */
#include "cli/sweep_pool.h"

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

#include "cli/sweep_run.h"

#define TICK_MS 100
#define PIPE_FD 3

typedef struct Slot {
    unsigned run;
    pid_t pid; /* 0: idle */
    int fd;
    gint64 started_us;
    bool is_late;
    GString *said;
} Slot;

typedef struct Pool {
    const SweepPoolConfig *config;
    Slot *slots;
    struct pollfd *polled;
    unsigned next; /* of todo */
    unsigned busy;
} Pool;

/* ---- the process of a run ---- */

_Noreturn static void work(const Pool *p, unsigned run, int fd, pid_t parent)
{
    const struct rlimit none = {0, 0};
    GString *line = g_string_new(NULL);
    int null = open("/dev/null", O_RDWR);

    /* ^C is for the parent; and nobody wants the row once that is gone. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    setrlimit(RLIMIT_CORE, &none);
    if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 ||
        dup2(fd, PIPE_FD) < 0 || close_range(PIPE_FD + 1, ~0U, 0) != 0)
        _exit(1);
    sweep_row_write(sweep_run_one(p->config->spec, run, p->config->inputs), line);
    for (size_t at = 0; at < line->len;) {
        ssize_t n = write(PIPE_FD, line->str + at, line->len - at);

        if (n < 0 && errno != EINTR)
            _exit(1);
        at += n > 0 ? (size_t)n : 0;
    }
    _exit(0);
}

static bool start(Pool *p, Slot *slot, GError **error)
{
    unsigned run = p->config->todo[p->next];
    pid_t self = getpid(), pid;
    int fds[2];

    fflush(NULL);
    if (pipe2(fds, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FORK, "cannot start a process: %s",
                    g_strerror(errno));
        return false;
    }
    if (pid == 0)
        work(p, run, fds[1], self);
    close(fds[1]);
    *slot = (Slot){.run = run,
                   .pid = pid,
                   .fd = fds[0],
                   .started_us = g_get_monotonic_time(),
                   .said = g_string_new(NULL)};
    p->next++;
    p->busy++;
    return true;
}

/* ---- what it left ---- */

static SweepRow *parse(const Slot *slot, const char *line)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root = json_parser_load_from_data(parser, line, -1, NULL) ? json_parser_get_root(parser) : NULL;
    SweepRow *row = root && JSON_NODE_HOLDS_OBJECT(root) ? sweep_row_read(json_node_get_object(root)) : NULL;

    if (row && row->run == slot->run)
        return row;
    sweep_row_free(row);
    return NULL;
}

static SweepRow *crashed(const Slot *slot, int status)
{
    g_autofree char *words = g_strndup(slot->said->str, strcspn(slot->said->str, "\n"));
    g_autofree char *valid = g_utf8_make_valid(words, -1);
    g_autofree char *how =
        WIFSIGNALED(status) ? g_strdup_printf("signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)))
                            : g_strdup_printf("exit status %d", WEXITSTATUS(status));
    g_autofree char *detail = g_strdup_printf("%s%s%s", how, *valid ? ": " : "", valid);

    return sweep_row_new(slot->run, SWEEP_CRASH, detail);
}

static SweepRow *row_of(const Pool *p, Slot *slot, int status)
{
    GString *said = slot->said;
    char *last = NULL;
    SweepRow *row = NULL;

    if (said->len && said->str[said->len - 1] == '\n') {
        g_string_truncate(said, said->len - 1);
        last = strrchr(said->str, '\n');
        row = parse(slot, last ? last + 1 : said->str);
    }
    if (row)
        return row;
    if (slot->is_late) {
        g_autofree char *detail =
            g_strdup_printf("not done after %.9g s of real time", (double)p->config->timeout / 1e9);

        return sweep_row_new(slot->run, SWEEP_TIMEOUT, detail);
    }
    return crashed(slot, status);
}

static SweepRow *finish(Pool *p, Slot *slot)
{
    int status = 0;
    SweepRow *row;

    close(slot->fd);
    while (waitpid(slot->pid, &status, 0) < 0 && errno == EINTR)
        ;
    row = row_of(p, slot, status);
    g_string_free(slot->said, TRUE);
    slot->pid = 0;
    p->busy--;
    return row;
}

/* False: there is no more to come. */
static bool hear(Slot *slot)
{
    char buf[65536];
    ssize_t n = read(slot->fd, buf, sizeof(buf));

    if (n > 0)
        g_string_append_len(slot->said, buf, n);
    return n > 0 || (n < 0 && errno == EINTR);
}

/* ---- all of them ---- */

static bool fill(Pool *p, GError **error)
{
    for (unsigned i = 0; i < p->config->jobs && p->next < p->config->n_todo; i++)
        if (!p->slots[i].pid && !start(p, &p->slots[i], error))
            return false;
    return true;
}

static void end_late(Pool *p)
{
    gint64 now = g_get_monotonic_time();

    for (unsigned i = 0; p->config->timeout && i < p->config->jobs; i++) {
        Slot *slot = &p->slots[i];

        if (slot->pid && !slot->is_late && (now - slot->started_us) * 1000 > p->config->timeout) {
            slot->is_late = true;
            kill(slot->pid, SIGKILL);
        }
    }
}

static bool serve(Pool *p)
{
    for (unsigned i = 0; i < p->config->jobs; i++)
        p->polled[i] = (struct pollfd){.fd = p->slots[i].pid ? p->slots[i].fd : -1, .events = POLLIN};
    if (poll(p->polled, p->config->jobs, TICK_MS) < 0 && errno != EINTR)
        return true;
    for (unsigned i = 0; i < p->config->jobs; i++) {
        Slot *slot = &p->slots[i];

        if (slot->pid && p->polled[i].revents && !hear(slot) &&
            !p->config->on_row(p->config->user, finish(p, slot)))
            return false;
    }
    return true;
}

bool sweep_pool_run(const SweepPoolConfig *config, GError **error)
{
    Pool p = {
        .config = config, .slots = g_new0(Slot, config->jobs), .polled = g_new0(struct pollfd, config->jobs)};
    bool ok = true;

    while (ok && (p.next < config->n_todo || p.busy)) {
        ok = fill(&p, error) && serve(&p) && config->on_tick(config->user);
        end_late(&p);
    }
    for (unsigned i = 0; i < config->jobs; i++)
        if (p.slots[i].pid) {
            kill(p.slots[i].pid, SIGKILL);
            sweep_row_free(finish(&p, &p.slots[i]));
        }
    g_free(p.slots);
    g_free(p.polled);
    return ok;
}

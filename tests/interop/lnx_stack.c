#include "tests/interop/lnx_stack.h"

#include <errno.h>
#include <glib.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/interop/lnx_call.h"
#include "tests/interop/lnx_shell.h"
#include "tests/interop/lnx_tun.h"

/* A call that was written without an end must come back by itself. */
#define PROMPT_LIMIT_NS (1 * PD_NS_PER_SEC)
#define ASLEEP_POLL_US 100

typedef enum CallState { CALL_NONE, CALL_GIVEN, CALL_INSIDE, CALL_DONE } CallState;

typedef struct LnxStack {
    PdStack base;
    LnxTun *tun;
    LnxShell shell;
    GThread *caller;
    GMutex lock;
    GCond changed;
    CallState state;
    bool is_closing;
    PdCall *call;
    PdResult result;
    char *error;
    atomic_int tid;
    atomic_bool is_inside;
    GArray *fds; /* int: opened by scripts, to be closed in the end */
} LnxStack;

/* ---- the thread that makes the calls ---- */

static void *make_calls(void *data)
{
    LnxStack *s = data;
    struct sched_param priority = {.sched_priority = 5};
    sched_setscheduler(0, SCHED_FIFO, &priority);
    atomic_store(&s->tid, (int)syscall(SYS_gettid));
    g_mutex_lock(&s->lock);
    while (!s->is_closing) {
        if (s->state != CALL_GIVEN) {
            g_cond_wait(&s->changed, &s->lock);
            continue;
        }
        s->state = CALL_INSIDE;
        g_mutex_unlock(&s->lock);
        PdResult r = {0};
        char *error = NULL;
        atomic_store(&s->is_inside, true);
        bool ok = lnx_call_run(s->call, s->shell.cc, &r, &error);
        r.at_ns = lnx_tun_now(s->tun);
        atomic_store(&s->is_inside, false);
        g_mutex_lock(&s->lock);
        s->result = r;
        s->error = ok ? NULL : error;
        s->state = CALL_DONE;
        g_cond_broadcast(&s->changed);
    }
    g_mutex_unlock(&s->lock);
    return NULL;
}

/* In the kernel, and off the processor. */
static bool is_asleep(LnxStack *s)
{
    if (!atomic_load(&s->is_inside))
        return false;
    char path[64], text[512];
    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", atomic_load(&s->tid));
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = 0;
    char *end = strrchr(text, ')');
    return end && end[1] == ' ' && end[2] == 'S' && atomic_load(&s->is_inside);
}

/* Timestamps of the wall clock count from the start of the script (SCM_TIMESTAMPING: three timespecs). */
static void shift_times(LnxStack *s, PdCmsg *m)
{
    struct timespec wall;
    if (m->level != SOL_SOCKET || (m->type != SO_TIMESTAMPING && m->type != SO_TIMESTAMPNS))
        return;
    clock_gettime(CLOCK_REALTIME, &wall);
    int64_t zero = wall.tv_sec * PD_NS_PER_SEC + wall.tv_nsec - lnx_tun_now(s->tun);
    for (size_t at = 0; at + 16 <= m->len; at += 16) {
        int64_t t[2];
        memcpy(t, m->data + at, sizeof(t));
        if (t[0] == 0 && t[1] == 0)
            continue;
        int64_t ns = t[0] * PD_NS_PER_SEC + t[1] - zero;
        t[0] = ns / PD_NS_PER_SEC;
        t[1] = ns % PD_NS_PER_SEC;
        memcpy(m->data + at, t, sizeof(t));
    }
}

static bool take_result(LnxStack *s, PdResult *out, char **error)
{
    PdCallKind kind = s->call->kind;
    int closed = s->call->fd;
    lnx_call_free(s->call);
    s->call = NULL;
    s->state = CALL_NONE;
    if (s->error) {
        if (error)
            *error = s->error;
        else
            g_free(s->error);
        s->error = NULL;
        return true;
    }
    *out = s->result;
    s->result = (PdResult){0}; /* it is the caller's now */
    for (unsigned i = 0; i < out->n_control; i++)
        shift_times(s, &out->control[i]);
    bool makes_fd = kind == PD_CALL_SOCKET || kind == PD_CALL_ACCEPT || kind == PD_CALL_OPEN ||
                    kind == PD_CALL_EPOLL_CREATE;
    if (makes_fd && out->ret >= 0) {
        int fd = (int)out->ret;
        g_array_append_val(s->fds, fd);
    } else if (kind == PD_CALL_PIPE && out->ret == 0) {
        g_array_append_vals(s->fds, out->fds, 2);
    } else if (kind == PD_CALL_CLOSE && out->ret == 0) {
        for (guint i = s->fds->len; i-- > 0;) {
            if (g_array_index(s->fds, int, i) == closed)
                g_array_remove_index(s->fds, i);
        }
    }
    return true;
}

static bool stack_call(PdStack *stack, const PdCall *call, PdResult *out, char **error)
{
    LnxStack *s = (LnxStack *)stack;
    g_mutex_lock(&s->lock);
    s->call = lnx_call_copy(call);
    s->state = CALL_GIVEN;
    g_cond_broadcast(&s->changed);
    int64_t limit = lnx_tun_now(s->tun) + PROMPT_LIMIT_NS;
    while (s->state != CALL_DONE) {
        g_cond_wait_until(&s->changed, &s->lock, g_get_monotonic_time() + ASLEEP_POLL_US);
        if (s->state == CALL_DONE)
            break;
        bool slept_enough = call->may_block ? is_asleep(s) : lnx_tun_now(s->tun) > limit;
        if (slept_enough) {
            g_mutex_unlock(&s->lock);
            if (!call->may_block)
                *error = g_strdup_printf("%s would block", call->name);
            return !call->may_block;
        }
    }
    take_result(s, out, error);
    g_mutex_unlock(&s->lock);
    lnx_tun_settle(s->tun);
    return true;
}

static bool stack_wait_call(PdStack *stack, int64_t limit, PdResult *out)
{
    LnxStack *s = (LnxStack *)stack;
    g_mutex_lock(&s->lock);
    while (s->state != CALL_DONE) {
        int64_t left_us = limit == PD_NEVER ? G_USEC_PER_SEC : (limit - lnx_tun_now(s->tun)) / PD_NS_PER_US;
        if (left_us <= 0)
            break;
        g_cond_wait_until(&s->changed, &s->lock, g_get_monotonic_time() + left_us);
    }
    bool done = s->state == CALL_DONE;
    if (done)
        take_result(s, out, NULL);
    g_mutex_unlock(&s->lock);
    return done;
}

/* ---- life ---- */

static void ignore_signal(int sig)
{
}

static PdStack *stack_open(const PdHostConfig *config, void *user, char **error)
{
    LnxTun *tun = lnx_tun_open(config, error);
    if (!tun)
        return NULL;
    /* Wakes a call that would sleep for ever; a broken pipe is a result, not the end. */
    struct sigaction wake = {.sa_handler = ignore_signal};
    sigaction(SIGUSR1, &wake, NULL);
    signal(SIGPIPE, SIG_IGN);
    LnxStack *s = g_new0(LnxStack, 1);
    s->base.ops = &lnx_stack_ops;
    s->tun = tun;
    s->fds = g_array_new(FALSE, FALSE, sizeof(int));
    lnx_shell_init(&s->shell, config->script_path);
    g_mutex_init(&s->lock);
    g_cond_init(&s->changed);
    s->caller = g_thread_new("calls", make_calls, s);
    while (!atomic_load(&s->tid))
        g_usleep(100);
    return &s->base;
}

static void stack_close(PdStack *stack)
{
    if (!stack)
        return;
    LnxStack *s = (LnxStack *)stack;
    g_mutex_lock(&s->lock);
    s->is_closing = true;
    g_cond_broadcast(&s->changed);
    while (s->state == CALL_GIVEN || s->state == CALL_INSIDE) {
        syscall(SYS_tgkill, getpid(), atomic_load(&s->tid), SIGUSR1);
        g_cond_wait_until(&s->changed, &s->lock, g_get_monotonic_time() + 10 * 1000);
    }
    g_mutex_unlock(&s->lock);
    g_thread_join(s->caller);
    for (guint i = 0; i < s->fds->len; i++)
        close(g_array_index(s->fds, int, i));
    g_array_free(s->fds, TRUE);
    pd_result_clear(&s->result);
    lnx_call_free(s->call);
    lnx_shell_clear(&s->shell);
    lnx_tun_close(s->tun);
    g_mutex_clear(&s->lock);
    g_cond_clear(&s->changed);
    g_free(s->error);
    g_free(s);
}

static void stack_start(PdStack *stack)
{
    lnx_tun_start(((LnxStack *)stack)->tun);
}

static int64_t stack_now(PdStack *stack)
{
    return lnx_tun_now(((LnxStack *)stack)->tun);
}

static void stack_run_until(PdStack *stack, int64_t t)
{
    LnxTun *tun = ((LnxStack *)stack)->tun;
    for (int64_t left; (left = t - lnx_tun_now(tun)) > 0;) {
        struct timespec ts = {.tv_sec = left / PD_NS_PER_SEC, .tv_nsec = left % PD_NS_PER_SEC};
        nanosleep(&ts, NULL);
    }
}

static bool stack_take_packet(PdStack *stack, int64_t limit, PdCaptured *out)
{
    return lnx_tun_take(((LnxStack *)stack)->tun, limit, out);
}

static bool stack_inject(PdStack *stack, const uint8_t *bytes, size_t len, uint32_t gso_size, char **error)
{
    return lnx_tun_inject(((LnxStack *)stack)->tun, bytes, len, gso_size, error);
}

static int stack_shell(PdStack *stack, const char *text, char **output, char **error)
{
    return lnx_shell_run(&((LnxStack *)stack)->shell, text, output, error);
}

static bool stack_snapshot(PdStack *stack, int fd, PdSnapshot *out, char **error)
{
    return lnx_call_snapshot(fd, out, error);
}

const PdStackOps lnx_stack_ops = {
    .name = "Linux",
    .is_virtual_time = false,
    .open = stack_open,
    .close = stack_close,
    .start = stack_start,
    .now = stack_now,
    .run_until = stack_run_until,
    .take_packet = stack_take_packet,
    .inject = stack_inject,
    .call = stack_call,
    .wait_call = stack_wait_call,
    .shell = stack_shell,
    .snapshot = stack_snapshot,
};

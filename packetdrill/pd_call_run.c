/* Calls begin, sleep and return; and what they mean for the connection under test (sections 8 to 10). */
#include <string.h>

#include "packetdrill/pd_expr.h"
#include "packetdrill/pd_run_priv.h"
#include "packetdrill/pd_symbols.h"

#define MAX_WAIT_US 1000000 /* for a call that should have returned */
#define EINPROGRESS_ 115
#define NO_FD 0x3fffffff /* not open, but poll does not pass over it as over a negative one */

/* ---- descriptors ---- */

static PdLabel *find_label(PdRun *r, int script_fd)
{
    for (guint i = r->labels->len; i > 0; i--) {
        PdLabel *l = &g_array_index(r->labels, PdLabel, i - 1);

        if (l->script_fd == script_fd)
            return l;
    }
    return NULL;
}

int pd_run_live_fd(PdRun *r, int script_fd)
{
    const PdLabel *l = find_label(r, script_fd);

    /* A label that was closed keeps its number: the call fails with EBADF unless the stack gave it away
     * again. */
    return l && l->is_open ? l->live_fd : script_fd < 0 ? script_fd : NO_FD;
}

void pd_run_bind_fd(PdRun *r, int script_fd, int live_fd)
{
    PdLabel *l = find_label(r, script_fd), new_label = {script_fd, live_fd, true};

    if (l)
        *l = new_label;
    else
        g_array_append_val(r->labels, new_label);
}

void pd_run_unbind_fd(PdRun *r, int script_fd)
{
    PdLabel *l = find_label(r, script_fd);

    if (l)
        l->is_open = false;
}

/* ---- what a call means for the connection under test ---- */

static int script_fd_of(const PdSyscall *s)
{
    char *why = NULL;
    int64_t v = -1;

    if (s->n_args == 0 || !pd_expr_int(s->arg[0], &v, &why))
        v = -1;
    g_free(why);
    return (int)v;
}

static void begin_connect(PdRun *r, PdConn *c, const PdSockAddr *to)
{
    bool mapped = to->family == 10 && r->host.ip_version != PD_IPV6;

    if (c->state != PD_CONN_FRESH && c->state != PD_CONN_PASSIVE)
        return;
    if (c->state == PD_CONN_PASSIVE && c->type == 1)
        return;
    if (c->is_disconnected)
        pd_conn_leave(c);
    c->state = PD_CONN_CONNECTING;
    c->tuple.dst_port = to->port;
    c->tuple.dst.is_v6 = to->family == 10 && !mapped;
    memcpy(c->tuple.dst.b, mapped ? to->b + 12 : to->b, c->tuple.dst.is_v6 ? 16 : 4);
    if (c->bound_port)
        c->tuple.src_port = c->bound_port;
    r->conn = c;
}

/* Before the call: its packets may leave at once, a SYN even when connect fails later. */
void pd_call_on_start(PdRun *r, const PdSyscall *s, const PdCall *call)
{
    PdConn *c = pd_conn_by_fd(r, script_fd_of(s));
    bool sends_to = call->kind == PD_CALL_SENDTO || call->kind == PD_CALL_SENDMSG;

    if (!c)
        return;
    if (call->kind == PD_CALL_CONNECT && call->addr.family == 0)
        pd_conn_disconnect(c);
    else if ((call->kind == PD_CALL_CONNECT || (sends_to && call->has_addr)) && call->addr.family != 0)
        begin_connect(r, c, &call->addr);
}

/* accept() attaches its descriptor to the child whose handshake has been seen. */
static void on_accepted(PdRun *r, int script_fd, int live_fd)
{
    PdConn *child = r->conn && r->conn->state == PD_CONN_PASSIVE && r->conn->script_fd < 0 ? r->conn : NULL;

    for (guint i = 0; !child && i < r->conns->len; i++) {
        PdConn *c = r->conns->pdata[i];

        if (c->state == PD_CONN_PASSIVE && c->script_fd < 0)
            child = c;
    }
    if (!child)
        return;
    child->script_fd = script_fd;
    child->live_fd = live_fd;
}

void pd_call_on_return(PdRun *r, const PdSyscall *s, const PdCall *call, const PdResult *result)
{
    int fd = script_fd_of(s);
    PdConn *c = pd_conn_by_fd(r, fd);
    int64_t label = -1;
    char *why = NULL;

    if (call->kind == PD_CALL_SOCKET || call->kind == PD_CALL_ACCEPT) {
        if (result->ret < 0 || pd_expr_is_ellipsis(s->result) || !pd_expr_int(s->result, &label, &why) ||
            label < 0) {
            g_free(why);
            return;
        }
        if (call->kind == PD_CALL_ACCEPT) {
            on_accepted(r, (int)label, (int)result->ret);
            return;
        }
        c = pd_conn_new(r, call->domain, call->type, call->protocol);
        c->script_fd = (int)label;
        c->live_fd = (int)result->ret;
    } else if (c && result->ret == 0 && call->kind == PD_CALL_BIND) {
        c->bound_port = call->addr.port;
    } else if (c && result->ret == 0 && call->kind == PD_CALL_LISTEN) {
        if (c->state == PD_CONN_FRESH) {
            c->state = PD_CONN_LISTENING;
            r->conn = c;
        }
    } else if (result->ret == 0 && call->kind == PD_CALL_CLOSE) {
        pd_run_unbind_fd(r, fd);
        if (c)
            c->closed = true;
    }
}

/* ---- running ---- */

static bool wrong_result(PdRun *r, const PdPending *p, const char *why)
{
    return pd_run_fail(r, PD_FAILED, p->event, "runtime error in %s call: %s", p->event->syscall->name, why);
}

static bool check_end(PdRun *r, const PdPending *p, const PdResult *result)
{
    int64_t at_us = result->at_ns / PD_NS_PER_US, tolerance = pd_run_tolerance_us(r, p->end_us - p->start_us);
    int64_t low = p->end_us - tolerance, high = p->end_us + tolerance;

    if (!p->event->syscall->has_end || (at_us >= low && at_us <= high))
        return true;
    return pd_run_fail(r, PD_FAILED, p->event,
                       "runtime error in %s call: timing error: expected to return at %" G_GINT64_FORMAT
                       ".%06d s, returned at %" G_GINT64_FORMAT ".%06d s (tolerance %" G_GINT64_FORMAT " us)",
                       p->event->syscall->name, p->end_us / 1000000, (int)(p->end_us % 1000000),
                       at_us / 1000000, (int)(at_us % 1000000), tolerance);
}

static bool finished(PdRun *r, PdResult *result)
{
    PdPending p = r->pending;
    const char *err = pd_errno_name(result->err);
    char *why = NULL;
    bool ok;

    r->pending = (PdPending){0};
    pd_run_line(r, "%" G_GINT64_FORMAT ".%06d %s = %" G_GINT64_FORMAT "%s%s",
                (int64_t)(result->at_ns / PD_NS_PER_SEC), (int)(result->at_ns % PD_NS_PER_SEC / PD_NS_PER_US),
                p.call.name, result->ret, err ? " " : "", err ? err : "");
    ok = pd_call_check(r, p.event->syscall, &p.call, result, &why);
    if (!ok)
        wrong_result(r, &p, why);
    g_free(why);
    pd_call_on_return(r, p.event->syscall, &p.call, result);
    ok = ok && check_end(r, &p, result);
    pd_result_clear(result);
    pd_call_clear(&p.call);
    return ok;
}

bool pd_call_finish(PdRun *r, int64_t wait_us, bool must)
{
    PdResult result = {0};

    if (!r->pending.is_pending)
        return true;
    if (r->ops->wait_call(r->stack, r->ops->now(r->stack) + wait_us * PD_NS_PER_US, &result))
        return finished(r, &result);
    if (!must)
        return true;
    r->pending.is_pending = false;
    pd_run_fail(r, PD_FAILED, r->pending.event,
                "runtime error in %s call: it has not returned; expected at %" G_GINT64_FORMAT ".%06d s",
                r->pending.call.name, r->pending.end_us / 1000000, (int)(r->pending.end_us % 1000000));
    pd_call_clear(&r->pending.call);
    return false;
}

bool pd_call_start(PdRun *r, const PdEvent *e)
{
    PdPending *p = &r->pending;
    PdResult result = {0};
    char *why = NULL;

    if (!pd_call_finish(r, MAX_WAIT_US, true))
        return false;
    *p = (PdPending){
        .event = e, .start_us = r->scheduled_us, .end_us = r->end_us, .started_us = pd_run_now_us(r)};
    if (!pd_call_prepare(r, e->syscall, &p->call, &why)) {
        pd_run_fail(r, PD_WRONG, e, "runtime error in %s call: %s", e->syscall->name, why);
        pd_call_clear(&p->call);
        g_free(why);
        return false;
    }
    pd_call_on_start(r, e->syscall, &p->call);
    if (r->ops->call(r->stack, &p->call, &result, &why)) {
        if (!why)
            return finished(r, &result);
        pd_run_fail(r, PD_WRONG, e, "runtime error in %s call: %s", e->syscall->name, why);
        g_free(why);
        pd_call_clear(&p->call);
        return false;
    }
    p->is_pending = true;
    if (e->syscall->has_end)
        return true;
    pd_run_fail(r, PD_FAILED, e,
                "runtime error in %s call: it blocks, and the script gives no time of return", p->call.name);
    return false;
}

/* A system call on behalf of Lua, from its start to what it returns: who may wait does so in simulated time;
 * elsewhere (a callback) a call that would sleep gives nil, "EAGAIN". */
#include <string.h>

#include "lua/bind/bind_tcp.h"

TcpOp *bind_tcp_op(ScnTcp *sk, SockOp kind, int (*push)(lua_State *L, TcpOp *op))
{
    TcpOp *op = g_new0(TcpOp, 1);

    op->call.op = kind;
    op->call.fd = sk->fd;
    op->call.timeout_ns = -1;
    op->sk = sk;
    op->push = push;
    sk->busy++;
    return op;
}

static void drop_slices(TcpOp *op)
{
    for (guint i = 0; op->slices && i < op->slices->len; i++)
        pktchunk_unref(g_array_index(op->slices, PktSlice, i).chunk);
    if (op->slices)
        g_array_set_size(op->slices, 0);
}

static void unlist(TcpOp *op)
{
    if (!op->link)
        return;
    *op->link = op->next;
    if (op->next)
        op->next->link = op->link;
    op->link = NULL;
}

void bind_tcp_op_free(TcpOp *op)
{
    ScnTcp *sk = op->sk;

    unlist(op);
    drop_slices(op);
    if (op->slices)
        g_array_free(op->slices, true);
    g_free(op->bytes);
    g_free(op);
    sk->busy--;
    bind_tcp_give_if_done(sk);
}

static bool is_ready(void *data)
{
    const TcpOp *op = data;

    return op->is_cut || !sockcall_is_pending(&op->call);
}

static int push_result(lua_State *L, void *data)
{
    TcpOp *op = data;

    if (sockcall_is_pending(&op->call)) { /* the time is over */
        sockcall_cancel(&op->call);
        if (op->call.ret <= 0)
            op->call.ret = -EAGAIN;
    }
    if (op->is_cut && op->call.ret <= 0)
        op->call.ret = host_is_on(op->sk->host->host) ? -EBADF : -ENETDOWN;
    return op->push(L, op);
}

static void left(void *data)
{
    TcpOp *op = data;

    if (sockcall_is_pending(&op->call))
        sockcall_cancel(&op->call);
    bind_tcp_op_free(op);
}

static void on_done(SockCall *call)
{
    TcpOp *op = call->user;

    if (op->proc)
        proc_wake(op->proc);
}

static bool may_block(lua_State *L, Scenario *s)
{
    return s->current && s->current->lua && luaproc_is_running(s->current->lua) && lua_isyieldable(L);
}

int bind_tcp_run(lua_State *L, TcpOp *op, SimTime timeout)
{
    ScnTcp *sk = op->sk;
    Fds *fds = bind_tcp_fds(L, sk);
    bool can_block = may_block(L, sk->host->s) && timeout != 0;

    op->call.done = on_done;
    op->call.user = op;
    op->fds = fds;
    if (!fds)
        op->call.ret = -EBADF;
    else if (!can_block)
        sockcall_now(fds, &op->call);
    else if (!sockcall_start(fds, &op->call)) {
        op->proc = sk->host->s->current;
        op->next = sk->ops;
        op->link = &sk->ops;
        if (op->next)
            op->next->link = &op->next;
        sk->ops = op;
        return proc_block(L, op->proc, timeout, &(ProcWait){is_ready, push_result, left, op});
    }
    int n = op->push(L, op);

    bind_tcp_op_free(op);
    return n;
}

int64_t bind_tcp_now(lua_State *L, ScnTcp *sk, SockCall *call)
{
    Fds *fds = bind_tcp_fds(L, sk);

    if (!fds)
        return -EBADF;
    call->fd = sk->fd;
    return sockcall_now(fds, call);
}

/* ---- payload ---- */

void bind_tcp_collect(void *user, const PktSlice *slice)
{
    TcpOp *op = user;
    PktSlice s = *slice;

    if (!op->slices)
        op->slices = g_array_new(FALSE, FALSE, sizeof(PktSlice));
    if (op->slices->len > 0) {
        PktSlice *last = &g_array_index(op->slices, PktSlice, op->slices->len - 1);

        if (last->chunk == s.chunk && last->off + last->len == s.off) {
            last->len += s.len;
            return;
        }
    }
    if (s.chunk)
        pktchunk_ref(s.chunk);
    g_array_append_val(op->slices, s);
}

void bind_tcp_push_slices(lua_State *L, const TcpOp *op)
{
    const PktSlice *s = op->slices ? (const PktSlice *)(const void *)op->slices->data : NULL;
    guint n = op->slices ? op->slices->len : 0;
    size_t len = 0;
    luaL_Buffer b;

    if (n == 1 && !s[0].chunk) {
        bind_push_payload(L, s[0].off, s[0].len);
        return;
    }
    for (guint i = 0; i < n; i++)
        len += s[i].len;
    char *at = luaL_buffinitsize(L, &b, len);

    for (guint i = 0; i < n; i++) {
        if (s[i].chunk)
            memcpy(at, s[i].chunk->bytes + s[i].off, s[i].len);
        else
            payload_fill((uint8_t *)at, s[i].off, s[i].len);
        at += s[i].len;
    }
    luaL_pushresultsize(&b, len);
}

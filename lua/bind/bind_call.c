/* Calls that block while a program runs on a host: ping, traceroute, mtr, tftp_get.
 *
 * Who waits need not be a process of that host: the main part may call host:ping too. So a host that loses
 * its power ends what still runs on it; who waited gets nil, "ENETDOWN". */
#include "lua/bind/bind.h"

static bool is_ready(void *data)
{
    return ((const ScnCall *)data)->is_done;
}

void bind_call_done(ScnCall *c)
{
    c->is_done = true;
    if (c->proc)
        proc_wake(c->proc);
}

void bind_call_left(ScnCall *c)
{
    if (c->host->calls)
        g_ptr_array_remove(c->host->calls, c);
}

int bind_call_block(lua_State *L, ScnCall *c, Proc *p, LuaProcPush push, void (*left)(void *))
{
    if (c->is_done) {
        int n = push(L, c);

        left(c);
        return n;
    }
    c->proc = p;
    if (!c->host->calls)
        c->host->calls = g_ptr_array_new();
    g_ptr_array_add(c->host->calls, c);
    bind_host_hear_power(c->host);
    return proc_block(L, p, -1, &(ProcWait){is_ready, push, left, c});
}

void bind_calls_stop_host(ScnHost *h)
{
    for (guint i = 0; h->calls && i < h->calls->len; i++) {
        ScnCall *c = g_ptr_array_index(h->calls, i);

        c->stop(c);
        c->is_cut = true;
        bind_call_done(c);
    }
}

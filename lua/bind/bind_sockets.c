/* What ss and /proc/net/sockstat tell of a host's TCP. */
#include <string.h>

#include "lua/bind/bind.h"
#include "models/tcp/tcp.h"

typedef struct Listing {
    lua_State *L;
    const char *state; /* only these; NULL: all */
    lua_Integer n;
} Listing;

static void set_endpoint(lua_State *L, const char *addr, const char *port, const InetEndpoint *e)
{
    char text[INET_STR_LEN];

    bind_set_text(L, addr, inet_format(&e->addr, text));
    bind_set_int(L, port, e->port);
}

static void add_entry(void *user, const TcpEntry *e)
{
    Listing *list = user;
    lua_State *L = list->L;
    const char *state = tcp_state_name(e->state);

    if (list->state && strcmp(list->state, state) != 0)
        return;
    lua_createtable(L, 0, 10);
    bind_set_text(L, "state", state);
    set_endpoint(L, "addr", "port", &e->local);
    if (e->remote.port)
        set_endpoint(L, "peer_addr", "peer_port", &e->remote);
    bind_set_int(L, "recv_q", e->recv_q);
    bind_set_int(L, "send_q", e->send_q);
    bind_set_int(L, "retransmits", e->retransmits);
    bind_set_flag(L, "orphan", e->is_orphan);
    if (e->left_ns >= 0)
        bind_set_time(L, "left", e->left_ns);
    lua_rawseti(L, -2, ++list->n);
}

/* NULL: any */
static const char *check_state(lua_State *L, int idx)
{
    const char *known[TCP_NEW_SYN_RECV];
    const char *name;

    if (lua_isnoneornil(L, idx))
        return NULL;
    name = bind_check_name(L, idx, "state");
    for (unsigned s = TCP_ESTABLISHED; s < TCP_NEW_SYN_RECV; s++) {
        known[s - TCP_ESTABLISHED] = tcp_state_name((TcpState)s);
        if (strcmp(known[s - TCP_ESTABLISHED], name) == 0)
            return known[s - TCP_ESTABLISHED];
    }
    bind_raise_unknown(L, "state", name, "host:sockets", known, TCP_NEW_SYN_RECV - TCP_ESTABLISHED);
}

/* host:sockets([state]) */
int bind_host_sockets(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    Listing list = {.L = L, .state = check_state(L, 2)};

    scenario_prepare(L);
    lua_newtable(L);
    tcp_foreach(host_tcp(h->host), add_entry, &list);
    return 1;
}

/* host:sockstat() */
int bind_host_sockstat(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);

    scenario_prepare(L);
    Tcp *t = host_tcp(h->host);
    TcpSockstat s = tcp_sockstat(t);

    lua_createtable(L, 0, 7);
    bind_set_int(L, "inuse", s.inuse);
    bind_set_int(L, "orphan", s.orphan);
    bind_set_int(L, "tw", s.tw);
    bind_set_int(L, "alloc", s.alloc);
    bind_set_int(L, "requests", s.requests);
    bind_set_int(L, "mem", s.mem_pages);
    bind_set_int(L, "bytes", s.bytes);
    return 1;
}

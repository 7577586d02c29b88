/* What the files of UDP sockets share: bind_sock.c, bind_sock_opt.c (options). */
#pragma once

#include "lua/bind/bind.h"

typedef struct ScnSock ScnSock;
struct ScnSock {
    ScnHost *host;
    UdpSock *udp;    /* NULL: closed */
    Proc *owner;     /* NULL: made by the main part or in a callback */
    Proc *reader;    /* waits in recv */
    int on_datagram; /* LUA_NOREF: none */
    bool in_callback;
};

ScnSock *bind_sock_check(lua_State *L, int idx);
int bind_sock_setopt(lua_State *L);
int bind_sock_getopt(lua_State *L);

/* A bench for calls of sockets: two hosts on a cable with 10 ms each way, a process on each. */
#pragma once

#include <errno.h>
#include <netinet/in.h>

#include "models/node/socket.h"
#include "tests/unit/test_net_helper.h"

#define WAY (10 * SIM_MS)
#define PORT 8080

typedef struct Bed {
    Net *net;
    Host *a, *b;
    Fds *fa, *fb; /* a process on each: client, server */
    uint32_t ip_a, ip_b;
} Bed;

static inline Bed make_bed(void)
{
    Bed t = {.net = net_new(1)};
    NetLinkConfig c;
    char *error = NULL;

    t.a = add_host(t.net, "a");
    t.b = add_host(t.net, "b");
    netlinkconfig_init(&c);
    c.end[0].node = host_node(t.a);
    c.end[1].node = host_node(t.b);
    for (int i = 0; i < 2; i++) {
        c.dir[i].delay = WAY;
        c.dir[i].rate_bps = 0;
    }
    g_assert_nonnull(net_link(t.net, &c, &error));
    g_assert_true(net_prepare(t.net, &error));
    t.fa = fds_new(t.a);
    t.fb = fds_new(t.b);
    t.ip_a = host_addr(t.a);
    t.ip_b = host_addr(t.b);
    return t;
}

static inline void end_bed(Bed *t)
{
    fds_free(t->fa);
    fds_free(t->fb);
    net_free(t->net);
}

static inline SimTime now(const Bed *t)
{
    return node_now(host_node(t->a));
}

static inline void pass(Bed *t, SimTime d)
{
    run_for(t->net, d);
}

/* A call that must end at once. */
#define CALL(fds, ...)                                                                                       \
    ({                                                                                                       \
        SockCall call_ = {__VA_ARGS__};                                                                      \
        bool ended_ = sockcall_start(fds, &call_);                                                           \
        if (!ended_)                                                                                         \
            g_error("%s sleeps", sockop_name(call_.op));                                                     \
        call_.ret;                                                                                           \
    })

static inline int tcp_sock(Fds *f)
{
    return (int)CALL(f, .op = SYS_SOCKET, .domain = AF_INET, .type = SOCK_STREAM);
}

static inline int listener(Bed *t)
{
    int fd = tcp_sock(t->fb);
    SockAddr any = sockaddr_ip4(0, PORT);

    g_assert_cmpint(CALL(t->fb, .op = SYS_BIND, .fd = fd, .addr = &any), ==, 0);
    g_assert_cmpint(CALL(t->fb, .op = SYS_LISTEN, .fd = fd, .backlog = 5), ==, 0);
    return fd;
}

/* The end of a call that sleeps. */
typedef struct Ended {
    unsigned n;
    SimTime at;
    Bed *t;
} Ended;

static inline void on_done(SockCall *c)
{
    Ended *e = c->user;

    e->n++;
    e->at = now(e->t);
}

static inline void connected(Bed *t, int *client, int *server, int *listening)
{
    SockAddr to = sockaddr_ip4(t->ip_b, PORT);
    Ended e = {.t = t};
    SockCall c = {.op = SYS_CONNECT, .addr = &to, .done = on_done, .user = &e};

    *listening = listener(t);
    c.fd = *client = tcp_sock(t->fa);
    g_assert_false(sockcall_start(t->fa, &c));
    pass(t, SIM_SEC);
    g_assert_cmpuint(e.n, ==, 1);
    g_assert_cmpint(c.ret, ==, 0);
    *server = (int)CALL(t->fb, .op = SYS_ACCEPT, .fd = *listening);
    g_assert_cmpint(*server, >=, 0);
}

/* The socket layer: results and errnos of calls, what sleeps and when it wakes, descriptors and processes,
 * poll and epoll. */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "models/tcp/tcp_sockopt.h"
#include "tests/unit/socket_bed.h"

/* RFC 9293 3.5: the client knows after one round trip, accept returns after one and a half. */
static void test_connect_accept(void)
{
    Bed t = make_bed();
    SockAddr to = sockaddr_ip4(t.ip_b, PORT);
    Ended ea = {.t = &t}, eb = {.t = &t};
    SockCall acc = {.op = SYS_ACCEPT, .done = on_done, .user = &eb};
    SockCall con = {.op = SYS_CONNECT, .addr = &to, .done = on_done, .user = &ea};
    SimTime t0;

    /* ARP first, so that only TCP's round trips count */
    int u = (int)CALL(t.fa, .op = SYS_SOCKET, .domain = AF_INET, .type = SOCK_DGRAM);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SENDTO, .fd = u, .buf = (char *)"x", .len = 1, .addr = &to), ==, 1);
    pass(&t, SIM_SEC);

    acc.fd = listener(&t);
    g_assert_false(sockcall_start(t.fb, &acc));
    con.fd = tcp_sock(t.fa);
    g_assert_cmpint(con.fd, ==, 1);
    t0 = now(&t);
    g_assert_false(sockcall_start(t.fa, &con));
    pass(&t, SIM_SEC);
    g_assert_cmpuint(ea.n, ==, 1);
    g_assert_cmpint(con.ret, ==, 0);
    g_assert_cmpint((ea.at - t0) / SIM_MS, ==, 20);
    g_assert_cmpuint(eb.n, ==, 1);
    g_assert_cmpint(acc.ret, ==, 1); /* the lowest that is free */
    g_assert_cmpint((eb.at - t0) / SIM_MS, ==, 30);
    g_assert_true(acc.has_addr_out);
    g_assert_cmpuint(inet_ip4(&acc.addr_out.ep.addr), ==, t.ip_a);
    g_assert_cmpint(CALL(t.fa, .op = SYS_CONNECT, .fd = con.fd, .addr = &to), ==, -EISCONN);
    end_bed(&t);
}

static void test_refused(void)
{
    Bed t = make_bed();
    SockAddr to = sockaddr_ip4(t.ip_b, PORT);
    Ended e = {.t = &t};
    SockCall con = {.op = SYS_CONNECT, .addr = &to, .done = on_done, .user = &e};
    int fd = (int)CALL(t.fa, .op = SYS_SOCKET, .domain = AF_INET, .type = SOCK_STREAM | SOCK_NONBLOCK), err;
    SockCall get = {
        .op = SYS_GETSOCKOPT, .fd = fd, .level = SOL_SOCKET, .name = SO_ERROR, .val = &err, .val_len = 4};

    con.fd = tcp_sock(t.fa);
    g_assert_false(sockcall_start(t.fa, &con));
    g_assert_cmpint(CALL(t.fa, .op = SYS_CONNECT, .fd = fd, .addr = &to), ==, -EINPROGRESS);
    g_assert_cmpint(CALL(t.fa, .op = SYS_CONNECT, .fd = fd, .addr = &to), ==, -EALREADY);
    pass(&t, SIM_SEC);
    g_assert_cmpint(con.ret, ==, -ECONNREFUSED);
    g_assert_true(sockcall_start(t.fa, &get));
    g_assert_cmpint(err, ==, ECONNREFUSED);
    end_bed(&t);
}

/* Each call in the wrong order, or on the wrong thing, has its own errno. */
static void test_errnos(void)
{
    Bed t = make_bed();
    SockAddr to = sockaddr_ip4(t.ip_b, PORT), foreign = sockaddr_ip4(0x08080808, 1),
             any = sockaddr_ip4(0, 99);
    SockAddr odd = {AF_UNIX, {.port = 1}};
    int fd = tcp_sock(t.fa), other = tcp_sock(t.fa), pipe_fd;
    char buf[10];
    SockCall p = {.op = SYS_PIPE};

    g_assert_true(sockcall_start(t.fa, &p));
    pipe_fd = p.pipe_out[0];
    g_assert_cmpint(CALL(t.fa, .op = SYS_SOCKET, .domain = AF_UNIX, .type = SOCK_STREAM), ==, -EAFNOSUPPORT);
    g_assert_cmpint(
        CALL(t.fa, .op = SYS_SOCKET, .domain = AF_INET, .type = SOCK_STREAM, .protocol = IPPROTO_UDP), ==,
        -EPROTONOSUPPORT);
    g_assert_cmpint(CALL(t.fa, .op = SYS_READ, .fd = 77, .buf = buf, .len = 10), ==, -EBADF);
    g_assert_cmpint(CALL(t.fa, .op = SYS_LISTEN, .fd = pipe_fd, .backlog = 1), ==, -ENOTSOCK);
    g_assert_cmpint(CALL(t.fa, .op = SYS_ACCEPT, .fd = fd), ==, -EINVAL);
    g_assert_cmpint(CALL(t.fa, .op = SYS_READ, .fd = fd, .buf = buf, .len = 10), ==, -ENOTCONN);
    SockCall w = {.op = SYS_WRITE, .fd = fd, .buf = buf, .len = 10};
    g_assert_true(sockcall_start(t.fa, &w));
    g_assert_cmpint(w.ret, ==, -EPIPE);
    g_assert_true(w.sigpipe);
    SockCall s = {.op = SYS_SEND, .fd = fd, .buf = buf, .len = 10, .flags = MSG_NOSIGNAL};
    g_assert_true(sockcall_start(t.fa, &s));
    g_assert_cmpint(s.ret, ==, -EPIPE);
    g_assert_false(s.sigpipe);
    g_assert_cmpint(CALL(t.fa, .op = SYS_BIND, .fd = fd, .addr = &foreign), ==, -EADDRNOTAVAIL);
    g_assert_cmpint(CALL(t.fa, .op = SYS_BIND, .fd = fd, .addr = &odd), ==, -EAFNOSUPPORT);
    g_assert_cmpint(CALL(t.fa, .op = SYS_BIND, .fd = fd), ==, -EFAULT);
    g_assert_cmpint(CALL(t.fa, .op = SYS_CONNECT, .fd = fd, .addr = &odd), ==, -EAFNOSUPPORT);
    g_assert_cmpint(CALL(t.fa, .op = SYS_BIND, .fd = fd, .addr = &any), ==, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_BIND, .fd = fd, .addr = &any), ==, -EINVAL);
    g_assert_cmpint(CALL(t.fa, .op = SYS_BIND, .fd = other, .addr = &any), ==, -EADDRINUSE);
    g_assert_cmpint(CALL(t.fa, .op = SYS_GETPEERNAME, .fd = fd), ==, -ENOTCONN);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SHUTDOWN, .fd = fd, .how = SHUT_WR), ==, -ENOTCONN);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SHUTDOWN, .fd = fd, .how = 9), ==, -EINVAL);
    g_assert_cmpint(CALL(t.fa, .op = SYS_IOCTL, .fd = fd, .cmd = 0x1234), ==, -ENOTTY);
    g_assert_cmpint(CALL(t.fa, .op = SYS_CLOSE, .fd = fd), ==, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_CLOSE, .fd = fd), ==, -EBADF);
    g_assert_cmpint(CALL(t.fa, .op = SYS_CONNECT, .fd = pipe_fd, .addr = &to), ==, -ENOTSOCK);
    end_bed(&t);
}

/* RLIMIT_NOFILE: socket and accept fail, and accept takes nothing out of the queue then. */
static void test_emfile(void)
{
    Bed t = make_bed();
    int client, server, listening;
    SockAddr to = sockaddr_ip4(t.ip_b, PORT);

    connected(&t, &client, &server, &listening);
    fds_set_limit(t.fb, 2);
    g_assert_cmpint(tcp_sock(t.fb), ==, -EMFILE);
    int second = (int)CALL(t.fa, .op = SYS_SOCKET, .domain = AF_INET, .type = SOCK_STREAM | SOCK_NONBLOCK);
    g_assert_cmpint(CALL(t.fa, .op = SYS_CONNECT, .fd = second, .addr = &to), ==, -EINPROGRESS);
    pass(&t, SIM_SEC);
    g_assert_cmpint(CALL(t.fb, .op = SYS_ACCEPT, .fd = listening), ==, -EMFILE);
    fds_set_limit(t.fb, 3);
    g_assert_cmpint(CALL(t.fb, .op = SYS_ACCEPT, .fd = listening), ==, 2);
    end_bed(&t);
}

static void test_echo(void)
{
    Bed t = make_bed();
    int client, server, listening;
    char buf[16] = "", small[3];
    Ended e = {.t = &t};
    SockCall r = {.op = SYS_READ, .buf = buf, .len = sizeof(buf), .done = on_done, .user = &e};
    SimTime t0;

    connected(&t, &client, &server, &listening);
    r.fd = server;
    g_assert_false(sockcall_start(t.fb, &r));
    t0 = now(&t);
    g_assert_cmpint(CALL(t.fa, .op = SYS_WRITE, .fd = client, .buf = (char *)"hello", .len = 5), ==, 5);
    pass(&t, SIM_SEC);
    g_assert_cmpint(r.ret, ==, 5);
    g_assert_cmpint((e.at - t0) / SIM_MS, ==, 10);
    g_assert_cmpstr(buf, ==, "hello");
    /* A stream has no messages: two writes are one read, and a read may take a part. */
    struct iovec iov[2] = {{(void *)"ab", 2}, {(void *)"cdef", 4}};
    g_assert_cmpint(CALL(t.fb, .op = SYS_WRITEV, .fd = server, .iov = iov, .n_iov = 2), ==, 6);
    pass(&t, SIM_SEC);
    SockCall q = {.op = SYS_IOCTL, .fd = client, .cmd = FIONREAD};
    g_assert_true(sockcall_start(t.fa, &q));
    g_assert_cmpint(q.int_out, ==, 6);
    g_assert_cmpint(CALL(t.fa, .op = SYS_RECV, .fd = client, .buf = small, .len = 3, .flags = MSG_PEEK), ==,
                    3);
    g_assert_cmpint(CALL(t.fa, .op = SYS_READ, .fd = client, .buf = small, .len = 3), ==, 3);
    g_assert_cmpmem(small, 3, "abc", 3);
    struct iovec two[2] = {{small, 1}, {small + 1, 2}};
    g_assert_cmpint(CALL(t.fa, .op = SYS_READV, .fd = client, .iov = two, .n_iov = 2), ==, 3);
    g_assert_cmpmem(small, 3, "def", 3);
    g_assert_cmpint(CALL(t.fa, .op = SYS_RECV, .fd = client, .buf = small, .len = 3, .flags = MSG_DONTWAIT),
                    ==, -EAGAIN);
    g_assert_cmpint(CALL(t.fa, .op = SYS_WRITE, .fd = client, .len = 5), ==, -EFAULT);
    end_bed(&t);
}

/* End of file comes behind the data, and stays (SOCK-12). */
static void test_eof(void)
{
    Bed t = make_bed();
    int client, server, listening;
    char buf[16];

    connected(&t, &client, &server, &listening);
    g_assert_cmpint(CALL(t.fa, .op = SYS_WRITE, .fd = client, .buf = (char *)"bye", .len = 3), ==, 3);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SHUTDOWN, .fd = client, .how = SHUT_WR), ==, 0);
    g_assert_cmpint(
        CALL(t.fa, .op = SYS_SEND, .fd = client, .buf = (char *)"x", .len = 1, .flags = MSG_NOSIGNAL), ==,
        -EPIPE);
    pass(&t, SIM_SEC);
    g_assert_cmpint(CALL(t.fb, .op = SYS_READ, .fd = server, .buf = buf, .len = 16), ==, 3);
    g_assert_cmpint(CALL(t.fb, .op = SYS_READ, .fd = server, .buf = buf, .len = 16), ==, 0);
    g_assert_cmpint(CALL(t.fb, .op = SYS_READ, .fd = server, .buf = buf, .len = 16), ==, 0);
    g_assert_cmpint(tcp_state(fds_tcp(t.fb, server)), ==, TCP_CLOSE_WAIT);
    g_assert_cmpint(tcp_state(fds_tcp(t.fa, client)), ==, TCP_FIN_WAIT2);
    g_assert_cmpint(CALL(t.fb, .op = SYS_WRITE, .fd = server, .buf = (char *)"still", .len = 5), ==, 5);
    pass(&t, SIM_SEC);
    g_assert_cmpint(CALL(t.fa, .op = SYS_READ, .fd = client, .buf = buf, .len = 16), ==, 5);
    end_bed(&t);
}

/* SOCK-13, SOCK-14: descriptors share an open file; close drops a reference, shutdown acts for all. */
static void test_shared(void)
{
    Bed t = make_bed();
    int client, server, listening;
    Fds *child;
    char buf[4];

    connected(&t, &client, &server, &listening);
    child = fds_new(t.b);
    fds_dup_into(t.fb, child);
    g_assert_cmpint(CALL(t.fb, .op = SYS_CLOSE, .fd = server), ==, 0);
    pass(&t, SIM_SEC);
    g_assert_cmpint(tcp_state(fds_tcp(t.fa, client)), ==, TCP_ESTABLISHED); /* no FIN */
    g_assert_cmpint(CALL(child, .op = SYS_WRITE, .fd = server, .buf = (char *)"ok", .len = 2), ==, 2);
    pass(&t, SIM_SEC);
    g_assert_cmpint(CALL(t.fa, .op = SYS_READ, .fd = client, .buf = buf, .len = 4), ==, 2);
    fds_free(child);
    pass(&t, SIM_SEC);
    g_assert_cmpint(tcp_state(fds_tcp(t.fa, client)), ==, TCP_CLOSE_WAIT);
    end_bed(&t);
}

/* A process that dies with unread data resets (RFC 2525 2.17), else it sends FIN. */
static void test_death(void)
{
    Bed t = make_bed();
    int client, server, listening;
    char buf[4];

    connected(&t, &client, &server, &listening);
    g_assert_cmpint(CALL(t.fa, .op = SYS_WRITE, .fd = client, .buf = (char *)"x", .len = 1), ==, 1);
    pass(&t, SIM_SEC);
    fds_free(t.fb);
    t.fb = NULL;
    pass(&t, SIM_SEC);
    g_assert_cmpint(CALL(t.fa, .op = SYS_READ, .fd = client, .buf = buf, .len = 4), ==, -ECONNRESET);
    uint64_t n;
    g_assert_true(host_counter(t.b, "TcpExtTCPAbortOnClose", &n));
    g_assert_cmpuint(n, ==, 1);
    end_bed(&t);
}

/* The whole amount goes through a small buffer; the writer sleeps and wakes with the ACKs. */
static void test_blocking_write(void)
{
    Bed t = make_bed();
    int client, server, listening;
    size_t total = 1000000, got = 0;
    Ended e = {.t = &t};
    SockCall w = {.op = SYS_WRITE, .len = total, .payload = SOCK_SYNTHETIC, .done = on_done, .user = &e};
    char *buf = g_malloc(total);

    connected(&t, &client, &server, &listening);
    w.fd = client;
    g_assert_false(sockcall_start(t.fa, &w));
    for (int i = 0; i < 2000 && got < total; i++) {
        SockCall r = {
            .op = SYS_RECV, .fd = server, .buf = buf + got, .len = total - got, .flags = MSG_DONTWAIT};
        int64_t n;

        pass(&t, 5 * SIM_MS);
        g_assert_true(sockcall_start(t.fb, &r));
        n = r.ret;
        if (n > 0)
            got += (size_t)n;
        else
            g_assert_cmpint(n, ==, -EAGAIN);
    }
    g_assert_cmpuint(got, ==, total);
    g_assert_true(payload_matches((uint8_t *)buf, 0, total));
    g_assert_cmpuint(e.n, ==, 1);
    g_assert_cmpint(w.ret, ==, (int64_t)total);
    g_free(buf);
    end_bed(&t);
}

/* A full send buffer: a short count, then EAGAIN, and poll says when there is room (SOCK-11). */
static void test_nonblocking_write(void)
{
    Bed t = make_bed();
    int client, server, listening;
    SockCall w = {.op = SYS_SEND, .len = 10000000, .payload = SOCK_SYNTHETIC, .flags = MSG_DONTWAIT};
    struct pollfd p = {.events = POLLOUT};

    connected(&t, &client, &server, &listening);
    w.fd = p.fd = client;
    g_assert_cmpint(CALL(t.fa, .op = SYS_POLL, .pollfds = &p, .n_pollfds = 1), ==, 1);
    g_assert_cmpint(p.revents, ==, POLLOUT);
    g_assert_true(sockcall_start(t.fa, &w));
    g_assert_cmpint(w.ret, >, 0);
    g_assert_cmpint(w.ret, <, 10000000);
    g_assert_true(sockcall_start(t.fa, &w));
    g_assert_cmpint(w.ret, ==, -EAGAIN);
    g_assert_cmpint(CALL(t.fa, .op = SYS_POLL, .pollfds = &p, .n_pollfds = 1), ==, 0);
    Ended e = {.t = &t};
    SockCall sleeping = {
        .op = SYS_POLL, .pollfds = &p, .n_pollfds = 1, .timeout_ns = -1, .done = on_done, .user = &e};
    g_assert_false(sockcall_start(t.fa, &sleeping));
    pass(&t, SIM_SEC);
    g_assert_cmpint(sleeping.ret, ==, 1);
    end_bed(&t);
}

static void test_timeouts(void)
{
    Bed t = make_bed();
    int client, server, listening;
    char buf[4];
    int64_t tv[2] = {0, 250000};
    Ended e = {.t = &t}, e2 = {.t = &t};
    struct pollfd p = {.events = POLLIN};
    SimTime t0;

    connected(&t, &client, &server, &listening);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SETSOCKOPT, .fd = client, .level = SOL_SOCKET, .name = SO_RCVTIMEO,
                         .val = tv, .val_len = sizeof(tv)),
                    ==, 0);
    t0 = now(&t);
    SockCall r = {.op = SYS_READ, .fd = client, .buf = buf, .len = 4, .done = on_done, .user = &e};
    g_assert_false(sockcall_start(t.fa, &r));
    p.fd = client;
    SockCall q = {.op = SYS_POLL,
                  .pollfds = &p,
                  .n_pollfds = 1,
                  .timeout_ns = 100 * SIM_MS,
                  .done = on_done,
                  .user = &e2};
    g_assert_false(sockcall_start(t.fa, &q));
    pass(&t, SIM_SEC);
    g_assert_cmpint(r.ret, ==, -EAGAIN);
    g_assert_cmpint(e.at - t0, ==, 250 * SIM_MS);
    g_assert_cmpint(q.ret, ==, 0);
    g_assert_cmpint(e2.at - t0, ==, 100 * SIM_MS);
    /* A wait that is given up */
    SockCall s = {.op = SYS_READ, .fd = server, .buf = buf, .len = 4, .done = on_done, .user = &e};
    g_assert_false(sockcall_start(t.fb, &s));
    sockcall_cancel(&s);
    g_assert_cmpint(s.ret, ==, -EINTR);
    g_assert_cmpuint(e.n, ==, 1);
    end_bed(&t);
}

static void test_epoll(void)
{
    Bed t = make_bed();
    int client, server, listening, ep;
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.fd = 42}, out[4];
    char buf[8];

    connected(&t, &client, &server, &listening);
    ep = (int)CALL(t.fb, .op = SYS_EPOLL_CREATE, .len = 1);
    g_assert_cmpint(CALL(t.fb, .op = SYS_EPOLL_CREATE, .len = 0), ==, -EINVAL);
    g_assert_cmpint(
        CALL(t.fb, .op = SYS_EPOLL_CTL, .fd = ep, .cmd = EPOLL_CTL_ADD, .fd2 = server, .events = &ev), ==, 0);
    g_assert_cmpint(
        CALL(t.fb, .op = SYS_EPOLL_CTL, .fd = ep, .cmd = EPOLL_CTL_ADD, .fd2 = server, .events = &ev), ==,
        -EEXIST);
    g_assert_cmpint(
        CALL(t.fb, .op = SYS_EPOLL_CTL, .fd = ep, .cmd = EPOLL_CTL_MOD, .fd2 = listening, .events = &ev), ==,
        -ENOENT);
#define WAIT() CALL(t.fb, .op = SYS_EPOLL_WAIT, .fd = ep, .events = out, .max_events = 4)
    g_assert_cmpint(WAIT(), ==, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_WRITE, .fd = client, .buf = (char *)"ab", .len = 2), ==, 2);
    pass(&t, SIM_SEC);
    g_assert_cmpint(WAIT(), ==, 1);
    g_assert_cmpint(out[0].data.fd, ==, 42);
    g_assert_cmpuint(out[0].events, ==, EPOLLIN);
    g_assert_cmpint(WAIT(), ==, 0); /* an edge is told once */
    ev.events = EPOLLIN;
    g_assert_cmpint(
        CALL(t.fb, .op = SYS_EPOLL_CTL, .fd = ep, .cmd = EPOLL_CTL_MOD, .fd2 = server, .events = &ev), ==, 0);
    g_assert_cmpint(WAIT(), ==, 1); /* a level as long as it lasts */
    g_assert_cmpint(WAIT(), ==, 1);
    g_assert_cmpint(CALL(t.fb, .op = SYS_READ, .fd = server, .buf = buf, .len = 8), ==, 2);
    g_assert_cmpint(WAIT(), ==, 0);
    ev.events = EPOLLOUT | EPOLLONESHOT;
    g_assert_cmpint(
        CALL(t.fb, .op = SYS_EPOLL_CTL, .fd = ep, .cmd = EPOLL_CTL_MOD, .fd2 = server, .events = &ev), ==, 0);
    g_assert_cmpint(WAIT(), ==, 1);
    g_assert_cmpint(WAIT(), ==, 0);
    /* A closed descriptor leaves by itself. */
    g_assert_cmpint(CALL(t.fb, .op = SYS_CLOSE, .fd = server), ==, 0);
    g_assert_cmpint(WAIT(), ==, 0);
#undef WAIT
    end_bed(&t);
}

/* SO_LINGER: close waits for the last ACK, at most so long; with 0 it resets. */
static void test_linger(void)
{
    Bed t = make_bed();
    int client, server, listening;
    struct linger l = {1, 5};
    Ended e = {.t = &t};
    char buf[4];
    SimTime t0;

    connected(&t, &client, &server, &listening);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SETSOCKOPT, .fd = client, .level = SOL_SOCKET, .name = SO_LINGER,
                         .val = &l, .val_len = sizeof(l)),
                    ==, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_WRITE, .fd = client, .buf = (char *)"x", .len = 1), ==, 1);
    t0 = now(&t);
    SockCall c = {.op = SYS_CLOSE, .fd = client, .done = on_done, .user = &e};
    g_assert_false(sockcall_start(t.fa, &c));
    pass(&t, SIM_SEC);
    g_assert_cmpint(c.ret, ==, 0);
    /* there, the delay of the ACK (Linux tcp_fin: an answer may follow), and back */
    g_assert_cmpint((e.at - t0) / SIM_MS, ==, 60);
    l.l_linger = 0;
    g_assert_cmpint(CALL(t.fb, .op = SYS_SETSOCKOPT, .fd = server, .level = SOL_SOCKET, .name = SO_LINGER,
                         .val = &l, .val_len = sizeof(l)),
                    ==, 0);
    g_assert_cmpint(CALL(t.fb, .op = SYS_READ, .fd = server, .buf = buf, .len = 4), ==, 1);
    g_assert_cmpint(CALL(t.fb, .op = SYS_CLOSE, .fd = server), ==, 0);
    uint64_t n;
    g_assert_true(host_counter(t.b, "TcpExtTCPAbortOnData", &n));
    g_assert_cmpuint(n, ==, 1);
    end_bed(&t);
}

static void test_pipe_splice_sendfile(void)
{
    Bed t = make_bed();
    int client, server, listening, file;
    char buf[64];
    SockCall p = {.op = SYS_PIPE};

    connected(&t, &client, &server, &listening);
    g_assert_true(sockcall_start(t.fb, &p));
    g_assert_cmpint(p.ret, ==, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_WRITE, .fd = client, .buf = (char *)"through the pipe", .len = 16),
                    ==, 16);
    pass(&t, SIM_SEC);
    g_assert_cmpint(CALL(t.fb, .op = SYS_SPLICE, .fd = server, .fd2 = p.pipe_out[1], .len = 100), ==, 16);
    g_assert_cmpint(CALL(t.fb, .op = SYS_READ, .fd = p.pipe_out[0], .buf = buf, .len = 7), ==, 7);
    g_assert_cmpmem(buf, 7, "through", 7);
    g_assert_cmpint(CALL(t.fb, .op = SYS_SPLICE, .fd = p.pipe_out[0], .fd2 = server, .len = 100), ==, 9);
    pass(&t, SIM_SEC);
    g_assert_cmpint(CALL(t.fa, .op = SYS_READ, .fd = client, .buf = buf, .len = 64), ==, 9);
    g_assert_cmpmem(buf, 9, " the pipe", 9);
    g_assert_cmpint(CALL(t.fa, .op = SYS_OPEN, .path = "/tmp/f"), ==, -ENOENT);
    host_put_file(t.a, "/tmp/f", 5000);
    file = (int)CALL(t.fa, .op = SYS_OPEN, .path = "/tmp/f");
    g_assert_cmpint(file, >=, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SENDFILE, .fd = client, .fd2 = file, .len = 3000), ==, 3000);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SENDFILE, .fd = client, .fd2 = file, .len = 3000), ==, 2000);
    pass(&t, SIM_SEC);
    SockCall q = {.op = SYS_IOCTL, .fd = server, .cmd = FIONREAD};
    g_assert_true(sockcall_start(t.fb, &q));
    g_assert_cmpint(q.int_out, ==, 5000);
    end_bed(&t);
}

typedef struct ErrMsg { /* struct sock_extended_err */
    uint32_t err;
    uint8_t origin, type, code, pad;
    uint32_t info, data;
} ErrMsg;

/* The next message of the error queue; what of its control messages is a time. */
static bool next_error(Bed *t, int fd, ErrMsg *out, int64_t *ns)
{
    SockCmsg m[4];
    SockCall c = {.op = SYS_RECVMSG, .fd = fd, .flags = MSG_ERRQUEUE, .cmsgs = m, .n_cmsgs = 4};

    g_assert_true(sockcall_start(t->fa, &c));
    if (c.ret == -EAGAIN)
        return false;
    g_assert_cmpint(c.ret, ==, 0);
    g_assert_true(c.msg_flags & MSG_ERRQUEUE);
    for (unsigned i = 0; i < c.n_cmsgs; i++) {
        if (m[i].level == SOL_SOCKET && m[i].type == SO_TIMESTAMPING) {
            int64_t ts[2];

            memcpy(ts, m[i].data, sizeof(ts));
            *ns = ts[0] * SIM_SEC + ts[1];
        }
        if (m[i].level == IPPROTO_IP && m[i].type == IP_RECVERR)
            memcpy(out, m[i].data, sizeof(*out));
    }
    return true;
}

/* SO_TIMESTAMPING: when a write was queued, sent and acknowledged; MSG_ZEROCOPY: when its memory is free. */
static void test_error_queue(void)
{
    Bed t = make_bed();
    int client, server, listening;
    int flags = 1 << 1 | 1 << 4 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 11,
        one = 1; /* TX_*, SOFTWARE, OPT_ID, OPT_TSONLY */
    ErrMsg e;
    int64_t at = 0;
    SimTime t0;

    connected(&t, &client, &server, &listening);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SETSOCKOPT, .fd = client, .level = SOL_SOCKET,
                         .name = SO_TIMESTAMPING, .val = &flags, .val_len = 4),
                    ==, 0);
    t0 = now(&t);
    g_assert_cmpint(CALL(t.fa, .op = SYS_WRITE, .fd = client, .buf = (char *)"0123456789", .len = 10), ==,
                    10);
    pass(&t, SIM_SEC);
    for (uint32_t i = 0; i < 3; i++) {
        static const uint32_t what[] = {1, 0, 2}; /* SCM_TSTAMP_SCHED, _SND, _ACK */

        g_assert_true(next_error(&t, client, &e, &at));
        g_assert_cmpuint(e.err, ==, ENOMSG);
        g_assert_cmpuint(e.origin, ==, 4);
        g_assert_cmpuint(e.info, ==, what[i]);
        g_assert_cmpuint(e.data, ==, 9); /* the last byte, counted from the option on */
        g_assert_cmpint(at - t0, ==, i == 2 ? 2 * WAY : 0);
    }
    g_assert_false(next_error(&t, client, &e, &at));
    flags = 0;
    g_assert_cmpint(CALL(t.fa, .op = SYS_SETSOCKOPT, .fd = client, .level = SOL_SOCKET,
                         .name = SO_TIMESTAMPING, .val = &flags, .val_len = 4),
                    ==, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SETSOCKOPT, .fd = client, .level = SOL_SOCKET,
                         .name = 60 /* SO_ZEROCOPY */, .val = &one, .val_len = 4),
                    ==, 0);
    for (int i = 0; i < 2; i++)
        g_assert_cmpint(
            CALL(t.fa, .op = SYS_SEND, .fd = client, .buf = (char *)"abc", .len = 3, .flags = MSG_ZEROCOPY),
            ==, 3);
    g_assert_false(next_error(&t, client, &e, &at));
    pass(&t, SIM_SEC);
    struct pollfd p = {.fd = client, .events = POLLOUT};
    g_assert_cmpint(CALL(t.fa, .op = SYS_POLL, .pollfds = &p, .n_pollfds = 1), ==, 1);
    g_assert_cmpint(p.revents, ==, POLLOUT | POLLERR);
    g_assert_true(next_error(&t, client, &e, &at));
    g_assert_cmpuint(e.origin, ==, 5);
    g_assert_cmpuint(e.info, ==, 0);
    g_assert_cmpuint(e.data, ==, 1);
    g_assert_false(next_error(&t, client, &e, &at));
    end_bed(&t);
}

/* Power: nothing is said, what was open is of no use afterwards. */
static void test_power(void)
{
    Bed t = make_bed();
    int client, server, listening;
    char buf[4];

    connected(&t, &client, &server, &listening);
    host_set_power(t.b, false);
    pass(&t, SIM_SEC);
    g_assert_cmpint(tcp_state(fds_tcp(t.fa, client)), ==, TCP_ESTABLISHED);
    host_set_power(t.b, true);
    g_assert_cmpint(CALL(t.fb, .op = SYS_READ, .fd = server, .buf = buf, .len = 4), ==, -EIO);
    g_assert_cmpint(CALL(t.fa, .op = SYS_WRITE, .fd = client, .buf = (char *)"x", .len = 1), ==, 1);
    pass(&t, SIM_SEC);
    g_assert_cmpint(CALL(t.fa, .op = SYS_READ, .fd = client, .buf = buf, .len = 4), ==,
                    -ECONNRESET); /* who are you? */
    end_bed(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/node/socket/connect-accept", test_connect_accept);
    g_test_add_func("/node/socket/refused", test_refused);
    g_test_add_func("/node/socket/errnos", test_errnos);
    g_test_add_func("/node/socket/emfile", test_emfile);
    g_test_add_func("/node/socket/echo", test_echo);
    g_test_add_func("/node/socket/eof", test_eof);
    g_test_add_func("/node/socket/shared", test_shared);
    g_test_add_func("/node/socket/death", test_death);
    g_test_add_func("/node/socket/blocking-write", test_blocking_write);
    g_test_add_func("/node/socket/nonblocking-write", test_nonblocking_write);
    g_test_add_func("/node/socket/timeouts", test_timeouts);
    g_test_add_func("/node/socket/epoll", test_epoll);
    g_test_add_func("/node/socket/linger", test_linger);
    g_test_add_func("/node/socket/pipe-splice-sendfile", test_pipe_splice_sendfile);
    g_test_add_func("/node/socket/error-queue", test_error_queue);
    g_test_add_func("/node/socket/power", test_power);
    return g_test_run();
}

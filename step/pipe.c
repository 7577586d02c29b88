#include "step/pipe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sim/base/base.h"

typedef struct Head {
    uint32_t type, has_fd;
    uint64_t len;
} Head;

bool steppipe_pair(int fd[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0;
}

static bool send_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool send_head(int fd, const Head *head, int fd_to_send)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {(void *)head, sizeof(*head)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    if (fd_to_send >= 0) {
        struct cmsghdr *c;

        memset(&control, 0, sizeof(control));
        msg.msg_control = control.bytes;
        msg.msg_controllen = sizeof(control.bytes);
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd_to_send, sizeof(int));
    }
    do
        n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n > 0 && send_all(fd, (const char *)head + n, sizeof(*head) - (size_t)n);
}

bool steppipe_send(int fd, uint8_t type, const void *a, size_t a_len, const void *b, size_t b_len,
                   int fd_to_send)
{
    const Head head = {type, fd_to_send >= 0, a_len + b_len};

    return send_head(fd, &head, fd_to_send) && send_all(fd, a, a_len) && send_all(fd, b, b_len);
}

static bool receive_all(int fd, char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = recv(fd, p, len, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool receive_head(int fd, Head *head, int *fd_out)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {head, sizeof(*head)};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control)};
    ssize_t n;

    do
        n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            memcpy(fd_out, CMSG_DATA(c), sizeof(int));
    return receive_all(fd, (char *)head + n, sizeof(*head) - (size_t)n);
}

bool steppipe_receive(int fd, StepMsg *out)
{
    Head head;

    *out = (StepMsg){.fd = -1};
    if (!receive_head(fd, &head, &out->fd))
        return false;
    out->type = (uint8_t)head.type;
    out->body = g_string_sized_new(head.len + 1);
    g_string_set_size(out->body, head.len);
    if (receive_all(fd, out->body->str, head.len))
        return true;
    stepmsg_clear(out);
    return false;
}

bool steppipe_has_news(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, ms) > 0;
}

void stepmsg_clear(StepMsg *m)
{
    if (m->body)
        g_string_free(m->body, TRUE);
    if (m->fd >= 0)
        close(m->fd);
    *m = (StepMsg){.fd = -1};
}

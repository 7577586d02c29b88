/* Options and control calls of descriptors (Linux net/socket.c, fs/fcntl.c, fs/ioctl.c). */
#include <sys/ioctl.h>

#include "models/node/socket_priv.h"

#define SETTABLE (O_NONBLOCK | O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME)

bool sockop_fcntl(SockCall *c)
{
    SockFile *f = sockcall_file(c);
    FdEntry *e;
    int fd;

    if (!f)
        return true;
    e = &c->p.fds->tab[c->fd];
    switch (c->cmd) {
    case F_GETFL:
        return sockcall_end(c, f->oflags);
    case F_SETFL:
        f->oflags = (f->oflags & ~SETTABLE) | ((int)c->arg & SETTABLE);
        return sockcall_end(c, 0);
    case F_GETFD:
        return sockcall_end(c, e->cloexec ? FD_CLOEXEC : 0);
    case F_SETFD:
        e->cloexec = c->arg & FD_CLOEXEC;
        return sockcall_end(c, 0);
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        fd = fds_install(c->p.fds, f, c->cmd == F_DUPFD_CLOEXEC);
        if (fd >= 0)
            sockfile_ref(f);
        return sockcall_end(c, fd);
    default:
        return sockcall_end(c, -EINVAL);
    }
}

bool sockop_ioctl(SockCall *c)
{
    SockFile *f = sockcall_file(c);

    if (!f)
        return true;
    if (f->is_gone)
        return sockcall_end(c, -EIO);
    if (c->cmd == FIONBIO) {
        f->oflags = c->arg ? f->oflags | O_NONBLOCK : f->oflags & ~O_NONBLOCK;
        return sockcall_end(c, 0);
    }
    switch ((FileKind)f->kind) {
    case FILE_TCP:
        return sockcall_end(c, tcp_ioctl(f->tcp, c->cmd, &c->int_out));
    case FILE_UDP:
    case FILE_PING:
    case FILE_RAW:
        return sockcall_end(c, dgram_ioctl(f, c->cmd, &c->int_out));
    default:
        return sockcall_end(c, -ENOTTY);
    }
}

bool sockop_setsockopt(SockCall *c)
{
    SockFile *f = sockcall_file(c);

    if (!f)
        return true;
    if ((int)c->val_len < 0)
        return sockcall_end(c, -EINVAL);
    if (!sockcall_socket(c))
        return true;
    if (f->kind == FILE_TCP)
        return sockcall_end(c, tcp_setsockopt(f->tcp, c->level, c->name, c->val, c->val_len));
    return sockcall_end(c, dgram_setsockopt(f, c->level, c->name, c->val, c->val_len));
}

bool sockop_getsockopt(SockCall *c)
{
    SockFile *f = sockcall_socket(c);

    if (!f)
        return true;
    if (f->kind == FILE_TCP)
        return sockcall_end(c, tcp_getsockopt(f->tcp, c->level, c->name, c->val, &c->val_len));
    return sockcall_end(c, dgram_getsockopt(f, c->level, c->name, c->val, &c->val_len));
}

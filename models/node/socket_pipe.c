/* Pipes, files of zeros, and moving bytes between descriptors by reference (Linux fs/pipe.c, fs/splice.c). */
#include "models/node/socket_priv.h"

#define PIPE_PAGE 4096
#define PIPE_BYTES (16 * PIPE_PAGE)
#define PIPE_PIECES 64

struct Pipe {
    SockFile *reader, *writer; /* NULL: closed */
    PktSlice piece[PIPE_PIECES];
    unsigned head, n;
    size_t bytes;
};

/* ---- the pipe's queue ---- */

static size_t pipe_room(const Pipe *p)
{
    return p->n < PIPE_PIECES ? PIPE_BYTES - p->bytes : 0;
}

static void pipe_push(Pipe *p, const PktSlice *s)
{
    hs_assert(p->n < PIPE_PIECES);
    p->piece[(p->head + p->n++) % PIPE_PIECES] = *s;
    if (s->chunk)
        pktchunk_ref(s->chunk);
    p->bytes += s->len;
}

/* Forgets the first n bytes. */
static void pipe_drop(Pipe *p, size_t n)
{
    p->bytes -= n;
    while (n) {
        PktSlice *s = &p->piece[p->head];
        uint32_t k = (uint32_t)HS_MIN(n, (size_t)s->len);

        s->off += k;
        s->len -= k;
        n -= k;
        if (!s->len) {
            pktchunk_unref(s->chunk);
            p->head = (p->head + 1) % PIPE_PIECES;
            p->n--;
        }
    }
}

bool sockop_pipe(SockCall *c)
{
    SockHost *sh = c->p.fds->sh;
    SockFile *f[2];
    Pipe *p;
    int oflags = c->flags & O_NONBLOCK;

    if (c->flags & ~(O_NONBLOCK | O_CLOEXEC))
        return sockcall_end(c, -EINVAL);
    p = g_new0(Pipe, 1);
    for (int i = 0; i < 2; i++) {
        f[i] = sockfile_new(sh, FILE_PIPE, oflags | (i ? O_WRONLY : O_RDONLY));
        f[i]->pipe = p;
        f[i]->is_write_end = i;
    }
    p->reader = f[0];
    p->writer = f[1];
    for (int i = 0; i < 2; i++) {
        c->pipe_out[i] = fds_install(c->p.fds, f[i], c->flags & O_CLOEXEC);
        if (c->pipe_out[i] < 0) {
            if (i)
                fds_remove(c->p.fds, c->pipe_out[0]);
            sockfile_unref(f[0]);
            sockfile_unref(f[1]);
            return sockcall_end(c, -EMFILE);
        }
    }
    return sockcall_end(c, 0);
}

void pipe_close_end(SockFile *f)
{
    Pipe *p = f->pipe;

    if (f->is_write_end)
        p->writer = NULL;
    else
        p->reader = NULL;
    if (p->reader)
        sockfile_wake(p->reader, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
    if (p->writer)
        sockfile_wake(p->writer, EPOLLOUT | EPOLLWRNORM | EPOLLERR);
    if (p->reader || p->writer)
        return;
    pipe_drop(p, p->bytes);
    g_free(p);
}

unsigned pipe_poll(const SockFile *f)
{
    const Pipe *p = f->pipe;

    if (f->is_write_end)
        return (pipe_room(p) ? EPOLLOUT | EPOLLWRNORM : 0) | (p->reader ? 0 : EPOLLERR);
    return (p->bytes ? EPOLLIN | EPOLLRDNORM : 0) | (p->writer ? 0 : EPOLLHUP);
}

static void tell_other(const SockFile *f)
{
    if (f->is_write_end && f->pipe->reader)
        sockfile_wake(f->pipe->reader, EPOLLIN | EPOLLRDNORM);
    if (!f->is_write_end && f->pipe->writer)
        sockfile_wake(f->pipe->writer, EPOLLOUT | EPOLLWRNORM);
}

bool pipe_read(SockCall *c, SockFile *f)
{
    size_t total = sockcall_total(c), n;
    Pipe *p = f->pipe;

    if (f->is_write_end)
        return sockcall_end(c, -EBADF);
    n = HS_MIN(total, p->bytes);
    if (!n && total && p->writer) {
        if (!sockcall_may_sleep(c, f, 0))
            return sockcall_end(c, -EAGAIN);
        return sockcall_sleep_on(c, f, 0);
    }
    if (n && sockcall_is_fault(c))
        return sockcall_end(c, -EFAULT);
    for (size_t at = 0; at < n;) {
        PktSlice s = p->piece[p->head];

        s.len = (uint32_t)HS_MIN((size_t)s.len, n - at);
        if (c->payload == SOCK_BYTES)
            sockcall_store(c, at, &s);
        else if (c->take)
            c->take(c->user, &s);
        at += s.len;
        pipe_drop(p, s.len);
    }
    if (n)
        tell_other(f);
    return sockcall_end(c, (int64_t)n);
}

/* The bytes of c's memory from `from` on, as one piece of at most max. */
static PktSlice gather(const SockCall *c, size_t from, size_t max)
{
    struct iovec one;
    const struct iovec *iov;
    unsigned n = sockcall_iov(c, &one, &iov);
    size_t at = from;

    if (c->payload == SOCK_SYNTHETIC)
        return (PktSlice){NULL, c->synthetic_off + from, (uint32_t)HS_MIN(max, sockcall_total(c) - from)};
    for (unsigned i = 0; i < n; i++) {
        size_t len;

        if (at >= iov[i].iov_len) {
            at -= iov[i].iov_len;
            continue;
        }
        len = HS_MIN(iov[i].iov_len - at, max);
        return (PktSlice){pktchunk_new_copy((char *)iov[i].iov_base + at, len), 0, (uint32_t)len};
    }
    return (PktSlice){0};
}

bool pipe_write(SockCall *c, SockFile *f)
{
    size_t total = sockcall_total(c);
    Pipe *p = f->pipe;

    if (!f->is_write_end)
        return sockcall_end(c, -EBADF);
    if (total && sockcall_is_fault(c))
        return sockcall_end(c, -EFAULT);
    if (!p->reader) {
        c->sigpipe = true;
        return sockcall_end_with(c, -EPIPE);
    }
    while (c->p.progress < total && pipe_room(p)) {
        PktSlice s = gather(c, c->p.progress, pipe_room(p));

        pipe_push(p, &s);
        pktchunk_unref(s.chunk);
        c->p.progress += s.len;
    }
    tell_other(f);
    if (c->p.progress == total)
        return sockcall_end(c, (int64_t)total);
    if (!sockcall_may_sleep(c, f, 0))
        return sockcall_end_with(c, -EAGAIN);
    return sockcall_sleep_on(c, f, 0);
}

/* ---- files of zeros ---- */

bool sockop_open(SockCall *c)
{
    SockHost *sh = c->p.fds->sh;
    int fd = fds_room(c->p.fds);
    SockFile *f;

    if (!c->path)
        return sockcall_end(c, -EFAULT);
    if (fd < 0)
        return sockcall_end(c, fd);
    for (unsigned i = 0;; i++) {
        const DiskFile *d = i < sh->disk->len ? &g_array_index(sh->disk, DiskFile, i) : NULL;

        if (!d && !(c->flags & O_CREAT))
            return sockcall_end(c, -ENOENT);
        if (!d) {
            host_put_file(sh->host, c->path, 0);
            i--;
            continue;
        }
        if (strcmp(d->path, c->path) != 0)
            continue;
        f = sockfile_new(sh, FILE_REGULAR, c->flags);
        f->size = c->flags & O_TRUNC ? 0 : d->size;
        return sockcall_end(c, fds_install(c->p.fds, f, c->flags & O_CLOEXEC));
    }
}

static PktChunk *zeros(SockHost *sh)
{
    if (!sh->zeros) {
        sh->zeros = pktchunk_new(PIPE_BYTES);
        memset(sh->zeros->bytes, 0, PIPE_BYTES);
    }
    return sh->zeros;
}

bool regular_read(SockCall *c, SockFile *f)
{
    size_t n = (size_t)HS_MIN((uint64_t)sockcall_total(c), f->size - HS_MIN(f->pos, f->size)), at = 0;

    if (n && sockcall_is_fault(c))
        return sockcall_end(c, -EFAULT);
    while (at < n) {
        PktSlice s = {zeros(f->sh), 0, (uint32_t)HS_MIN(n - at, (size_t)PIPE_BYTES)};

        if (c->payload == SOCK_BYTES)
            sockcall_store(c, at, &s);
        else if (c->take)
            c->take(c->user, &s);
        at += s.len;
    }
    f->pos += n;
    return sockcall_end(c, (int64_t)n);
}

/* ---- splice ---- */

static void take_to_pipe(void *user, const PktSlice *s)
{
    pipe_push(user, s);
}

/* One round; -EAGAIN: nothing to move at present. */
static int64_t tcp_to_pipe(SockFile *in, Pipe *p, size_t len)
{
    TcpRecv r = {.take = take_to_pipe, .user = p, .len = HS_MIN(len, pipe_room(p))};

    /* Each piece takes a place; a segment may be in two slices. */
    if (p->n + 2 > PIPE_PIECES || !r.len)
        return -EAGAIN;
    r.len = HS_MIN(r.len, (size_t)1448 * ((PIPE_PIECES - p->n) / 2));
    return tcp_recv(in->tcp, &r);
}

static int64_t pipe_to_tcp(Pipe *p, SockFile *out, size_t len, int flags)
{
    PktSlice s[PIPE_PIECES];
    TcpSend m = {.slices = s, .flags = flags};
    int64_t n;

    for (; m.n_slices < p->n && m.len < len; m.n_slices++) {
        s[m.n_slices] = p->piece[(p->head + m.n_slices) % PIPE_PIECES];
        s[m.n_slices].len = (uint32_t)HS_MIN((size_t)s[m.n_slices].len, len - m.len);
        m.len += s[m.n_slices].len;
    }
    n = tcp_send(out->tcp, &m);
    if (n > 0)
        pipe_drop(p, (size_t)n);
    return n;
}

/* Linux wait_for_space */
static bool wait_for_room(SockCall *c, SockFile *pipe)
{
    if (c->flags & SPLICE_F_NONBLOCK || pipe->oflags & O_NONBLOCK || !sockcall_may_sleep(c, pipe, 0))
        return sockcall_end(c, -EAGAIN);
    return sockcall_sleep_on(c, pipe, 0);
}

/* A file of zeros, page by page (Linux filemap_splice_read). */
static bool splice_file(SockCall *c, SockFile *in, SockFile *pipe)
{
    uint64_t pos = c->off_in ? (uint64_t)*c->off_in : in->pos;
    uint64_t left = HS_MIN((uint64_t)c->len, in->size - HS_MIN(pos, in->size)), n = 0;

    if (!left)
        return sockcall_end(c, 0);
    if (!pipe_room(pipe->pipe))
        return wait_for_room(c, pipe);
    while (n < left && pipe_room(pipe->pipe)) {
        uint64_t page = PIPE_PAGE - (pos + n) % PIPE_PAGE;
        PktSlice s = {zeros(in->sh), 0,
                      (uint32_t)HS_MIN(page, HS_MIN(left - n, (uint64_t)pipe_room(pipe->pipe)))};

        pipe_push(pipe->pipe, &s);
        n += s.len;
    }
    if (c->off_in)
        *c->off_in += (int64_t)n;
    else
        in->pos += n;
    tell_other(pipe);
    return sockcall_end(c, (int64_t)n);
}

static bool splice_in(SockCall *c, SockFile *in, SockFile *pipe)
{
    bool may_sleep = sockcall_may_sleep(c, in, 0); /* SPLICE_F_NONBLOCK is the pipe's (tcp_splice_read) */
    int64_t n;

    if (!pipe_room(pipe->pipe))
        return wait_for_room(c, pipe);
    n = tcp_to_pipe(in, pipe->pipe, c->len);
    if (n == -EAGAIN && may_sleep && !c->p.timed_out)
        return sockcall_sleep_on(c, in, tcp_timeout_ns(in->tcp, false));
    if (n > 0)
        tell_other(pipe);
    return sockcall_end(c, n);
}

static bool splice_out(SockCall *c, SockFile *pipe, SockFile *out)
{
    bool may_sleep = !(c->flags & SPLICE_F_NONBLOCK) && sockcall_may_sleep(c, pipe, 0);
    Pipe *p = pipe->pipe;
    int64_t n;

    if (!p->bytes) {
        if (c->p.progress || !p->writer)
            return sockcall_end(c, (int64_t)c->p.progress);
        return may_sleep ? sockcall_sleep_on(c, pipe, 0) : sockcall_end(c, -EAGAIN);
    }
    n = pipe_to_tcp(p, out, c->len - c->p.progress, c->flags & SPLICE_F_MORE ? MSG_MORE : 0);
    if (n > 0) {
        c->p.progress += (size_t)n;
        tell_other(pipe);
    }
    if (c->p.progress == c->len || (n > 0 && !p->bytes) || (n < 0 && n != -EAGAIN))
        return sockcall_end_with(c, n);
    if (!may_sleep || out->oflags & O_NONBLOCK || c->p.timed_out)
        return sockcall_end_with(c, -EAGAIN);
    return sockcall_sleep_on(c, out, tcp_timeout_ns(out->tcp, true));
}

static SockFile *second_file(SockCall *c)
{
    if (!c->p.file2) {
        c->p.file2 = fds_get(c->p.fds, c->fd2);
        if (c->p.file2)
            sockfile_ref(c->p.file2);
    }
    return c->p.file2;
}

bool sockop_splice(SockCall *c)
{
    SockFile *in = sockcall_file(c), *out = second_file(c);

    if (c->len == 0)
        return sockcall_end(c, 0);
    if (c->flags & ~(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT))
        return sockcall_end(c, -EINVAL);
    if (!in || !out)
        return sockcall_end(c, -EBADF);
    if ((in->kind != FILE_PIPE && in->kind != FILE_TCP && in->kind != FILE_REGULAR) ||
        (out->kind != FILE_PIPE && out->kind != FILE_TCP) ||
        (in->kind == FILE_PIPE) == (out->kind == FILE_PIPE))
        return sockcall_end(c, -EINVAL);
    if ((c->off_in && in->kind != FILE_REGULAR) || c->off_out)
        return sockcall_end(c, -ESPIPE);
    if (in->is_gone || out->is_gone)
        return sockcall_end(c, -EIO);
    if ((in->kind == FILE_PIPE && in->is_write_end) || (out->kind == FILE_PIPE && !out->is_write_end))
        return sockcall_end(c, -EBADF);
    if (in->kind == FILE_REGULAR)
        return splice_file(c, in, out);
    return in->kind == FILE_TCP ? splice_in(c, in, out) : splice_out(c, in, out);
}

/* sendfile(out, in, offset, count): in rounds of a pipe's size; all but the last say that more follows. */
bool sockop_sendfile(SockCall *c)
{
    SockFile *out = sockcall_file(c), *in = second_file(c);
    bool may_sleep;

    if (in && c->off_in && in->kind != FILE_REGULAR)
        return sockcall_end(c, -ESPIPE);
    if (!in || !out || out->kind == FILE_REGULAR) /* files are opened for reading only */
        return sockcall_end(c, -EBADF);
    if (in->kind != FILE_REGULAR || out->kind != FILE_TCP)
        return sockcall_end(c, -EINVAL);
    if (out->is_gone)
        return sockcall_end(c, -EIO);
    may_sleep = sockcall_may_sleep(c, out, 0);
    for (;;) {
        uint64_t pos = c->off_in ? (uint64_t)*c->off_in : in->pos;
        uint64_t left = pos < in->size ? in->size - pos : 0;
        size_t round = (size_t)HS_MIN(HS_MIN(left, (uint64_t)(c->len - c->p.progress)), (uint64_t)PIPE_BYTES);
        PktSlice s = {zeros(in->sh), 0, (uint32_t)round};
        TcpSend m = {.slices = &s, .n_slices = 1, .len = round};
        int64_t n;

        if (!round)
            return sockcall_end(c, (int64_t)c->p.progress);
        if (c->p.progress + round < c->len && round < left)
            m.flags = MSG_MORE;
        n = tcp_send(out->tcp, &m);
        if (n > 0) {
            c->p.progress += (size_t)n;
            if (c->off_in)
                *c->off_in += n;
            else
                in->pos += (uint64_t)n;
        }
        if ((size_t)n == round && n > 0)
            continue;
        if (n < 0 && n != -EAGAIN) {
            c->sigpipe = m.sigpipe;
            return sockcall_end_with(c, n);
        }
        if (!may_sleep || c->p.timed_out)
            return sockcall_end_with(c, -EAGAIN);
        return sockcall_sleep_on(c, out, tcp_timeout_ns(out->tcp, true));
    }
}

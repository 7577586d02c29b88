/* Tables of descriptors, open files, and who is told when one has something to tell. */
#include "models/node/socket.h"

#include "models/node/socket_priv.h"

/* ---- per host ---- */

static void on_kick(Timer *t)
{
    SockHost *sh = HS_CONTAINER_OF(t, SockHost, kick);

    sockhost_flush(sh);
    sockhost_run(sh);
}

/* The power has failed: sockets lose what is behind them, calls that sleep will never end. */
static void on_power(void *user, bool on)
{
    SockHost *sh = user;

    if (on)
        return;
    timer_cancel(&sh->kick);
    sh->ready_first = sh->ready_last = NULL;
    for (SockFile *f = sh->files; f; f = f->all_next) {
        f->is_ready = false;
        f->is_gone = true;
        if (f->kind == FILE_TCP)
            f->tcp = NULL;
        else if (sockfile_is_dgram(f))
            dgram_free(f);
    }
}

SockHost *sockhost_of(Host *h)
{
    HostExtra *extra = host_extra(h);

    if (!extra->sock) {
        SockHost *sh = g_new0(SockHost, 1);

        sh->host = h;
        timer_init(&sh->kick, &h->node, on_kick);
        sh->disk = g_array_new(FALSE, FALSE, sizeof(DiskFile));
        extra->sock = sh;
        host_on_power(h, on_power, sh);
    }
    return extra->sock;
}

void sockhost_free(SockHost *sh)
{
    if (!sh)
        return;
    timer_clear(&sh->kick);
    for (SockFile *f = sh->files; f; f = f->all_next) /* of processes that outlive the host */
        f->sh = NULL;
    for (unsigned i = 0; i < sh->disk->len; i++)
        g_free(g_array_index(sh->disk, DiskFile, i).path);
    g_array_free(sh->disk, TRUE);
    pktchunk_unref(sh->zeros);
    g_free(sh);
}

void sockhost_flush(SockHost *sh)
{
    SockFile *f;

    while ((f = sh->ready_first)) {
        unsigned events = f->ready_events;

        sh->ready_first = f->ready_next;
        if (!sh->ready_first)
            sh->ready_last = NULL;
        f->is_ready = false;
        f->ready_events = 0;
        /* A waiter only notes that it was woken, and may make further files ready (an epoll's). */
        for (SockWaiter *w = f->first; w; w = w->next)
            w->wake(w, events);
    }
}

void host_put_file(Host *h, const char *path, uint64_t size)
{
    SockHost *sh = sockhost_of(h);
    DiskFile d = {NULL, size};

    for (unsigned i = 0; i < sh->disk->len; i++) {
        DiskFile *have = &g_array_index(sh->disk, DiskFile, i);

        if (strcmp(have->path, path) == 0) {
            have->size = size;
            return;
        }
    }
    d.path = g_strdup(path);
    g_array_append_val(sh->disk, d);
}

void host_remove_file(Host *h, const char *path)
{
    SockHost *sh = sockhost_of(h);

    for (unsigned i = 0; i < sh->disk->len; i++) {
        DiskFile *have = &g_array_index(sh->disk, DiskFile, i);

        if (strcmp(have->path, path) == 0) {
            g_free(have->path);
            g_array_remove_index(sh->disk, i);
            return;
        }
    }
}

/* ---- open files ---- */

SockFile *sockfile_new(SockHost *sh, FileKind kind, int oflags)
{
    SockFile *f = g_new0(SockFile, 1);

    f->sh = sh;
    f->kind = kind;
    f->oflags = oflags;
    f->refs = 1;
    f->all_next = sh->files;
    if (sh->files)
        sh->files->all_prev = f;
    sh->files = f;
    return f;
}

void sockfile_ref(SockFile *f)
{
    f->refs++;
}

static void forget_ready(SockFile *f)
{
    SockHost *sh = f->sh;
    SockFile **at = &sh->ready_first, *before = NULL;

    if (!f->is_ready)
        return;
    for (; *at != f; at = &(*at)->ready_next)
        before = *at;
    *at = f->ready_next;
    if (sh->ready_last == f)
        sh->ready_last = before;
}

static void file_close(SockFile *f)
{
    while (f->first) /* sleeping calls hold references: those left are epolls' */
        epoll_item_gone(f->first);
    switch ((FileKind)f->kind) {
    case FILE_TCP:
        if (f->tcp)
            tcp_close(f->tcp);
        break;
    case FILE_UDP:
    case FILE_PING:
    case FILE_RAW:
        dgram_free(f);
        break;
    case FILE_EPOLL:
        epoll_free(f);
        break;
    case FILE_PIPE:
        pipe_close_end(f);
        break;
    case FILE_REGULAR:
        break;
    }
}

void sockfile_unref(SockFile *f)
{
    if (!f || --f->refs)
        return;
    if (f->sh && f->kind == FILE_TCP && !host_is_on(f->sh->host))
        f->tcp = NULL; /* nobody is told: there is no power */
    if (!f->sh && (f->kind == FILE_TCP || sockfile_is_dgram(f)))
        f->tcp = NULL;
    f->refs = 1;
    file_close(f);
    if (f->sh) {
        forget_ready(f);
        if (f->all_prev)
            f->all_prev->all_next = f->all_next;
        else
            f->sh->files = f->all_next;
        if (f->all_next)
            f->all_next->all_prev = f->all_prev;
    }
    g_free(f);
}

void sockfile_wake(SockFile *f, unsigned events)
{
    SockHost *sh = f->sh;

    if (!f->first || !sh)
        return;
    f->ready_events |= events;
    if (f->is_ready)
        return;
    f->is_ready = true;
    f->ready_next = NULL;
    if (sh->ready_last)
        sh->ready_last->ready_next = f;
    else
        sh->ready_first = f;
    sh->ready_last = f;
    if (!timer_is_armed(&sh->kick))
        timer_arm_after(&sh->kick, 0);
}

unsigned sockfile_poll(SockFile *f)
{
    if (f->is_gone)
        return EPOLLERR | EPOLLHUP;
    switch ((FileKind)f->kind) {
    case FILE_TCP:
        return tcp_poll(f->tcp);
    case FILE_UDP:
    case FILE_PING:
    case FILE_RAW:
        return dgram_poll(f);
    case FILE_EPOLL:
        return epoll_poll(f);
    case FILE_PIPE:
        return pipe_poll(f);
    case FILE_REGULAR:
        break;
    }
    return EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
}

void sockfile_add_waiter(SockFile *f, SockWaiter *w)
{
    w->file = f;
    w->next = NULL;
    w->prev = f->last;
    if (f->last)
        f->last->next = w;
    else
        f->first = w;
    f->last = w;
}

void sockwaiter_remove(SockWaiter *w)
{
    SockFile *f = w->file;

    if (!f)
        return;
    if (w->prev)
        w->prev->next = w->next;
    else
        f->first = w->next;
    if (w->next)
        w->next->prev = w->prev;
    else
        f->last = w->prev;
    w->file = NULL;
}

/* ---- tables ---- */

Fds *fds_new(Host *h)
{
    Fds *fds = g_new0(Fds, 1);

    fds->host = h;
    fds->sh = sockhost_of(h);
    fds->limit = 1024;
    fds->id = ++fds->sh->n_tables;
    return fds;
}

Host *fds_host(const Fds *fds)
{
    return fds->host;
}

void fds_set_limit(Fds *fds, unsigned n)
{
    fds->limit = n;
}

uint64_t fds_id(const Fds *fds)
{
    return fds->id;
}

bool fds_descends_from(const Fds *fds, uint64_t id)
{
    for (guint i = 0; fds->ancestors && i < fds->ancestors->len; i++)
        if (g_array_index(fds->ancestors, uint64_t, i) == id)
            return true;
    return false;
}

unsigned fds_count(const Fds *fds)
{
    return fds->open;
}

static FdEntry *entry(Fds *fds, unsigned fd)
{
    if (fd >= fds->cap) {
        unsigned cap = HS_MAX(fds->cap * 2, HS_MAX(fd + 1, 8u));

        fds->tab = g_renew(FdEntry, fds->tab, cap);
        memset(fds->tab + fds->cap, 0, (cap - fds->cap) * sizeof(FdEntry));
        fds->cap = cap;
    }
    return &fds->tab[fd];
}

void fds_reserve(Fds *fds, int n)
{
    for (int i = 0; i < n; i++)
        entry(fds, (unsigned)i)->is_reserved = true;
}

int fds_room(const Fds *fds)
{
    unsigned fd = 0;

    while (fd < fds->cap && (fds->tab[fd].file || fds->tab[fd].is_reserved))
        fd++;
    return fd < fds->limit ? (int)fd : -EMFILE;
}

int fds_install(Fds *fds, SockFile *f, bool cloexec)
{
    int fd = fds_room(fds);
    FdEntry *e;

    if (fd < 0)
        return fd;
    e = entry(fds, (unsigned)fd);
    e->file = f;
    e->cloexec = cloexec;
    fds->open++;
    return fd;
}

SockFile *fds_get(const Fds *fds, int fd)
{
    return fd >= 0 && (unsigned)fd < fds->cap ? fds->tab[fd].file : NULL;
}

SockFile *fds_remove(Fds *fds, int fd)
{
    SockFile *f = fds_get(fds, fd);

    if (f) {
        fds->tab[fd] = (FdEntry){0};
        fds->open--;
    }
    return f;
}

TcpConn *fds_tcp(const Fds *fds, int fd)
{
    SockFile *f = fds_get(fds, fd);

    return f && f->kind == FILE_TCP ? f->tcp : NULL;
}

void fds_dup_into(const Fds *fds, Fds *child)
{
    hs_assert(fds->host == child->host && !child->open);
    for (unsigned i = 0; i < fds->cap; i++) {
        FdEntry *e = entry(child, i);

        *e = fds->tab[i];
        if (e->file) {
            sockfile_ref(e->file);
            child->open++;
        }
    }
    child->limit = fds->limit;
    child->ancestors = g_array_new(false, false, sizeof(uint64_t));
    if (fds->ancestors)
        g_array_append_vals(child->ancestors, fds->ancestors->data, fds->ancestors->len);
    g_array_append_val(child->ancestors, fds->id);
}

void fds_free(Fds *fds)
{
    if (!fds)
        return;
    while (fds->calls)
        sockcall_forget(fds->calls);
    for (unsigned fd = 0; fd < fds->cap; fd++)
        sockfile_unref(fds_remove(fds, (int)fd));
    if (fds->ancestors)
        g_array_free(fds->ancestors, true);
    g_free(fds->tab);
    g_free(fds);
}

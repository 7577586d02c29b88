/* poll and epoll (Linux do_sys_poll, fs/eventpoll.c): level-triggered, edge-triggered, one-shot. */
#include "models/node/socket_priv.h"

#define ALWAYS (EPOLLERR | EPOLLHUP)
#define FLAGS (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)

/* ---- poll ---- */

static unsigned collect(SockCall *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->n_pollfds; i++) {
        struct pollfd *p = &c->pollfds[i];
        SockFile *f;

        p->revents = 0;
        if (p->fd < 0)
            continue;
        f = fds_get(c->p.fds, p->fd);
        if (!f)
            p->revents = POLLNVAL;
        else
            p->revents = (short)(sockfile_poll(f) & ((unsigned)(unsigned short)p->events | ALWAYS));
        n += p->revents != 0;
    }
    return n;
}

bool sockop_poll(SockCall *c)
{
    unsigned n;

    if (c->n_pollfds > c->p.fds->limit)
        return sockcall_end(c, -EINVAL);
    if (c->n_pollfds && !c->pollfds)
        return sockcall_end(c, -EFAULT);
    n = collect(c);
    if (n || c->timeout_ns == 0 || c->p.timed_out || c->p.no_wait)
        return sockcall_end(c, n);
    c->p.many = g_new0(SockWaiter, c->n_pollfds + 1);
    for (unsigned i = 0; i < c->n_pollfds; i++) {
        SockFile *f = fds_get(c->p.fds, c->pollfds[i].fd);

        if (!f)
            continue;
        sockfile_ref(f);
        sockcall_watch(c, f, &c->p.many[i]);
    }
    if (c->timeout_ns > 0)
        sockcall_set_timeout(c, c->timeout_ns);
    return false;
}

/* ---- epoll ---- */

typedef struct Item {
    struct Item *next;       /* all, in order of epoll_ctl */
    struct Item *ready_next; /* those that may have something */
    Epoll *ep;
    SockWaiter w;
    int fd;
    uint32_t events;
    epoll_data_t data;
    bool is_ready;
} Item;

struct Epoll {
    SockFile *file;
    Item *items, *ready_first, *ready_last;
};

static void make_ready(Item *it)
{
    Epoll *ep = it->ep;

    if (it->is_ready)
        return;
    it->is_ready = true;
    it->ready_next = NULL;
    if (ep->ready_last)
        ep->ready_last->ready_next = it;
    else
        ep->ready_first = it;
    ep->ready_last = it;
}

static void unready(Item *it)
{
    Epoll *ep = it->ep;
    Item **at = &ep->ready_first, *before = NULL;

    if (!it->is_ready)
        return;
    for (; *at != it; at = &(*at)->ready_next)
        before = *at;
    *at = it->ready_next;
    if (ep->ready_last == it)
        ep->ready_last = before;
    it->is_ready = false;
}

static unsigned wanted(const Item *it)
{
    return it->events & ~(uint32_t)FLAGS; /* 0: a spent one-shot */
}

/* ep_poll_callback: the wake-up says what happened; what nobody asked for wakes nobody. */
static void on_item_wake(SockWaiter *w, unsigned events)
{
    Item *it = w->owner;

    if (!(events & wanted(it)))
        return;
    make_ready(it);
    sockfile_wake(it->ep->file, EPOLLIN | EPOLLRDNORM);
}

static void remove_item(Item *it)
{
    Item **at = &it->ep->items;

    unready(it);
    sockwaiter_remove(&it->w);
    while (*at != it)
        at = &(*at)->next;
    *at = it->next;
    g_free(it);
}

void epoll_item_gone(SockWaiter *w)
{
    hs_assert(w->wake == on_item_wake);
    remove_item(w->owner);
}

void epoll_free(SockFile *f)
{
    while (f->epoll->items)
        remove_item(f->epoll->items);
    g_free(f->epoll);
}

unsigned epoll_poll(SockFile *f)
{
    for (Item *it = f->epoll->ready_first; it; it = it->ready_next)
        if (sockfile_poll(it->w.file) & wanted(it))
            return EPOLLIN | EPOLLRDNORM;
    return 0;
}

bool sockop_epoll_create(SockCall *c)
{
    SockFile *f;
    int fd;

    if (c->flags & ~EPOLL_CLOEXEC || (!c->flags && (int64_t)c->len <= 0))
        return sockcall_end(c, -EINVAL);
    fd = fds_room(c->p.fds);
    if (fd < 0)
        return sockcall_end(c, fd);
    f = sockfile_new(c->p.fds->sh, FILE_EPOLL, O_RDWR);
    f->epoll = g_new0(Epoll, 1);
    f->epoll->file = f;
    return sockcall_end(c, fds_install(c->p.fds, f, c->flags & EPOLL_CLOEXEC));
}

static Item *find_item(const Epoll *ep, int fd, const SockFile *f)
{
    for (Item *it = ep->items; it; it = it->next)
        if (it->fd == fd && it->w.file == f)
            return it;
    return NULL;
}

static void set_item(Item *it, const struct epoll_event *ev)
{
    it->events = ev->events | ALWAYS;
    it->data = ev->data;
    if (sockfile_poll(it->w.file) & wanted(it)) {
        make_ready(it);
        sockfile_wake(it->ep->file, EPOLLIN | EPOLLRDNORM);
    }
}

static int add_item(Epoll *ep, int fd, SockFile *f, const struct epoll_event *ev)
{
    Item *it = g_new0(Item, 1), **at = &ep->items;

    it->ep = ep;
    it->fd = fd;
    it->w.wake = on_item_wake;
    it->w.owner = it;
    while (*at)
        at = &(*at)->next;
    *at = it;
    sockfile_add_waiter(f, &it->w);
    set_item(it, ev);
    return 0;
}

static int control(SockCall *c, SockFile *f, SockFile *target)
{
    Item *it = find_item(f->epoll, c->fd2, target);

    switch (c->cmd) {
    case EPOLL_CTL_ADD:
        return it ? -EEXIST : add_item(f->epoll, c->fd2, target, c->events);
    case EPOLL_CTL_DEL:
        if (!it)
            return -ENOENT;
        remove_item(it);
        return 0;
    case EPOLL_CTL_MOD:
        if (!it)
            return -ENOENT;
        if (it->events & EPOLLEXCLUSIVE)
            return -EINVAL;
        set_item(it, c->events);
        return 0;
    default:
        return -EINVAL;
    }
}

bool sockop_epoll_ctl(SockCall *c)
{
    SockFile *f, *target;

    if (c->cmd != EPOLL_CTL_DEL && !c->events)
        return sockcall_end(c, -EFAULT);
    f = sockcall_file(c);
    target = fds_get(c->p.fds, c->fd2);
    if (!f || !target)
        return sockcall_end(c, -EBADF);
    if (target->kind == FILE_REGULAR)
        return sockcall_end(c, -EPERM);
    if (f == target || f->kind != FILE_EPOLL)
        return sockcall_end(c, -EINVAL);
    return sockcall_end(c, control(c, f, target));
}

/* ep_send_events: each ready item is asked again, what has nothing (any more) drops out. Level-triggered ones
 * go to the end of the line. */
static int harvest(SockCall *c, Epoll *ep)
{
    Item *it = ep->ready_first;
    int n = 0;

    ep->ready_first = ep->ready_last = NULL;
    while (it) {
        Item *next = it->ready_next;
        unsigned got;

        it->is_ready = false;
        if (n == c->max_events) { /* no room: they keep their turn */
            make_ready(it);
            it = next;
            continue;
        }
        got = sockfile_poll(it->w.file) & wanted(it);
        if (got) {
            c->events[n++] = (struct epoll_event){.events = got, .data = it->data};
            if (it->events & EPOLLONESHOT)
                it->events &= FLAGS;
            else if (!(it->events & EPOLLET))
                make_ready(it);
        }
        it = next;
    }
    return n;
}

bool sockop_epoll_wait(SockCall *c)
{
    SockFile *f = sockcall_file(c);
    int n;

    if (c->max_events <= 0)
        return sockcall_end(c, -EINVAL);
    if (!c->events)
        return sockcall_end(c, -EFAULT);
    if (!f)
        return true;
    if (f->kind != FILE_EPOLL)
        return sockcall_end(c, -EINVAL);
    sockhost_flush(f->sh);
    n = harvest(c, f->epoll);
    if (n || c->timeout_ns == 0 || c->p.timed_out || c->p.no_wait)
        return sockcall_end(c, n);
    return sockcall_sleep_on(c, f, c->timeout_ns > 0 ? c->timeout_ns : 0);
}

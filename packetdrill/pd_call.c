/* Script text to a call: which arguments each takes and what they mean (section 9 of the language). */
#include <stdarg.h>
#include <string.h>

#include "packetdrill/pd_expr.h"
#include "packetdrill/pd_run_priv.h"
#include "packetdrill/pd_symbols.h"
#include "sim/base/suggest.h"

#define AF_INET_ 2
#define AF_INET6_ 10
#define EPOLL_CTL_DEL_ 2
#define CMSG_ROOM 4096
#define SIGSET_SIZE 8
#define MAX_COUNT (INT64_C(1) << 40)

typedef struct Prepare {
    PdRun *r;
    const PdSyscall *s;
    PdCall *call;
    char **why;
} Prepare;

static bool fail(Prepare *p, unsigned i, const char *expected)
{
    return pd_expr_fail(p->why, p->s->arg[i], "argument %u of %s: expected %s, found %s", i + 1, p->s->name,
                        expected, pd_expr_kind(p->s->arg[i]));
}

static bool take_i64(Prepare *p, unsigned i, int64_t *out)
{
    return pd_expr_int(p->s->arg[i], out, p->why);
}

static bool take_int(Prepare *p, unsigned i, int *out)
{
    int64_t v;

    if (!take_i64(p, i, &v))
        return false;
    *out = (int)v;
    return true;
}

static bool take_fd(Prepare *p, unsigned i, int *out)
{
    int v;

    if (!take_int(p, i, &v))
        return false;
    *out = pd_run_live_fd(p->r, v);
    return true;
}

/* One buffer: ... or NULL, and its length. */
static bool take_buffer(Prepare *p, unsigned i)
{
    int64_t base = 0, len;
    const PdExpr *e = p->s->arg[i];

    bool is_bytes = pd_expr_is_ellipsis(e) || e->kind == PD_EXPR_STRING; /* what is written is zeros */

    if (!is_bytes && (!pd_expr_int(e, &base, p->why) || base != 0))
        return fail(p, i, "... or NULL");
    if (!take_i64(p, i + 1, &len))
        return false;
    p->call->iov = g_new0(PdIovec, 1);
    p->call->n_iov = 1;
    p->call->iov[0].is_null = !is_bytes;
    p->call->iov[0].len = (uint64_t)len;
    return len <= MAX_COUNT || fail(p, i + 1, "a smaller count");
}

/* What the test's IP version and the socket's family make of an address on the wire. */
static PdSockAddr make_addr(const PdRun *r, int domain, const PdAddr *a, uint16_t port)
{
    PdSockAddr s = {.family = AF_INET_, .port = port};

    if (a->is_v6) {
        s.family = AF_INET6_;
        memcpy(s.b, a->b, 16);
    } else if (domain == AF_INET6_ || (domain == 0 && r->host.ip_version == PD_IPV4_MAPPED)) {
        s.family = AF_INET6_;
        s.b[10] = s.b[11] = 0xff;
        memcpy(s.b + 12, a->b, 4);
    } else {
        memcpy(s.b, a->b, 4);
    }
    return s;
}

/* The length of an address, or ... for the family's. */
static bool take_addr_len(Prepare *p, unsigned i)
{
    p->call->has_addr_len = !pd_expr_is_ellipsis(p->s->arg[i]);
    return !p->call->has_addr_len || take_int(p, i, &p->call->addr_len);
}

/* An address argument and its length: both ..., or a struct, or AF_UNSPEC. */
static bool take_addr(Prepare *p, unsigned i, int script_fd, bool is_local)
{
    const PdConn *c = pd_conn_by_fd(p->r, script_fd);
    const PdHostConfig *h = &p->r->host;

    if (!take_addr_len(p, i + 1))
        return false;
    p->call->has_addr = !pd_expr_is_null(p->s->arg[i]);
    if (!p->call->has_addr)
        return true;
    if (!pd_expr_is_ellipsis(p->s->arg[i]))
        return pd_expr_sockaddr(p->s->arg[i], &p->call->addr, p->why);
    p->call->addr = is_local ? make_addr(p->r, c ? c->domain : 0, &h->local, h->bind_port)
                             : make_addr(p->r, c ? c->domain : 0, &h->remote, h->connect_port);
    return true;
}

/* ---- one function a call ---- */

static bool prepare_socket(Prepare *p)
{
    PdCall *c = p->call;

    if (pd_expr_is_ellipsis(p->s->arg[0]))
        c->domain = p->r->host.ip_version == PD_IPV4 ? AF_INET_ : AF_INET6_;
    else if (!take_int(p, 0, &c->domain))
        return false;
    return take_int(p, 1, &c->type) && take_int(p, 2, &c->protocol);
}

static bool prepare_addr(Prepare *p)
{
    int fd;

    return take_int(p, 0, &fd) && take_fd(p, 0, &p->call->fd) &&
           take_addr(p, 1, fd, p->call->kind == PD_CALL_BIND);
}

static bool prepare_listen(Prepare *p)
{
    return take_fd(p, 0, &p->call->fd) && take_i64(p, 1, &p->call->arg);
}

static bool prepare_accept(Prepare *p)
{
    return take_fd(p, 0, &p->call->fd) && pd_call_take_name(p->s, 1, p->call, p->why) &&
           (p->s->n_args < 4 || take_int(p, 3, &p->call->flags));
}

static bool prepare_buffer(Prepare *p)
{
    return take_fd(p, 0, &p->call->fd) && take_buffer(p, 1) &&
           (p->s->n_args < 4 || take_int(p, 3, &p->call->flags));
}

static bool prepare_sendto(Prepare *p)
{
    int fd;

    if (!prepare_buffer(p) || !take_int(p, 0, &fd))
        return false;
    if (p->call->kind == PD_CALL_RECVFROM)
        return pd_call_take_name(p->s, 4, p->call, p->why);
    return take_addr(p, 4, fd, false);
}

static bool prepare_iov(Prepare *p)
{
    int64_t n;

    if (!take_fd(p, 0, &p->call->fd) || !pd_expr_iov(p->s->arg[1], &p->call->iov, &p->call->n_iov, p->why) ||
        !take_i64(p, 2, &n))
        return false;
    return n == p->call->n_iov || fail(p, 2, "the number of buffers in the list");
}

static const char *const cmsg_members[] = {"cmsg_len", "cmsg_level", "cmsg_type", "cmsg_data", NULL};

static bool take_control(Prepare *p, const PdExpr *list)
{
    if (list->kind != PD_EXPR_LIST)
        return pd_expr_fail(p->why, list, "expected a list of control messages, found %s",
                            pd_expr_kind(list));
    p->call->control = g_new0(PdCmsg, list->n_children + 1);
    for (unsigned i = 0; i < list->n_children; i++) {
        const PdExpr *level = pd_expr_member(list->child[i], "cmsg_level"), *e = list->child[i];
        const PdExpr *type = pd_expr_member(e, "cmsg_type"), *data = pd_expr_member(e, "cmsg_data");
        GByteArray *bytes;
        PdCmsgKind kind;
        int64_t l, t;
        bool ok;

        if (!level || !type || !data)
            return pd_expr_fail(p->why, e, "a control message needs cmsg_level=, cmsg_type= and cmsg_data=");
        if (!pd_expr_only_members(e, "a control message", cmsg_members, p->why) ||
            !pd_expr_int(level, &l, p->why) || !pd_expr_int(type, &t, p->why))
            return false;
        bytes = g_byte_array_new();
        ok = pd_expr_cmsg_data(data, bytes, &kind, p->why);
        p->call->control[i].level = (int)l;
        p->call->control[i].type = (int)t;
        p->call->control[i].len = bytes->len;
        p->call->control[i].data = g_byte_array_free(bytes, FALSE);
        p->call->n_control = i + 1;
        if (!ok)
            return false;
    }
    return true;
}

/* msg_iov(n): n is the number of buffers in the list, or an ellipsis. */
static bool check_iov_count(Prepare *p, const PdExpr *msg)
{
    for (unsigned i = 0; i < msg->n_children; i++) {
        const PdExpr *pair = msg->child[i], *count;
        int64_t n;

        if (strcmp(pair->text, "msg_iov") != 0 || !pair->name_braces)
            continue;
        count = pair->child[1]->n_children == 1 ? pair->child[1]->child[0] : NULL;
        if (count && pd_expr_is_ellipsis(count))
            continue;
        if (!count)
            return pd_expr_fail(p->why, pair, "expected msg_iov(n)=, n the number of buffers");
        if (!pd_expr_int(count, &n, p->why))
            return false;
        if (n != p->call->n_iov)
            return pd_expr_fail(p->why, pair, "msg_iov(%d) has %u buffers", (int)n, p->call->n_iov);
    }
    return true;
}

static bool prepare_msg(Prepare *p)
{
    static const char *const members[] = {"msg_name",  "msg_namelen", "msg_iov",        "msg_iovlen",
                                          "msg_flags", "msg_control", "msg_controllen", NULL};
    const PdExpr *m = p->s->arg[1], *name, *iov, *flags, *control;
    PdSockAddr unused;
    int64_t v = 0;
    int fd;

    if (m->kind != PD_EXPR_LIST)
        return fail(p, 1, "a message {msg_name(...)=..., msg_iov(n)=[...], msg_flags=0}");
    if (!pd_expr_only_members(m, "a message", members, p->why))
        return false;
    name = pd_expr_member(m, "msg_name");
    iov = pd_expr_member(m, "msg_iov");
    flags = pd_expr_member(m, "msg_flags");
    control = pd_expr_member(m, "msg_control");
    if (!take_fd(p, 0, &p->call->fd) || !take_int(p, 0, &fd) || !take_int(p, 2, &p->call->flags))
        return false;
    if (!iov)
        return pd_expr_fail(p->why, m, "a message needs msg_iov(n)=");
    if (!pd_expr_iov(iov, &p->call->iov, &p->call->n_iov, p->why) || !check_iov_count(p, m))
        return false;
    if (flags && !pd_expr_is_ellipsis(flags) && !pd_expr_int(flags, &v, p->why))
        return false;
    p->call->control_len = CMSG_ROOM;
    if (p->call->kind == PD_CALL_RECVMSG) {
        p->call->name_out.is_wanted = name && name->kind == PD_EXPR_LIST;
        return !p->call->name_out.is_wanted || pd_expr_sockaddr_expected(name, &unused, p->why);
    }
    if (v != 0)
        return pd_expr_fail(p->why, flags, "msg_flags of sendmsg must be 0");
    if (control && !pd_expr_is_null(control) && !pd_expr_is_ellipsis(control) && !take_control(p, control))
        return false;
    if (!name || pd_expr_is_null(name))
        return true;
    p->call->has_addr = true;
    if (!pd_expr_is_ellipsis(name))
        return pd_expr_sockaddr(name, &p->call->addr, p->why);
    p->call->addr = make_addr(p->r, pd_conn_by_fd(p->r, fd) ? pd_conn_by_fd(p->r, fd)->domain : 0,
                              &p->r->host.remote, p->r->host.connect_port);
    return true;
}

static bool prepare_fcntl(Prepare *p)
{
    return take_fd(p, 0, &p->call->fd) && take_i64(p, 1, &p->call->arg) &&
           (p->s->n_args < 3 || take_i64(p, 2, &p->call->arg2));
}

static bool prepare_ioctl(Prepare *p)
{
    const PdExpr *value = p->s->n_args > 2 ? p->s->arg[2] : NULL;

    return take_fd(p, 0, &p->call->fd) && take_i64(p, 1, &p->call->arg) &&
           (!value || pd_expr_is_ellipsis(value) || pd_expr_int_in_list(value, &p->call->arg2, p->why));
}

static bool prepare_fd(Prepare *p)
{
    return take_fd(p, 0, &p->call->fd) && (p->s->n_args < 2 || take_i64(p, 1, &p->call->arg));
}

static bool take_option(Prepare *p)
{
    return take_fd(p, 0, &p->call->fd) && take_int(p, 1, &p->call->level) &&
           take_int(p, 2, &p->call->optname);
}

static bool prepare_setsockopt(Prepare *p)
{
    PdCall *c = p->call;
    const PdExpr *value = p->s->arg[3];
    GByteArray *bytes;
    int64_t null = 0;
    bool ok;

    if (!take_option(p) || !take_i64(p, 4, &c->arg))
        return false;
    if (pd_expr_is_word(value, "NULL") || (value->kind == PD_EXPR_INT && value->value == null))
        return true;
    bytes = g_byte_array_new();
    ok = pd_expr_optval(value, c->arg, bytes, p->why);
    /* The length may be larger than the value on purpose: the rest is zeros. */
    if (ok && c->arg > bytes->len && c->arg <= CMSG_ROOM) {
        guint len = bytes->len;

        g_byte_array_set_size(bytes, (guint)c->arg);
        memset(bytes->data + len, 0, bytes->len - len);
    }
    c->n_bytes = bytes->len;
    c->bytes = g_byte_array_free(bytes, FALSE);
    return ok;
}

static bool prepare_getsockopt(Prepare *p)
{
    return take_option(p) && pd_call_take_length(p->s, 4, p->call, &p->call->arg, p->why);
}

static bool prepare_poll(Prepare *p)
{
    int64_t n;
    PdCall *c = p->call;

    if (pd_expr_is_null(p->s->arg[0]))
        return take_i64(p, 1, &n) && take_int(p, 2, &c->timeout_ms) &&
               (n == 0 || fail(p, 1, "0 descriptors"));
    if (!pd_expr_pollfds(p->s->arg[0], &c->poll, &c->n_poll, p->why) || !take_i64(p, 1, &n) ||
        !take_int(p, 2, &c->timeout_ms))
        return false;
    if (n != c->n_poll)
        return fail(p, 1, "the number of descriptors in the list");
    for (unsigned i = 0; i < c->n_poll; i++)
        c->poll[i].fd = pd_run_live_fd(p->r, c->poll[i].fd);
    return true;
}

static bool prepare_name(Prepare *p)
{
    return take_fd(p, 0, &p->call->fd) && pd_call_take_name(p->s, 1, p->call, p->why);
}

static bool prepare_epoll_create(Prepare *p)
{
    return take_i64(p, 0, &p->call->arg);
}

static bool prepare_epoll_create1(Prepare *p)
{
    p->call->arg = 1;
    return take_int(p, 0, &p->call->flags);
}

/* EPOLL_CTL_DEL does not read its event. */
static bool is_unread_event(const Prepare *p)
{
    return p->call->arg == EPOLL_CTL_DEL_ && pd_expr_is_ellipsis(p->s->arg[3]);
}

static bool prepare_epoll_ctl(Prepare *p)
{
    p->call->has_no_event = pd_expr_is_null(p->s->arg[3]);
    return take_fd(p, 0, &p->call->fd) && take_i64(p, 1, &p->call->arg) && take_fd(p, 2, &p->call->fd2) &&
           (p->call->has_no_event || is_unread_event(p) ||
            pd_expr_epoll(p->s->arg[3], &p->call->epoll, p->why));
}

static bool prepare_epoll_wait(Prepare *p)
{
    return take_fd(p, 0, &p->call->fd) && take_i64(p, 2, &p->call->arg) &&
           take_int(p, 3, &p->call->timeout_ms);
}

/* The mask of signals says nothing where there are none; behind it the kernel's own call has its size. */
static bool prepare_epoll_pwait(Prepare *p)
{
    int64_t size = SIGSET_SIZE;

    if (!prepare_epoll_wait(p))
        return false;
    if (!pd_expr_is_ellipsis(p->s->arg[4]) && !pd_expr_is_null(p->s->arg[4]))
        return fail(p, 4, "... or NULL");
    if (p->s->n_args > 5 && !take_i64(p, 5, &size))
        return false;
    if (size == SIGSET_SIZE)
        return true;
    return pd_expr_fail(
        p->why, p->s->arg[5],
        "argument 6 of %s: expected %d, the size of the kernel's set of signals, found %" G_GINT64_FORMAT,
        p->s->name, SIGSET_SIZE, size);
}

static bool prepare_open(Prepare *p)
{
    if (p->s->arg[0]->kind != PD_EXPR_STRING)
        return fail(p, 0, "a path");
    p->call->path = p->s->arg[0]->text;
    return p->s->n_args < 2 || take_int(p, 1, &p->call->flags);
}

/* [n], or NULL for the file's own position. */
static bool take_offset(Prepare *p, unsigned i, bool *has, int64_t *out)
{
    const PdExpr *e = p->s->arg[i];

    *has = e->kind == PD_EXPR_LIST;
    if (!*has && !pd_expr_is_null(e) && !pd_expr_is_ellipsis(e))
        return fail(p, i, "[offset], NULL or ...");
    return !*has || pd_expr_int_in_list(e, out, p->why);
}

static bool prepare_sendfile(Prepare *p)
{
    PdCall *c = p->call;

    return take_fd(p, 0, &c->fd) && take_fd(p, 1, &c->fd2) && take_offset(p, 2, &c->has_offset, &c->offset) &&
           take_i64(p, 3, &c->count);
}

static bool prepare_pipe(Prepare *p)
{
    return p->s->arg[0]->kind == PD_EXPR_LIST && p->s->arg[0]->n_children == 2 ? true
                                                                               : fail(p, 0, "[read, write]");
}

static bool prepare_splice(Prepare *p)
{
    PdCall *c = p->call;

    return take_fd(p, 0, &c->fd) && take_offset(p, 1, &c->has_offset, &c->offset) && take_fd(p, 2, &c->fd2) &&
           take_offset(p, 3, &c->has_offset2, &c->offset2) && take_i64(p, 4, &c->count) &&
           take_int(p, 5, &c->flags);
}

/* Names of capabilities and of what to do with them; there is nothing to do, the host's root may everything.
 */
static bool prepare_cap_set(Prepare *p)
{
    int64_t v;

    for (unsigned i = 0; i < p->s->n_args; i++) {
        if (!pd_expr_is_ellipsis(p->s->arg[i]) && !pd_expr_int(p->s->arg[i], &v, p->why))
            return false;
    }
    return true;
}

typedef struct CallType {
    const char *name;
    PdCallKind kind;
    uint8_t min_args, max_args;
    bool (*prepare)(Prepare *p);
} CallType;

static const CallType types[] = {
    {"accept", PD_CALL_ACCEPT, 3, 3, prepare_accept},
    {"accept4", PD_CALL_ACCEPT, 4, 4, prepare_accept},
    {"bind", PD_CALL_BIND, 3, 3, prepare_addr},
    {"cap_set", PD_CALL_CAP_SET, 0, 16, prepare_cap_set},
    {"close", PD_CALL_CLOSE, 1, 1, prepare_fd},
    {"connect", PD_CALL_CONNECT, 3, 3, prepare_addr},
    {"epoll_create", PD_CALL_EPOLL_CREATE, 1, 1, prepare_epoll_create},
    {"epoll_create1", PD_CALL_EPOLL_CREATE, 1, 1, prepare_epoll_create1},
    {"epoll_ctl", PD_CALL_EPOLL_CTL, 4, 4, prepare_epoll_ctl},
    {"epoll_pwait", PD_CALL_EPOLL_WAIT, 5, 6, prepare_epoll_pwait},
    {"epoll_wait", PD_CALL_EPOLL_WAIT, 4, 4, prepare_epoll_wait},
    {"fcntl", PD_CALL_FCNTL, 2, 3, prepare_fcntl},
    {"getpeername", PD_CALL_GETPEERNAME, 3, 3, prepare_name},
    {"getsockname", PD_CALL_GETSOCKNAME, 3, 3, prepare_name},
    {"getsockopt", PD_CALL_GETSOCKOPT, 5, 5, prepare_getsockopt},
    {"ioctl", PD_CALL_IOCTL, 2, 3, prepare_ioctl},
    {"listen", PD_CALL_LISTEN, 2, 2, prepare_listen},
    {"open", PD_CALL_OPEN, 1, 3, prepare_open},
    {"pipe", PD_CALL_PIPE, 1, 1, prepare_pipe},
    {"poll", PD_CALL_POLL, 3, 3, prepare_poll},
    {"read", PD_CALL_READ, 3, 3, prepare_buffer},
    {"readv", PD_CALL_READV, 3, 3, prepare_iov},
    {"recv", PD_CALL_RECV, 4, 4, prepare_buffer},
    {"recvfrom", PD_CALL_RECVFROM, 6, 6, prepare_sendto},
    {"recvmsg", PD_CALL_RECVMSG, 3, 3, prepare_msg},
    {"send", PD_CALL_SEND, 4, 4, prepare_buffer},
    {"sendfile", PD_CALL_SENDFILE, 4, 4, prepare_sendfile},
    {"sendmsg", PD_CALL_SENDMSG, 3, 3, prepare_msg},
    {"sendto", PD_CALL_SENDTO, 6, 6, prepare_sendto},
    {"setsockopt", PD_CALL_SETSOCKOPT, 5, 5, prepare_setsockopt},
    {"shutdown", PD_CALL_SHUTDOWN, 2, 2, prepare_fd},
    {"socket", PD_CALL_SOCKET, 3, 3, prepare_socket},
    {"splice", PD_CALL_SPLICE, 6, 6, prepare_splice},
    {"write", PD_CALL_WRITE, 3, 3, prepare_buffer},
    {"writev", PD_CALL_WRITEV, 3, 3, prepare_iov},
};

bool pd_call_prepare(PdRun *r, const PdSyscall *s, PdCall *call, char **why)
{
    Prepare p = {r, s, call, why};
    const char *names[HS_ARRAY_LEN(types)], *near;
    PdExpr at = {.loc = r->event ? r->event->action_loc : (PdLoc){1, 1}};
    int err;

    if (s->err && !pd_errno_find(s->err, &err)) {
        at.loc = s->err_loc;
        return pd_expr_fail(why, &at, "unknown errno name %s", s->err);
    }
    for (unsigned i = 0; i < HS_ARRAY_LEN(types); i++) {
        const CallType *t = &types[i];

        names[i] = t->name;
        if (strcmp(t->name, s->name) != 0)
            continue;
        if (s->n_args < t->min_args || s->n_args > t->max_args)
            return pd_expr_fail(why, &at, "%s takes %u%s arguments, found %u", s->name, t->min_args,
                                t->max_args > t->min_args ? " or more" : "", s->n_args);
        *call = (PdCall){.kind = t->kind, .name = t->name, .fd = -1, .fd2 = -1, .may_block = s->has_end};
        return t->prepare(&p);
    }
    near = suggest_closest(s->name, names, HS_ARRAY_LEN(names));
    if (near)
        return pd_expr_fail(why, &at, "unknown system call %s; did you mean %s?", s->name, near);
    return pd_expr_fail(why, &at, "unknown system call %s", s->name);
}

void pd_call_clear(PdCall *call)
{
    g_free(call->iov);
    g_free(call->poll);
    g_free((gpointer)call->bytes);
    for (unsigned i = 0; i < call->n_control; i++)
        g_free(call->control[i].data);
    g_free(call->control);
    *call = (PdCall){0};
}

void pd_result_clear(PdResult *r)
{
    g_free(r->bytes);
    g_free(r->poll);
    g_free(r->epoll);
    for (unsigned i = 0; i < r->n_control; i++)
        g_free(r->control[i].data);
    g_free(r->control);
    *r = (PdResult){0};
}

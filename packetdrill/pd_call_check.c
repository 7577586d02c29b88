/* What a call returned against what the script says: the result, the errno, and whatever came back by
 * pointer. */
#include <string.h>

#include "models/wire/wire.h"
#include "packetdrill/pd_expr.h"
#include "packetdrill/pd_run_priv.h"
#include "packetdrill/pd_symbols.h"

#define FIONBIO_ 0x5421 /* it takes the int that other requests give */
#define NLA_ALIGN(n) (((n) + 3u) & ~3u)

static bool differ(char **why, const char *what, int64_t expected, int64_t actual)
{
    *why = g_strdup_printf("%s: expected %" G_GINT64_FORMAT " (0x%" G_GINT64_MODIFIER
                           "x), got %" G_GINT64_FORMAT " (0x%" G_GINT64_MODIFIER "x)",
                           what, expected, (guint64)expected, actual, (guint64)actual);
    return false;
}

static char *describe_result(const PdResult *r)
{
    const char *name = pd_errno_name(r->err);

    if (r->err)
        return g_strdup_printf("%" G_GINT64_FORMAT " %s", r->ret, name ? name : "with an unknown errno");
    return g_strdup_printf("%" G_GINT64_FORMAT, r->ret);
}

/* Calls whose result is a new descriptor: any success matches any number. */
static bool makes_fd(PdCallKind kind)
{
    return kind == PD_CALL_SOCKET || kind == PD_CALL_ACCEPT || kind == PD_CALL_OPEN ||
           kind == PD_CALL_EPOLL_CREATE;
}

static bool check_return(const PdSyscall *s, const PdCall *call, const PdResult *r, char **why)
{
    int64_t expected;
    int err = 0;
    bool same;

    if (pd_expr_is_ellipsis(s->result))
        return true;
    if (!pd_expr_int(s->result, &expected, why))
        return false;
    if (s->err)
        pd_errno_find(s->err, &err); /* pd_call_prepare has seen that there is such a name */
    same = makes_fd(call->kind) && expected >= 0 ? r->ret >= 0 : r->ret == expected;
    if (same && (!s->err || r->err == err))
        return true;
    {
        char *got = describe_result(r);

        *why = g_strdup_printf("expected result %" G_GINT64_FORMAT "%s%s but got %s", expected,
                               s->err ? " " : "", s->err ? s->err : "", got);
        g_free(got);
    }
    return false;
}

static bool check_optval(const PdSyscall *s, const PdResult *r, char **why)
{
    const PdExpr *e = s->arg[3];
    int64_t len = (int64_t)r->n_bytes;
    GByteArray *expected;
    bool ok;

    if (!pd_expr_is_ellipsis(s->arg[4]) && !pd_call_length(s, 4, &len, why))
        return false;
    if ((int64_t)r->n_bytes != len)
        return differ(why, "length of the option", len, (int64_t)r->n_bytes);
    if (pd_expr_is_ellipsis(e))
        return true;
    if (e->kind == PD_EXPR_LIST && e->n_children == 1 && e->child[0]->kind == PD_EXPR_STRING)
        e = e->child[0];
    expected = g_byte_array_new();
    ok = pd_expr_optval(e, len, expected, why);
    if (ok && e->kind == PD_EXPR_STRING) {
        /* A text may come back with zeros behind it. */
        size_t n = HS_MIN((size_t)expected->len, r->n_bytes);
        bool zeros = true;

        for (size_t i = n; i < r->n_bytes; i++)
            zeros = zeros && (r->bytes[i] == 0 || r->bytes[n] == 0);
        for (size_t i = n; i < expected->len; i++)
            zeros = zeros && expected->data[i] == 0;
        ok = (n == 0 || memcmp(expected->data, r->bytes, n) == 0) && zeros;
        if (!ok)
            *why = g_strdup_printf("option value: expected \"%s\", got \"%.*s\"", e->text, (int)r->n_bytes,
                                   r->n_bytes ? (const char *)r->bytes : "");
    } else if (ok && (expected->len != r->n_bytes || memcmp(expected->data, r->bytes, r->n_bytes) != 0)) {
        uint8_t a[4] = {0}, b[4] = {0};

        memcpy(a, expected->data, HS_MIN(4u, expected->len));
        memcpy(b, r->bytes, HS_MIN(4u, r->n_bytes));
        ok = differ(why, "option value", (int32_t)wire_get32le(a), (int32_t)wire_get32le(b));
    }
    g_byte_array_free(expected, TRUE);
    return ok;
}

static bool check_poll(const PdSyscall *s, const PdResult *r, char **why)
{
    PdPollFd *expected;
    unsigned n;
    bool ok = true;

    if (pd_expr_is_null(s->arg[0]))
        return true;
    if (!pd_expr_pollfds(s->arg[0], &expected, &n, why))
        return false;
    for (unsigned i = 0; i < n && ok; i++) {
        uint16_t got = i < r->n_poll ? r->poll[i].revents : 0;

        if (got == expected[i].revents || expected[i].any_revents)
            continue;
        *why = g_strdup_printf("revents of descriptor %d: expected 0x%x, got 0x%x", expected[i].fd,
                               expected[i].revents, got);
        ok = false;
    }
    g_free(expected);
    return ok;
}

static bool check_epoll(const PdSyscall *s, const PdResult *r, char **why)
{
    PdEpollEvent expected;

    if (r->ret <= 0 || pd_expr_is_ellipsis(s->arg[1]))
        return true;
    if (!pd_expr_epoll(s->arg[1], &expected, why))
        return false;
    if (r->n_epoll == 0 || r->epoll[0].events != expected.events)
        return differ(why, "events of the first epoll event", expected.events,
                      r->n_epoll ? r->epoll[0].events : 0);
    return r->epoll[0].data == expected.data ||
           differ(why, "data of the first epoll event", (int64_t)expected.data, (int64_t)r->epoll[0].data);
}

/* ---- control messages ---- */

static uint64_t get_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n && i < 8; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* struct nlattr: length and type in 16 bits each, then the value, aligned to four bytes. */
static bool find_statistic(const PdCmsg *m, uint64_t type, uint64_t *value)
{
    size_t at = 0;

    while (at + 4 <= m->len) {
        size_t len = get_le(m->data + at, 2);

        if (len < 4 || at + len > m->len)
            return false;
        if (get_le(m->data + at + 2, 2) == type) {
            *value = get_le(m->data + at + 4, len - 4);
            return true;
        }
        at += NLA_ALIGN(len);
    }
    return false;
}

static bool check_statistics(const GByteArray *expected, const PdCmsg *got, char **why)
{
    for (guint i = 0; i + 16 <= expected->len; i += 16) {
        uint64_t type = get_le(expected->data + i, 8), want = get_le(expected->data + i + 8, 8), value;

        if (!find_statistic(got, type, &value)) {
            *why = g_strdup_printf("the control message has no statistic number %u", (unsigned)type);
            return false;
        }
        if (value != want) {
            char *what = g_strdup_printf("statistic number %u", (unsigned)type);

            differ(why, what, (int64_t)want, (int64_t)value);
            g_free(what);
            return false;
        }
    }
    return true;
}

/* struct scm_timestamping: three timespecs, of which the first or the third is used. Times count from the
 * start of the test, with its tolerance. */
static bool check_timestamp(const PdRun *r, const GByteArray *expected, const PdCmsg *got, char **why)
{
    int64_t want_us = (int64_t)(get_le(expected->data, 8) * 1000000 + get_le(expected->data + 8, 8) / 1000);
    int64_t got_us, tolerance = pd_run_tolerance_us(r, want_us);

    if (got->len < 16) {
        *why = g_strdup("the control message is too short for a time");
        return false;
    }
    got_us = (int64_t)(get_le(got->data, 8) * 1000000 + get_le(got->data + 8, 8) / 1000);
    return ABS(want_us - got_us) <= tolerance || differ(why, "timestamp in microseconds", want_us, got_us);
}

static bool check_cmsg(const PdRun *r, const PdExpr *e, const PdCmsg *got, unsigned nth, char **why)
{
    static const char *const members[] = {"cmsg_level", "cmsg_type", "cmsg_data", NULL};
    const PdExpr *level = pd_expr_member(e, "cmsg_level"), *type = pd_expr_member(e, "cmsg_type");
    const PdExpr *data = pd_expr_member(e, "cmsg_data");
    int64_t l, t;
    GByteArray *bytes;
    PdCmsgKind kind;
    bool ok;

    if (!level || !type || !data)
        return pd_expr_fail(why, e, "a control message needs cmsg_level=, cmsg_type= and cmsg_data=");
    if (!pd_expr_only_members(e, "a control message", members, why))
        return false;
    if (!pd_expr_int(level, &l, why) || !pd_expr_int(type, &t, why))
        return false;
    if (l != got->level)
        return differ(why, "cmsg_level", l, got->level);
    if (t != got->type)
        return differ(why, "cmsg_type", t, got->type);
    if (pd_expr_is_ellipsis(data))
        return true;
    bytes = g_byte_array_new();
    ok = pd_expr_cmsg_data(data, bytes, &kind, why);
    if (ok && kind == PD_CMSG_STATS) {
        ok = check_statistics(bytes, got, why);
    } else if (ok && kind == PD_CMSG_TIME) {
        ok = check_timestamp(r, bytes, got, why);
    } else if (ok && kind == PD_CMSG_ERROR) {
        /* The offender's address behind it is not the script's. */
        ok = got->len >= bytes->len && memcmp(bytes->data, got->data, bytes->len) == 0;
        if (!ok)
            *why = g_strdup_printf("control message %u: another extended error than expected", nth);
    } else if (ok) {
        if (got->len == 1 && bytes->len == sizeof(int)) /* IP_TOS: a number is a number */
            g_byte_array_set_size(bytes, get_le(bytes->data, bytes->len) <= UINT8_MAX ? 1 : sizeof(int));
        if (got->len != bytes->len)
            ok = differ(why, "length of cmsg_data", bytes->len, (int64_t)got->len);
        else if (memcmp(bytes->data, got->data, got->len) != 0)
            ok = differ(why, "cmsg_data", (int64_t)get_le(bytes->data, bytes->len),
                        (int64_t)get_le(got->data, got->len));
    }
    g_byte_array_free(bytes, TRUE);
    return ok;
}

static bool check_msg(const PdRun *r, const PdSyscall *s, const PdResult *result, char **why)
{
    const PdExpr *flags = pd_expr_member(s->arg[1], "msg_flags"),
                 *control = pd_expr_member(s->arg[1], "msg_control"),
                 *name = pd_expr_member(s->arg[1], "msg_name");
    int64_t v = 0;

    if (flags && !pd_expr_is_ellipsis(flags)) {
        if (!pd_expr_int(flags, &v, why))
            return false;
        if (v != result->msg_flags)
            return differ(why, "msg_flags", v, result->msg_flags);
    }
    if (name && name->kind == PD_EXPR_LIST && !pd_call_check_addr(name, result, why))
        return false;
    if (!control || pd_expr_is_ellipsis(control))
        return true;
    if (control->kind != PD_EXPR_LIST)
        return pd_expr_fail(why, control, "expected a list of control messages, found %s",
                            pd_expr_kind(control));
    if (control->n_children != result->n_control)
        return differ(why, "number of control messages", control->n_children, result->n_control);
    for (unsigned i = 0; i < result->n_control; i++) {
        if (!check_cmsg(r, control->child[i], &result->control[i], i + 1, why))
            return false;
    }
    return true;
}

static bool check_ioctl(const PdSyscall *s, const PdCall *call, const PdResult *r, char **why)
{
    int64_t v;

    if (call->arg == FIONBIO_ || s->n_args < 3 || pd_expr_is_ellipsis(s->arg[2]))
        return true;
    if (!pd_expr_int_in_list(s->arg[2], &v, why))
        return false;
    return v == r->out || differ(why, "ioctl's value", v, r->out);
}

static void bind_labels(PdRun *r, const PdSyscall *s, const PdCall *call, const PdResult *result)
{
    int64_t label;
    char *why = NULL;

    if (makes_fd(call->kind) && result->ret >= 0 && pd_expr_int(s->result, &label, &why) && label >= 0)
        pd_run_bind_fd(r, (int)label, (int)result->ret);
    if (call->kind == PD_CALL_PIPE && result->ret == 0) {
        for (unsigned i = 0; i < 2; i++) {
            if (pd_expr_int(s->arg[0]->child[i], &label, &why))
                pd_run_bind_fd(r, (int)label, result->fds[i]);
        }
    }
    g_free(why);
}

bool pd_call_check(PdRun *r, const PdSyscall *s, const PdCall *call, const PdResult *result, char **why)
{
    bind_labels(r, s, call, result);
    if (!check_return(s, call, result, why))
        return false;
    if (result->ret < 0)
        return true;
    switch (call->kind) {
    case PD_CALL_GETSOCKOPT:
        return check_optval(s, result, why);
    case PD_CALL_POLL:
        return check_poll(s, result, why);
    case PD_CALL_EPOLL_WAIT:
        return check_epoll(s, result, why);
    case PD_CALL_RECVMSG:
        return check_msg(r, s, result, why);
    case PD_CALL_ACCEPT:
    case PD_CALL_GETSOCKNAME:
    case PD_CALL_GETPEERNAME:
        return pd_call_check_name(s, 1, call, result, why);
    case PD_CALL_RECVFROM:
        return pd_call_check_name(s, 4, call, result, why);
    case PD_CALL_IOCTL:
        return check_ioctl(s, call, result, why);
    default:
        return true;
    }
}

/* Addresses that come back: those of getsockname, getpeername, accept, recvfrom and recvmsg. The script gives
 * what stands for two pointers: ..., NULL or the address that is expected; and ..., NULL, [length] or
 * [room => length] for its length, which Linux's move_addr_to_user reads (room) and writes (length). */
#include "packetdrill/pd_expr.h"
#include "packetdrill/pd_run_priv.h"

#define SOCKADDR_STORAGE_LEN 128
#define OPTION_ROOM 512 /* more than any option of TCP takes */

static bool wrong(const PdSyscall *s, unsigned i, const char *expected, char **why)
{
    return pd_expr_fail(why, s->arg[i], "argument %u of %s: expected %s, found %s", i + 1, s->name, expected,
                        pd_expr_kind(s->arg[i]));
}

/* [length], [room => length]. */
static bool take_room(const PdSyscall *s, unsigned i, int64_t *room, int64_t *len, char **why)
{
    const PdExpr *e = s->arg[i];

    if (e->kind != PD_EXPR_LIST || e->n_children != 1)
        return wrong(s, i, "..., NULL, [length] or [room => length]", why);
    e = e->child[0];
    if (e->kind == PD_EXPR_BECOMES)
        return pd_expr_int(e->child[0], room, why) && pd_expr_int(e->child[1], len, why);
    if (!pd_expr_int(e, room, why))
        return false;
    *len = *room;
    return true;
}

bool pd_call_take_name(const PdSyscall *s, unsigned i, PdCall *call, char **why)
{
    const PdExpr *addr = s->arg[i], *len = s->arg[i + 1];
    PdNameOut *n = &call->name_out;
    PdSockAddr unused;
    int64_t length;

    n->is_wanted = true;
    n->is_null = pd_expr_is_null(addr);
    n->len_is_null = pd_expr_is_null(len);
    n->room = SOCKADDR_STORAGE_LEN;
    if (!n->is_null && !pd_expr_is_ellipsis(addr)) {
        if (addr->kind != PD_EXPR_LIST)
            return wrong(s, i, "..., NULL or {sa_family = ..., sin_port = ..., sin_addr = ...}", why);
        if (!pd_expr_sockaddr_expected(addr, &unused, why))
            return false;
    }
    if (n->len_is_null || pd_expr_is_ellipsis(len))
        return true;
    return take_room(s, i + 1, &n->room, &length, why);
}

bool pd_call_take_length(const PdSyscall *s, unsigned i, PdCall *call, int64_t *room, char **why)
{
    const PdExpr *e = s->arg[i];
    int64_t len;

    call->name_out.is_null = pd_expr_is_null(s->arg[i - 1]) && s->arg[i - 1]->kind == PD_EXPR_WORD;
    call->name_out.len_is_null = pd_expr_is_null(e);
    *room = OPTION_ROOM;
    if (call->name_out.len_is_null || pd_expr_is_ellipsis(e))
        return true;
    return take_room(s, i, room, &len, why);
}

bool pd_call_length(const PdSyscall *s, unsigned i, int64_t *len, char **why)
{
    int64_t room;

    return take_room(s, i, &room, len, why);
}

bool pd_call_check_addr(const PdExpr *e, const PdResult *r, char **why)
{
    if (r->name_len == 0)
        return pd_expr_fail(why, e, "address: expected one, got none");
    return pd_expr_sockaddr_is(e, &r->name, why);
}

bool pd_call_check_name(const PdSyscall *s, unsigned i, const PdCall *call, const PdResult *r, char **why)
{
    const PdExpr *addr = s->arg[i], *len = s->arg[i + 1];
    const PdNameOut *n = &call->name_out;
    int64_t room, expected;

    /* accept and recvfrom look at no length when there is no room for an address. */
    if (n->len_is_null || (n->is_null && (call->kind == PD_CALL_ACCEPT || call->kind == PD_CALL_RECVFROM)))
        return true;
    if (!pd_expr_is_ellipsis(len)) {
        if (!take_room(s, i + 1, &room, &expected, why))
            return false;
        if (expected != r->name_len)
            return pd_expr_fail(why, len, "length of the address: expected %" G_GINT64_FORMAT ", got %u",
                                expected, r->name_len);
    }
    if (n->is_null || pd_expr_is_ellipsis(addr))
        return true;
    if (n->room < r->name_len)
        return pd_expr_fail(why, addr,
                            "an address of %u bytes is cut off at %" G_GINT64_FORMAT ": write ... for it",
                            r->name_len, n->room);
    return pd_call_check_addr(addr, r, why);
}

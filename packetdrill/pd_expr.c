/* Arguments in detail: numbers and symbols, the structs of section 9 in Linux's layouts. */
#include "packetdrill/pd_expr.h"

#include <stdarg.h>
#include <string.h>

#include "packetdrill/pd_symbols.h"

bool pd_expr_fail(char **why, const PdExpr *e, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    if (!*why)
        *why = g_strdup_printf("%s (line %u, column %u)", text, e->loc.line, e->loc.col);
    g_free(text);
    return false;
}

const char *pd_expr_kind(const PdExpr *e)
{
    switch (e->kind) {
    case PD_EXPR_ELLIPSIS:
        return "...";
    case PD_EXPR_INT:
    case PD_EXPR_OR:
        return "a number";
    case PD_EXPR_FLOAT:
        return "a number with a dot";
    case PD_EXPR_WORD:
        return "a name";
    case PD_EXPR_STRING:
        return "a string";
    case PD_EXPR_LIST:
        return e->in_braces ? "{...}" : "a list";
    case PD_EXPR_PAIR:
        return "name = value";
    case PD_EXPR_APPLY:
        return "name(...)";
    case PD_EXPR_BECOMES:
        return "a => b";
    }
    return "an expression";
}

static bool word_value(const PdExpr *e, int64_t *out, char **why)
{
    const char *near;

    if (pd_symbol_find(e->text, out))
        return true;
    near = pd_symbol_suggest(e->text);
    if (near)
        return pd_expr_fail(why, e, "unknown name %s; did you mean %s?", e->text, near);
    return pd_expr_fail(why, e, "unknown name %s", e->text);
}

static bool operand(const PdExpr *e, int64_t *out, char **why);

/* htons(n), htonl(n): the number itself, if it fits. */
static bool network_order(const PdExpr *e, int64_t *out, char **why)
{
    int64_t max = strcmp(e->text, "htons") == 0 ? UINT16_MAX : UINT32_MAX, v;

    if (!operand(e->child[0], &v, why))
        return false;
    if (v < 0 || v > max)
        return pd_expr_fail(why, e->child[0],
                            "%s: expected a number from 0 to %" G_GINT64_FORMAT ", found %" G_GINT64_FORMAT,
                            e->text, max, v);
    *out = v;
    return true;
}

static bool operand(const PdExpr *e, int64_t *out, char **why)
{
    switch (e->kind) {
    case PD_EXPR_INT:
        *out = e->value;
        return true;
    case PD_EXPR_WORD:
        return word_value(e, out, why);
    case PD_EXPR_APPLY:
        if (strcmp(e->text, "sizeof") == 0)
            return pd_expr_sizeof(e, out, why);
        if ((strcmp(e->text, "htons") == 0 || strcmp(e->text, "htonl") == 0) && e->n_children == 1 &&
            (e->child[0]->kind == PD_EXPR_INT || e->child[0]->kind == PD_EXPR_WORD))
            return network_order(e, out, why);
        return pd_expr_fail(why, e, "expected a number, found %s(...)", e->text);
    default:
        return pd_expr_fail(why, e, "expected a number, found %s", pd_expr_kind(e));
    }
}

bool pd_expr_int(const PdExpr *e, int64_t *out, char **why)
{
    int64_t sum = 0, v;

    /* a|b|c leans to the left: no recursion, however long it is. */
    while (e->kind == PD_EXPR_OR) {
        if (e->child[1]->kind == PD_EXPR_OR ? !pd_expr_int(e->child[1], &v, why)
                                            : !operand(e->child[1], &v, why))
            return false;
        sum |= v;
        e = e->child[0];
    }
    if (!operand(e, &v, why))
        return false;
    *out = sum | v;
    return true;
}

bool pd_expr_is_ellipsis(const PdExpr *e)
{
    return e->kind == PD_EXPR_ELLIPSIS;
}

bool pd_expr_is_word(const PdExpr *e, const char *word)
{
    return e->kind == PD_EXPR_WORD && strcmp(e->text, word) == 0;
}

bool pd_expr_is_null(const PdExpr *e)
{
    return pd_expr_is_word(e, "NULL") || (e->kind == PD_EXPR_INT && e->value == 0);
}

bool pd_expr_int_in_list(const PdExpr *e, int64_t *out, char **why)
{
    if (e->kind != PD_EXPR_LIST || e->n_children != 1)
        return pd_expr_fail(why, e, "expected a number in brackets, [n], found %s", pd_expr_kind(e));
    return pd_expr_int(e->child[0], out, why);
}

const PdExpr *pd_expr_member(const PdExpr *list, const char *name)
{
    for (unsigned i = 0; list->kind == PD_EXPR_LIST && i < list->n_children; i++) {
        const PdExpr *pair = list->child[i];

        if (pair->kind == PD_EXPR_PAIR && strcmp(pair->text, name) == 0)
            return pair->child[0];
    }
    return NULL;
}

bool pd_expr_only_members(const PdExpr *list, const char *what, const char *const *names, char **why)
{
    for (unsigned i = 0; list->kind == PD_EXPR_LIST && i < list->n_children; i++) {
        const PdExpr *pair = list->child[i];
        const char *const *name = names;

        if (pair->kind != PD_EXPR_PAIR)
            return pd_expr_fail(why, pair, "expected name=value in %s, found %s", what, pd_expr_kind(pair));
        while (*name && strcmp(*name, pair->text) != 0)
            name++;
        if (!*name)
            return pd_expr_fail(why, pair, "%s has no member %s", what, pair->text);
    }
    return true;
}

/* A member that must be there. */
static const PdExpr *need(const PdExpr *list, const char *name, const char *what, char **why)
{
    const PdExpr *e = pd_expr_member(list, name);

    if (!e)
        pd_expr_fail(why, list, "%s needs %s=", what, name);
    return e;
}

/* A number that is 0 when it is not written. */
static bool optional_int(const PdExpr *list, const char *name, int64_t *out, char **why)
{
    const PdExpr *e = pd_expr_member(list, name);

    *out = 0;
    return !e || pd_expr_is_ellipsis(e) || pd_expr_int(e, out, why);
}

/* A member by name, or, in a struct without names, by its place. */
static const PdExpr *member_or_place(const PdExpr *list, const char *name, unsigned place)
{
    const PdExpr *e = pd_expr_member(list, name);

    if (e || list->kind != PD_EXPR_LIST || place >= list->n_children)
        return e;
    return list->child[place]->kind == PD_EXPR_PAIR ? NULL : list->child[place];
}

/* Does the struct name its members? */
static bool has_names(const PdExpr *list)
{
    return list->kind == PD_EXPR_LIST && list->n_children && list->child[0]->kind == PD_EXPR_PAIR;
}

static bool is_base(const PdExpr *e)
{
    return pd_expr_is_ellipsis(e) || e->kind == PD_EXPR_STRING || pd_expr_is_null(e);
}

bool pd_expr_iov(const PdExpr *e, PdIovec **out, unsigned *n, char **why)
{
    PdIovec *iov;

    if (e->kind != PD_EXPR_LIST)
        return pd_expr_fail(why, e, "expected a list of buffers [{..., length}, ...], found %s",
                            pd_expr_kind(e));
    iov = g_new0(PdIovec, e->n_children + 1);
    for (unsigned i = 0; i < e->n_children; i++) {
        const PdExpr *v = e->child[i], *base = member_or_place(v, "iov_base", 0);
        const PdExpr *size = member_or_place(v, "iov_len", 1);
        int64_t len;

        if (v->kind != PD_EXPR_LIST || v->n_children != 2 || !base || !size || !is_base(base) ||
            !pd_expr_int(size, &len, why)) {
            g_free(iov);
            return pd_expr_fail(why, v, "expected a buffer {..., length}, found %s", pd_expr_kind(v));
        }
        iov[i].is_null = !pd_expr_is_ellipsis(base) && base->kind != PD_EXPR_STRING;
        iov[i].len = (uint64_t)len;
    }
    *out = iov;
    *n = e->n_children;
    return true;
}

bool pd_expr_pollfds(const PdExpr *e, PdPollFd **out, unsigned *n, char **why)
{
    static const char *const members[] = {"fd", "events", "revents", NULL};
    PdPollFd *fds;
    bool ok = true, is_one;
    unsigned count;

    if (e->kind != PD_EXPR_LIST)
        return pd_expr_fail(why, e, "expected a list of descriptors [{fd=…, events=…}], found %s",
                            pd_expr_kind(e));
    is_one = e->in_braces && has_names(e);
    count = is_one ? 1 : e->n_children;
    fds = g_new0(PdPollFd, count + 1);
    for (unsigned i = 0; i < count && ok; i++) {
        const PdExpr *one = is_one ? e : e->child[i];
        const PdExpr *fd = member_or_place(one, "fd", 0), *events = member_or_place(one, "events", 1);
        const PdExpr *revents = member_or_place(one, "revents", 2);
        int64_t v[3] = {0};

        if (!fd || !events)
            ok = pd_expr_fail(why, one, "a poll descriptor needs %s=", fd ? "events" : "fd");
        ok = ok && (!has_names(one) || pd_expr_only_members(one, "a poll descriptor", members, why)) &&
             pd_expr_int(fd, &v[0], why) && pd_expr_int(events, &v[1], why) &&
             (!revents || pd_expr_is_ellipsis(revents) || pd_expr_int(revents, &v[2], why));
        fds[i] =
            (PdPollFd){(int)v[0], (uint16_t)v[1], (uint16_t)v[2], revents && pd_expr_is_ellipsis(revents)};
    }
    if (!ok) {
        g_free(fds);
        return false;
    }
    *out = fds;
    *n = count;
    return true;
}

bool pd_expr_epoll(const PdExpr *e, PdEpollEvent *out, char **why)
{
    static const char *const data[] = {"fd", "ptr", "u32", "u64"};
    static const char *const members[] = {"events", "data", "fd", "ptr", "u32", "u64", NULL};
    const PdExpr *events, *inner;
    int64_t v;

    if (e->kind == PD_EXPR_LIST && !e->in_braces && e->n_children == 1)
        e = e->child[0];
    if (e->kind != PD_EXPR_LIST)
        return pd_expr_fail(why, e, "expected an event {events=…, fd=…}, found %s", pd_expr_kind(e));
    events = member_or_place(e, "events", 0);
    if (!events)
        return need(e, "events", "an epoll event", why) != NULL;
    if ((has_names(e) && !pd_expr_only_members(e, "an epoll event", members, why)) ||
        !pd_expr_int(events, &v, why))
        return false;
    out->events = (uint32_t)v;
    out->data = 0;
    /* data={u32=…, u64=…}, or the union alone behind the events, as strace writes it */
    inner = member_or_place(e, "data", 1);
    if (inner) {
        if (inner->kind != PD_EXPR_LIST)
            return pd_expr_fail(why, inner, "expected an epoll event's data, {fd=…}, found %s",
                                pd_expr_kind(inner));
        if (!pd_expr_only_members(inner, "an epoll event's data", &members[2], why))
            return false;
        e = inner;
    }
    for (unsigned i = 0; i < HS_ARRAY_LEN(data); i++) {
        const PdExpr *d = pd_expr_member(e, data[i]);

        if (d && !pd_expr_int(d, &v, why))
            return false;
        if (d)
            out->data = i == 0 || i == 2 ? (uint32_t)v : (uint64_t)v;
    }
    return true;
}

static void put_le(GByteArray *out, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t b = (uint8_t)(v >> (8 * i));

        g_byte_array_append(out, &b, 1);
    }
}

bool pd_expr_optval(const PdExpr *e, int64_t len, GByteArray *out, char **why)
{
    static const char *const linger[] = {"onoff", "linger", "l_onoff", "l_linger", NULL};
    static const char *const timeval[] = {"tv_sec", "tv_usec", NULL};
    int64_t v, w;

    /* [struct], ["text"]: the brackets are a pointer's */
    if (e->kind == PD_EXPR_LIST && !e->in_braces && e->n_children == 1 &&
        (e->child[0]->kind == PD_EXPR_LIST || e->child[0]->kind == PD_EXPR_STRING))
        e = e->child[0];
    if (e->kind == PD_EXPR_STRING) {
        g_byte_array_append(out, (const guint8 *)e->text, (guint)e->text_len);
        return true;
    }
    if (e->kind == PD_EXPR_INT) {
        put_le(out, (uint64_t)e->value, len == 8 ? 8 : 4);
        return true;
    }
    if (e->kind != PD_EXPR_LIST)
        return pd_expr_fail(why, e,
                            "expected an option's value ([n], a string or {onoff=…, linger=…}), found %s",
                            pd_expr_kind(e));
    if (pd_expr_member(e, "onoff") || pd_expr_member(e, "l_onoff")) {
        bool plain = pd_expr_member(e, "onoff") != NULL;

        if (!pd_expr_only_members(e, "a linger struct", linger, why) ||
            !optional_int(e, plain ? "onoff" : "l_onoff", &v, why) ||
            !optional_int(e, plain ? "linger" : "l_linger", &w, why))
            return false;
        put_le(out, (uint64_t)v, 4);
        put_le(out, (uint64_t)w, 4);
        return true;
    }
    if (pd_expr_member(e, "tv_sec") || pd_expr_member(e, "tv_usec")) {
        if (!pd_expr_only_members(e, "a struct timeval", timeval, why) ||
            !optional_int(e, "tv_sec", &v, why) || !optional_int(e, "tv_usec", &w, why))
            return false;
        put_le(out, (uint64_t)v, 8);
        put_le(out, (uint64_t)w, 8);
        return true;
    }
    for (unsigned i = 0; i < e->n_children; i++) {
        if (!pd_expr_int(e->child[i], &v, why))
            return false;
        if (!(e->n_children == 1 && len == 8) && (v < INT32_MIN || v > UINT32_MAX))
            return pd_expr_fail(why, e->child[i], "expected a number of 32 bits, found %" G_GINT64_FORMAT, v);
        put_le(out, (uint64_t)v, e->n_children == 1 && len == 8 ? 8 : 4);
    }
    if (e->n_children == 0 && len > 0)
        return pd_expr_fail(why, e, "expected an option's value, found an empty list");
    return true;
}

static bool extended_error(const PdExpr *e, GByteArray *out, char **why)
{
    static const struct {
        const char *name;
        uint8_t size;
    } members[] = {{"ee_errno", 4}, {"ee_origin", 1}, {"ee_type", 1}, {"ee_code", 1},
                   {"ee_pad", 1},   {"ee_info", 4},   {"ee_data", 4}};
    static const char *const names[] = {"ee_errno", "ee_origin", "ee_type", "ee_code",
                                        "ee_pad",   "ee_info",   "ee_data", NULL};

    if (!pd_expr_only_members(e, "an extended error", names, why))
        return false;

    for (unsigned i = 0; i < HS_ARRAY_LEN(members); i++) {
        int64_t v;

        if (!optional_int(e, members[i].name, &v, why))
            return false;
        put_le(out, (uint64_t)v, members[i].size);
    }
    return true;
}

/* TCP_NLA_X=value: netlink attributes, kept as pairs of 64-bit numbers. */
static bool statistics(const PdExpr *e, GByteArray *out, char **why)
{
    for (unsigned i = 0; i < e->n_children; i++) {
        int64_t name, value;
        PdExpr word = *e->child[i];

        if (word.kind != PD_EXPR_PAIR)
            return pd_expr_fail(why, e->child[i], "expected NAME=value, found %s", pd_expr_kind(e->child[i]));
        word.kind = PD_EXPR_WORD;
        if (!pd_expr_int(&word, &name, why) || !pd_expr_int(e->child[i]->child[0], &value, why))
            return false;
        put_le(out, (uint64_t)name, 8);
        put_le(out, (uint64_t)value, 8);
    }
    return true;
}

bool pd_expr_cmsg_data(const PdExpr *e, GByteArray *out, PdCmsgKind *kind, char **why)
{
    static const char *const times[] = {"scm_sec", "scm_nsec", NULL};
    int64_t v;

    *kind = PD_CMSG_BYTES;
    if (e->kind == PD_EXPR_STRING) {
        g_byte_array_append(out, (const guint8 *)e->text, (guint)e->text_len);
        return true;
    }
    if (e->kind != PD_EXPR_LIST) {
        if (!pd_expr_int(e, &v, why))
            return false;
        put_le(out, (uint64_t)v, 4);
        return true;
    }
    if (pd_expr_member(e, "scm_sec") || pd_expr_member(e, "scm_nsec")) {
        int64_t ns;

        *kind = PD_CMSG_TIME;
        if (!pd_expr_only_members(e, "a timestamp", times, why) || !optional_int(e, "scm_sec", &v, why) ||
            !optional_int(e, "scm_nsec", &ns, why))
            return false;
        put_le(out, (uint64_t)v, 8);
        put_le(out, (uint64_t)ns, 8);
        return true;
    }
    if (pd_expr_member(e, "ee_errno") || pd_expr_member(e, "ee_origin")) {
        *kind = PD_CMSG_ERROR;
        return extended_error(e, out, why);
    }
    if (e->n_children && !has_names(e)) { /* [7]: the value behind a pointer */
        for (unsigned i = 0; i < e->n_children; i++) {
            if (!pd_expr_int(e->child[i], &v, why))
                return false;
            put_le(out, (uint64_t)v, 4);
        }
        return true;
    }
    *kind = PD_CMSG_STATS;
    return statistics(e, out, why);
}

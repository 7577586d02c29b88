/* Socket addresses in the spellings of the original, of strace and of C. */
#include <string.h>

#include "models/wire/ipv4_addr.h"
#include "models/wire/ipv6_addr.h"
#include "models/wire/wire.h"
#include "packetdrill/pd_expr.h"

#define AF_INET_ 2
#define AF_INET6_ 10

static bool from_text(const PdExpr *e, const char *text, PdSockAddr *out, char **why)
{
    if (out->family == AF_INET6_) {
        Ipv6Addr a;

        if (!ipv6_addr_parse(text, &a))
            return pd_expr_fail(why, e, "'%s' is no IPv6 address", text);
        memcpy(out->b, a.b, 16);
    } else {
        uint32_t a;

        if (!ipv4_addr_parse(text, &a))
            return pd_expr_fail(why, e, "'%s' is no IPv4 address", text);
        wire_put32(out->b, a);
    }
    return true;
}

/* The text in inet_addr("…"), inet6_addr("…"), inet_pton("…"), inet_pton(AF_INET6, "…") or
 * inet_pton(AF_INET6, "…", &sin6_addr); NULL: something else. */
static const char *text_in(const PdExpr *e)
{
    for (unsigned i = 0; e->kind == PD_EXPR_APPLY && i < e->n_children; i++)
        if (e->child[i]->kind == PD_EXPR_STRING)
            return e->child[i]->text;
    return NULL;
}

static bool address(const PdExpr *e, PdSockAddr *out, char **why)
{
    static const char *const words[][2] = {{"INADDR_ANY", "0.0.0.0"},
                                           {"INADDR_LOOPBACK", "127.0.0.1"},
                                           {"INADDR_BROADCAST", "255.255.255.255"},
                                           {"in6addr_any", "::"},
                                           {"IN6ADDR_ANY_INIT", "::"},
                                           {"in6addr_loopback", "::1"},
                                           {"IN6ADDR_LOOPBACK_INIT", "::1"}};
    const char *text;
    int64_t v;

    /* sin_addr={s_addr=…} */
    if (e->kind == PD_EXPR_LIST && pd_expr_member(e, "s_addr"))
        e = pd_expr_member(e, "s_addr");
    if (e->kind == PD_EXPR_APPLY && strcmp(e->text, "htonl") == 0 && e->n_children == 1)
        e = e->child[0];
    text = text_in(e);
    for (unsigned i = 0; i < HS_ARRAY_LEN(words) && !text; i++)
        text = pd_expr_is_word(e, words[i][0]) ? words[i][1] : NULL;
    if (text)
        return from_text(e, text, out, why);
    if (out->family == AF_INET_ && e->kind == PD_EXPR_INT && pd_expr_int(e, &v, why)) {
        wire_put32(out->b, (uint32_t)v);
        return true;
    }
    return pd_expr_fail(why, e, "expected inet_addr(\"…\") or inet6_addr(\"…\")");
}

/* What tells nothing that a socket would look at must be 0. */
static bool is_zero(const PdExpr *list, const char *name, char **why)
{
    const PdExpr *e = pd_expr_member(list, name);
    int64_t v = 0;

    if (!e || pd_expr_is_ellipsis(e))
        return true;
    return pd_expr_int(e, &v, why) &&
           (v == 0 || pd_expr_fail(why, e, "%s: expected 0, found %" G_GINT64_FORMAT, name, v));
}

/* Is this inet_pton(AF_INET6, "…", &sin6_addr), with which strace fills in a member? */
static bool is_filled_in(const PdExpr *e)
{
    return e->kind == PD_EXPR_APPLY && strcmp(e->text, "inet_pton") == 0 && text_in(e);
}

static bool is_member(const PdExpr *list, const PdExpr *e, char **why)
{
    static const char *const members[] = {"sa_family", "sin_family",    "sin6_family",   "sin_port",
                                          "sin6_port", "sin_addr",      "sin6_addr",     "sin_zero",
                                          "sa_data",   "sin6_flowinfo", "sin6_scope_id", NULL};
    PdExpr one = *list;
    PdExpr *child = (PdExpr *)e;

    one.child = &child;
    one.n_children = 1;
    return pd_expr_only_members(&one, "a socket address", members, why);
}

/* What a script may leave open about an address that comes back. */
typedef struct Wild {
    bool port, addr;
} Wild;

/* wild NULL: everything must be there. */
static bool parse(const PdExpr *e, PdSockAddr *out, Wild *wild, char **why)
{
    static const char *const families[] = {"sa_family", "sin_family", "sin6_family"};
    static const char *const ports[] = {"sin_port", "sin6_port"};
    static const char *const addrs[] = {"sin_addr", "sin6_addr"};
    PdSockAddr a = {0};
    const PdExpr *family = NULL, *port = NULL, *addr = NULL;
    int64_t v;

    if (e->kind != PD_EXPR_LIST) {
        if (!pd_expr_int(e, &v, why))
            return false;
        out->family = (uint16_t)v;
        out->port = 0;
        if (wild)
            *wild = (Wild){true, true};
        return true;
    }
    for (unsigned i = 0; i < e->n_children; i++) {
        if (is_filled_in(e->child[i]))
            addr = e->child[i];
        else if (!is_member(e, e->child[i], why))
            return false;
    }
    for (unsigned i = 0; i < HS_ARRAY_LEN(families) && !family; i++)
        family = pd_expr_member(e, families[i]);
    for (unsigned i = 0; i < 2; i++) {
        port = port ? port : pd_expr_member(e, ports[i]);
        addr = addr ? addr : pd_expr_member(e, addrs[i]);
    }
    if (!is_zero(e, "sin6_flowinfo", why) || !is_zero(e, "sin6_scope_id", why))
        return false;
    if (!family)
        return pd_expr_fail(why, e, "a socket address needs sa_family=");
    if (!pd_expr_int(family, &v, why))
        return false;
    a.family = (uint16_t)v;
    if (wild) {
        *wild = (Wild){!port || pd_expr_is_ellipsis(port), !addr || pd_expr_is_ellipsis(addr)};
        port = wild->port ? NULL : port;
        addr = wild->addr ? NULL : addr;
    }
    if (port && !pd_expr_int(port, &v, why))
        return false;
    if (port)
        a.port = (uint16_t)v;
    if (addr && !address(addr, &a, why))
        return false;
    if (!wild && a.family != 0 && (!port || !addr))
        return pd_expr_fail(why, e, "a socket address needs a port and an address");
    *out = a;
    return true;
}

bool pd_expr_sockaddr(const PdExpr *e, PdSockAddr *out, char **why)
{
    return parse(e, out, NULL, why);
}

bool pd_expr_sockaddr_expected(const PdExpr *e, PdSockAddr *out, char **why)
{
    Wild wild;

    return parse(e, out, &wild, why);
}

static char *in_words(const PdSockAddr *a)
{
    char text[IPV6_ADDR_STR_LEN];
    Ipv6Addr ip;

    if (a->family == AF_INET_) {
        ipv4_addr_format(wire_get32(a->b), text);
        return g_strdup_printf("%s port %u", text, a->port);
    }
    if (a->family != AF_INET6_)
        return g_strdup_printf("an address of family %u", a->family);
    memcpy(ip.b, a->b, 16);
    ipv6_addr_format(&ip, text);
    return g_strdup_printf("%s port %u", text, a->port);
}

bool pd_expr_sockaddr_is(const PdExpr *e, const PdSockAddr *got, char **why)
{
    PdSockAddr a = {0};
    Wild wild = {0};
    char *expected, *actual;

    if (!parse(e, &a, &wild, why))
        return false;
    if (a.family != got->family)
        return pd_expr_fail(why, e, "family of the address: expected %u, got %u", a.family, got->family);
    if (wild.port)
        a.port = got->port;
    if (wild.addr)
        memcpy(a.b, got->b, sizeof a.b);
    if (a.port == got->port && memcmp(a.b, got->b, a.family == AF_INET_ ? 4 : 16) == 0)
        return true;
    expected = in_words(&a);
    actual = in_words(got);
    pd_expr_fail(why, e, "address: expected %s, got %s", expected, actual);
    g_free(expected);
    g_free(actual);
    return false;
}

/* sizeof(type) and sizeof("text"): sizes as 64-bit Linux has them, whatever machine this runs on. */
#include <string.h>

#include "models/tcp/tcp_info.h"
#include "packetdrill/pd_expr.h"
#include "sim/base/suggest.h"

typedef struct Size {
    const char *name;
    unsigned size;
} Size;

/* Behind "struct" or "union". */
static const Size tags[] = {
    {"cmsghdr", 16},
    {"epoll_event", 12},
    {"icmp6_filter", 32},
    {"icmp_filter", 4},
    {"in6_addr", 16},
    {"in6_flowlabel_req", 32},
    {"in6_pktinfo", 20},
    {"in_addr", 4},
    {"in_pktinfo", 12},
    {"iovec", 16},
    {"ip6_mtuinfo", 32},
    {"ip_mreq", 8},
    {"ip_mreq_source", 12},
    {"ip_mreqn", 12},
    {"ipv6_mreq", 20},
    {"linger", 8},
    {"mmsghdr", 64},
    {"msghdr", 56},
    {"pollfd", 8},
    {"scm_timestamping", 48},
    {"so_timestamping", 8},
    {"sock_extended_err", 16},
    {"sock_filter", 8},
    {"sock_fprog", 16},
    {"sock_txtime", 8},
    {"sockaddr", 16},
    {"sockaddr_in", 16},
    {"sockaddr_in6", 28},
    {"sockaddr_storage", 128},
    {"tcp_bbr_info", 20},
    {"tcp_cc_info", 20},
    {"tcp_dctcp_info", 16},
    {"tcp_diag_md5sig", 100},
    {"tcp_info", sizeof(TcpInfo)},
    {"tcp_md5sig", 216},
    {"tcp_repair_opt", 8},
    {"tcp_repair_window", 20},
    {"tcp_zerocopy_receive", 64},
    {"tcpvegas_info", 16},
    {"timespec", 16},
    {"timeval", 16},
    {"ucred", 12},
};

static const Size types[] = {
    {"_Bool", 1},     {"__be16", 2},    {"__be32", 4},  {"__s32", 4},       {"__u16", 2},
    {"__u32", 4},     {"__u64", 8},     {"__u8", 1},    {"bool", 1},        {"epoll_data_t", 8},
    {"in_addr_t", 4}, {"in_port_t", 2}, {"int16_t", 2}, {"int32_t", 4},     {"int64_t", 8},
    {"int8_t", 1},    {"loff_t", 8},    {"off_t", 8},   {"sa_family_t", 2}, {"sigset_t", 128},
    {"size_t", 8},    {"socklen_t", 4}, {"ssize_t", 8}, {"time_t", 8},      {"uint16_t", 2},
    {"uint32_t", 4},  {"uint64_t", 8},  {"uint8_t", 1},
};

/* C's own: "unsigned long long", "short int". 0: it is none of them. */
static unsigned size_of_words(char **words)
{
    static const char *const other[] = {"unsigned", "signed", "int", NULL};
    unsigned size = 0, n_long = 0;

    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(words[i], "char") == 0)
            size = 1;
        else if (strcmp(words[i], "short") == 0)
            size = 2;
        else if (strcmp(words[i], "float") == 0)
            size = 4;
        else if (strcmp(words[i], "double") == 0)
            size = 8;
        else if (strcmp(words[i], "long") == 0)
            n_long++;
        else if (!g_strv_contains(other, words[i]))
            return 0;
    }
    if (n_long)
        return size == 8 ? 16 : 8;
    return size ? size : words[0] ? 4 : 0;
}

static bool in_table(const Size *table, unsigned n, const char *name, const char *kind, const PdExpr *e,
                     int64_t *out, char **why)
{
    const char *names[HS_ARRAY_LEN(tags) + HS_ARRAY_LEN(types)], *near;

    for (unsigned i = 0; i < n; i++) {
        names[i] = table[i].name;
        if (strcmp(name, table[i].name) == 0) {
            *out = table[i].size;
            return true;
        }
    }
    near = suggest_closest(name, names, n);
    if (near)
        return pd_expr_fail(why, e, "unknown type in sizeof(%s); did you mean %s%s?", e->text, kind, near);
    return pd_expr_fail(why, e, "unknown type in sizeof(%s)", e->text);
}

bool pd_expr_sizeof(const PdExpr *e, int64_t *out, char **why)
{
    const PdExpr *arg = e->child[0];
    const char *text = arg->text;
    char **words;
    unsigned size;

    if (arg->kind == PD_EXPR_STRING) { /* an array: the zero at its end counts */
        *out = (int64_t)arg->text_len + 1;
        return true;
    }
    if (g_str_has_suffix(text, " *")) {
        *out = sizeof(uint64_t);
        return true;
    }
    if (g_str_has_prefix(text, "const "))
        text += strlen("const ");
    words = g_strsplit(text, " ", -1);
    size = size_of_words(words);
    g_strfreev(words);
    if (size) {
        *out = size;
        return true;
    }
    if (g_str_has_prefix(text, "struct "))
        return in_table(tags, HS_ARRAY_LEN(tags), text + strlen("struct "), "struct ", arg, out, why);
    if (g_str_has_prefix(text, "union "))
        return in_table(tags, HS_ARRAY_LEN(tags), text + strlen("union "), "union ", arg, out, why);
    return in_table(types, HS_ARRAY_LEN(types), text, "", arg, out, why);
}

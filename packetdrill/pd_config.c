/* One table of flags: what each is called, what it takes and where it goes. The command's help, the script's
 * first lines and the completions are read from it. */
#include "packetdrill/pd_config.h"

#include <string.h>

#include "models/wire/ipv4_addr.h"
#include "models/wire/ipv6_addr.h"
#include "sim/base/suggest.h"

typedef enum FlagKind {
    FLAG_SWITCH,
    FLAG_UINT, /* limit: the largest */
    FLAG_PERCENT,
    FLAG_TEXT,
    FLAG_IP_VERSION,
    FLAG_NON_FATAL,
    FLAG_DEFINE,
    FLAG_IGNORED_SWITCH, /* of the original tool; nothing here depends on it */
    FLAG_IGNORED,
} FlagKind;

typedef struct Flag {
    const char *name;
    FlagKind kind;
    const char *value; /* NULL: a switch */
    const char *help;
    size_t at;      /* offset in PdConfig */
    uint8_t size;   /* of a number */
    uint64_t limit; /* of a number */
} Flag;

#define AT(m) offsetof(PdConfig, m), sizeof(((PdConfig *)0)->m)

static const Flag flags[] = {
    {"bind_port", FLAG_UINT, "PORT", "local port of bind (default 8080)", AT(bind_port), 65535},
    {"code_command", FLAG_IGNORED, "COMMAND", "accepted, without effect: code blocks need no Python"},
    {"code_format", FLAG_IGNORED, "FORMAT", "accepted, without effect"},
    {"code_sockopt", FLAG_IGNORED, "NAME", "accepted, without effect"},
    {"connect_port", FLAG_UINT, "PORT", "remote port of connect (default 8080)", AT(connect_port), 65535},
    {"debug", FLAG_SWITCH, NULL, "as --verbose, with the stack's own steps", AT(debug)},
    {"define", FLAG_DEFINE, "NAME=VALUE", "give a word of the script a value"},
    {"dry_run", FLAG_SWITCH, NULL, "only read the script", AT(dry_run)},
    {"gateway_ip", FLAG_TEXT, "ADDR", "gateway towards the remote", AT(gateway_ip)},
    {"init_scripts", FLAG_TEXT, "COMMANDS", "commands to run before the script's own", AT(init_scripts)},
    {"ip_version", FLAG_IP_VERSION, "VERSION", "ipv4 (default), ipv4-mapped-ipv6 or ipv6", AT(ip_version)},
    {"is_anyip", FLAG_IGNORED_SWITCH, NULL, "accepted, without effect"},
    {"local_ip", FLAG_TEXT, "ADDR", "address of the stack under test", AT(local_ip)},
    {"many_connections", FLAG_SWITCH, NULL,
     "the ports of a line choose its connection, with numbers of its own", AT(many_connections)},
    {"mss", FLAG_UINT, "BYTES", "larger inbound packets arrive as aggregates of this segment size", AT(mss),
     65535},
    {"mtu", FLAG_UINT, "BYTES", "MTU of tun0 (default 1500)", AT(mtu), 65535},
    {"netmask_ip", FLAG_TEXT, "MASK", "netmask of the local address", AT(netmask_ip)},
    {"non_fatal", FLAG_NON_FATAL, "TYPES", "packet, syscall: mismatches of that type only warn"},
    {"psp_udp_port", FLAG_IGNORED, "PORT", "accepted, without effect"},
    {"remote_ip", FLAG_TEXT, "ADDR", "address of the peer, with or without a prefix length", AT(remote_ip)},
    {"send_omit_free", FLAG_IGNORED_SWITCH, NULL, "accepted, without effect"},
    {"so_filename", FLAG_IGNORED, "FILE", "accepted, without effect"},
    {"so_flags", FLAG_IGNORED, "TEXT", "accepted, without effect"},
    {"speed", FLAG_UINT, "MBPS", "speed of tun0 in Mbit/s", AT(speed_mbps), UINT32_MAX},
    {"strict_ecr", FLAG_SWITCH, NULL, "compare the TS ecr of outbound packets too", AT(strict_ecr)},
    {"strict_segments", FLAG_SWITCH, NULL, "one outbound line is exactly one packet", AT(strict_segments)},
    {"tcp_ts_ecr_scaled", FLAG_SWITCH, NULL, "map inbound TS ecr by its distance, not by its exact value",
     AT(ts_ecr_scaled)},
    {"tcp_ts_tick_usecs", FLAG_UINT, "USECS", "check outbound TS val against a clock of this tick",
     AT(ts_tick_us), 1000000000},
    {"tolerance_percent", FLAG_PERCENT, "PERCENT", "of an event's distance (default 12.5)",
     AT(tolerance_percent)},
    {"tolerance_usecs", FLAG_UINT, "USECS", "how far times may be off (default 4000)", AT(tolerance_us),
     3600000000u},
    {"verbose", FLAG_SWITCH, NULL, "print every packet and call", AT(verbose)},
    {"wire_client", FLAG_IGNORED_SWITCH, NULL, "accepted, without effect"},
    {"wire_client_dev", FLAG_IGNORED, "NAME", "accepted, without effect"},
    {"wire_server", FLAG_IGNORED_SWITCH, NULL, "accepted, without effect"},
    {"wire_server_at", FLAG_IGNORED, "NAME", "accepted, without effect"},
    {"wire_server_dev", FLAG_IGNORED, "NAME", "accepted, without effect"},
    {"wire_server_ip", FLAG_IGNORED, "ADDR", "accepted, without effect"},
    {"wire_server_port", FLAG_IGNORED, "PORT", "accepted, without effect"},
};

#define N_FLAGS HS_ARRAY_LEN(flags)
_Static_assert(HS_ARRAY_LEN(flags) <= 64, "one bit a flag in from_command_line");

static const Flag *find_flag(const char *name)
{
    for (size_t i = 0; i < N_FLAGS; i++) {
        if (strcmp(flags[i].name, name) == 0)
            return &flags[i];
    }
    return NULL;
}

const char *pd_config_flag_at(size_t i, const char **value_name, const char **help)
{
    if (i >= N_FLAGS)
        return NULL;
    *value_name = flags[i].value;
    *help = flags[i].help;
    return flags[i].name;
}

bool pd_config_takes_value(const char *name, bool *known)
{
    const Flag *f = find_flag(name);

    *known = f != NULL;
    return f && f->value;
}

void pd_config_init(PdConfig *c)
{
    *c = (PdConfig){
        .ip_version = PD_IPV4,
        .bind_port = 8080,
        .connect_port = 8080,
        .mtu = 1500,
        .tolerance_us = 4000,
        .tolerance_percent = 12.5,
        .seed = 1,
    };
    pd_defines_init(&c->defines);
}

void pd_config_clear(PdConfig *c)
{
    g_free(c->local_ip);
    g_free(c->remote_ip);
    g_free(c->gateway_ip);
    g_free(c->netmask_ip);
    g_free(c->init_scripts);
    pd_defines_clear(&c->defines);
}

void pd_config_copy(PdConfig *to, const PdConfig *from)
{
    pd_config_clear(to);
    *to = *from;
    to->local_ip = g_strdup(from->local_ip);
    to->remote_ip = g_strdup(from->remote_ip);
    to->gateway_ip = g_strdup(from->gateway_ip);
    to->netmask_ip = g_strdup(from->netmask_ip);
    to->init_scripts = g_strdup(from->init_scripts);
    pd_defines_init(&to->defines);
    for (guint i = 0; i < from->defines.list->len; i++) {
        const PdDefine *d = &g_array_index(from->defines.list, PdDefine, i);

        pd_defines_add(&to->defines, d->name, d->value);
    }
}

static bool set_uint(PdConfig *c, const Flag *f, const char *value, char **error)
{
    char *end;
    bool is_hex = value[0] == '0' && (value[1] | 32) == 'x' && g_ascii_isxdigit(value[2]);
    uint64_t v = g_ascii_strtoull(value, &end, is_hex ? 16 : 10);
    void *at = (char *)c + f->at;

    if (!g_ascii_isdigit(*value) || *end || v > f->limit) {
        *error = g_strdup_printf("--%s=%s: expected a number from 0 to %" G_GUINT64_FORMAT, f->name, value,
                                 f->limit);
        return false;
    }
    if (f->size == 2)
        *(uint16_t *)at = (uint16_t)v;
    else if (f->size == 4)
        *(uint32_t *)at = (uint32_t)v;
    else
        *(uint64_t *)at = v;
    return true;
}

static bool set_ip_version(PdConfig *c, const char *value, char **error)
{
    static const char *const names[] = {"ipv4", "ipv4-mapped-ipv6", "ipv6"};

    for (unsigned i = 0; i < HS_ARRAY_LEN(names); i++) {
        if (strcmp(value, names[i]) == 0) {
            c->ip_version = (PdIpVersion)i;
            return true;
        }
    }
    *error = g_strdup_printf("--ip_version=%s: expected ipv4, ipv4-mapped-ipv6 or ipv6", value);
    return false;
}

static bool set_non_fatal(PdConfig *c, const char *value, char **error)
{
    char **types = g_strsplit(value, ",", -1);
    bool ok = true;

    for (char **t = types; *t && ok; t++) {
        if (strcmp(*t, "packet") == 0) {
            c->non_fatal_packet = true;
        } else if (strcmp(*t, "syscall") == 0) {
            c->non_fatal_syscall = true;
        } else {
            *error =
                g_strdup_printf("--non_fatal=%s: expected packet or syscall, or both with a comma", value);
            ok = false;
        }
    }
    g_strfreev(types);
    return ok;
}

static bool set_define(PdConfig *c, const char *value, bool from_command_line, char **error)
{
    const char *equals = strchr(value, '=');
    char *name = g_strndup(value, equals ? (gsize)(equals - value) : strlen(value));
    bool ok = *name && equals && !g_ascii_isdigit(*name);

    for (const char *p = name; *p; p++)
        ok = ok && (g_ascii_isalnum(*p) || *p == '_');
    if (!ok)
        *error =
            g_strdup_printf("--define=%s: expected NAME=VALUE, the name of letters, digits and '_'", value);
    else if (from_command_line || !pd_defines_find(&c->defines, name))
        pd_defines_add(&c->defines, name, equals + 1);
    g_free(name);
    return ok;
}

static bool set_percent(PdConfig *c, const char *value, char **error)
{
    char *end;
    double v = g_ascii_strtod(value, &end);

    if (end == value || *end || !(v >= 0 && v <= 1000)) {
        *error = g_strdup_printf("--tolerance_percent=%s: expected a percentage such as 12.5", value);
        return false;
    }
    c->tolerance_percent = v;
    return true;
}

static char *unknown_flag(const char *name)
{
    const char *names[N_FLAGS], *closest;

    for (size_t i = 0; i < N_FLAGS; i++)
        names[i] = flags[i].name;
    closest = suggest_closest(name, names, N_FLAGS);
    if (closest)
        return g_strdup_printf("unknown flag --%s; did you mean --%s?", name, closest);
    return g_strdup_printf("unknown flag --%s", name);
}

/* "192.0.2.1" is 192.0.2.1, and `true` is true. */
static char *without_quotes(const char *value)
{
    size_t len = strlen(value);

    if (len >= 2 && strchr("\"'`", value[0]) && value[len - 1] == value[0])
        return g_strndup(value + 1, len - 2);
    return g_strdup(value);
}

bool pd_config_set(PdConfig *c, const char *name, const char *value, bool from_command_line, char **error)
{
    const Flag *f = find_flag(name);
    uint64_t bit;

    if (!f) {
        *error = unknown_flag(name);
        return false;
    }
    if (f->value && !value) {
        *error = g_strdup_printf("--%s needs a value: --%s=%s", name, name, f->value);
        return false;
    }
    if (!f->value && value) {
        *error = g_strdup_printf("--%s=%s: this flag is a switch and takes no value", name, value);
        return false;
    }
    bit = UINT64_C(1) << (f - flags);
    if (from_command_line)
        c->from_command_line |= bit;
    else if (f->kind != FLAG_DEFINE && c->from_command_line & bit)
        return true;
    switch (f->kind) {
    case FLAG_SWITCH:
        *(bool *)((char *)c + f->at) = true;
        return true;
    case FLAG_UINT:
        return set_uint(c, f, value, error);
    case FLAG_PERCENT:
        return set_percent(c, value, error);
    case FLAG_TEXT: {
        char **text = (char **)((char *)c + f->at);

        g_free(*text);
        *text = without_quotes(value);
        return true;
    }
    case FLAG_IP_VERSION:
        return set_ip_version(c, value, error);
    case FLAG_NON_FATAL:
        return set_non_fatal(c, value, error);
    case FLAG_DEFINE:
        return set_define(c, value, from_command_line, error);
    case FLAG_IGNORED_SWITCH:
    case FLAG_IGNORED:
        return true;
    }
    return true;
}

/* "192.0.2.1", "192.0.2.1/24"; prefix_len is untouched when none is written. */
static bool parse_addr(const char *text, bool is_v6, PdAddr *out)
{
    const char *slash = strchr(text, '/');
    char *addr = g_strndup(text, slash ? (gsize)(slash - text) : strlen(text));
    bool ok;

    if (is_v6) {
        Ipv6Addr a;

        ok = ipv6_addr_parse(addr, &a);
        if (ok)
            memcpy(out->b, a.b, 16);
    } else {
        uint32_t a;

        ok = ipv4_addr_parse(addr, &a);
        for (unsigned i = 0; ok && i < 4; i++)
            out->b[i] = (uint8_t)(a >> (24 - 8 * i));
    }
    out->is_v6 = is_v6;
    if (ok && slash) {
        char *end;
        uint64_t len = g_ascii_strtoull(slash + 1, &end, 10);

        ok = g_ascii_isdigit(slash[1]) && !*end && len <= (is_v6 ? 128u : 32u);
        out->prefix_len = (uint8_t)len;
    }
    g_free(addr);
    return ok;
}

static bool host_addr(const char *flag, const char *given, const char *fallback, bool is_v6, PdAddr *out,
                      char **error)
{
    if (given && !parse_addr(given, is_v6, out)) {
        *error = g_strdup_printf("--%s=%s: expected an %s address", flag, given, is_v6 ? "IPv6" : "IPv4");
        return false;
    }
    return given || parse_addr(fallback, is_v6, out);
}

bool pd_config_host(const PdConfig *c, PdHostConfig *out, char **error)
{
    bool v6 = c->ip_version == PD_IPV6;
    PdHostConfig h = {
        .ip_version = c->ip_version,
        .bind_port = c->bind_port,
        .connect_port = c->connect_port,
        .mtu = c->mtu,
        .mss = c->mss,
        .speed_mbps = c->speed_mbps,
        .seed = c->seed,
        .local.prefix_len = v6 ? 48 : 16,
        .gateway.prefix_len = v6 ? 64 : 16,
        .remote.prefix_len = v6 ? 32 : 24,
    };

    if (!host_addr("local_ip", c->local_ip, v6 ? "fd3d:fa7b:d17d::1" : "192.168.0.1", v6, &h.local, error) ||
        !host_addr("gateway_ip", c->gateway_ip, v6 ? "fd3d:fa7b:d17d:8888::1" : "192.168.0.1", v6, &h.gateway,
                   error) ||
        !host_addr("remote_ip", c->remote_ip, v6 ? "2001:db8::1" : "192.0.2.1", v6, &h.remote, error))
        return false;
    if (c->netmask_ip && !v6) {
        uint32_t mask;

        if (!ipv4_addr_parse(c->netmask_ip, &mask) || !ipv4_mask_is_contiguous(mask)) {
            *error =
                g_strdup_printf("--netmask_ip=%s: expected a netmask such as 255.255.0.0", c->netmask_ip);
            return false;
        }
        h.local.prefix_len = (uint8_t)ipv4_mask_len(mask);
    }
    if (h.mtu < (v6 ? 1280u : 68u)) {
        *error =
            g_strdup_printf("--mtu=%u: expected at least %u for this IP version", h.mtu, v6 ? 1280u : 68u);
        return false;
    }
    *out = h;
    return true;
}

void pd_config_predefine(PdConfig *c)
{
    /* Fast Open cookies that a server with the suites' key issues for the runners' addresses: SipHash-2-4. */
    static const char *const values[][3] = {
        {"TFO_COOKIE", "3021b9d889017eeb", "c1d1e9742a47a9bc"},
        {"TFO_COOKIE_ZERO", "b7c12350a90dc8f5", "82af1a8f9a205c34"},
        {"CODE", "host_unreachable", "address_unreachable"},
    };
    bool v6 = c->ip_version == PD_IPV6, v6_sockets = c->ip_version != PD_IPV4;

    for (unsigned i = 0; i < HS_ARRAY_LEN(values); i++) {
        if (!pd_defines_find(&c->defines, values[i][0]))
            pd_defines_add(&c->defines, values[i][0], values[i][v6 ? 2 : 1]);
    }
    if (!pd_defines_find(&c->defines, "CMSG_LEVEL_IP"))
        pd_defines_add(&c->defines, "CMSG_LEVEL_IP", v6_sockets ? "SOL_IPV6" : "SOL_IP");
    if (!pd_defines_find(&c->defines, "CMSG_TYPE_RECVERR"))
        pd_defines_add(&c->defines, "CMSG_TYPE_RECVERR", v6_sockets ? "IPV6_RECVERR" : "IP_RECVERR");
}

/* TCP's sysctls by their Linux names, with Linux's ranges (net/ipv4/sysctl_net_ipv4.c,
 * net/core/sysctl_net_core.c). Names under "hopscope." are ours. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "models/cc/cc.h"
#include "models/node/net_priv.h"
#include "models/tcp/tcp_quirk.h"

typedef enum Kind { U8, I8, U16, U32, TRIPLE, TRIPLE64, CONTROLLER, CONTROLLERS, KEY } Kind;

typedef struct Entry {
    const char *name;
    Kind kind;
    size_t offset;
    int64_t min, max;
    const char *help;
} Entry;

#define IP4 "net.ipv4."
#define CORE "net.core."
#define E(prefix, name, kind, field, min, max, help)                                                         \
    {                                                                                                        \
        prefix #name, kind, offsetof(TcpSysctl, field), min, max, help                                       \
    }
/* The field has the sysctl's name. */
#define F(name, kind, min, max, help) E(IP4, name, kind, name, min, max, help)

static const Entry table[] = {
    E("hopscope.", tcp_handshake, U8, handshake, 2, 4,
      "segments of a handshake: 3; 2: a SYN alone opens the server's end; 4: its ACK and its SYN go apart"),
    E("hopscope.", tcp_isn, U8, isn_mode, 0, 2,
      "initial sequence numbers: 0 RFC 6528, 1 the clock alone (RFC 793), 2 always hopscope.tcp_isn_fixed"),
    E("hopscope.", tcp_isn_fixed, U32, isn_fixed, 0, UINT32_MAX, "the initial sequence number of tcp_isn 2"),
    E("hopscope.", tcp_pacing_fq, U16, pacing_qdisc_fq, 0, 1,
      "1: the device's queue honours departure times (fq); 0: TCP paces by its own timer"),
    E("hopscope.", tcp_quirks, U32, quirks, 0, TCP_QUIRK_ALL,
      "deliberately wrong behaviour for lessons, a bit each (docs/scenario-api.md)"),
    E("hopscope.", tcp_recovery_style, U8, recovery_style, 0, 4,
      "loss recovery: 0 as Linux, 1 Tahoe, 2 Reno (RFC 5681), 3 NewReno (RFC 6582), 4 SACK (RFC 6675)"),
    E("hopscope.", tcp_rto_fixed_ms, U32, rto_fixed_ms, 0, 120000,
      "retransmission timeout in ms, whatever was measured; 0: as measured (RFC 6298)"),
    E("hopscope.", tcp_synq_pow2, U8, synq_pow2, 0, 1,
      "1: half-open connections up to a power of two above backlog and tcp_max_syn_backlog, as before Linux "
      "4.4"),
    E("hopscope.", tcp_timewait_len, U32, timewait_len_s, 0, 86400,
      "seconds in TIME_WAIT: twice the MSL; 0: the state does not exist, which is wrong"),
    E(CORE, rmem_default, U32, rmem_default, 2304, INT32_MAX, "receive buffer of sockets other than TCP's"),
    E(CORE, rmem_max, U32, rmem_max, 2304, INT32_MAX, "most that SO_RCVBUF gives, before doubling"),
    E(CORE, somaxconn, U32, somaxconn, 0, INT32_MAX, "most that listen() gives as backlog"),
    E(CORE, wmem_default, U32, wmem_default, 4608, INT32_MAX, "send buffer of sockets other than TCP's"),
    E(CORE, wmem_max, U32, wmem_max, 4608, INT32_MAX, "most that SO_SNDBUF gives, before doubling"),
    F(tcp_abort_on_overflow, U8, 0, 255, "a full accept queue answers with RST"),
    F(tcp_adv_win_scale, I8, -31, 31, "obsolete, without effect"),
    F(tcp_app_win, U8, 0, 31, "part of the window kept for the application: 1/2^n"),
    F(tcp_autocorking, U8, 0, 1, "small writes wait while packets are in the device's queue"),
    E(IP4, tcp_available_congestion_control, CONTROLLERS, tcp_congestion_control, 0, 0,
      "congestion controllers that there are (read only)"),
    F(tcp_backlog_ack_defer, U8, 0, 1, "without effect here: there is no backlog"),
    F(tcp_base_mss, U32, 0, INT32_MAX, "where packetization-layer path MTU discovery begins"),
    F(tcp_challenge_ack_limit, U32, 0, INT32_MAX, "challenge ACKs a second, whole host (RFC 5961)"),
    F(tcp_comp_sack_delay_ns, U32, 0, UINT32_MAX, "duplicate ACKs are held back so long at most"),
    F(tcp_comp_sack_nr, U8, 0, 255, "so many duplicate ACKs are held back; 0: none"),
    F(tcp_comp_sack_rtt_percent, U16, 1, 1000, "and for that part of the round-trip time"),
    F(tcp_comp_sack_slack_ns, U32, 0, UINT32_MAX, "and this on top (the slack of Linux's timer)"),
    F(tcp_congestion_control, CONTROLLER, 0, 0, "congestion controller of new connections"),
    F(tcp_dsack, U8, 0, 255, "report duplicates (RFC 2883)"),
    F(tcp_early_retrans, U8, 0, 4, "3 and 4: tail loss probes; 0: none"),
    F(tcp_ecn, U8, 0, 5,
      "0 off, 1 ask and accept, 2 accept; 3 accurate ECN ask and accept, 4 ask for classic, accept accurate, "
      "5 accept accurate"),
    F(tcp_ecn_fallback, U8, 0, 1, "a lost SYN is repeated without ECN"),
    F(tcp_ecn_option, U8, 0, 3,
      "accurate ECN option: 0 never, 1 after changes and by the beacon, 2 when there is room, 3 though it "
      "gets lost"),
    F(tcp_ecn_option_beacon, U8, 0, 3, "how often a round the accurate ECN option is sent anyhow"),
    F(tcp_fack, U8, 0, 255, "obsolete, without effect"),
    F(tcp_fastopen, U32, 0, UINT32_MAX,
      "bits: 1 client, 2 server, 4 client without cookie, 0x200 server without cookie, 0x400 all listeners"),
    F(tcp_fastopen_blackhole_timeout_sec, U32, 0, INT32_MAX,
      "first pause of Fast Open after a black hole; 0: none"),
    F(tcp_fastopen_key, KEY, 0, 0, "keys of the server's cookies: one or two of 16 bytes, in hexadecimal"),
    E(IP4, tcp_fin_timeout, U32, tcp_fin_timeout_s, 0, INT32_MAX / 1000, "seconds of an orphan in FIN_WAIT2"),
    F(tcp_frto, U8, 0, 255, "F-RTO (RFC 5682)"),
    E(IP4, tcp_invalid_ratelimit, U32, tcp_invalid_ratelimit_ms, 0, INT32_MAX,
      "milliseconds between answers to invalid segments"),
    E(IP4, tcp_keepalive_intvl, U32, tcp_keepalive_intvl_s, 0, INT32_MAX / 1000,
      "seconds between keepalive probes"),
    F(tcp_keepalive_probes, U8, 0, 255, "so many unanswered keepalive probes end a connection"),
    E(IP4, tcp_keepalive_time, U32, tcp_keepalive_time_s, 0, INT32_MAX / 1000,
      "seconds of idleness before the first"),
    F(tcp_limit_output_bytes, U32, 0, INT32_MAX, "bytes of a connection in this host's own queues"),
    F(tcp_max_orphans, U32, 0, INT32_MAX, "connections without a socket, at most"),
    F(tcp_max_reordering, U32, 0, INT32_MAX, "packets of reordering believed, at most"),
    F(tcp_max_syn_backlog, U32, 0, INT32_MAX, "half-open connections without SYN cookies, at most"),
    F(tcp_max_tw_buckets, U32, 0, INT32_MAX, "connections in TIME_WAIT, at most"),
    F(tcp_mem, TRIPLE64, 0, INT64_MAX, "pages of all of TCP: no pressure, pressure, limit"),
    E(IP4, tcp_min_rtt_wlen, U32, tcp_min_rtt_wlen_s, 0, 86400,
      "seconds over which the minimum round-trip time is taken"),
    F(tcp_min_snd_mss, U32, 48, 65535, "smallest segments that an MSS option or ICMP can bring about"),
    F(tcp_min_tso_segs, U8, 1, 255, "segments of a super packet, at least"),
    F(tcp_moderate_rcvbuf, U8, 0, 255, "the receive buffer grows by itself"),
    F(tcp_mtu_probe_floor, U32, 48, 65535, "smallest packets that path MTU probing goes down to"),
    F(tcp_mtu_probing, U8, 0, 255, "packetization-layer path MTU discovery: 1 after a black hole, 2 always"),
    F(tcp_no_metrics_save, U8, 0, 255, "nothing is remembered of a destination"),
    F(tcp_no_ssthresh_metrics_save, U8, 0, 1, "but not the slow start threshold"),
    F(tcp_notsent_lowat, U32, 0, UINT32_MAX, "unsent bytes above which a socket is not writable"),
    F(tcp_orphan_retries, U8, 0, 255, "retransmissions of an orphan; 0: 8"),
    F(tcp_pacing_ca_ratio, U32, 0, 1000, "percent of cwnd/RTT, in congestion avoidance"),
    F(tcp_pacing_ss_ratio, U32, 0, 1000, "percent of cwnd/RTT, in slow start"),
    F(tcp_pingpong_thresh, U8, 1, 255, "so many answers in a row make a connection interactive"),
    E(IP4, tcp_probe_interval, U32, tcp_probe_interval_s, 0, UINT32_MAX, "seconds between path MTU searches"),
    F(tcp_probe_threshold, U32, 0, INT32_MAX, "bytes of difference that end a path MTU search"),
    F(tcp_rcvbuf_low_rtt, U32, 0, INT32_MAX,
      "round trip in us below which the receive buffer grows more slowly"),
    F(tcp_recovery, U8, 0, 255, "1 RACK, 2 a static reordering window, 4 without the three duplicate ACKs"),
    F(tcp_reflect_tos, U8, 0, 1, "answer with the DSCP of the SYN"),
    F(tcp_reordering, U32, 0, INT32_MAX, "packets of reordering assumed at first"),
    F(tcp_retrans_collapse, U8, 0, 255, "join small segments when they are sent again"),
    F(tcp_retries1, U8, 0, 255, "retransmissions before the route is asked again"),
    F(tcp_retries2, U8, 0, 255, "retransmissions before the connection is given up"),
    F(tcp_rfc1337, U8, 0, 255, "RST does not end TIME_WAIT"),
    F(tcp_rmem, TRIPLE, 1, INT32_MAX, "receive buffer: least, at first, most"),
    F(tcp_rto_max_ms, U32, 1000, 120000, "longest retransmission timeout"),
    F(tcp_rto_min_us, U32, 1, INT32_MAX, "shortest retransmission timeout"),
    F(tcp_sack, U8, 0, 255, "selective acknowledgments (RFC 2018)"),
    F(tcp_shrink_window, U8, 0, 1, "the window may shrink when memory is short"),
    F(tcp_slow_start_after_idle, U8, 0, 255, "slow start after idleness (RFC 2861)"),
    F(tcp_stdurg, U8, 0, 255, "the urgent pointer as RFC 1122 has it"),
    F(tcp_syn_linear_timeouts, U8, 0, 127, "so many SYN timeouts before they double"),
    F(tcp_syn_retries, U8, 1, 127, "SYN retransmissions"),
    F(tcp_synack_retries, U8, 0, 255, "SYN-ACK retransmissions"),
    F(tcp_syncookies, U8, 0, 255, "1: when the queue is full, 2: always"),
    F(tcp_thin_linear_timeouts, U8, 0, 255, "no exponential back-off for thin streams"),
    F(tcp_timestamps, U8, 0, 255, "1 with a random offset, 2 without one"),
    F(tcp_tso_rtt_log, U8, 0, 255, "super packets shrink with the round-trip time: 2^n µs"),
    F(tcp_tso_win_divisor, U8, 0, 255, "part of the window that one super packet may take"),
    F(tcp_tw_reuse, U8, 0, 2, "connect() may reuse TIME_WAIT: 1 always, 2 over the loopback"),
    E(IP4, tcp_tw_reuse_delay, U32, tcp_tw_reuse_delay_ms, 1, 60000, "milliseconds before it may"),
    F(tcp_window_scaling, U8, 0, 255, "window scaling (RFC 7323)"),
    F(tcp_wmem, TRIPLE, 1, INT32_MAX, "send buffer: least, at first, most"),
    F(tcp_workaround_signed_windows, U8, 0, 255, "never offer more than 32767 without scaling"),
};

static const Entry *find(const char *name)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

/* ---- setting ---- */

static bool parse(const Entry *e, const char *text, int64_t *v)
{
    char *end;

    if (*text == '\0' || *text == '+' || g_ascii_isspace(*text))
        return false;
    *v = g_ascii_strtoll(text, &end, 0);
    return *end == '\0' && *v >= e->min && *v <= e->max;
}

/* The i-th number at `at`. */
static void store(Kind kind, void *at, unsigned i, int64_t v)
{
    switch (kind) {
    case U8:
        ((uint8_t *)at)[i] = (uint8_t)v;
        break;
    case I8:
        ((int8_t *)at)[i] = (int8_t)v;
        break;
    case U16:
        ((uint16_t *)at)[i] = (uint16_t)v;
        break;
    case U32:
    case TRIPLE:
        ((uint32_t *)at)[i] = (uint32_t)v;
        break;
    default:
        ((uint64_t *)at)[i] = (uint64_t)v;
        break;
    }
}

static int64_t load(Kind kind, const void *at, unsigned i)
{
    switch (kind) {
    case U8:
        return ((const uint8_t *)at)[i];
    case I8:
        return ((const int8_t *)at)[i];
    case U16:
        return ((const uint16_t *)at)[i];
    case U32:
    case TRIPLE:
        return ((const uint32_t *)at)[i];
    default:
        return (int64_t)((const uint64_t *)at)[i];
    }
}

static bool set_number(const Entry *e, void *at, const char *text, char **error)
{
    int64_t v;

    if (!parse(e, text, &v)) {
        *error = g_strdup_printf("%s cannot be \"%s\" (expected a number from %" G_GINT64_FORMAT
                                 " to %" G_GINT64_FORMAT ")",
                                 e->name, text, e->min, e->max);
        return false;
    }
    store(e->kind, at, 0, v);
    return true;
}

/* As in Linux, fewer than three numbers set the first ones. */
static bool set_triple(const Entry *e, void *at, const char *text, char **error)
{
    char **part = g_strsplit_set(text, " \t", -1);
    int64_t v[3];
    unsigned n = 0;
    bool ok = true;

    for (unsigned i = 0; part[i] && ok; i++)
        if (*part[i])
            ok = n < 3 && parse(e, part[i], &v[n]) && ++n;
    g_strfreev(part);
    if (!ok || !n) {
        *error = g_strdup_printf(
            "%s cannot be \"%s\" (expected three numbers, such as \"4096 131072 6291456\")", e->name, text);
        return false;
    }
    for (unsigned i = 0; i < n; i++)
        store(e->kind, at, i, v[i]);
    return true;
}

static char *controllers(const CcSet *set)
{
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < cc_ops_table_len; i++)
        g_string_append_printf(s, "%s%s", i ? " " : "", cc_ops_table[i]->name);
    for (unsigned i = 0; i < set->n; i++)
        g_string_append_printf(s, " %s", set->ops[i]->name);
    return g_string_free(s, FALSE);
}

static bool set_controller(const Entry *e, const CcSet *set, char *at, const char *text, char **error)
{
    if (!cc_ops_find(set, text)) {
        char *known = controllers(set);

        *error = g_strdup_printf("%s cannot be \"%s\" (expected one of: %s)", e->name, text, known);
        g_free(known);
        return false;
    }
    g_strlcpy(at, text, CC_NAME_MAX);
    return true;
}

/* "00000000-00000000-00000000-00000000", four words as hexadecimal numbers, each little-endian in the key. */
static bool parse_key(const char *text, uint8_t key[16])
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t word = 0;
        unsigned digits = 0;

        for (; g_ascii_isxdigit(*text) && digits < 8; text++, digits++)
            word = word << 4 | (uint32_t)g_ascii_xdigit_value(*text);
        if (!digits || *text != (i < 3 ? '-' : '\0'))
            return false;
        text += i < 3;
        for (unsigned k = 0; k < 4; k++)
            key[4 * i + k] = (uint8_t)(word >> 8 * k);
    }
    return true;
}

static bool set_keys(const Entry *e, TcpSysctl *s, const char *text, char **error)
{
    char **part = g_strsplit(text, ",", -1);
    uint8_t key[2][16];
    unsigned n = g_strv_length(part);
    bool ok = n == 1 || n == 2;

    for (unsigned i = 0; ok && i < n; i++)
        ok = parse_key(part[i], key[i]);
    g_strfreev(part);
    if (!ok) {
        *error = g_strdup_printf("%s cannot be \"%s\" (expected four hexadecimal words, such as "
                                 "\"a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4\", or two such keys with a comma)",
                                 e->name, text);
        return false;
    }
    memcpy(s->tcp_fastopen_key, key, 16 * n);
    s->n_fastopen_keys = (uint8_t)n;
    return true;
}

bool host_sysctl_tcp_set(Host *h, const char *name, const char *value, bool *known, char **error)
{
    const Entry *e = find(name);
    TcpSysctl *s;
    void *at;

    *known = e != NULL;
    if (!e)
        return false;
    s = host_tcp_sysctl(h);
    at = (char *)s + e->offset;
    switch (e->kind) {
    case TRIPLE:
    case TRIPLE64:
        return set_triple(e, at, value, error);
    case CONTROLLER:
        return set_controller(e, &h->net->controllers, at, value, error);
    case CONTROLLERS:
        *error = g_strdup_printf("%s can only be read", name);
        return false;
    case KEY:
        return set_keys(e, s, value, error);
    default:
        return set_number(e, at, value, error);
    }
}

/* ---- getting ---- */

static char *format_keys(const TcpSysctl *s)
{
    GString *out = g_string_new(NULL);

    for (unsigned n = 0; n < HS_MAX(s->n_fastopen_keys, 1u); n++) {
        if (n)
            g_string_append_c(out, ',');
        for (unsigned i = 0; i < 4; i++) {
            const uint8_t *k = s->tcp_fastopen_key[n] + 4 * i;

            g_string_append_printf(out, "%s%02x%02x%02x%02x", i ? "-" : "", k[3], k[2], k[1], k[0]);
        }
    }
    return g_string_free(out, FALSE);
}

bool host_sysctl_tcp_get(Host *h, const char *name, char **value)
{
    const Entry *e = find(name);
    const TcpSysctl *s;
    const void *at;

    if (!e)
        return false;
    s = host_tcp_sysctl_get(h);
    at = (const char *)s + e->offset;
    switch (e->kind) {
    case U8:
    case I8:
    case U16:
    case U32:
        *value = g_strdup_printf("%" G_GINT64_FORMAT, load(e->kind, at, 0));
        break;
    case TRIPLE:
    case TRIPLE64:
        *value = g_strdup_printf("%" G_GINT64_FORMAT "\t%" G_GINT64_FORMAT "\t%" G_GINT64_FORMAT,
                                 load(e->kind, at, 0), load(e->kind, at, 1), load(e->kind, at, 2));
        break;
    case CONTROLLER:
        *value = g_strdup(at);
        break;
    case CONTROLLERS:
        *value = controllers(&h->net->controllers);
        break;
    case KEY:
        *value = format_keys(s);
        break;
    }
    return true;
}

void host_sysctl_tcp_foreach(void (*fn)(const char *name, const char *help, void *user), void *user)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(table); i++)
        fn(table[i].name, table[i].help, user);
}

/* struct tcp_info, union tcp_cc_info and SO_MEMINFO's array in Linux's layout, field by field
 * (include/uapi/linux/tcp.h and sock_diag.h of Linux 7). The layout is read by position so that a program
 * compiled against older headers still knows every name; a kernel that tells less leaves the last ones 0. */
#include "packetdrill/pd_info.h"

#include <string.h>

#include "sim/base/base.h"

typedef struct Field {
    const char *name;
    uint8_t size; /* bytes, at its natural alignment; 0: the next bits of the byte or word before */
    uint8_t bits; /* 0: all of them */
} Field;

static const Field tcp_fields[] = {{"tcpi_state", 1},
                                   {"tcpi_ca_state", 1},
                                   {"tcpi_retransmits", 1},
                                   {"tcpi_probes", 1},
                                   {"tcpi_backoff", 1},
                                   {"tcpi_options", 1},
                                   {"tcpi_snd_wscale", 1, 4},
                                   {"tcpi_rcv_wscale", 0, 4},
                                   {"tcpi_delivery_rate_app_limited", 1, 1},
                                   {"tcpi_fastopen_client_fail", 0, 2},
                                   {"tcpi_rto", 4},
                                   {"tcpi_ato", 4},
                                   {"tcpi_snd_mss", 4},
                                   {"tcpi_rcv_mss", 4},
                                   {"tcpi_unacked", 4},
                                   {"tcpi_sacked", 4},
                                   {"tcpi_lost", 4},
                                   {"tcpi_retrans", 4},
                                   {"tcpi_fackets", 4},
                                   {"tcpi_last_data_sent", 4},
                                   {"tcpi_last_ack_sent", 4},
                                   {"tcpi_last_data_recv", 4},
                                   {"tcpi_last_ack_recv", 4},
                                   {"tcpi_pmtu", 4},
                                   {"tcpi_rcv_ssthresh", 4},
                                   {"tcpi_rtt", 4},
                                   {"tcpi_rttvar", 4},
                                   {"tcpi_snd_ssthresh", 4},
                                   {"tcpi_snd_cwnd", 4},
                                   {"tcpi_advmss", 4},
                                   {"tcpi_reordering", 4},
                                   {"tcpi_rcv_rtt", 4},
                                   {"tcpi_rcv_space", 4},
                                   {"tcpi_total_retrans", 4},
                                   {"tcpi_pacing_rate", 8},
                                   {"tcpi_max_pacing_rate", 8},
                                   {"tcpi_bytes_acked", 8},
                                   {"tcpi_bytes_received", 8},
                                   {"tcpi_segs_out", 4},
                                   {"tcpi_segs_in", 4},
                                   {"tcpi_notsent_bytes", 4},
                                   {"tcpi_min_rtt", 4},
                                   {"tcpi_data_segs_in", 4},
                                   {"tcpi_data_segs_out", 4},
                                   {"tcpi_delivery_rate", 8},
                                   {"tcpi_busy_time", 8},
                                   {"tcpi_rwnd_limited", 8},
                                   {"tcpi_sndbuf_limited", 8},
                                   {"tcpi_delivered", 4},
                                   {"tcpi_delivered_ce", 4},
                                   {"tcpi_bytes_sent", 8},
                                   {"tcpi_bytes_retrans", 8},
                                   {"tcpi_dsack_dups", 4},
                                   {"tcpi_reord_seen", 4},
                                   {"tcpi_rcv_ooopack", 4},
                                   {"tcpi_snd_wnd", 4},
                                   {"tcpi_rcv_wnd", 4},
                                   {"tcpi_rehash", 4},
                                   {"tcpi_total_rto", 2},
                                   {"tcpi_total_rto_recoveries", 2},
                                   {"tcpi_total_rto_time", 4},
                                   {"tcpi_received_ce", 4},
                                   {"tcpi_delivered_e1_bytes", 4},
                                   {"tcpi_delivered_e0_bytes", 4},
                                   {"tcpi_delivered_ce_bytes", 4},
                                   {"tcpi_received_e1_bytes", 4},
                                   {"tcpi_received_e0_bytes", 4},
                                   {"tcpi_received_ce_bytes", 4},
                                   {"tcpi_ecn_mode", 4, 2},
                                   {"tcpi_accecn_opt_seen", 0, 2},
                                   {"tcpi_accecn_fail_mode", 0, 4},
                                   {"tcpi_options2", 0, 24},
                                   {0}};
static const Field vegas_fields[] = {
    {"tcpv_enabled", 4}, {"tcpv_rttcnt", 4}, {"tcp_rtt", 4}, {"tcp_minrtt", 4}, {0}};
static const Field dctcp_fields[] = {{"dctcp_enabled", 2}, {"dctcp_ce_state", 2}, {"dctcp_alpha", 4},
                                     {"dctcp_ab_ecn", 4},  {"dctcp_ab_tot", 4},   {0}};
static const Field bbr_fields[] = {{"bbr_bw_lo", 4},       {"bbr_bw_hi", 4},     {"bbr_min_rtt", 4},
                                   {"bbr_pacing_gain", 4}, {"bbr_cwnd_gain", 4}, {0}};
static const char *const meminfo_names[] = {
    "SK_MEMINFO_RMEM_ALLOC", "SK_MEMINFO_RCVBUF",    "SK_MEMINFO_WMEM_ALLOC",
    "SK_MEMINFO_SNDBUF",     "SK_MEMINFO_FWD_ALLOC", "SK_MEMINFO_WMEM_QUEUED",
    "SK_MEMINFO_OPTMEM",     "SK_MEMINFO_BACKLOG",   "SK_MEMINFO_DROPS"};

static const struct {
    const char *name;
    uint32_t value;
} constants[] = {{"TCP_ESTABLISHED", 1},    {"TCP_SYN_SENT", 2},        {"TCP_SYN_RECV", 3},
                 {"TCP_FIN_WAIT1", 4},      {"TCP_FIN_WAIT2", 5},       {"TCP_TIME_WAIT", 6},
                 {"TCP_CLOSE", 7},          {"TCP_CLOSE_WAIT", 8},      {"TCP_LAST_ACK", 9},
                 {"TCP_LISTEN", 10},        {"TCP_CLOSING", 11},        {"TCP_CA_Open", 0},
                 {"TCP_CA_Disorder", 1},    {"TCP_CA_CWR", 2},          {"TCP_CA_Recovery", 3},
                 {"TCP_CA_Loss", 4},        {"TCPI_OPT_TIMESTAMPS", 1}, {"TCPI_OPT_SACK", 2},
                 {"TCPI_OPT_WSCALE", 4},    {"TCPI_OPT_ECN", 8},        {"TCPI_OPT_ECN_SEEN", 16},
                 {"TCPI_OPT_SYN_DATA", 32}, {"TCPI_OPT_USEC_TS", 64},   {"TCPI_OPT_TFO_CHILD", 128}};

static uint64_t read_le(const uint8_t *p, size_t room, size_t at, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++)
        v |= at + i < room ? (uint64_t)p[at + i] << (8 * i) : 0;
    return v;
}

static void foreach_field(const Field *f, const uint8_t *p, size_t len, PdInfoFn fn, void *user)
{
    size_t at = 0;
    uint64_t word = 0;
    unsigned shift = 0;

    for (; f->name; f++) {
        if (f->size) {
            at = (at + f->size - 1) / f->size * f->size;
            word = read_le(p, len, at, f->size);
            at += f->size;
            shift = 0;
        }
        fn(user, f->name, f->bits ? word >> shift & ((UINT64_C(1) << f->bits) - 1) : word);
        shift += f->bits;
    }
}

typedef struct Two {
    PdInfoFn fn;
    void *user;
    uint64_t lo, hi;
} Two;

static void add_bandwidth(void *user, const char *name, uint64_t value)
{
    Two *t = user;

    t->fn(t->user, name, value);
    if (strcmp(name, "bbr_bw_lo") == 0)
        t->lo = value;
    if (strcmp(name, "bbr_bw_hi") == 0)
        t->fn(t->user, "bbr_bw", value << 32 | t->lo);
}

void pd_info_foreach(const PdSnapshot *s, PdInfoFn fn, void *user)
{
    foreach_field(tcp_fields, s->tcp_info, s->tcp_info_len, fn, user);
    if (strcmp(s->cc_name, "vegas") == 0)
        foreach_field(vegas_fields, s->cc_info, s->cc_info_len, fn, user);
    else if (strcmp(s->cc_name, "dctcp") == 0)
        foreach_field(dctcp_fields, s->cc_info, s->cc_info_len, fn, user);
    else if (strncmp(s->cc_name, "bbr", 3) == 0)
        foreach_field(bbr_fields, s->cc_info, s->cc_info_len, add_bandwidth, &(Two){.fn = fn, .user = user});
    for (unsigned i = 0; i < HS_ARRAY_LEN(meminfo_names) && i < s->n_meminfo; i++)
        fn(user, meminfo_names[i], s->meminfo[i]);
}

void pd_info_foreach_constant(PdInfoFn fn, void *user)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(constants); i++)
        fn(user, constants[i].name, constants[i].value);
}

typedef struct Wanted {
    const char *name;
    uint64_t value;
    bool found;
} Wanted;

static void take_wanted(void *user, const char *name, uint64_t value)
{
    Wanted *w = user;

    if (strcmp(name, w->name) == 0) {
        w->value = value;
        w->found = true;
    }
}

bool pd_info_tcp(const PdSnapshot *s, const char *name, uint64_t *value)
{
    Wanted w = {.name = name};

    foreach_field(tcp_fields, s->tcp_info, s->tcp_info_len, take_wanted, &w);
    if (w.found)
        *value = w.value;
    return w.found;
}

/* struct tcp_info as today's Linux has it, field by field in its layout (include/uapi/linux/tcp.h), so that
 * TCP_INFO, the packetdrill runner's assertions and conn:info() agree. Times in µs but for the four
 * tcpi_last_*, which are in ms. */
#pragma once

#include <stdint.h>

/* tcpi_options */
enum {
    TCPI_OPT_TIMESTAMPS = 1,
    TCPI_OPT_SACK = 2,
    TCPI_OPT_WSCALE = 4,
    TCPI_OPT_ECN = 8,
    TCPI_OPT_ECN_SEEN = 16,
    TCPI_OPT_SYN_DATA = 32,
    TCPI_OPT_USEC_TS = 64,
    TCPI_OPT_TFO_CHILD = 128,
};

/* tcpi_ecn_mode */
enum { TCPI_ECN_MODE_DISABLED, TCPI_ECN_MODE_RFC3168, TCPI_ECN_MODE_ACCECN, TCPI_ECN_MODE_PENDING };

typedef struct TcpInfo {
    uint8_t tcpi_state, tcpi_ca_state, tcpi_retransmits, tcpi_probes, tcpi_backoff, tcpi_options;
    uint8_t tcpi_snd_wscale : 4, tcpi_rcv_wscale : 4;
    uint8_t tcpi_delivery_rate_app_limited : 1, tcpi_fastopen_client_fail : 2;
    uint32_t tcpi_rto, tcpi_ato, tcpi_snd_mss, tcpi_rcv_mss;
    uint32_t tcpi_unacked, tcpi_sacked, tcpi_lost, tcpi_retrans, tcpi_fackets;
    uint32_t tcpi_last_data_sent, tcpi_last_ack_sent, tcpi_last_data_recv, tcpi_last_ack_recv;
    uint32_t tcpi_pmtu, tcpi_rcv_ssthresh, tcpi_rtt, tcpi_rttvar, tcpi_snd_ssthresh, tcpi_snd_cwnd;
    uint32_t tcpi_advmss, tcpi_reordering, tcpi_rcv_rtt, tcpi_rcv_space, tcpi_total_retrans;
    uint64_t tcpi_pacing_rate, tcpi_max_pacing_rate; /* bytes/s; all ones: unlimited */
    uint64_t tcpi_bytes_acked, tcpi_bytes_received;
    uint32_t tcpi_segs_out, tcpi_segs_in;
    uint32_t tcpi_notsent_bytes, tcpi_min_rtt, tcpi_data_segs_in, tcpi_data_segs_out;
    uint64_t tcpi_delivery_rate;
    uint64_t tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited;
    uint32_t tcpi_delivered, tcpi_delivered_ce;
    uint64_t tcpi_bytes_sent, tcpi_bytes_retrans;
    uint32_t tcpi_dsack_dups, tcpi_reord_seen, tcpi_rcv_ooopack;
    uint32_t tcpi_snd_wnd, tcpi_rcv_wnd, tcpi_rehash;
    uint16_t tcpi_total_rto, tcpi_total_rto_recoveries;
    uint32_t tcpi_total_rto_time; /* ms */
    uint32_t tcpi_received_ce;
    uint32_t tcpi_delivered_e1_bytes, tcpi_delivered_e0_bytes, tcpi_delivered_ce_bytes;
    uint32_t tcpi_received_e1_bytes, tcpi_received_e0_bytes, tcpi_received_ce_bytes;
    uint32_t tcpi_ecn_mode : 2, tcpi_accecn_opt_seen : 2, tcpi_accecn_fail_mode : 4, tcpi_options2 : 24;
} TcpInfo;
_Static_assert(sizeof(TcpInfo) == 280, "the layout of struct tcp_info");

/* The fields by name ("tcpi_rtt"), bit-fields too, for whoever shows or checks them. NULL at the end. */
typedef struct TcpInfoField {
    const char *name;
    uint64_t (*get)(const TcpInfo *info);
} TcpInfoField;
extern const TcpInfoField tcp_info_fields[];

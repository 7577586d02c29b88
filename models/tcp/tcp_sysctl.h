/* A host's TCP settings by their Linux names (net.ipv4.tcp_*, net.core.*), with the defaults of Linux 7
 * (Documentation/networking/ip-sysctl.rst). Times are kept in the unit that the name says.
 * tcp_sysctl_defaults fills in every default; models/node/host_sysctl_tcp.c has the names. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct TcpSysctl {
    uint8_t tcp_sack, tcp_dsack, tcp_fack;                  /* 1, 1, 0 */
    uint8_t tcp_timestamps;                                 /* 1: random offset, 2: without */
    uint8_t tcp_window_scaling;                             /* 1 */
    uint8_t tcp_ecn;                                        /* 2 */
    uint8_t tcp_ecn_fallback;                               /* 1 */
    uint8_t tcp_ecn_option;                                 /* 2 */
    uint8_t tcp_ecn_option_beacon;                          /* 3 */
    uint8_t tcp_syn_retries, tcp_synack_retries;            /* 6, 5 */
    uint8_t tcp_syn_linear_timeouts;                        /* 4 */
    uint8_t tcp_retries1, tcp_retries2, tcp_orphan_retries; /* 3, 15, 0 */
    uint8_t tcp_syncookies;                                 /* 1 */
    uint8_t tcp_abort_on_overflow;                          /* 0 */
    uint8_t tcp_frto;                                       /* 2 */
    uint8_t tcp_recovery;                                   /* 1: RACK; 2: static reo_wnd; 4: no dupthresh */
    uint8_t tcp_early_retrans;                              /* 3 and 4: TLP */
    uint8_t tcp_slow_start_after_idle;                      /* 1 */
    uint8_t tcp_no_metrics_save, tcp_no_ssthresh_metrics_save;   /* 0, 1 */
    uint8_t tcp_moderate_rcvbuf;                                 /* 1 */
    uint8_t tcp_shrink_window;                                   /* 0 */
    uint8_t tcp_rfc1337, tcp_stdurg;                             /* 0, 0 */
    uint8_t tcp_workaround_signed_windows;                       /* 0 */
    uint8_t tcp_tw_reuse;                                        /* 2: loopback only */
    uint8_t tcp_autocorking;                                     /* 1 */
    uint8_t tcp_reflect_tos;                                     /* 0 */
    uint8_t tcp_mtu_probing;                                     /* 0 */
    uint8_t tcp_retrans_collapse;                                /* 1 */
    uint8_t tcp_thin_linear_timeouts;                            /* 0 */
    uint8_t tcp_min_tso_segs;                                    /* 2 */
    uint8_t tcp_tso_rtt_log;                                     /* 9 */
    uint8_t tcp_tso_win_divisor;                                 /* 3 */
    uint8_t tcp_pingpong_thresh;                                 /* 1 */
    uint8_t tcp_backlog_ack_defer;                               /* 1: has no effect here, no backlog */
    uint8_t tcp_app_win;                                         /* 31 */
    int8_t tcp_adv_win_scale;                                    /* 1 */
    uint8_t tcp_keepalive_probes;                                /* 9 */
    uint8_t tcp_comp_sack_nr;                                    /* 44 */
    uint16_t tcp_comp_sack_rtt_percent;                          /* 33 */
    uint32_t tcp_comp_sack_delay_ns, tcp_comp_sack_slack_ns;     /* 1000000, 10000 */
    uint32_t tcp_rcvbuf_low_rtt;                                 /* 1000 us */
    uint32_t tcp_reordering, tcp_max_reordering;                 /* 3, 300 */
    uint32_t tcp_fin_timeout_s;                                  /* 60 */
    uint32_t tcp_keepalive_time_s, tcp_keepalive_intvl_s;        /* 7200, 75 */
    uint32_t tcp_max_syn_backlog;                                /* 4096 */
    uint32_t tcp_max_tw_buckets;                                 /* 131072 */
    uint32_t tcp_max_orphans;                                    /* 65536 */
    uint32_t tcp_tw_reuse_delay_ms;                              /* 1000 */
    uint32_t tcp_base_mss, tcp_min_snd_mss, tcp_mtu_probe_floor; /* 1024, 48, 48 */
    uint32_t tcp_probe_interval_s, tcp_probe_threshold;          /* 600, 8 */
    uint32_t tcp_challenge_ack_limit;                            /* INT32_MAX: off */
    uint32_t tcp_invalid_ratelimit_ms;                           /* 500 */
    uint32_t tcp_notsent_lowat;                                  /* UINT32_MAX */
    uint32_t tcp_limit_output_bytes;                             /* 4194304 */
    uint32_t tcp_min_rtt_wlen_s;                                 /* 300 */
    uint32_t tcp_rto_min_us, tcp_rto_max_ms;                     /* 200000, 120000 */
    uint32_t tcp_pacing_ss_ratio, tcp_pacing_ca_ratio;           /* 200, 120 */
    uint32_t tcp_fastopen;                                       /* 1 */
    uint32_t tcp_fastopen_blackhole_timeout_sec;                 /* 0 */
    uint8_t tcp_fastopen_key[2][16];                             /* primary and backup, bytes in key order */
    uint8_t n_fastopen_keys;                                     /* 0: made from the seed when first needed */
    uint32_t tcp_rmem[3], tcp_wmem[3];                       /* 4096 131072 33554432, 4096 16384 4194304 */
    uint64_t tcp_mem[3];                                     /* pages */
    char tcp_congestion_control[16];                         /* "cubic" */
    uint32_t somaxconn;                                      /* net.core: 4096 */
    uint32_t rmem_max, wmem_max, rmem_default, wmem_default; /* net.core: 4194304 both max, 212992 */
    uint16_t pacing_qdisc_fq; /* hopscope: 1 = the device's queue honours departure times (fq); 0: TCP paces
                                 by its own timer */

    /* Behaviour of older and deliberately wrong stacks, for teaching (names under "hopscope."). Off by
     * default; looked at off the hot path only. */
    uint8_t recovery_style; /* hopscope.tcp_recovery_style: 0 linux, 1 tahoe, 2 reno (5681), 3 newreno (6582),
                               4 sack (6675) */
    uint8_t isn_mode;       /* hopscope.tcp_isn: 0 RFC 6528, 1 clock only (RFC 793), 2 fixed, see isn_fixed */
    uint32_t isn_fixed;
    uint8_t handshake; /* hopscope.tcp_handshake: 3; 2: a SYN alone opens the server's end, and nothing
                          confirms the answer; 4: the server's ACK and SYN are segments of their own */
    uint8_t synq_pow2; /* hopscope.tcp_synq_pow2: the limit of half-open connections as before Linux 4.4 */
    uint32_t rto_fixed_ms;   /* hopscope.tcp_rto_fixed_ms: the timeout, whatever was measured; 0: RFC 6298 */
    uint32_t timewait_len_s; /* hopscope.tcp_timewait_len: 2 MSL (Linux TCP_TIMEWAIT_LEN); 0: no TIME_WAIT */
    uint32_t quirks;         /* bits TCP_QUIRK_*, tcp_quirk.h */
} TcpSysctl;

extern const TcpSysctl tcp_sysctl_default;
void tcp_sysctl_defaults(TcpSysctl *s);

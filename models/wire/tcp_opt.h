/* TCP options: layout only (what a stack makes of them is models/tcp's).
 * RFC 9293 3.2 (MSS), RFC 7323 (window scale, timestamps), RFC 2018 (SACK), RFC 7413 (Fast Open), RFC 2385
 * (MD5), RFC 9768 (accurate ECN). */
#pragma once

#include "models/wire/wire.h"

#define TCP_MAX_OPTIONS_LEN 40

#define TCP_OPT_EOL 0
#define TCP_OPT_NOP 1
#define TCP_OPT_MSS 2
#define TCP_OPT_WSCALE 3
#define TCP_OPT_SACK_PERMITTED 4
#define TCP_OPT_SACK 5
#define TCP_OPT_TIMESTAMPS 8
#define TCP_OPT_MD5 19
#define TCP_OPT_FASTOPEN 34
#define TCP_OPT_ACCECN0 172 /* accurate ECN, RFC 9768 3.2.3: order EE0B, ECEB, EE1B */
#define TCP_OPT_ACCECN1 174 /* order EE1B, ECEB, EE0B */
#define TCP_OPT_EXPERIMENTAL 254
#define TCP_OPT_FASTOPEN_MAGIC 0xf989 /* Fast Open before it had a number (RFC 7413 4.1.1) */

#define TCP_OPT_MSS_LEN 4
#define TCP_OPT_WSCALE_LEN 3
#define TCP_OPT_SACK_PERMITTED_LEN 2
#define TCP_OPT_TIMESTAMPS_LEN 10
#define TCP_OPT_MD5_LEN 18
#define TCP_OPT_ACCECN_MAX_FIELDS 3
#define TCP_MAX_SACK_BLOCKS 4
#define TCP_MAX_FASTOPEN_COOKIE 16

typedef struct TcpSackBlock {
    uint32_t left;
    uint32_t right;
} TcpSackBlock;

typedef struct TcpOptions {
    bool has_mss;
    bool has_wscale;
    bool has_sack_permitted;
    bool has_timestamps;
    bool has_fastopen; /* an empty cookie is a request */
    bool is_fastopen_experimental;
    bool has_md5;
    bool has_accecn;
    uint8_t accecn_kind; /* TCP_OPT_ACCECN0 or 1 */
    uint8_t n_accecn;    /* whole fields */
    uint8_t n_sack;
    uint8_t n_unknown; /* options of kinds not named here (decode only) */
    uint16_t mss;
    uint8_t wscale;
    uint8_t fastopen_cookie_len;
    uint32_t ts_val;
    uint32_t ts_ecr;
    TcpSackBlock sack[TCP_MAX_SACK_BLOCKS];
    uint8_t fastopen_cookie[TCP_MAX_FASTOPEN_COOKIE];
    uint8_t md5[16];
    uint32_t accecn[TCP_OPT_ACCECN_MAX_FIELDS]; /* 24-bit byte counters, as in the option */
} TcpOptions;

/* Walks raw options: initialise {options, options_len}; true while there is another one (NOP included), false
 * at the end, at end-of-list, or at bytes that are no option (it->error is then a WireError and it->p stands
 * at them). */
typedef struct TcpOptIter {
    const uint8_t *p;
    size_t len;
    int error;
} TcpOptIter;

typedef struct TcpOpt {
    uint8_t kind;
    const uint8_t *p; /* the kind byte */
    uint8_t len;      /* the whole option, 1 for NOP */
} TcpOpt;

bool tcp_opt_next(TcpOptIter *it, TcpOpt *opt);

/* Fills *out as Linux's tcp_parse_options does: an option with a wrong length is ignored, and bytes that are
 * no option end the walk. WIRE_OK, or WIRE_BAD_LENGTH when either happened (*out holds what was good). */
int tcp_options_decode(TcpOptions *out, const uint8_t *p, size_t len);

/* Writes the options in Linux's order (tcp_options_write: MD5, MSS, SACK permitted with timestamps, window
 * scale, SACK, Fast Open; accurate ECN is laid out by models/tcp/tcp_opt_out.c), padded with NOPs to words of
 * four bytes. The result may exceed 40 only if the caller asked for too much: look at
 * tcp_options_encoded_len() first. */
size_t tcp_options_encoded_len(const TcpOptions *o);
size_t tcp_options_encode(uint8_t *p, const TcpOptions *o);

/* Single options for layouts of one's own; each returns the bytes written. */
size_t tcp_opt_put_nop(uint8_t *p);
size_t tcp_opt_put_mss(uint8_t *p, uint16_t mss);
size_t tcp_opt_put_wscale(uint8_t *p, uint8_t shift);
size_t tcp_opt_put_sack_permitted(uint8_t *p);
size_t tcp_opt_put_sack(uint8_t *p, const TcpSackBlock *blocks, unsigned n);
size_t tcp_opt_put_timestamps(uint8_t *p, uint32_t val, uint32_t ecr);
size_t tcp_opt_put_fastopen(uint8_t *p, const uint8_t *cookie, unsigned len);
size_t tcp_opt_put_fastopen_experimental(uint8_t *p, const uint8_t *cookie, unsigned len);
/* n fields of 24 bits each. */
size_t tcp_opt_put_accecn(uint8_t *p, uint8_t kind, const uint32_t *values, unsigned n);
size_t tcp_opt_put_md5(uint8_t *p, const uint8_t digest[16]);

/* "mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7", as tcpdump writes it; cut to fit. Returns buf. */
char *tcp_options_format(const uint8_t *p, size_t len, char *buf, size_t buf_len);

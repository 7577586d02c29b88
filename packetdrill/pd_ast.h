/* A packetdrill script as it was parsed: flags, an init command, timed events, a cleanup command. Plain data;
 * every pointer belongs to the script's arena (PdScript.strings and friends) and lives until pd_script_free.
 *
 * Numbers are the script's own. What they become on the wire is pd_map.c's affair, what a call's expressions
 * become is pd_call.c's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where something stands in the script: line and column from 1. */
typedef struct PdLoc {
    unsigned line, col;
} PdLoc;

/* ---- expressions: the arguments and results of system calls ---- */

typedef enum PdExprKind {
    PD_EXPR_ELLIPSIS, /* ... */
    PD_EXPR_INT,      /* 42, 0x2a, -1 */
    PD_EXPR_FLOAT,    /* not used by any call; kept so that the message can say so */
    PD_EXPR_WORD,     /* a symbol's name: AF_INET */
    PD_EXPR_STRING,   /* "cubic"; may hold zero bytes */
    PD_EXPR_OR,       /* a|b: child[0], child[1] */
    PD_EXPR_LIST,     /* [a, b] or {a, b} */
    PD_EXPR_PAIR,     /* name = child[0] */
    PD_EXPR_APPLY,    /* name(child...): htons(80), inet_addr("…"), msg_name(...); sizeof(text of a type) */
    PD_EXPR_BECOMES,  /* child[0] => child[1], strace's: what is given and what comes back */
} PdExprKind;

typedef struct PdExpr PdExpr;
struct PdExpr {
    PdExprKind kind;
    PdLoc loc;
    int64_t value;
    const char *text; /* WORD, STRING, PAIR, APPLY; zero-terminated */
    size_t text_len;
    bool in_braces;   /* LIST: {…} */
    bool name_braces; /* PAIR: the name had arguments: msg_iov(2)=…; they are child[1] (an APPLY) */
    PdExpr **child;
    unsigned n_children;
};

/* ---- packets ---- */

typedef enum PdDirection { PD_INBOUND, PD_OUTBOUND } PdDirection;

typedef enum PdTosCheck {
    PD_TOS_NONE,  /* inbound 0, outbound unchecked */
    PD_TOS_ECN,   /* the two ECN bits are `tos` */
    PD_TOS_ECT01, /* ECT(0) or ECT(1) */
    PD_TOS_BYTE,  /* the whole byte is `tos` */
} PdTosCheck;

typedef struct PdIpInfo {
    PdTosCheck tos_check;
    uint8_t tos;
    bool has_flow_label, has_ttl;
    uint32_t flow_label;
    uint8_t ttl;
} PdIpInfo;

typedef struct PdSackBlock {
    uint32_t left, right; /* script numbers */
} PdSackBlock;

/* Kinds as on the wire; the Fast Open experiment (254) is told apart by its kind. ECN options: 172 and 174.
 */
typedef struct PdTcpOption {
    uint8_t kind;
    PdLoc loc;
    uint32_t value; /* mss, wscale */
    uint32_t ts_val, ts_ecr;
    uint32_t counter[3]; /* AccECN: in the order in which they stand on the wire */
    uint8_t n;           /* SACK blocks, AccECN counters, bytes of a cookie or digest */
    PdSackBlock sack[4];
    uint8_t bytes[40]; /* Fast Open cookie, MD5 digest */
} PdTcpOption;

#define PD_MAX_TCP_OPTIONS 40
#define PD_ACE_NONE (-1)

typedef struct PdTcp {
    uint16_t flags; /* TCP_FIN … TCP_AE of models/wire/tcp.h; an ACE digit is folded in */
    int ace;        /* 0–7 when it was written as a digit, else PD_ACE_NONE */
    uint32_t seq;
    uint32_t ack;
    uint32_t len;
    uint16_t win;
    uint16_t urg;
    bool has_ack, has_win, has_urg;
    bool any_options; /* <...> */
    uint8_t n_options;
    PdTcpOption *options;
} PdTcp;

typedef enum PdEchoedKind { PD_ECHOED_NONE, PD_ECHOED_TCP, PD_ECHOED_UDP, PD_ECHOED_RAW } PdEchoedKind;

typedef struct PdIcmp {
    uint8_t type, code; /* of the test's IP version */
    bool has_mtu, has_id;
    uint32_t mtu;
    uint16_t id;
    PdEchoedKind echoed;
    uint32_t echoed_seq, echoed_len;
} PdIcmp;

typedef enum PdProto { PD_TCP, PD_UDP, PD_ICMP } PdProto;

typedef struct PdPacket {
    PdDirection dir;
    PdProto proto;
    PdIpInfo ip;
    bool has_ports;
    uint16_t src_port, dst_port; /* override for this one packet */
    PdTcp tcp;
    PdIcmp icmp;
    uint32_t udp_len;
} PdPacket;

/* ---- system calls ---- */

typedef struct PdSyscall {
    const char *name;
    PdExpr **arg;
    unsigned n_args;
    PdExpr *result;  /* INT, WORD or ELLIPSIS */
    const char *err; /* "EAGAIN", or NULL */
    PdLoc err_loc;
    const char *note; /* the free text in parentheses, or NULL */
    bool has_end;     /* a blocking call: returns at PdEvent.end_us */
} PdSyscall;

/* ---- events ---- */

typedef enum PdEventKind { PD_EVENT_PACKET, PD_EVENT_SYSCALL, PD_EVENT_COMMAND, PD_EVENT_CODE } PdEventKind;

typedef enum PdTimeKind { PD_TIME_ABSOLUTE, PD_TIME_RELATIVE, PD_TIME_ANY } PdTimeKind;

typedef struct PdEvent {
    PdEventKind kind;
    PdLoc loc;         /* of the time */
    PdLoc action_loc;  /* of what follows */
    unsigned end_line; /* the last line of the event's text */
    PdTimeKind time;
    bool has_window; /* T1~T2 */
    int64_t time_us; /* as written: from the start, or from the base */
    int64_t end_us;  /* of a window, or when a blocking call returns; same kind as time_us */
    PdPacket *packet;
    PdSyscall *syscall;
    const char *text; /* COMMAND, CODE */
} PdEvent;

typedef struct PdFlag {
    const char *name;
    const char *value; /* NULL: a switch */
    PdLoc loc;
} PdFlag;

typedef enum PdIpVersion { PD_IPV4, PD_IPV4_MAPPED, PD_IPV6 } PdIpVersion;

typedef struct PdScript {
    char *path;
    char *text;
    size_t text_len;
    PdIpVersion ip_version; /* what ICMP names were read by */
    PdFlag *flags;
    unsigned n_flags;
    const char *init; /* NULL: none */
    PdLoc init_loc;
    const char *cleanup;
    PdLoc cleanup_loc;
    PdEvent *events;
    unsigned n_events;
    void *arena; /* pd_parse.c's */
} PdScript;

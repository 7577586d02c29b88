/* Forward declarations and small types that the rooms of TCP share. */
#pragma once

#include <stdint.h>

#include "models/tcp/tcp_seq.h"
#include "sim/base/base.h"
#include "sim/base/simtime.h"

typedef struct Tcp Tcp;
typedef struct TcpConn TcpConn;
typedef struct TcpSeg TcpSeg;
typedef struct TcpReq TcpReq;
typedef struct TcpTw TcpTw;
typedef struct TcpListen TcpListen;
typedef struct TcpMd5Key TcpMd5Key;

/* Linux's jiffies at HZ=1000 */
#define TCP_JIFFY_NS 1000000
#define TCP_MSS_DEFAULT 536
#define TCP_MIN_MSS 88
#define TCP_MAX_WINDOW 32767u
#define TCP_MAX_WSCALE 14
#define TCP_INFINITE_SSTHRESH 0x7fffffff
#define TCP_INIT_CWND 10
#define TCP_TIMEOUT_INIT_MS 1000
#define TCP_TIMEOUT_MIN_US 2000
#define TCP_DELACK_MIN_MS 40
#define TCP_DELACK_MAX_MS 200
#define TCP_ATO_MIN_MS 40
#define TCP_PROBE_INTERVAL_MIN_MS 500 /* TCP_RESOURCE_PROBE_INTERVAL */
#define TCP_TIMEWAIT_LEN_MS 60000
#define TCP_PAWS_WINDOW 1
#define TCP_PAWS_24DAYS_S (60u * 60 * 24 * 24)
#define TCP_PAWS_MSL_S 60
#define TCP_MAX_QUICKACKS 16
#define TCP_NUM_SACKS 4
#define TCP_RTT_UNKNOWN_US (-1)

/* tcpi_ca_state */
enum { TCP_CA_OPEN, TCP_CA_DISORDER, TCP_CA_CWR, TCP_CA_RECOVERY, TCP_CA_LOSS };

/* A parsed arriving segment: filled by tcp_demux.c, passed by pointer to everybody (Linux: skb + tcp_skb_cb +
 * rx_opt). */
typedef struct TcpIn TcpIn;

/* Deliberate departures from Linux, for lessons that need another stack: bits of the sysctl
 * hopscope.tcp_quirks, asked for off the hot path. */
#pragma once

/* A RST anywhere in the receive window ends the connection (RFC 793), not only one with the exact number (RFC
 * 5961 3). */
#define TCP_QUIRK_RST_IN_WINDOW 0x1
/* What was sent twice is measured too, as before Karn's algorithm (RFC 6298 3): from the last transmission,
 */
#define TCP_QUIRK_RTT_NO_KARN 0x2
/* or, with this as well, from the first. */
#define TCP_QUIRK_RTT_FROM_FIRST 0x4
/* RTT estimate and timeout to the letter of RFC 6298: every deviation counts alike, RTO = SRTT + max(G, 4 x
 * RTTVAR), at least 1 s. */
#define TCP_QUIRK_RFC6298 0x8
/* Go-back-N: Tahoe (hopscope.tcp_recovery_style 1) resends everything outstanding at once, without a smaller
 * window. */
#define TCP_QUIRK_GO_BACK_N 0x10

/* The window is what TCP_WINDOW_CLAMP leaves beside unread data, to the byte, as textbooks draw it: not
 * rounded to segments (RFC 9293 3.8.6.2.2), not shared with the buffer's administration, however small. */
#define TCP_QUIRK_EXACT_WINDOW 0x100

/* The persist timer does nothing: a window update that was lost stays lost (RFC 9293 3.8.6.1 forbids it). */
#define TCP_QUIRK_NO_PERSIST 0x200

/* A window smaller than a segment is filled with what fits, instead of waiting for more of it (RFC 9293
 * 3.8.6.2.1 forbids it). Nagle's algorithm is not concerned: TCP_NODELAY. */
#define TCP_QUIRK_SILLY_SENDER 0x400

/* The congestion window grows with the number of ACKs, whatever they acknowledge, as before RFC 3465. */
#define TCP_QUIRK_COUNT_ACKS 0x800

/* No congestion control: the window is the initial one (route option initcwnd) after every ACK. */
#define TCP_QUIRK_FIXED_CWND 0x1000

/* Reno and NewReno (hopscope.tcp_recovery_style 2, 3) send nothing new on the first two duplicate ACKs, as
 * before limited transmit (RFC 3042): what the published equations of throughput assume. */
#define TCP_QUIRK_NO_LIMITED_TRANSMIT 0x2000

/* The largest value that has a meaning. */
#define TCP_QUIRK_ALL 0x3fff

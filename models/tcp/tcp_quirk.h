/* Deliberate departures from Linux, for lessons that need another stack: bits of the sysctl
 * hopscope.tcp_quirks. Each is asked for at one place, off the hot path. */
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
 * rounded to segments (RFC 9293 3.8.6.2.2), not shared with the buffer's administration. */
#define TCP_QUIRK_EXACT_WINDOW 0x100

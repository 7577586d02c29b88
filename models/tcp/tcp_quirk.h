/* Deliberate departures from Linux, for lessons that need another stack: bits of the sysctl
 * hopscope.tcp_quirks, asked for off the hot path. */
#pragma once

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

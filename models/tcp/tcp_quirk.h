/* Deliberate departures from Linux, for lessons that need another stack: bits of the sysctl
 * hopscope.tcp_quirks. Each is asked for at one place, off the hot path. */
#pragma once

/* The window is what TCP_WINDOW_CLAMP leaves beside unread data, to the byte, as textbooks draw it: not
 * rounded to segments (RFC 9293 3.8.6.2.2), not shared with the buffer's administration. */
#define TCP_QUIRK_EXACT_WINDOW 0x100

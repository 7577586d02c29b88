/* Bytes out of text, as people paste it: plain hexadecimal ("ff ff 00:05", "ffff0005", "0xff, 0xff",
 * "\xff\xff") and the dumps of xxd, hexdump -C, od -Ax -tx1, tcpdump -x and -X, Wireshark and tshark -x.
 *
 * Plain: everything is one packet, and an empty line begins another. Dumps: every line has an offset, which
 * is checked; offset 0 begins another packet; the column of characters on the right is left alone; "*"
 * repeats the line above. '#' begins a comment up to the end of the line. Which of the two it is, the first
 * line decides. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

/* Wireshark's largest packet. */
#define HEXBYTES_PACKET_MAX_BYTES 262144

#define HEXBYTES_ERROR (hexbytes_error_quark())
GQuark hexbytes_error_quark(void);

typedef enum HexbytesError {
    HEXBYTES_ERROR_SYNTAX,
} HexbytesError;

/* The packets as GBytes, at least one; free with g_ptr_array_unref. NULL on error, which names name, line and
 * column. The text need not end in NUL. */
GPtrArray *hexbytes_parse(const char *text, size_t n, const char *name, GError **error) HS_MUST_USE;

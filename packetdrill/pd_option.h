/* TCP options between script and wire. */
#pragma once

#include "packetdrill/pd_ast.h"

#define PD_OPTION_ACCECN0 172 /* RFC 9768 3.2.3: E0B, CEB, E1B */
#define PD_OPTION_ACCECN1 174 /* E1B, CEB, E0B */

/* Bytes on the wire. */
unsigned pd_option_len(const PdTcpOption *o);
/* Writes the options as they are given, numbers included; returns the bytes written. At most 40. */
size_t pd_options_encode(uint8_t *to, const PdTcpOption *o, unsigned n);
/* Reads raw options into at most `max` places; returns how many. *leftover: bytes at the end that are no
 * option. */
unsigned pd_options_decode(PdTcpOption *to, unsigned max, const uint8_t *p, size_t len, size_t *leftover);
/* Same kind and length on the wire: what a script's line asks of the order of options. */
bool pd_option_is_same_shape(const PdTcpOption *a, const PdTcpOption *b);

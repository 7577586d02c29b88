/* Packets and calls in the script's own notation. */
#pragma once

#include <glib.h>

#include "packetdrill/pd_packet.h"

/* "< [ce] P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 1 ecr 2>". ace_digits: ECN flags as one digit.
 */
void pd_format_packet(GString *out, const PdPacket *p, bool v6, bool ace_digits);
/* A captured packet as a script's line; its numbers are the script's already. options: PD_MAX_TCP_OPTIONS
 * places that the packet refers to. */
void pd_format_from_seen(PdPacket *out, const PdSeen *s, bool with_ecn);
/* "0.250000" */
void pd_format_time(GString *out, int64_t us);

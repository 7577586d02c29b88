/* Does what the stack sent agree with a script's line? (section 7 of the language) */
#pragma once

#include "packetdrill/pd_config.h"
#include "packetdrill/pd_map.h"
#include "packetdrill/pd_packet.h"

/* Joins the next captured piece to the ones before, as if they had left as one packet. false and *why (a
 * constant): they do not belong together. */
bool pd_match_join(PdSeen *sum, const PdSeen *piece, const char **why);

/* Learns a TS val and turns the numbers of a TCP packet into the script's. */
void pd_match_to_script(PdSeen *s, const PdPacket *expected, PdMap *map);

/* Everything but the time. `seen` has the script's numbers. since_start_us: the packet's time. false and *why
 * (g_malloc'ed): the first difference. */
bool pd_match_packet(const PdSeen *seen, const PdPacket *expected, PdMap *map, const PdConfig *config,
                     int64_t since_start_us, char **why);

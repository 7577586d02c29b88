/* ECN marking for the queues in front of links: the one thing they know of a packet's inside (RFC 3168
 * section 5). Queue disciplines ask for it through Queue.mark, because they see no headers. */
#pragma once

#include "models/queue/queue.h"

/* Sets Congestion Experienced in an IPv4 packet in Ethernet, VLAN tags allowed. *p may become a copy
 * (packet_own). */
QueueMark linkmark_ce(Packet **p);

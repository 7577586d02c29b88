/* ECN marking for queue disciplines: the one thing a queue knows of a packet's inside (RFC 3168 section 5).
 */
#pragma once

#include "models/queue/queue.h"

/* Is the packet ECN-capable (or marked already)? */
bool queue_can_mark(const Packet *p);
/* Sets Congestion Experienced if the packet is ECN-capable and not marked yet, and counts it. Takes the
 * packet and returns the one to go on with (a copy where the packet was shared). */
Packet *queue_mark_ce(Queue *q, Packet *p);

/* What holds of every connection between any two events, whatever arrived: queues, counts and sequence
 * variables agree with each other. Written from the meaning of the variables, not from the code that moves
 * them. */
#pragma once

#include "models/tcp/tcp_life.h"

/* Ends the program with a sentence when something does not hold. */
void tcp_invariants_check(Tcp *t);

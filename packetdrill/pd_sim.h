/* The simulated host as the stack under test: a Net with one host, tun0, and a process that makes the
 * script's calls. */
#pragma once

#include "packetdrill/pd_stack.h"

extern const PdStackOps pd_sim_ops;

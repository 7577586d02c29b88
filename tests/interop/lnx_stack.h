/* The kernel of this machine as a stack under test (packetdrill/pd_stack.h): a namespace with a TUN device
 * (lnx_tun.h), system calls in a thread of their own (lnx_call.h), shell commands by the shell (lnx_shell.h).
 */
#pragma once

#include "packetdrill/pd_stack.h"

extern const PdStackOps lnx_stack_ops;

/* struct tcp_info as today's Linux has it, field by field in its layout (include/uapi/linux/tcp.h), so that TCP_INFO, the packetdrill runner's assertions and conn:info() agree. */
#pragma once

#include <stdint.h>

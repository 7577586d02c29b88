/* Sequence numbers are compared modulo 2^32 (RFC 9293 3.4): "before" means that less than half the circle
 * lies between. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

static inline bool tcp_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool tcp_after(uint32_t a, uint32_t b)
{
    return tcp_before(b, a);
}

/* low <= x <= high */
static inline bool tcp_between(uint32_t x, uint32_t low, uint32_t high)
{
    return high - low >= x - low;
}

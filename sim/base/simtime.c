#include "sim/base/simtime.h"

#include <inttypes.h>
#include <stdio.h>

char *simtime_str(SimTime t, char buf[SIMTIME_STR_LEN])
{
    uint64_t u = t < 0 ? -(uint64_t)t : (uint64_t)t;

    snprintf(buf, SIMTIME_STR_LEN, "%s%" PRIu64 ".%09" PRIu64, t < 0 ? "-" : "", u / 1000000000,
             u % 1000000000);
    return buf;
}

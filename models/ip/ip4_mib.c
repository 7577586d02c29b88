/* The counters of netstat -s. */
#include <string.h>

#include "models/ip/ip4_priv.h"

static const char *const names[IP4_MIB_COUNT] = {
#define X(name) #name,
    IP4_MIB(X)
#undef X
};

uint64_t ip4_mib(const Ip4 *ip, unsigned i)
{
    hs_assert(i < IP4_MIB_COUNT);
    return ip->live ? ip->live->mib[i] : 0;
}

void ip4_mib_add(Ip4 *ip, unsigned i, uint64_t n)
{
    hs_assert(i < IP4_MIB_COUNT);
    ip4_live(ip)->mib[i] += n;
}

const char *ip4_mib_name(unsigned i)
{
    return i < IP4_MIB_COUNT ? names[i] : NULL;
}

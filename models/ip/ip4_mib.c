/* The counters of netstat -s. */
#include <glib.h>
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
    if (!ip->live)
        return 0;
    return (ip4_mib_hot(i) >= 0 ? ip->live->mib_hot[ip4_mib_hot(i)] : 0) +
           (ip->live->mib_seldom ? ip->live->mib_seldom[i] : 0);
}

void ip4_mib_add_slow(Ip4Live *live, unsigned i, uint64_t n)
{
    if (!live->mib_seldom)
        live->mib_seldom = g_new0(uint64_t, IP4_MIB_COUNT);
    live->mib_seldom[i] += n;
}

void ip4_mib_add(Ip4 *ip, unsigned i, uint64_t n)
{
    hs_assert(i < IP4_MIB_COUNT);
    if (n <= UINT32_MAX)
        ip4_add(ip4_live(ip), i, (uint32_t)n);
    else
        ip4_mib_add_slow(ip4_live(ip), i, n);
}

const char *ip4_mib_name(unsigned i)
{
    return i < IP4_MIB_COUNT ? names[i] : NULL;
}

/* A host at a glance. */
#include <inttypes.h>

#include "step/inspect.h"

static void title(GString *out, const char *text)
{
    g_string_append_printf(out, "%s%s\n", out->len ? "\n" : "", text);
}

bool stepinspect_host(const StepInspect *w, Host *h, GString *out)
{
    static const char *const addr[] = {"ip", "addr"}, *const route[] = {"ip", "route"},
                             *const neigh[] = {"ip", "neigh"}, *const ss[] = {"ss", "-ta"};

    g_string_append_printf(out, "%s: a %s%s\n", host_node(h)->name, host_is_router(h) ? "router" : "host",
                           host_is_on(h) ? "" : ", without power");
    if (!host_is_on(h))
        return true;
    title(out, "addresses (ip addr)");
    stepinspect_shell(h, addr, 2, out);
    title(out, "routes (ip route)");
    stepinspect_shell(h, route, 2, out);
    title(out, "neighbours (ip neigh)");
    stepinspect_shell(h, neigh, 2, out);
    if (host_has_tcp(h)) {
        title(out, "TCP sockets (ss -ta)");
        stepinspect_shell(h, ss, 2, out);
    }
    return true;
}

/* The list of what is bound, read from the very tables that bind it. */
#include "lua/bind/bind.h"

/* One a line, sorted: bind_NAME_options. */
/* clang-format off */
#define OPTION_TABLES(X) \
    X(capture) \
    X(cc) \
    X(corrupt) \
    X(delay) \
    X(duplicate) \
    X(forge) \
    X(host) \
    X(hub) \
    X(ip4_encode) \
    X(ladder) \
    X(link) \
    X(linkdir) \
    X(mtr) \
    X(note) \
    X(on) \
    X(ping) \
    X(plot) \
    X(plug) \
    X(port_stp) \
    X(qlog) \
    X(rarp) \
    X(raw) \
    X(recv) \
    X(result) \
    X(ring) \
    X(route) \
    X(send) \
    X(series) \
    X(source) \
    X(switch) \
    X(tcp) \
    X(tcp_recv) \
    X(tcp_send) \
    X(tcp_sink) \
    X(tcp_source) \
    X(tftp_get) \
    X(tftp_server) \
    X(traceroute) \
    X(trunk) \
    X(udp)
/* clang-format on */

#define X(name) extern const BindOptions bind_##name##_options;
OPTION_TABLES(X)
#undef X

#define X(name) &bind_##name##_options,
const BindOptions *const bind_options[] = {OPTION_TABLES(X) NULL};
#undef X

void scenario_foreach_api(ScenarioApiFn fn, void *user)
{
    for (unsigned i = 0; bind_classes[i]; i++) {
        const LuaClass *c = bind_classes[i];

        for (const luaL_Reg *m = c->methods; m && m->name; m++)
            fn(user, c->name, m->name);
        for (const luaL_Reg *m = c->properties; m && m->name; m++)
            fn(user, c->name, m->name);
    }
    for (unsigned i = 0; bind_options[i]; i++)
        for (size_t k = 0; k < bind_options[i]->n; k++)
            fn(user, bind_options[i]->who, bind_options[i]->opts[k].name);
}

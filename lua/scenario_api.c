/* The list of what is bound, read from the very tables that bind it. */
#include "lua/bind/bind.h"

extern const BindOptions bind_capture_options, bind_corrupt_options, bind_delay_options,
    bind_duplicate_options, bind_host_options, bind_hub_options, bind_ip4_encode_options, bind_link_options, bind_linkdir_options,
    bind_mtr_options, bind_on_options, bind_ping_options, bind_plug_options, bind_port_stp_options,
    bind_raw_options, bind_recv_options, bind_ring_options, bind_route_options, bind_send_options, bind_source_options,
    bind_switch_options, bind_tftp_get_options, bind_tftp_server_options, bind_traceroute_options,
    bind_trunk_options, bind_udp_options;

const BindOptions *const bind_options[] = {&bind_capture_options,
                                           &bind_corrupt_options,
                                           &bind_delay_options,
                                           &bind_duplicate_options,
                                           &bind_host_options,
                                           &bind_hub_options,
                                           &bind_ip4_encode_options,
                                           &bind_link_options,
                                           &bind_linkdir_options,
                                           &bind_mtr_options,
                                           &bind_on_options,
                                           &bind_ping_options,
                                           &bind_plug_options,
                                           &bind_port_stp_options,
                                           &bind_raw_options,
                                           &bind_recv_options,
                                           &bind_ring_options,
                                           &bind_route_options,
                                           &bind_send_options,
                                           &bind_source_options,
                                           &bind_switch_options,
                                           &bind_tftp_get_options,
                                           &bind_tftp_server_options,
                                           &bind_traceroute_options,
                                           &bind_trunk_options,
                                           &bind_udp_options,
                                           NULL};

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

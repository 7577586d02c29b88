/* Everything that can be compared about a state, as text: equal texts, equal states. */
#include <inttypes.h>

#include "models/tcp/tcp_info.h"
#include "step/inspect.h"

static void add_counter(const char *name, uint64_t value, void *user)
{
    if (value)
        g_string_append_printf(user, " %s=%" PRIu64, name, value);
}

static void add_socket(void *user, const TcpEntry *e)
{
    GString *out = user;
    char local[INET_STR_LEN], remote[INET_STR_LEN];
    TcpInfo info;

    g_string_append_printf(out, "  tcp %s %s:%u %s:%u recv_q=%" PRIu32 " send_q=%" PRIu32,
                           tcp_state_name(e->state), inet_format(&e->local.addr, local), e->local.port,
                           inet_format(&e->remote.addr, remote), e->remote.port, e->recv_q, e->send_q);
    if (e->conn) {
        tcp_get_info((TcpConn *)e->conn, &info);
        for (const TcpInfoField *f = tcp_info_fields; f->name; f++)
            if (f->get(&info))
                g_string_append_printf(out, " %s=%" PRIu64, f->name, f->get(&info));
    }
    g_string_append_c(out, '\n');
}

void stepinspect_state(const StepInspect *w, GString *out)
{
    Sim *sim = net_sim(w->net);
    char time[SIMTIME_STR_LEN], line[SINK_DIGEST_LINE_LEN];

    g_string_append_printf(out,
                           "position %" PRIu64 ".%" PRIu64 "%s\ntime %s\nevents %" PRIu64 "\npending %" PRIu64
                           "\nunseed %016" PRIx64 "\n",
                           w->pos.event, w->pos.record, w->is_ended ? " (end)" : "",
                           simtime_str(sim_now(sim), time), sim_events(sim), sim_pending(sim),
                           sim_unseed(sim));
    if (w->digest)
        g_string_append_printf(out, "%s\n", sink_digest_line(w->digest, line));
    for (unsigned i = 0; i < net_host_count(w->net); i++) {
        Host *h = net_host_at(w->net, i);

        g_string_append_printf(out, "%s", host_node(h)->name);
        host_foreach_counter(h, add_counter, out);
        g_string_append_c(out, '\n');
        if (host_has_tcp(h))
            tcp_foreach(host_tcp(h), add_socket, out);
    }
}

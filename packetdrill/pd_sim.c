/* A host of the simulator behind pd_stack.h. Time stands still while nothing asks for it: run_until and the
 * waiting calls advance the simulation exactly as far as the script needs. */
#include "packetdrill/pd_sim.h"

#include <string.h>

#include "models/wire/ipv6.h"
#include "packetdrill/pd_sim_call.h"
#include "packetdrill/pd_sim_priv.h"

#define BOOT_TIME                                                                                            \
    (100 * SIM_SEC) /* the host has been up for a while: a clock of 0 would mean "never" in many places */
#define FOREVER (1000000 * SIM_SEC)
#define MAX_EVENTS 50000000 /* while waiting for one thing */

SimTime pd_sim_time(const PdSim *s, int64_t t_ns)
{
    return s->tun->zero_ns + t_ns;
}

Ip6 *pd_sim_ip6(PdSim *s)
{
    return host_ip6(s->host);
}

static void run(PdSim *s, SimTime until)
{
    sim_run(net_sim(s->net), &(SimLimits){.until = until, .events = MAX_EVENTS});
}

void pd_sim_sleep(PdSim *s, SimTime ns)
{
    run(s, sim_now(net_sim(s->net)) + ns);
}

static void on_capture(void *user)
{
    PdSim *s = user;

    if (s->waits_packet && sim_is_running(net_sim(s->net)))
        sim_stop(net_sim(s->net));
}

/* ---- the host ---- */

static bool configure4(PdSim *s, char **error)
{
    Ip4 *ip = host_ip4(s->host);
    const PdHostConfig *c = &s->config;
    Ip4RouteSpec route = {.dev = s->ifp};

    route.prefix.addr = wire_get32(c->remote.b) & ipv4_mask(c->remote.prefix_len);
    route.prefix.len = c->remote.prefix_len;
    if (!ip4_addr_add(ip, s->ifp, (Ipv4Prefix){wire_get32(c->local.b), c->local.prefix_len}, error))
        return false;
    /* A remote inside the local prefix needs no route of its own. */
    return ipv4_prefix_contains((Ipv4Prefix){wire_get32(c->local.b), c->local.prefix_len},
                                wire_get32(c->remote.b)) ||
           ip4_route_add(ip, &route, error);
}

static bool configure6(PdSim *s, char **error)
{
    const PdHostConfig *c = &s->config;
    Ip6RouteSpec route = {.dev = s->ifp};
    Ipv6Prefix local = {ipv6_addr_get(c->local.b), c->local.prefix_len};
    Ipv6Addr remote = ipv6_addr_get(c->remote.b);

    if (!ip6_addr_add(pd_sim_ip6(s), s->ifp, local, error))
        return false;
    if (ipv6_prefix_contains(&local, &remote))
        return true;
    route.prefix = (Ipv6Prefix){remote, c->remote.prefix_len};
    for (unsigned i = 0; i < 128; i++) {
        if (i >= c->remote.prefix_len)
            route.prefix.addr.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
    }
    return ip6_route_add(pd_sim_ip6(s), &route, error);
}

static void sim_close(PdStack *stack);

static PdStack *sim_open(const PdHostConfig *config, void *user, char **error)
{
    PdSim *s = g_new0(PdSim, 1);
    bool ok;

    (void)user;
    s->stack.ops = &pd_sim_ops;
    s->config = *config;
    s->net = net_new(config->seed);
    s->host = net_host(s->net, "host", error);
    s->tun = pd_tun_new(host_node(s->host), net_packets(s->net), config->mtu);
    s->tun->on_capture = on_capture;
    s->tun->user = s;
    s->ifp = ip4_add_dev(host_ip4(s->host), &s->tun->dev);
    s->nstat = g_array_new(FALSE, FALSE, sizeof(PdCounter));
    s->fds = fds_new(s->host);
    /* A process has its standard descriptors; scripts begin at 3. */
    fds_reserve(s->fds, 3);
    ok = config->ip_version == PD_IPV6 ? configure6(s, error) : configure4(s, error);
    run(s, BOOT_TIME);
    s->tun->zero_ns = BOOT_TIME;
    if (ok)
        return &s->stack;
    sim_close(&s->stack);
    return NULL;
}

static void sim_close(PdStack *stack)
{
    PdSim *s = (PdSim *)stack;

    pd_sim_call_forget(s);
    fds_free(s->fds);
    if (s->config.ip_version == PD_IPV6)
        ip6_remove_dev(pd_sim_ip6(s), s->ifp);
    ip4_remove_dev(host_ip4(s->host), s->ifp);
    pd_tun_free(s->tun);
    net_free(s->net);
    g_array_free(s->nstat, TRUE);
    g_free(s);
}

/* A host is never tested in its first instant: clocks of a kernel are not 0 then. */
#define UPTIME (1000 * SIM_SEC)

static void sim_start(PdStack *stack)
{
    PdSim *s = (PdSim *)stack;

    sim_run(net_sim(s->net), &(SimLimits){.until = sim_now(net_sim(s->net)) + UPTIME});
    s->tun->zero_ns = sim_now(net_sim(s->net));
}

/* ---- time and packets ---- */

static int64_t sim_stack_now(PdStack *stack)
{
    PdSim *s = (PdSim *)stack;

    return sim_now(net_sim(s->net)) - s->tun->zero_ns;
}

static void sim_run_until(PdStack *stack, int64_t t)
{
    PdSim *s = (PdSim *)stack;
    SimTime until = HS_MAX(pd_sim_time(s, t), sim_now(net_sim(s->net)));

    run(s, until);
}

static SimTime limit_time(const PdSim *s, int64_t limit)
{
    SimTime now = sim_now(net_sim(s->net));

    return limit == PD_NEVER ? now + FOREVER : HS_MAX(pd_sim_time(s, limit), now);
}

static bool sim_take_packet(PdStack *stack, int64_t limit, PdCaptured *out)
{
    PdSim *s = (PdSim *)stack;

    if (g_queue_is_empty(s->tun->captured)) {
        s->waits_packet = true;
        run(s, limit_time(s, limit));
        s->waits_packet = false;
    }
    return pd_tun_take(s->tun, out);
}

static bool sim_inject(PdStack *stack, const uint8_t *bytes, size_t len, uint32_t gso_size, char **error)
{
    PdSim *s = (PdSim *)stack;

    (void)error;
    pd_tun_inject(s->tun, bytes, len, gso_size);
    return true;
}

/* ---- calls ---- */

static bool sim_call(PdStack *stack, const PdCall *call, PdResult *out, char **error)
{
    return pd_sim_call((PdSim *)stack, call, out, error);
}

static bool sim_wait_call(PdStack *stack, int64_t limit, PdResult *out)
{
    PdSim *s = (PdSim *)stack;

    if (!pd_sim_call_is_done(s)) {
        s->waits_call = true;
        run(s, limit_time(s, limit));
        s->waits_call = false;
    }
    return pd_sim_call_take(s, out);
}

/* ---- commands and facts ---- */

static int sim_shell(PdStack *stack, const char *text, char **output, char **error)
{
    GString *out = g_string_new(NULL);
    int status = pd_shell_run((PdSim *)stack, text, out, error);

    *output = g_string_free(out, FALSE);
    return status;
}

static bool get_option(PdSim *s, int fd, int level, int name, void *val, unsigned *len)
{
    SockCall c = {.op = SYS_GETSOCKOPT, .fd = fd, .level = level, .name = name, .val = val, .val_len = *len};

    if (sockcall_now(s->fds, &c) < 0)
        return false;
    *len = c.val_len;
    return true;
}

#define OPT_TCP_INFO 11
#define OPT_TCP_CONGESTION 13
#define OPT_TCP_CC_INFO 26
#define OPT_SO_MEMINFO 55
#define LEVEL_TCP 6
#define LEVEL_SOCKET 1

static bool sim_snapshot(PdStack *stack, int fd, PdSnapshot *out, char **error)
{
    PdSim *s = (PdSim *)stack;
    unsigned len = sizeof out->tcp_info;

    if (!get_option(s, fd, LEVEL_TCP, OPT_TCP_INFO, out->tcp_info, &len)) {
        *error = g_strdup_printf("descriptor %d has no TCP_INFO", fd);
        return false;
    }
    out->tcp_info_len = len;
    len = sizeof out->cc_info;
    if (get_option(s, fd, LEVEL_TCP, OPT_TCP_CC_INFO, out->cc_info, &len))
        out->cc_info_len = len;
    len = sizeof out->cc_name;
    get_option(s, fd, LEVEL_TCP, OPT_TCP_CONGESTION, out->cc_name, &len);
    len = sizeof out->meminfo;
    if (get_option(s, fd, LEVEL_SOCKET, OPT_SO_MEMINFO, out->meminfo, &len))
        out->n_meminfo = len / 4;
    return true;
}

const PdStackOps pd_sim_ops = {
    .name = "simulated host",
    .is_virtual_time = true,
    .open = sim_open,
    .close = sim_close,
    .start = sim_start,
    .now = sim_stack_now,
    .run_until = sim_run_until,
    .take_packet = sim_take_packet,
    .inject = sim_inject,
    .call = sim_call,
    .wait_call = sim_wait_call,
    .shell = sim_shell,
    .snapshot = sim_snapshot,
};

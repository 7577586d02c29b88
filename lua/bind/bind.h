/* The bindings: one file for each thing that a scenario can hold or call. Here is what they offer each other.
 *
 * Conventions. A function checks all its arguments before it changes anything. Mistakes of the scenario raise
 * an error (lua/luaerr.h); what Linux reports by errno is returned as nil and its name: nil, "ECONNREFUSED".
 * Times go to scenarios as numbers of seconds, addresses as text. */
#pragma once

#include <errno.h>

#include "lua/scenario_private.h"
#include "models/link/linktrace.h"

/* Each adds its functions to the table on top of the stack, which require "hopscope" returns. */
void bind_topology_open(lua_State *L);
void bind_switch_open(lua_State *L);
void bind_link_open(lua_State *L);
void bind_time_open(lua_State *L);
void bind_random_open(lua_State *L);
void bind_result_open(lua_State *L);
void bind_cc_open(lua_State *L);
void bind_param_open(lua_State *L);
void bind_log_open(lua_State *L);
void bind_payload_open(lua_State *L);
void bind_observe_open(lua_State *L);
void bind_capture_open(lua_State *L);
void bind_series_open(lua_State *L);
void bind_plot_open(lua_State *L);
void bind_ladder_open(lua_State *L);
void bind_qlog_open(lua_State *L);
void bind_ip4_open(lua_State *L);
void bind_private_open(lua_State *L); /* for lua/hs only */

bool bind_param_check(Scenario *s); /* false: --set names what does not exist */
void bind_expect_finish(Scenario *s);
void bind_result_finish(Scenario *s);
void bind_result_free(gpointer result);
void bind_observe_free(Scenario *s);
/* Raises: unknown probe "queue.lenght" for hs.on (did you mean "queue.length"?), or with all the known names.
 */
_Noreturn void bind_raise_unknown(lua_State *L, const char *what, const char *name, const char *who,
                                  const char *const *known, size_t n);
_Noreturn void bind_raise_unknown_probe(lua_State *L, const char *who, const char *name);
void bind_observe_replugged(Scenario *s); /* a cable was moved */
/* Joins the arguments from `first` on as print does, and logs them for the node. */
void bind_log_args(lua_State *L, int first, const Node *node);

/* All classes, and all option tables: for scenario_foreach_api. */
extern const LuaClass bind_alarm_class;
extern const LuaClass bind_dev_class;
extern const LuaClass bind_echo_class;
extern const LuaClass bind_epoll_class;
extern const LuaClass bind_host_class;
extern const LuaClass bind_hub_class;
extern const LuaClass bind_link_class;
extern const LuaClass bind_linkdir_class;
extern const LuaClass bind_observer_class;
extern const LuaClass bind_packet_class;
extern const LuaClass bind_payload_class;
extern const LuaClass bind_port_class;
extern const LuaClass bind_proc_class;
extern const LuaClass bind_rarp_class;
extern const LuaClass bind_raw_class;
extern const LuaClass bind_rng_class;
extern const LuaClass bind_sink_class;
extern const LuaClass bind_sock_class;
extern const LuaClass bind_source_class;
extern const LuaClass bind_switch_class;
extern const LuaClass bind_tcp_class;
extern const LuaClass bind_tcp_sink_class;
extern const LuaClass bind_tcp_source_class;
extern const LuaClass bind_tftp_server_class;
extern const LuaClass *const bind_classes[]; /* NULL at the end */

typedef struct BindOptions {
    const char *who;
    const LuaOpt *opts;
    size_t n;
} BindOptions;
extern const BindOptions *const bind_options[];

/* ---- values (bind.c) ---- */

void bind_push_time(lua_State *L, SimTime t);                     /* seconds */
SimTime bind_check_time(lua_State *L, int idx, const char *name); /* not negative */
SimTime bind_opt_time(lua_State *L, int idx, const char *name, SimTime otherwise);
int bind_push_errno(lua_State *L, int negative_errno); /* nil, "ENAME"; returns 2 */
const char *bind_errno_name(int negative_errno);
void bind_push_ip4(lua_State *L, uint32_t addr);
void bind_push_mac(lua_State *L, MacAddr mac);
void bind_push_endpoint(lua_State *L, uint32_t addr, uint16_t port);
/* The same as fields of the table on top of the stack. A text may be NULL: no field. */
void bind_set_int(lua_State *L, const char *key, int64_t value);
void bind_set_number(lua_State *L, const char *key, double value);
void bind_set_flag(lua_State *L, const char *key, bool value);
void bind_set_text(lua_State *L, const char *key, const char *text);
void bind_set_time(lua_State *L, const char *key, SimTime t);
void bind_set_ip4(lua_State *L, const char *key, uint32_t addr);
MacAddr bind_check_mac(lua_State *L, int idx, const char *name);
void bind_push_payload(lua_State *L, uint64_t off, uint64_t len);
/* "10.0.0.1", or a name that resolves. */
uint32_t bind_check_addr(lua_State *L, int idx, const char *name, const ScnHost *asker);
Ipv4Prefix bind_check_prefix(lua_State *L, int idx, const char *name);
uint16_t bind_check_port(lua_State *L, int idx, const char *name);
const char *bind_check_name(lua_State *L, int idx, const char *name); /* a string without zero bytes */
/* Copies a message to Lua, frees it, raises "FILE:LINE: message". */
_Noreturn void bind_raise_free(lua_State *L, char *message);
/* Bytes of a string or payload argument. Synthetic: bytes is NULL. */
typedef struct BindData {
    const uint8_t *bytes;
    uint64_t off, len;
} BindData;
BindData bind_check_data(lua_State *L, int idx, const char *name);
/* Pushes what a packet carries from its head on: a string, or a payload object if it is synthetic. */
void bind_push_packet_data(lua_State *L, const Packet *pkt, uint32_t len);

/* Does an option table hold anything under that name? Pushes it then. */
bool bind_get_field(lua_State *L, int idx, const char *name);

/* ---- things ---- */

ScnHost *bind_host_of(Scenario *s, Host *host);
ScnHost *bind_check_host(lua_State *L, int idx);
void bind_push_host(lua_State *L, ScnHost *h);
/* A host, router, switch or hub, or its name. */
Node *bind_check_node(lua_State *L, int idx, const char *name);
void bind_push_node(lua_State *L, Node *node);
void bind_push_dev(lua_State *L, NetDev *dev);
Nic *bind_dev_nic(NetDev *dev); /* NULL: no Ethernet card: a serial line, the loopback, a VLAN's */

Queue *bind_queue_read(lua_State *L, int idx, const char *who);
/* Appends what the option at idx means to the chain. */
void bind_impair_read(lua_State *L, int idx, const char *who, Impair **chain); /* impair = { {...}, ... } */
void bind_impair_short(lua_State *L, int idx, const char *who, const char *kind,
                       Impair **chain); /* loss = 0.01 */
void bind_impair_free_chain(Impair *chain);
LinkTrace *bind_trace_read(lua_State *L, const char *file, LinkTraceKind kind);

void bind_rule_set(lua_State *L, NetLink *link, unsigned end, int fn_idx); /* nil takes it away */
void bind_rules_free(Scenario *s);

void bind_sock_on_proc_end(Proc *p);
void bind_sock_close_host(ScnHost *h);
void bind_tcp_on_proc_end(Proc *p);
void bind_tcp_close_host(ScnHost *h); /* also when the scenario ends */

void bind_app_stop_host(ScnHost *h); /* bind_app.h */
void bind_app_free_all(Scenario *s);

typedef struct ScnRarp ScnRarp;
void bind_rarps_free(Scenario *s);
void bind_cc_free(Scenario *s); /* after the network */

/* A call that blocks while a program runs on a host (bind_call.c); the first member of the call's struct. */
typedef struct ScnCall ScnCall;
struct ScnCall {
    ScnHost *host;
    Proc *proc;               /* waits; NULL: not yet */
    void (*stop)(ScnCall *c); /* the host loses its power: frees what runs on it */
    bool is_done;
    bool is_cut; /* it was stopped: the answer is nil, "ENETDOWN" */
};
/* Waits until bind_call_done, also if that was before. `left` begins with bind_call_left. */
int bind_call_block(lua_State *L, ScnCall *c, Proc *p, LuaProcPush push, void (*left)(void *));
void bind_call_done(ScnCall *c);
void bind_call_left(ScnCall *c);
void bind_calls_stop_host(ScnHost *h);

int bind_sock_new(lua_State *L); /* host:udp */
int bind_raw_new(lua_State *L);  /* host:raw */
int bind_tcp_new(lua_State *L);  /* host:tcp */
int bind_epoll_new(lua_State *L);
int bind_host_fork(lua_State *L); /* os.fork */
int bind_host_ulimit(lua_State *L);

/* Methods of an interface that live in a file of their own. */
int bind_dev_ring(lua_State *L);
int bind_dev_ring_pause(lua_State *L);
int bind_dev_ring_stats(lua_State *L);

/* Methods of a host that live in files of their own. */
int bind_host_arp(lua_State *L);
int bind_host_arp_announce(lua_State *L);
int bind_host_arp_claim(lua_State *L);
int bind_host_arp_del(lua_State *L);
int bind_host_arp_set(lua_State *L);
int bind_host_forge(lua_State *L);
int bind_host_mtr(lua_State *L);
int bind_host_ping(lua_State *L);
int bind_host_rarp(lua_State *L);
int bind_host_rarp_server(lua_State *L);
int bind_host_route(lua_State *L);
int bind_host_route_change(lua_State *L);
int bind_host_route_del(lua_State *L);
int bind_host_route_get(lua_State *L);
int bind_host_route_replace(lua_State *L);
int bind_host_routes(lua_State *L);
int bind_host_sockstat(lua_State *L);
int bind_host_sockets(lua_State *L);
int bind_host_tcp_sink(lua_State *L);
int bind_host_tcp_source(lua_State *L);
int bind_host_tftp_get(lua_State *L);
int bind_host_tftp_server(lua_State *L);
int bind_host_traceroute(lua_State *L);
int bind_host_udp_echo(lua_State *L);
int bind_host_udp_sink(lua_State *L);
int bind_host_udp_source(lua_State *L);
void bind_host_hear_power(ScnHost *h);

/* ---- packets (bind_packet.c) ---- */

/* What a rule or observer knows of a TCP segment from those that it saw before (bind_tcp_seen.c). */
typedef struct TcpSeenFacts {
    bool is_known; /* a TCP segment */
    bool is_retransmission;
    uint64_t data_nth;     /* the n-th data segment of its connection and direction; 0: it carries none */
    uint32_t transmission; /* how often it was seen, this time included; 0: no data, no SYN */
} TcpSeenFacts;

typedef struct TcpSeen TcpSeen;
TcpSeen *bind_tcp_seen_new(void);
void bind_tcp_seen_free(TcpSeen *s);
/* point and event only tell places apart where one memory serves several. */
void bind_tcp_seen_look(TcpSeen *s, const void *point, const void *event, const Packet *pkt,
                        uint16_t linktype, TcpSeenFacts *out);

typedef struct PacketFacts {
    SimTime time;
    uint64_t nth;     /* 0: not known */
    const char *from; /* names of nodes, constant; NULL: not known */
    const char *to;
    uint16_t linktype;
    TcpSeenFacts tcp;
} PacketFacts;

typedef struct PacketView PacketView;
/* Pushes a view and returns it; bind_packet_done must be called when pkt is about to go. */
PacketView *bind_packet_push(lua_State *L, const Packet *pkt, const PacketFacts *facts);
void bind_packet_done(PacketView *v);
/* The frame as the scenario changed it, or NULL if it did not. */
Packet *bind_packet_altered(PacketView *v, PacketPool *pool);
void bind_packets_free(Scenario *s);

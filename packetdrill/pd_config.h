/* The flags of a run: built-in default, overruled by the script's own first lines, overruled by the command
 * line. */
#pragma once

#include "packetdrill/pd_ast.h"
#include "packetdrill/pd_lex.h"
#include "packetdrill/pd_stack.h"

typedef struct PdConfig {
    PdIpVersion ip_version;
    uint16_t bind_port, connect_port;
    uint32_t mtu, mss;
    uint64_t speed_mbps;
    int64_t tolerance_us;
    double tolerance_percent;
    int64_t ts_tick_us; /* 0: outbound TS val is not checked */
    bool ts_ecr_scaled;
    bool strict_segments;
    bool non_fatal_packet, non_fatal_syscall;
    bool dry_run, verbose, debug;
    bool many_connections; /* ours: the ports of a line choose its connection */
    bool strict_ecr;       /* ours: the outbound TS ecr must be the script's */
    uint64_t seed;
    char *local_ip, *remote_ip, *gateway_ip, *netmask_ip; /* as given, or NULL */
    char *init_scripts;
    PdDefines defines;
    uint64_t from_command_line; /* a bit for each flag: pd_config.c */
} PdConfig;

void pd_config_init(PdConfig *c);
void pd_config_clear(PdConfig *c);
void pd_config_copy(PdConfig *to, const PdConfig *from); /* `to` is initialised */

/* value NULL: none was given. false and *error: unknown (with the closest known name), or a value that it
 * cannot take. */
bool pd_config_set(PdConfig *c, const char *name, const char *value, bool from_command_line, char **error);
/* Does the flag take a value? false and *known false: there is no such flag. */
bool pd_config_takes_value(const char *name, bool *known);
/* Names in order, NULL behind the last; help: one line. */
const char *pd_config_flag_at(size_t i, const char **value_name, const char **help);

/* What the host gets: addresses by the IP version where none were given. */
bool pd_config_host(const PdConfig *c, PdHostConfig *out, char **error);
/* The five names that the suites' runners define, unless they are defined already. */
void pd_config_predefine(PdConfig *c);

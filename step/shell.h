/* What the commands of a simulated host share (inspect_shell.c). */
#pragma once

#include <glib.h>

#include "models/node/net.h"

typedef struct Shell {
    Host *h;
    GString *out;
    const char *const *word; /* word[0] is the command */
    unsigned n;
    const char *dev; /* only there; NULL */
} Shell;

/* Appends what is wrong; false. */
bool shell_wrong(const Shell *s, const char *format, ...) HS_PRINTF(2, 3);
/* Looks through the options "-abc" of letters that are known; *at is the first word behind them. false: there
 * is another one, which was told. */
bool shell_letters(const Shell *s, const char *known, const char *usage, bool has[128], unsigned *at);
/* The name of whoever has the address, or the address itself. In `buf`, or the network's. */
const char *shell_host(const Shell *s, uint32_t addr, bool numeric, char *buf, size_t size);
/* The queue before the device's wire, and that direction of the link; NULL: there is none. */
const LinkDir *shell_wire(const Shell *s, const NetDev *d);

bool shell_ip(Shell *s);                               /* inspect_ip.c */
bool shell_ss(Shell *s);                               /* inspect_ss.c */
bool shell_netstat(Shell *s);                          /* inspect_netstat.c */
bool shell_nstat(Shell *s);                            /* inspect_netstat.c */
bool shell_arp(Shell *s);                              /* inspect_nettools.c, and the next four */
bool shell_route(Shell *s);                            /* "route", and "netstat -r" */
bool shell_ifconfig(Shell *s);                         /* "ifconfig" */
bool shell_interfaces(Shell *s);                       /* "netstat -i" */
bool shell_connections(Shell *s, const bool has[128]); /* "netstat -tan" */

/* What the host has counted and what sockets it has: nstat, ss, /proc/net/tcp. */
#include <string.h>

#include "models/tcp/tcp.h"
#include "packetdrill/pd_shell.h"

/* ---- nstat ---- */

typedef struct Counting {
    PdShell *sh;
    GArray *next; /* of PdCounter */
    GString *out;
    GPtrArray *patterns; /* of GPatternSpec; none: all */
    bool zeros, absolute;
} Counting;

static uint64_t counted_before(const PdSim *s, const char *name)
{
    for (guint i = 0; i < s->nstat->len; i++) {
        const PdCounter *c = &g_array_index(s->nstat, PdCounter, i);

        if (strcmp(c->name, name) == 0)
            return c->value;
    }
    return 0;
}

/* Numbers that nstat never shows: they are no counts. */
static bool is_gauge(const char *name)
{
    static const char *const gauges[] = {"TcpCurrEstab", "TcpMaxConn", "TcpRtoAlgorithm", "TcpRtoMax",
                                         "TcpRtoMin"};

    for (size_t i = 0; i < HS_ARRAY_LEN(gauges); i++)
        if (strcmp(name, gauges[i]) == 0)
            return true;
    return false;
}

static void count_one(const char *name, uint64_t value, void *user)
{
    Counting *c = user;
    PdCounter counter = {name, value};
    uint64_t delta = value - (c->absolute ? 0 : counted_before(c->sh->sim, name));
    bool wanted = c->patterns->len == 0;

    for (guint i = 0; i < c->patterns->len; i++)
        wanted |= g_pattern_spec_match_string(c->patterns->pdata[i], name);
    g_array_append_val(c->next, counter);
    wanted &= !is_gauge(name);
    if (wanted && (delta != 0 || c->zeros))
        g_string_append_printf(c->out, "%-32s%-16" G_GUINT64_FORMAT " 0.0\n", name, delta);
}

/* Plain: what has changed since the last time, which is then now; -n: only that; -s: without it; -a: absolute
 * values; -z: zeros too. */
int pd_shell_nstat(PdShell *sh, char **args, const GString *in, GString *out)
{
    Counting c = {.sh = sh, .out = out};
    bool silent = false, keep = false;
    GString *ignored = NULL;

    c.next = g_array_new(FALSE, FALSE, sizeof(PdCounter));
    c.patterns = g_ptr_array_new_with_free_func((GDestroyNotify)g_pattern_spec_free);
    for (args++; *args; args++) {
        if (strcmp(*args, "--nooutput") == 0) {
            silent = true;
        } else if (strcmp(*args, "--noupdate") == 0) {
            keep = true;
        } else if (strcmp(*args, "--zeros") == 0 || strcmp(*args, "--zero") == 0) {
            c.zeros = true;
        } else if (strcmp(*args, "--ignore") == 0) {
            c.absolute = true;
        } else if (**args == '-') {
            if (strspn(*args + 1, "nsza") != strlen(*args + 1)) {
                g_array_free(c.next, TRUE);
                g_ptr_array_free(c.patterns, TRUE);
                return pd_shell_fail(sh, "nstat: the option %s is not supported here", *args);
            }
            silent |= strchr(*args, 'n') != NULL;
            keep |= strchr(*args, 's') != NULL;
            c.zeros |= strchr(*args, 'z') != NULL;
            c.absolute |= strchr(*args, 'a') != NULL;
        } else {
            g_ptr_array_add(c.patterns, g_pattern_spec_new(*args));
        }
    }
    if (silent)
        c.out = ignored = g_string_new(NULL);
    else
        g_string_append(out, "#kernel\n");
    host_foreach_counter(sh->sim->host, count_one, &c);
    if (keep) {
        g_array_free(c.next, TRUE);
    } else {
        g_array_free(sh->sim->nstat, TRUE);
        sh->sim->nstat = c.next;
    }
    if (ignored)
        g_string_free(ignored, TRUE);
    g_ptr_array_free(c.patterns, TRUE);
    return 0;
}

/* ---- ss ---- */

static const char *ss_state(TcpState s)
{
    static const char *const names[] = {
        [TCP_ESTABLISHED] = "ESTAB",    [TCP_SYN_SENT] = "SYN-SENT",     [TCP_SYN_RECV] = "SYN-RECV",
        [TCP_FIN_WAIT1] = "FIN-WAIT-1", [TCP_FIN_WAIT2] = "FIN-WAIT-2",  [TCP_TIME_WAIT] = "TIME-WAIT",
        [TCP_CLOSE] = "UNCONN",         [TCP_CLOSE_WAIT] = "CLOSE-WAIT", [TCP_LAST_ACK] = "LAST-ACK",
        [TCP_LISTEN] = "LISTEN",        [TCP_CLOSING] = "CLOSING",       [TCP_NEW_SYN_RECV] = "SYN-RECV"};

    return s < HS_ARRAY_LEN(names) && names[s] ? names[s] : "UNKNOWN";
}

typedef struct Listing {
    GString *out;
    bool all, listening, v6;
    unsigned n;
} Listing;

static void list_one(void *user, const TcpEntry *e)
{
    Listing *l = user;
    char local[INET_STR_LEN], remote[INET_STR_LEN];

    if (e->state == TCP_CLOSE || (!l->all && (e->state == TCP_LISTEN) != l->listening))
        return;
    g_string_append_printf(l->out, "%-10s 0      0      %s:%u %s:%u\n", ss_state(e->state),
                           inet_format(&e->local.addr, local), e->local.port,
                           inet_format(&e->remote.addr, remote), e->remote.port);
}

int pd_shell_ss(PdShell *sh, char **args, const GString *in, GString *out)
{
    Listing l = {.out = out};

    for (args++; *args; args++) {
        if (**args != '-')
            return pd_shell_fail(sh, "ss: filters such as '%s' are not supported here", *args);
        l.all |= strchr(*args, 'a') != NULL;
        l.listening |= strchr(*args, 'l') != NULL;
    }
    g_string_append(out, "State      Recv-Q Send-Q Local Address:Port Peer Address:Port\n");
    tcp_foreach(host_tcp(sh->sim->host), list_one, &l);
    return 0;
}

/* ---- /proc/net/tcp and tcp6 (Linux tcp4_seq_show, tcp6_seq_show) ---- */

/* Addresses are words in host order, as a little-endian kernel prints them. */
static void proc_address(GString *out, const InetEndpoint *e, bool v6)
{
    for (unsigned i = v6 ? 0 : 3; i < 4; i++) {
        uint32_t w = e->addr.w[i];

        if (inet_is_any(&e->addr))
            w = 0;
        g_string_append_printf(out, "%08X", __builtin_bswap32(w));
    }
    g_string_append_printf(out, ":%04X", e->port);
}

static void proc_one(void *user, const TcpEntry *e)
{
    Listing *l = user;
    TcpState shown = e->state == TCP_NEW_SYN_RECV ? TCP_SYN_RECV : e->state;

    if (e->local.is_v6 != l->v6 || e->state == TCP_CLOSE)
        return;
    g_string_append_printf(l->out, "%4u: ", l->n++);
    proc_address(l->out, &e->local, l->v6);
    g_string_append_c(l->out, ' ');
    proc_address(l->out, &e->remote, l->v6);
    g_string_append_printf(l->out, " %02X 00000000:00000000 00:00000000 00000000     0        0 0\n", shown);
}

void pd_shell_proc_net_tcp(PdShell *sh, bool v6, GString *out)
{
    Listing l = {.out = out, .v6 = v6};

    g_string_append(
        out, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
             "inode\n");
    tcp_foreach(host_tcp(sh->sim->host), proc_one, &l);
}

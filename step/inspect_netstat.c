/* netstat -s (net-tools): counters in sentences where it has one, else by their names. Those that are 0 are
 * left out, but for the basic ones. */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "step/shell.h"

typedef struct Sentence {
    const char *counter;
    const char *text; /* with %u for the number */
    bool is_basic;    /* shown even if it is 0 */
} Sentence;

/* The sections as netstat prints them; a counter's name begins with its section's. */
static const struct {
    const char *title, *prefix;
} sections[] = {{"Ip", "Ip"},       {"Icmp", "Icmp"},     {"IcmpMsg", "IcmpMsg"}, {"Tcp", "Tcp"},
                {"Udp", "Udp"},     {"TcpExt", "TcpExt"}, {"IpExt", "IpExt"},     {"Ip6", "Ip6"},
                {"Icmp6", "Icmp6"}, {"Udp6", "Udp6"}};

static const Sentence sentences[] = {
    {"IpInReceives", "%u total packets received", true},
    {"IpInHdrErrors", "%u with invalid headers"},
    {"IpInAddrErrors", "%u with invalid addresses"},
    {"IpForwDatagrams", "%u forwarded", true},
    {"IpInUnknownProtos", "%u with unknown protocol"},
    {"IpInDiscards", "%u incoming packets discarded", true},
    {"IpInDelivers", "%u incoming packets delivered", true},
    {"IpOutRequests", "%u requests sent out", true},
    {"IpOutDiscards", "%u outgoing packets dropped"},
    {"IpOutNoRoutes", "%u dropped because of missing route"},
    {"IpReasmTimeout", "%u fragments dropped after timeout"},
    {"IpReasmReqds", "%u reassemblies required"},
    {"IpReasmOKs", "%u packets reassembled ok"},
    {"IpReasmFails", "%u packet reassemblies failed"},
    {"IpFragOKs", "%u fragments received ok"},
    {"IpFragFails", "%u fragments failed"},
    {"IpFragCreates", "%u fragments created"},
    {"IcmpInMsgs", "%u ICMP messages received", true},
    {"IcmpInErrors", "%u input ICMP message failed", true},
    {"IcmpOutMsgs", "%u ICMP messages sent", true},
    {"IcmpOutErrors", "%u ICMP messages failed", true},
    {"TcpActiveOpens", "%u active connection openings", true},
    {"TcpPassiveOpens", "%u passive connection openings", true},
    {"TcpAttemptFails", "%u failed connection attempts", true},
    {"TcpEstabResets", "%u connection resets received", true},
    {"TcpCurrEstab", "%u connections established", true},
    {"TcpInSegs", "%u segments received", true},
    {"TcpOutSegs", "%u segments sent out", true},
    {"TcpRetransSegs", "%u segments retransmitted", true},
    {"TcpInErrs", "%u bad segments received", true},
    {"TcpOutRsts", "%u resets sent", true},
    {"UdpInDatagrams", "%u packets received", true},
    {"UdpNoPorts", "%u packets to unknown port received", true},
    {"UdpInErrors", "%u packet receive errors", true},
    {"UdpOutDatagrams", "%u packets sent", true},
    {"UdpRcvbufErrors", "%u receive buffer errors", true},
    {"UdpSndbufErrors", "%u send buffer errors", true},
    {"TcpExtSyncookiesSent", "%u SYN cookies sent"},
    {"TcpExtSyncookiesRecv", "%u SYN cookies received"},
    {"TcpExtSyncookiesFailed", "%u invalid SYN cookies received"},
    {"TcpExtEmbryonicRsts", "%u resets received for embryonic SYN_RECV sockets"},
    {"TcpExtPruneCalled", "%u packets pruned from receive queue because of socket buffer overrun"},
    {"TcpExtRcvPruned", "%u packets pruned from receive queue"},
    {"TcpExtOfoPruned", "%u packets dropped from out-of-order queue because of socket buffer overrun"},
    {"TcpExtTW", "%u TCP sockets finished time wait in fast timer"},
    {"TcpExtTWRecycled", "%u time wait sockets recycled by time stamp"},
    {"TcpExtTWKilled", "%u TCP sockets finished time wait in slow timer"},
    {"TcpExtPAWSEstab", "%u packets rejected in established connections because of timestamp"},
    {"TcpExtDelayedACKs", "%u delayed acks sent"},
    {"TcpExtDelayedACKLocked", "%u delayed acks further delayed because of locked socket"},
    {"TcpExtDelayedACKLost", "Quick ack mode was activated %u times"},
    {"TcpExtListenOverflows", "%u times the listen queue of a socket overflowed"},
    {"TcpExtListenDrops", "%u SYNs to LISTEN sockets dropped"},
    {"TcpExtTCPHPHits", "%u packet headers predicted"},
    {"TcpExtTCPPureAcks", "%u acknowledgments not containing data payload received"},
    {"TcpExtTCPHPAcks", "%u predicted acknowledgments"},
    {"TcpExtTCPRenoRecovery", "%u times recovered from packet loss due to fast retransmit"},
    {"TcpExtTCPSackRecovery", "%u times recovered from packet loss by selective acknowledgements"},
    {"TcpExtTCPSACKReorder", "Detected reordering %u times using SACK"},
    {"TcpExtTCPRenoReorder", "Detected reordering %u times using reno fast retransmit"},
    {"TcpExtTCPTSReorder", "Detected reordering %u times using time stamp"},
    {"TcpExtTCPFullUndo", "%u congestion windows fully recovered without slow start"},
    {"TcpExtTCPPartialUndo", "%u congestion windows partially recovered using Hoe heuristic"},
    {"TcpExtTCPDSACKUndo", "%u congestion windows recovered without slow start by DSACK"},
    {"TcpExtTCPLossUndo", "%u congestion windows recovered without slow start after partial ack"},
    {"TcpExtTCPLossFailures", "%u timeouts in loss state"},
    {"TcpExtTCPSackFailures", "%u timeouts after SACK recovery"},
    {"TcpExtTCPRenoFailures", "%u timeouts after reno fast retransmit"},
    {"TcpExtTCPFastRetrans", "%u fast retransmits"},
    {"TcpExtTCPSlowStartRetrans", "%u retransmits in slow start"},
    {"TcpExtTCPTimeouts", "%u other TCP timeouts"},
    {"TcpExtTCPSackRecoveryFail", "%u SACK retransmits failed"},
    {"TcpExtTCPRcvCollapsed", "%u packets collapsed in receive queue due to low socket buffer"},
    {"TcpExtTCPDSACKOldSent", "%u DSACKs sent for old packets"},
    {"TcpExtTCPDSACKOfoSent", "%u DSACKs sent for out of order packets"},
    {"TcpExtTCPDSACKRecv", "%u DSACKs received"},
    {"TcpExtTCPDSACKOfoRecv", "%u DSACKs for out of order packets received"},
    {"TcpExtTCPAbortOnData", "%u connections reset due to unexpected data"},
    {"TcpExtTCPAbortOnClose", "%u connections reset due to early user close"},
    {"TcpExtTCPAbortOnMemory", "%u connections aborted due to memory pressure"},
    {"TcpExtTCPAbortOnTimeout", "%u connections aborted due to timeout"},
};

typedef struct Section {
    GString *out;
    const char *title, *prefix;
} Section;

/* The longest section name that the counter begins with. */
static const char *section_of(const char *name)
{
    const char *best = "";

    for (unsigned i = 0; i < HS_ARRAY_LEN(sections); i++)
        if (g_str_has_prefix(name, sections[i].prefix) && strlen(sections[i].prefix) > strlen(best))
            best = sections[i].prefix;
    return best;
}

/* Constants of the MIB: netstat leaves them out. */
static bool is_constant(const char *name)
{
    return !strcmp(name, "TcpRtoAlgorithm") || !strcmp(name, "TcpRtoMin") || !strcmp(name, "TcpRtoMax") ||
           !strcmp(name, "TcpMaxConn");
}

static void add(const char *name, uint64_t value, void *user)
{
    const Section *s = user;
    const Sentence *found = NULL;

    if (strcmp(section_of(name), s->prefix) != 0 || is_constant(name))
        return;
    for (unsigned i = 0; i < HS_ARRAY_LEN(sentences); i++)
        if (!strcmp(sentences[i].counter, name))
            found = &sentences[i];
    if (!value && !(found && found->is_basic))
        return;
    if (found) {
        const char *number = strstr(found->text, "%u");

        g_string_append_printf(s->out, "    %.*s%" PRIu64 "%s\n", (int)(number - found->text), found->text,
                               value, number + 2);
    } else {
        g_string_append_printf(s->out, "    %s: %" PRIu64 "\n", name + strlen(s->prefix), value);
    }
}

static bool show_counters(Shell *s)
{
    Host *h = s->h;

    for (unsigned i = 0; i < HS_ARRAY_LEN(sections); i++) {
        GString *body = g_string_new(NULL);
        Section section = {body, sections[i].title, sections[i].prefix};

        if (!strcmp(section.title, "Ip"))
            g_string_append_printf(body, "    Forwarding: %d\n",
                                   ip4_sysctl_get(host_ip4(h))->ip_forward ? 1 : 2);
        host_foreach_counter(h, add, &section);
        if (body->len)
            g_string_append_printf(s->out, "%s:\n%s", section.title, body->str);
        g_string_free(body, TRUE);
    }
    return true;
}

bool shell_netstat(Shell *s)
{
    bool has[128];
    unsigned at;

    if (!shell_letters(s, "tualnsirWep", "-t, -u, -a, -l, -n, or one of -s, -r, -i", has, &at))
        return false;
    if (at < s->n)
        return shell_wrong(s, "netstat: \"%s\" is not known here; expected options only", s->word[at]);
    return has['s']   ? show_counters(s)
           : has['r'] ? shell_route(s)
           : has['i'] ? shell_interfaces(s)
                      : shell_connections(s, has);
}

/* ---- nstat ---- */

typedef struct Nstat {
    Shell *s;
    bool zeros;
    unsigned from; /* patterns: words from here on */
} Nstat;

static void add_nstat(const char *name, uint64_t value, void *user)
{
    const Nstat *n = user;
    bool wanted = n->from == n->s->n;

    for (unsigned i = n->from; i < n->s->n; i++)
        wanted |= g_pattern_match_simple(n->s->word[i], name);
    if (wanted && !is_constant(name) && (value || n->zeros))
        g_string_append_printf(n->s->out, "%-32s%-16" PRIu64 "%6.1f\n", name, value, 0.0);
}

/* The whole numbers, not what was added since the last look: looking leaves no trace. */
bool shell_nstat(Shell *s)
{
    Nstat n = {.s = s};
    bool has[128];

    if (!shell_letters(s, "azs", "-a, -z or a pattern", has, &n.from))
        return false;
    n.zeros = has['z'];
    g_string_append(s->out, "#kernel\n");
    host_foreach_counter(s->h, add_nstat, &n);
    return true;
}

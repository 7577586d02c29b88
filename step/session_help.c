/* help: the commands' own table, and what expressions may contain. */
#include <string.h>

#include "step/session_priv.h"

static const char expressions[] =
    "Expressions are Lua. What a record says can be used by its name:\n"
    "  probe    the record's name: \"tcp.state\", \"frame.drop\" (docs/traces.md lists them with their "
    "fields)\n"
    "  node     where it happened, point: at which device, time: when, in seconds\n"
    "  src dst  of its packet: hosts' names, else addresses\n"
    "  eth arp ip ip6 icmp udp tcp …  headers with their fields: tcp.sport, tcp.seq, ip.ttl, arp.op\n"
    "  tcp.flags.syn  and fin, rst, psh, ack, urg, ece, cwr\n"
    "  payload  bytes behind the headers\n"
    "  and every field: cwnd, ssthresh, reason, new, old, what, packets …\n"
    "What a record does not have is nil, and a condition that stumbles over that does not hold.\n"
    "Anywhere:\n"
    "  now      seconds, event: its number\n"
    "  counter(\"server\", \"TcpExtListenOverflows\")   as netstat -s names it\n"
    "  info(\"client\").snd_cwnd    tcp_info of the host's first connection; info(\"client\", 2) of the "
    "second\n"
    "Conditions without anything of a record are asked between events, and stop where they begin to hold.\n"
    "Examples:\n"
    "  break tcp.flags.syn and src == \"client\"\n"
    "  break probe == \"frame.drop\" and reason == \"queue full\"\n"
    "  break cwnd and cwnd < 10\n"
    "  until counter(\"server\", \"TcpInSegs\") >= 100\n"
    "  print info(\"client\")\n";

static bool is_name_of(const StepCommand *c, const char *word)
{
    g_auto(GStrv) names = g_strsplit(c->names, " ", -1);

    return g_strv_contains((const char *const *)names, word);
}

static void tell(StepSession *s, const StepCommand *c)
{
    g_auto(GStrv) names = g_strsplit(c->names, " ", 2);

    stepsession_say(s, "  %s\n", c->usage);
    if (names[0] && names[1] && c->fn != stepcmd_bare)
        stepsession_say(s, "      (also: %s)\n", names[1]);
    stepsession_say(s, "      %s\n", c->help);
}

/* One line: all names, and the beginning of what it does. */
static void tell_short(StepSession *s, const StepCommand *c)
{
    g_auto(GStrv) names = g_strsplit(c->names, " ", -1);
    g_autofree char *all = g_strjoinv(", ", names);

    stepsession_say(s, "  %-28s %.*s\n", all, (int)strcspn(c->help, ".;:"), c->help);
}

StepResult stepcmd_help(StepSession *s, const StepLine *l, char **error)
{
    if (l->n > 1 && g_str_has_prefix("expressions", l->word[1]) && strlen(l->word[1]) > 3) {
        stepsession_say(s, "%s", expressions);
        return STEP_FINE;
    }
    for (const StepCommand *c = step_commands; c->names; c++)
        if (l->n > 1 && is_name_of(c, l->word[1])) {
            tell(s, c);
            return STEP_FINE;
        }
    if (l->n > 1)
        return stepsession_wrong(error, "there is no command \"%s\"; 'help' lists them", l->word[1]);
    for (const StepCommand *c = step_commands; c->names; c++)
        if (c->fn != stepcmd_bare)
            tell_short(s, c);
    stepsession_say(s, "'help COMMAND' tells more, 'help expressions' what conditions are made of. An empty "
                       "line repeats the last step. ^C stops what takes too long.\n");
    return STEP_FINE;
}

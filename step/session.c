/* The commands of a session, and the words that lead to them. */
#include "step/session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/suggest.h"
#include "step/session_priv.h"

/* In the order in which help lists them. */
const StepCommand step_commands[] = {
    {"next n step s", "next [N] [event|packet|state|record] | next TIME",
     "Goes on by events, packets, changes of state or records, or so much time (20ms). A packet is one that "
     "is "
     "sent, received or dropped; records are whatever the probes tell.",
     stepcmd_next, true},
    {"np", "np [N]", "The next packet. Short for next packet.", stepcmd_next, true},
    {"ns", "ns [N]", "The next change of state. Short for next state.", stepcmd_next, true},
    {"nr", "nr [N]", "The next record. Short for next record.", stepcmd_next, true},
    {"back b", "back [N] [event|packet|state|record] | back TIME | back until TIME | back until CONDITION",
     "Goes back by the same steps, to a time, or to where the condition held last.", stepcmd_back, true},
    {"bp", "bp [N]", "The packet before. Short for back packet.", stepcmd_back, true},
    {"bs", "bs [N]", "The change of state before. Short for back state.", stepcmd_back, true},
    {"br", "br [N]", "The record before. Short for back record.", stepcmd_back, true},
    {"until u", "until TIME | until CONDITION",
     "Goes on to a time or until the condition holds. Times: 20ms, 1.5s. Breakpoints stop it as well.",
     stepcmd_until, true},
    {"continue c", "continue", "Goes on to the next breakpoint, or to the end.", stepcmd_continue, true},
    {"reverse-continue rc", "reverse-continue", "Goes back to the last breakpoint, or to the beginning.",
     stepcmd_reverse, true},
    {"goto g", "goto TIME | +TIME | -TIME | #EVENT | #EVENT.RECORD | start | end",
     "Goes there, forwards or backwards; breakpoints do not stop it. #0 is before the scenario's first line.",
     stepcmd_goto, false},
    {"break",
     "break CONDITION | state NAME [on HOST] | counter HOST NAME [OP N] | time TIME | PROBE [on HOST]",
     "Stops where that happens. Conditions: 'help expressions'.", stepcmd_break, false},
    {"tbreak", "tbreak …", "The same, once.", stepcmd_break, false},
    {"watch", "watch EXPRESSION", "Stops where the value changes: watch counter(\"server\", \"TcpInSegs\").",
     stepcmd_watch, false},
    {"breaks info", "breaks", "Lists breakpoints and watched values.", stepcmd_breaks, false},
    {"delete d", "delete [N]", "Removes breakpoint N, or all of them.", stepcmd_delete, false},
    {"why w", "why [N] | why cwnd [HOST [CONNECTION]] | why state [HOST [CONNECTION]]",
     "What caused this event, and what caused that, N steps back; or by which rule the congestion window "
     "changed last; or what made a connection change its state last.",
     stepcmd_why, false},
    {"inspect i", "inspect HOST | socket HOST [N] | route HOST | neigh HOST | nat | queue [PLACE] | packet",
     "Shows one thing in full. A packet header by header, field by field, with reasons.", stepcmd_inspect,
     false},
    {"packet", "packet", "The packet here, or the last one before, header by header (inspect packet).",
     stepcmd_packet, false},
    {"on", "on HOST COMMAND, or HOST COMMAND",
     "What the host's own command would print: ss -ti, netstat -s, ip addr, ip route, ip neigh, ip -s link, "
     "arp -a, tcpdump … 'HOST help' lists them; HOST alone shows it at a glance.",
     stepcmd_on, false},
    {"ss netstat nstat ip arp route ifconfig tc sysctl tcpdump", "ss …",
     "Commands of a host: 'client ss -ti'.", stepcmd_bare, false},
    {"nodes", "nodes", "Lists hosts, routers, switches and links.", stepcmd_nodes, false},
    {"where", "where", "Where we are.", stepcmd_where, false},
    {"list l", "list [N] [packets|states|drops|records] [HOST]",
     "The last N records (10), oldest first: all of them, or of that kind, or at that node.", stepcmd_list,
     false},
    {"ladder", "ladder [N]",
     "The last packets as a sequence diagram. 16 of them; sending, receiving and dropping count each.",
     stepcmd_ladder, false},
    {"print p", "print EXPRESSION", "The value of a Lua expression here.", stepcmd_print, false},
    {"display", "display EXPRESSION", "Prints the value wherever we stop.", stepcmd_display, false},
    {"undisplay", "undisplay [N]", "Ends that.", stepcmd_undisplay, false},
    {"digest", "digest", "A fingerprint of the state here: times, counters, sockets, random streams.",
     stepcmd_digest, false},
    {"help h ? commands", "help [COMMAND | expressions]", "This list, or one command.", stepcmd_help, false},
    {"quit q exit", "quit", "Ends the session.", NULL, false},
    {NULL, NULL, NULL, NULL, false},
};

void stepsession_say(StepSession *s, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    s->config.text(s->config.user, text, strlen(text));
    g_free(text);
}

StepResult stepsession_wrong(char **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    *error = g_strdup_vprintf(format, args);
    va_end(args);
    return STEP_WRONG;
}

/* ---- where we stand ---- */

char *stepsession_prompt(const StepSession *s, char buf[64])
{
    const StepStop *here = steptimeline_here(s->timeline);
    char time[SIMTIME_STR_LEN];

    if (here->is_ended)
        snprintf(buf, 64, "%s end", simtime_str(here->time, time));
    else if (here->pos.record)
        snprintf(buf, 64, "%s #%" PRIu64 ".%" PRIu64, simtime_str(here->time, time), here->pos.event,
                 here->pos.record);
    else
        snprintf(buf, 64, "%s #%" PRIu64, simtime_str(here->time, time), here->pos.event);
    return buf;
}

static void tell_break(StepSession *s, unsigned id)
{
    StepBreak *b = stepbreaks_find(s, id);

    if (!b)
        return;
    b->hits++;
    stepsession_say(s, "%s %u: %s\n", b->kind == 'w' ? "Watch" : "Breakpoint", id, b->wish);
    if (b->is_temp)
        stepbreaks_remove(s, id);
}

void stepsession_tell(StepSession *s)
{
    const StepStop *here = steptimeline_here(s->timeline);
    const char *said = steptimeline_said(s->timeline);

    if (here->why == STEP_WHY_BREAK)
        tell_break(s, here->break_id);
    else if (here->why == STEP_WHY_ASKED)
        stepsession_say(s, "Interrupted.\n");
    if (*said)
        stepsession_say(s, "%s%s", said, g_str_has_suffix(said, "\n") ? "" : "\n");
    stepsession_show_displays(s);
}

/* ---- commands ---- */

void stepline_parse(StepLine *l, const char *text)
{
    const char *p = text;
    char *at;

    *l = (StepLine){.text = text, .copy = g_strdup(text)};
    at = l->copy;
    while (l->n < STEP_WORDS_MAX) {
        size_t space = strspn(p, " \t\r\n"), len;

        p += space;
        at += space;
        len = strcspn(p, " \t\r\n");
        if (!len)
            break;
        l->word[l->n] = at;
        l->rest[l->n++] = p;
        p += len;
        at += len;
        if (*at)
            *at++ = 0, p++;
    }
    for (unsigned i = l->n; i <= STEP_WORDS_MAX; i++)
        l->rest[i] = "";
}

static bool is_name_of(const StepCommand *c, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = c->names; *p;) {
        size_t n = strcspn(p, " ");

        if (n == len && !strncmp(p, word, n))
            return true;
        p += n;
        p += *p == ' ';
    }
    return false;
}

const StepCommand *stepsession_find(const char *word)
{
    for (const StepCommand *c = step_commands; c->names; c++)
        if (is_name_of(c, word))
            return c;
    return NULL;
}

static StepResult unknown(StepSession *s, const char *word, char **error)
{
    GString *all = g_string_new(NULL);
    g_auto(GStrv) names = NULL;
    g_autofree char *hosts = NULL;
    const char *closest;
    bool fine;

    for (const StepCommand *c = step_commands; c->names; c++)
        g_string_append_printf(all, "%s ", c->names);
    hosts = steptimeline_ask(s->timeline, "names hosts", &fine);
    g_string_append(all, fine ? g_strdelimit(hosts, "\n", ' ') : "");
    names = g_strsplit(g_strchomp(all->str), " ", -1);
    g_string_free(all, TRUE);
    closest = suggest_closest(word, (const char *const *)names, g_strv_length(names));
    if (closest)
        return stepsession_wrong(error, "unknown command \"%s\"; did you mean \"%s\"?", word, closest);
    return stepsession_wrong(
        error, "unknown command \"%s\"; 'help' lists them, and 'HOST COMMAND' is one of a host", word);
}

/* "client ss -ti", "client" */
static bool is_host(StepSession *s, const char *word)
{
    g_autofree char *query = g_strdup_printf("id %s", word);
    bool fine;

    g_free(steptimeline_ask(s->timeline, query, &fine));
    return fine;
}

static StepResult run_line(StepSession *s, const StepLine *l, const char *line, char **error)
{
    const StepCommand *c;

    c = stepsession_find(l->word[0]);
    if (!c && is_host(s, l->word[0]))
        return stepcmd_on(s, l, error);
    if (!c)
        return unknown(s, l->word[0], error);
    if (!c->fn)
        return STEP_QUIT;
    if (line != s->repeat) {
        g_free(s->repeat);
        s->repeat = c->repeats ? g_strdup(line) : NULL;
    }
    return c->fn(s, l, error);
}

StepResult stepsession_do(StepSession *s, const char *line, char **error)
{
    StepResult result = STEP_FINE;
    StepLine l;

    stepline_parse(&l, line);
    if (!l.n && s->repeat) {
        g_free(l.copy);
        line = s->repeat;
        stepline_parse(&l, line);
    }
    if (l.n && *l.word[0] != '#')
        result = run_line(s, &l, line, error);
    g_free(l.copy);
    return result;
}

/* ---- life ---- */

StepSession *stepsession_new(const StepTimelineConfig *config, char **error)
{
    StepTimeline *t = steptimeline_new(config, error);
    StepSession *s;

    if (!t)
        return NULL;
    s = g_new0(StepSession, 1);
    s->config = *config;
    s->timeline = t;
    s->breaks = g_array_new(FALSE, TRUE, sizeof(StepBreak));
    s->next_break = 1;
    s->displays = g_ptr_array_new_with_free_func(g_free);
    return s;
}

void stepsession_free(StepSession *s)
{
    if (!s)
        return;
    steptimeline_free(s->timeline);
    stepbreaks_clear(s);
    g_array_free(s->breaks, TRUE);
    g_ptr_array_free(s->displays, TRUE);
    g_free(s->repeat);
    g_free(s);
}

void stepsession_set_columns(StepSession *s, unsigned columns)
{
    steptimeline_set_columns(s->timeline, columns);
}

const char *stepsession_said(const StepSession *s)
{
    return steptimeline_said(s->timeline);
}

int stepsession_failed(const StepSession *s)
{
    const StepStop *here = steptimeline_here(s->timeline);

    return here->is_ended && here->pos.event <= STEP_POS_FIRST.event ? here->status : -1;
}

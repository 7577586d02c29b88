/* Completion: what may stand at the end of a line, by what stands before it. */
#include <string.h>

#include "models/ether/neigh.h"
#include "models/tcp/tcp.h"
#include "models/tcp/tcp_info.h"
#include "sim/trace/probe_table.h"
#include "step/cond_record.h"
#include "step/session_priv.h"

#define RECORD_NAMES_MAX 512

typedef struct Completion {
    StepSession *s;
    const char *token; /* what is there of the word */
    GString *before;   /* of the line's last word, what stands before the token */
    GPtrArray *found;
} Completion;

static void offer(Completion *c, const char *word)
{
    g_autofree char *full = NULL;

    if (!g_str_has_prefix(word, c->token))
        return;
    full = g_strconcat(c->before->str, word, NULL);
    for (unsigned i = 0; i < c->found->len; i++)
        if (!strcmp(c->found->pdata[i], full))
            return;
    g_ptr_array_add(c->found, g_steal_pointer(&full));
}

static void offer_all(Completion *c, const char *words)
{
    g_auto(GStrv) word = g_strsplit(words, " ", -1);

    for (char **w = word; *w; w++)
        offer(c, *w);
}

/* Lines that a question answers (step/inspect.h). */
static void offer_answer(Completion *c, const char *query)
{
    bool fine;
    g_autofree char *text = steptimeline_ask(c->s->timeline, query, &fine);
    g_auto(GStrv) line = g_strsplit(fine ? text : "", "\n", -1);

    for (char **l = line; *l; l++)
        if (**l)
            offer(c, *l);
}

static void offer_counters(Completion *c, const char *host)
{
    g_autofree char *query = g_strdup_printf("names counters %s", host);

    offer_answer(c, query);
}

static void offer_commands(Completion *c)
{
    for (const StepCommand *k = step_commands; k->names; k++) {
        g_auto(GStrv) name = g_strsplit(k->names, " ", -1);

        for (char **n = name; *n; n++)
            if (n == name || strlen(*n) > 3)
                offer(c, *n);
    }
}

static void offer_states(Completion *c)
{
    for (unsigned i = TCP_ESTABLISHED; i < TCP_NEW_SYN_RECV; i++)
        offer(c, tcp_state_name((TcpState)i));
    for (unsigned i = NEIGH_INCOMPLETE; i < NEIGH_STATES; i++)
        offer(c, neigh_state_name((NeighState)i));
}

/* Behind a dot: the fields of a header, its flags, or those of tcp_info. */
static void offer_members(Completion *c, const char *line, const char *token)
{
    static const struct {
        const char *of, *members;
    } all[] = {
        {"flags", "syn ack fin rst psh urg ece cwr ae"},
        {"tcp",
         "sport dport seq ackno hdr_len flags window checksum urgent data_len mss wscale ts_val ts_ecr "
         "sack_left sack_right"},
        {"udp", "sport dport len checksum"},
        {"ip", "src dst ttl proto id df mf frag_offset len dscp ecn tos"},
        {"ip6", "src dst hop_limit next flow len dscp ecn"},
        {"icmp", "type code id seq mtu gateway"},
        {"arp", "op sha spa tha tpa"},
        {"eth", "src dst type"},
        {"vlan", "vid pcp dei"}};
    const char *end = token - 1, *from = end;

    while (from > line && (g_ascii_isalnum(from[-1]) || from[-1] == '_'))
        from--;
    for (unsigned i = 0; i < HS_ARRAY_LEN(all); i++)
        if (strlen(all[i].of) == (size_t)(end - from) && !strncmp(all[i].of, from, (size_t)(end - from)))
            offer_all(c, all[i].members);
    for (const TcpInfoField *f = tcp_info_fields; f->name && end > line && end[-1] == ')'; f++)
        offer(c, g_str_has_prefix(f->name, "tcpi_") ? f->name + strlen("tcpi_") : f->name);
}

static bool is_in_quotes(const char *line)
{
    bool in = false;

    for (; *line; line++)
        in ^= *line == '"';
    return in;
}

static void offer_quoted(Completion *c, const char *line)
{
    const char *quote = strrchr(line, '"'), *counter = g_strrstr(line, "counter(\"");

    if (counter && strchr(counter, ',') && strchr(counter, ',') < quote) {
        g_autofree char *host = g_strndup(counter + 9, strcspn(counter + 9, "\""));

        offer_counters(c, host);
        return;
    }
    offer_answer(c, "names hosts");
    for (const ProbeDesc *const *d = probe_table; *d && g_strrstr(line, "probe"); d++)
        offer(c, (*d)->name);
    if (g_strrstr(line, "new") || g_strrstr(line, "old"))
        offer_states(c);
}

/* The last word of an expression: a name, a member of something, or what stands in quotes. */
static void offer_expression(Completion *c, const char *line)
{
    bool quoted = is_in_quotes(line);
    const char *token = quoted ? strrchr(line, '"') + 1 : line + strlen(line);
    const char *names[RECORD_NAMES_MAX];
    size_t n;

    while (!quoted && token > line && (g_ascii_isalnum(token[-1]) || token[-1] == '_'))
        token--;
    if (token < c->token)
        return; /* a blank in quotes */
    g_string_append_len(c->before, c->token, token - c->token);
    c->token = token;
    if (quoted) {
        offer_quoted(c, line);
    } else if (token > line && token[-1] == '.') {
        offer_members(c, line, token);
    } else {
        offer_all(c, "counter(\" info(\" now event and or not nil true false");
        n = step_record_names(names, RECORD_NAMES_MAX);
        for (size_t i = 0; i < n; i++)
            offer(c, names[i]);
    }
}

static void offer_break(Completion *c, const StepLine *l, unsigned at, const char *line)
{
    const char *first = l->n > 1 ? l->word[1] : "";

    if (at > 1 && !strcmp(l->word[at - 1], "on")) {
        offer_answer(c, "names hosts");
    } else if (at > 1 && !strcmp(first, "state")) {
        if (at == 2)
            offer_states(c);
        else
            offer(c, "on");
    } else if (at > 1 && !strcmp(first, "counter")) {
        if (at == 2)
            offer_answer(c, "names hosts");
        else if (at == 3)
            offer_counters(c, l->word[2]);
    } else {
        if (at == 1) {
            offer_all(c, "state counter time");
            for (const ProbeDesc *const *d = probe_table; *d; d++)
                offer(c, (*d)->name);
        }
        offer_expression(c, line);
    }
}

static void offer_inspect(Completion *c, const StepLine *l, unsigned at)
{
    if (at == 1)
        offer_all(c, "host socket route neigh nat queue packet");
    else if (at == 2)
        offer_answer(c, !strcmp(l->word[1], "queue") ? "names places" : "names hosts");
}

/* at: which word it is. */
static void offer_word(Completion *c, const StepLine *l, unsigned at, const char *line)
{
    const StepCommand *k = at ? stepsession_find(l->word[0]) : NULL;
    const char *verb = k ? k->names : "";
    bool is_on = g_str_has_prefix(verb, "on");

    if (!at) {
        offer_commands(c);
        offer_answer(c, "names hosts");
    } else if ((is_on && at == 2) || (!k && at == 1)) {
        offer_answer(c, "names shell");
    } else if (is_on && at == 1) {
        offer_answer(c, "names hosts");
    } else if (g_str_has_prefix(verb, "break") || g_str_has_prefix(verb, "tbreak")) {
        if (!g_str_has_prefix(verb, "breaks"))
            offer_break(c, l, at, line);
    } else if (g_str_has_prefix(verb, "inspect")) {
        offer_inspect(c, l, at);
    } else if (g_str_has_prefix(verb, "help")) {
        offer_commands(c);
        offer(c, "expressions");
    } else if (g_str_has_prefix(verb, "goto")) {
        offer_all(c, "start end");
    } else if (g_str_has_prefix(verb, "why")) {
        if (at == 1)
            offer_all(c, "cwnd state");
        else if (at == 2)
            offer_answer(c, "names hosts");
    } else if (g_str_has_prefix(verb, "list")) {
        offer_all(c, "packets states drops records");
        offer_answer(c, "names hosts");
    } else if (g_str_has_prefix(verb, "back") && at == 1) {
        offer_all(c, "event packet state record until");
    } else if (g_str_has_prefix(verb, "next") && at < 3) {
        offer_all(c, "event packet state record");
    } else if (g_str_has_prefix(verb, "until") || g_str_has_prefix(verb, "back") ||
               g_str_has_prefix(verb, "watch") || g_str_has_prefix(verb, "print") ||
               g_str_has_prefix(verb, "display")) {
        offer_expression(c, line);
    }
}

char **stepsession_complete(StepSession *s, const char *line)
{
    const char *last = strrchr(line, ' ');
    Completion c = {
        .s = s, .token = last ? last + 1 : line, .before = g_string_new(NULL), .found = g_ptr_array_new()};
    StepLine l;

    stepline_parse(&l, line);
    offer_word(&c, &l, *c.token ? l.n - 1 : l.n, line);
    g_free(l.copy);
    g_string_free(c.before, TRUE);
    g_ptr_array_add(c.found, NULL);
    return (char **)g_ptr_array_free(c.found, FALSE);
}

/* The frame of a script: flags, init command, events with their times, cleanup command. The grammar of an
 * event is in pd_parse_packet.c and pd_parse_call.c. */
#include "packetdrill/pd_parse.h"

#include <stdarg.h>
#include <string.h>

#include "packetdrill/pd_parse_priv.h"

#define MAX_TIME_US (INT64_C(1000000000) * 1000000) /* 30 years: sums stay far from overflow */

bool pd_parser_fail(PdParser *p, PdLoc loc, const char *format, ...)
{
    va_list args;
    char *message;

    if (p->error)
        return false;
    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    p->error = g_strdup_printf("%s:%u:%u: %s", p->script->path, loc.line, loc.col, message);
    g_free(message);
    return false;
}

bool pd_parser_expected(PdParser *p, const char *what)
{
    char *found = pd_lex_found(&p->lex);

    pd_parser_fail(p, p->lex.tok.loc, "expected %s, found %s", what, found);
    g_free(found);
    return false;
}

bool pd_parser_is_punct(const PdParser *p, char c)
{
    return p->lex.tok.kind == PD_TOKEN_PUNCT && p->lex.tok.value == c;
}

bool pd_parser_is_word(const PdParser *p, const char *word)
{
    return p->lex.tok.kind == PD_TOKEN_WORD && strcmp(p->lex.tok.text, word) == 0;
}

bool pd_parser_take_punct(PdParser *p, char c, const char *where)
{
    char what[80];

    if (pd_parser_is_punct(p, c)) {
        pd_lex_next(&p->lex);
        return true;
    }
    g_snprintf(what, sizeof what, "'%c' %s", c, where);
    return pd_parser_expected(p, what);
}

bool pd_parser_take_uint(PdParser *p, const char *what, uint64_t max, uint64_t *out)
{
    const PdToken *t = &p->lex.tok;

    if (t->kind != PD_TOKEN_INT)
        return pd_parser_expected(p, what);
    if (t->value < 0 || (uint64_t)t->value > max)
        return pd_parser_fail(p, t->loc, "%s is out of range: expected %s from 0 to %" G_GUINT64_FORMAT,
                              t->text, what, max);
    *out = (uint64_t)t->value;
    pd_lex_next(&p->lex);
    return true;
}

static bool parse_flags(PdParser *p)
{
    GArray *flags = g_array_new(FALSE, FALSE, sizeof(PdFlag));
    bool ok = true;

    while (ok && pd_parser_is_punct(p, '-')) {
        PdFlag f = {.loc = p->lex.tok.loc};
        const char *raw;
        char *equals, *message = NULL;
        PdLoc loc;

        raw = pd_lex_raw(&p->lex, "", true, &loc);
        if (strcmp(raw, "-v") == 0) {
            raw = "--verbose";
        } else if (strncmp(raw, "-D", 2) == 0) { /* -D NAME=VALUE, -DNAME=VALUE */
            const char *define = raw[2] ? raw + 2 : pd_lex_raw(&p->lex, "", true, &loc);
            char *text = g_strconcat("--define=", define, NULL);

            raw = pd_arena_strndup(&p->arena, text, strlen(text));
            g_free(text);
        }
        if (strncmp(raw, "--", 2) != 0 || !raw[2]) {
            ok = pd_parser_fail(p, f.loc, "expected a flag (--name or --name=value) or an event, found '%s'",
                                raw);
            break;
        }
        f.name = pd_arena_strndup(&p->arena, raw + 2, strlen(raw + 2));
        equals = strchr(f.name, '=');
        if (equals) {
            *equals = 0;
            f.value = equals + 1;
        } else if (pd_parser_is_punct(p, '=')) { /* blanks around it */
            f.value = pd_lex_raw(&p->lex, "", true, &loc) + 1;
        }
        if (f.value && !*f.value && p->lex.tok.loc.line == f.loc.line && !pd_parser_is_punct(p, '-'))
            f.value = pd_lex_raw(&p->lex, "", true, &loc);
        g_array_append_val(flags, f);
        if (!pd_config_set(p->config, f.name, f.value, false, &message))
            ok = pd_parser_fail(p, f.loc, "%s", message);
        g_free(message);
    }
    p->script->n_flags = flags->len;
    p->script->flags = pd_arena_alloc(&p->arena, flags->len * sizeof(PdFlag));
    if (flags->len)
        memcpy(p->script->flags, flags->data, flags->len * sizeof(PdFlag));
    g_array_free(flags, TRUE);
    return ok;
}

static bool is_number(const PdToken *t)
{
    return t->kind == PD_TOKEN_INT || t->kind == PD_TOKEN_FLOAT;
}

static bool take_seconds(PdParser *p, int64_t *us)
{
    const PdToken *t = &p->lex.tok;

    if (!is_number(t))
        return pd_parser_expected(p, "a time in seconds");
    if (*t->text == '-')
        return pd_parser_fail(p, t->loc, "a time cannot be negative: %s", t->text);
    if (t->too_large || t->micros > MAX_TIME_US)
        return pd_parser_fail(p, t->loc, "a time that is too large: %s seconds", t->text);
    *us = t->micros;
    pd_lex_next(&p->lex);
    return true;
}

/* T, +T, *, T1~T2, +T1~+T2, and T...END of a blocking call. */
static bool parse_time(PdParser *p, PdEvent *e, bool *has_end)
{
    e->loc = p->lex.tok.loc;
    if (pd_parser_is_punct(p, '*')) {
        e->time = PD_TIME_ANY;
        pd_lex_next(&p->lex);
        return true;
    }
    e->time = PD_TIME_ABSOLUTE;
    if (pd_parser_is_punct(p, '+')) {
        e->time = PD_TIME_RELATIVE;
        pd_lex_next(&p->lex);
    }
    if (!take_seconds(p, &e->time_us))
        return false;
    e->end_us = e->time_us;
    if (pd_parser_is_punct(p, '~')) {
        PdLoc loc;

        pd_lex_next(&p->lex);
        loc = p->lex.tok.loc;
        if (pd_parser_is_punct(p, '+') != (e->time == PD_TIME_RELATIVE))
            return pd_parser_fail(p, loc,
                                  "both ends of a time window are absolute (T1~T2) or relative (+T1~+T2)");
        if (e->time == PD_TIME_RELATIVE)
            pd_lex_next(&p->lex);
        if (!take_seconds(p, &e->end_us))
            return false;
        e->has_window = true;
        if (e->end_us < e->time_us)
            return pd_parser_fail(p, loc, "a time window that ends before it begins");
    } else if (p->lex.tok.kind == PD_TOKEN_ELLIPSIS) {
        PdLoc loc;

        pd_lex_next(&p->lex);
        if (pd_parser_is_punct(p, '+'))
            pd_lex_next(&p->lex);
        loc = p->lex.tok.loc;
        if (!take_seconds(p, &e->end_us))
            return false;
        *has_end = true;
        if (e->end_us < e->time_us)
            return pd_parser_fail(p, loc, "a call that returns before it begins");
    }
    return true;
}

static bool parse_action(PdParser *p, PdEvent *e, bool has_end)
{
    const PdToken *t = &p->lex.tok;

    e->action_loc = t->loc;
    if (pd_parser_is_punct(p, '<') || pd_parser_is_punct(p, '>')) {
        e->kind = PD_EVENT_PACKET;
        e->packet = pd_arena_alloc(&p->arena, sizeof *e->packet);
        if (!pd_parse_packet(p, e->packet))
            return false;
    } else if (t->kind == PD_TOKEN_COMMAND || t->kind == PD_TOKEN_CODE) {
        e->kind = t->kind == PD_TOKEN_CODE ? PD_EVENT_CODE : PD_EVENT_COMMAND;
        e->text = t->text;
        pd_lex_next(&p->lex);
    } else if (t->kind == PD_TOKEN_WORD) {
        e->kind = PD_EVENT_SYSCALL;
        e->syscall = pd_arena_alloc(&p->arena, sizeof *e->syscall);
        e->syscall->has_end = has_end;
        if (!pd_parse_syscall(p, e->syscall))
            return false;
    } else {
        return pd_parser_expected(
            p, "a packet (< or >), a system call, a command in back quotes or a code block");
    }
    e->end_line = p->lex.last_line;
    return true;
}

/* Which forms of time which actions may have (3). */
static bool check_time(PdParser *p, const PdEvent *e, bool has_end, const PdEvent *previous)
{
    bool is_outbound = e->kind == PD_EVENT_PACKET && e->packet->dir == PD_OUTBOUND;

    if (!is_outbound && e->time == PD_TIME_ANY)
        return pd_parser_fail(p, e->loc, "'*' (any time) is for outbound packets only");
    if (!is_outbound && e->has_window)
        return pd_parser_fail(p, e->loc, "a time window is for outbound packets only");
    if (e->kind != PD_EVENT_SYSCALL && has_end)
        return pd_parser_fail(p, e->loc, "an end time (...T) is for system calls only");
    if (!previous && (e->time == PD_TIME_ANY || e->time_us != 0))
        return pd_parser_fail(p, e->loc, "the first event must be at time 0");
    if (previous && previous->time == PD_TIME_ABSOLUTE && e->time == PD_TIME_ABSOLUTE &&
        e->time_us < previous->time_us)
        return pd_parser_fail(
            p, e->loc, "time runs backwards: %" G_GINT64_FORMAT ".%06u after %" G_GINT64_FORMAT ".%06u",
            e->time_us / 1000000, (unsigned)(e->time_us % 1000000), previous->time_us / 1000000,
            (unsigned)(previous->time_us % 1000000));
    return true;
}

static bool parse_events(PdParser *p, GArray *events)
{
    for (;;) {
        PdEvent e = {0};
        const PdToken *t = &p->lex.tok;
        bool has_end = false;

        if (!is_number(t) && !pd_parser_is_punct(p, '+') && !pd_parser_is_punct(p, '*'))
            return true;
        if (!parse_time(p, &e, &has_end) || !parse_action(p, &e, has_end) ||
            !check_time(p, &e, has_end,
                        events->len ? &g_array_index(events, PdEvent, events->len - 1) : NULL))
            return false;
        g_array_append_val(events, e);
    }
}

static bool parse_script(PdParser *p)
{
    PdScript *s = p->script;
    GArray *events;
    bool ok;

    if (!parse_flags(p))
        return false;
    /* From here on words are replaced, and some of the predefined ones depend on the IP version. */
    pd_config_predefine(p->config);
    s->ip_version = p->config->ip_version;
    if (p->lex.tok.kind == PD_TOKEN_COMMAND) {
        s->init = p->lex.tok.text;
        s->init_loc = p->lex.tok.loc;
        pd_lex_next(&p->lex);
    }
    events = g_array_new(FALSE, FALSE, sizeof(PdEvent));
    ok = parse_events(p, events);
    s->n_events = events->len;
    s->events = pd_arena_alloc(&p->arena, events->len * sizeof(PdEvent));
    if (events->len)
        memcpy(s->events, events->data, events->len * sizeof(PdEvent));
    g_array_free(events, TRUE);
    if (!ok)
        return false;
    if (s->n_events == 0)
        return pd_parser_expected(p, "an event (TIME ACTION)");
    if (p->lex.tok.kind == PD_TOKEN_COMMAND) {
        s->cleanup = p->lex.tok.text;
        s->cleanup_loc = p->lex.tok.loc;
        pd_lex_next(&p->lex);
    }
    if (p->lex.tok.kind != PD_TOKEN_END)
        return pd_parser_expected(p, "an event (TIME ACTION) or the end of the file");
    return true;
}

/* Lines that end in CR LF become lines that end in LF: what continues a line in a command or a code block is
 * a backslash before the end. */
static void take_lines(PdScript *s, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
            s->text[s->text_len++] = text[i];
    }
    s->text[s->text_len] = 0;
}

PdScript *pd_parse(const char *path, const char *text, size_t len, PdConfig *config, char **error)
{
    PdScript *s = g_new0(PdScript, 1);
    PdParser p = {.script = s, .config = config, .arena.blocks = g_ptr_array_new_with_free_func(g_free)};

    s->path = g_strdup(path);
    s->text = g_malloc(len + 1);
    take_lines(s, text, len);
    s->arena = p.arena.blocks;
    pd_lex_init(&p.lex, s->text, s->text_len, &config->defines, &p.arena);
    if (parse_script(&p))
        return s;
    *error = p.error;
    pd_script_free(s);
    return NULL;
}

void pd_script_free(PdScript *s)
{
    if (!s)
        return;
    g_ptr_array_free(s->arena, TRUE);
    g_free(s->path);
    g_free(s->text);
    g_free(s);
}

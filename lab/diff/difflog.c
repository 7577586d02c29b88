/* Two event logs side by side. Records are lines; a difference is explained member by member. */
#include "lab/diff/difflog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/diff/diff_cause.h"
#include "lab/diff/diff_record.h"
#include "sim/base/units.h"
#include "sim/trace/eventlog_json.h"

typedef struct Log {
    const DiffSide *side;
    FILE *file;
    char *line; /* NULL: the log is over */
    size_t room;
    uint64_t number;
    uint64_t at, next; /* where the line begins in the file, and the one behind it */
} Log;

/* ---- reading ---- */

static bool next_line(Log *l, GError **error)
{
    ssize_t n;

    errno = 0;
    n = getline(&l->line, &l->room, l->file);
    if (n < 0) {
        if (ferror(l->file)) {
            g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "cannot read %s: %s",
                        l->side->path, g_strerror(errno));
            return false;
        }
        free(l->line);
        l->line = NULL;
        return true;
    }
    l->at = l->next;
    l->next += (uint64_t)n;
    if (n && l->line[n - 1] == '\n')
        l->line[n - 1] = 0;
    l->number++;
    return true;
}

static bool open_log(Log *l, const DiffSide *side, GError **error)
{
    *l = (Log){.side = side, .file = fopen(side->path, "re")};
    if (l->file)
        return true;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "cannot open %s: %s", side->path,
                g_strerror(errno));
    return false;
}

static void close_log(Log *l)
{
    free(l->line);
    if (l->file)
        fclose(l->file);
}

/* A line that is no record makes the whole comparison doubtful: say where. */
static EventlogMember *read_record(const Log *l, GError **error)
{
    char *why = NULL;
    EventlogMember *members = eventlog_json_read(l->line, strlen(l->line), &why);

    if (!members)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s:%" PRIu64 ": not a record of an event log: %s", l->side->path, l->number, why);
    g_free(why);
    return members;
}

/* ---- showing ---- */

static bool print_line(GString *out, const char *mark, const Log *l, GError **error)
{
    EventlogMember *m = read_record(l, error);

    if (!m)
        return false;
    diff_record_print(out, mark, m);
    g_free(m);
    return true;
}

static bool is_place(const char *name)
{
    return !strcmp(name, "time") || !strcmp(name, "node") || !strcmp(name, "point") || !strcmp(name, "event");
}

static bool is_same_kind(const EventlogMember *a, const EventlogMember *b)
{
    const char *event = diff_record_member(a, "event"), *node = diff_record_member(a, "node");

    return event && !g_strcmp0(event, diff_record_member(b, "event")) &&
           !g_strcmp0(node, diff_record_member(b, "node"));
}

/* Of two different things that happened, only what, where and when. */
static void print_differing(GString *out, const EventlogMember *a, const EventlogMember *b)
{
    bool is_comparable = is_same_kind(a, b);

    g_string_append_printf(out, "\nwhat differs\n");
    for (const EventlogMember *e = a; e->name; e++) {
        const char *other = diff_record_member(b, e->name);

        if (!is_comparable && !is_place(e->name))
            continue;
        if (!other || strcmp(other, e->value))
            g_string_append_printf(out, "  %-18s a: %s\n  %-18s b: %s\n", e->name, e->value, "",
                                   other ? other : "(not there)");
    }
    for (const EventlogMember *e = b; e->name; e++)
        if (!diff_record_member(a, e->name) && (is_comparable || is_place(e->name)))
            g_string_append_printf(out, "  %-18s a: (not there)\n  %-18s b: %s\n", e->name, "", e->value);
}

/* This side's records from the difference on. */
static bool print_side(GString *out, Log *l, unsigned n, GError **error)
{
    if (!l->line) {
        g_string_append_printf(out, "%s %15s  the log ends here\n", l->side->label, "");
        return true;
    }
    for (unsigned i = 0; i < n && l->line; i++) {
        if (!print_line(out, l->side->label, l, error) || !next_line(l, error))
            return false;
    }
    return true;
}

static bool print_context(GString *out, char **ring, unsigned context, uint64_t same, const DiffSide *side,
                          GError **error)
{
    for (uint64_t i = same > context ? same - context : 0; i < same; i++) {
        Log l = {.side = side, .line = ring[i % context], .number = i + 1};

        if (!print_line(out, " ", &l, error))
            return false;
    }
    return true;
}

/* ---- causes ---- */

static void print_instead(GString *out, const EventlogMember *m, const DiffPlace *other, const char *label)
{
    DiffPlace next;
    EventlogMember *instead = diff_cause_find_packet(other, m, &next) ? diff_cause_read(&next) : NULL;

    if (!instead) {
        g_string_append_printf(out, "  in %s it does not happen\n", label);
        return;
    }
    g_string_append_printf(out, "  in %s what happens to this packet is:\n", label);
    diff_record_print(out, "   ", instead);
    g_free(instead);
}

static void print_elsewhere(GString *out, const EventlogMember *m, const DiffPlace *other, const char *label)
{
    char time[SIMTIME_STR_LEN], by[UNITS_STR_LEN];
    SimTime now = diff_record_time(m), then;
    EventlogMember *found;
    DiffPlace same;

    if (!diff_cause_find_same(other, m, &same)) {
        print_instead(out, m, other, label);
        return;
    }
    found = diff_cause_read(&same);
    then = diff_record_time(found);
    g_free(found);
    if (then == now)
        g_string_append_printf(out, "  in %s it happens at the same time, but in another order\n", label);
    else
        g_string_append_printf(out, "  in %s it happens at %s s, %s %s\n", label, simtime_str(then, time),
                               units_format_time(then < now ? now - then : then - now, by),
                               then < now ? "earlier" : "later");
}

/* Places of causes of a before the difference are also places of b: the logs are the same up to there. */
static void print_chain(GString *out, DiffPlace p, unsigned steps, GArray *known)
{
    DiffPlace cause;
    const char *why;

    for (unsigned i = 0; i < steps && diff_cause_find(&p, &cause, &why); i++, p = cause) {
        EventlogMember *m = diff_cause_read(&cause);
        bool is_known = false;

        for (unsigned k = 0; k < known->len; k++)
            is_known |= g_array_index(known, size_t, k) == cause.at;
        if (!m)
            break;
        g_string_append_printf(out, "  because %s:\n", why);
        diff_record_print(out, "   ", m);
        g_free(m);
        if (is_known) {
            g_string_append_printf(out, "  and so on, as above\n");
            break;
        }
        g_array_append_val(known, cause.at);
    }
}

/* Of the same thing with other values, it needs not to be told where else it happens. */
static void print_causes(GString *out, const Log log[2], const uint64_t at[2], unsigned steps,
                         bool are_comparable)
{
    GMappedFile *file[2] = {NULL, NULL};
    g_autoptr(GArray) known = g_array_new(FALSE, FALSE, sizeof(size_t));
    DiffPlace place[2];

    for (int i = 0; i < 2; i++) {
        file[i] = g_mapped_file_new(log[i].side->path, FALSE, NULL);
        if (file[i] && g_mapped_file_get_contents(file[i]))
            place[i] =
                (DiffPlace){g_mapped_file_get_contents(file[i]), g_mapped_file_get_length(file[i]), at[i]};
        else
            steps = 0; /* a pipe, or nothing: there is no way back */
    }
    if (steps)
        g_string_append_printf(out, "\nhow it came to that\n");
    for (int i = 0; steps && i < 2; i++) {
        EventlogMember *m = diff_cause_read(&place[i]);

        if (!m)
            continue;
        diff_record_print(out, log[i].side->label, m);
        if (!are_comparable)
            print_elsewhere(out, m, &place[!i], log[!i].side->label);
        print_chain(out, place[i], steps, known);
        g_free(m);
    }
    for (int i = 0; i < 2; i++)
        if (file[i])
            g_mapped_file_unref(file[i]);
}

/* ---- the difference ---- */

static bool print_difference(GString *out, Log log[2], char **ring, uint64_t same, const DiffStyle *style,
                             GError **error)
{
    EventlogMember *m[2] = {NULL, NULL};
    const uint64_t at[2] = {log[0].line ? log[0].at : log[0].next, log[1].line ? log[1].at : log[1].next};
    bool ok = true;

    g_string_append_printf(out, "a: %s\nb: %s\n", log[0].side->title, log[1].side->title);
    if (same)
        g_string_append_printf(out,
                               "the first %" PRIu64 " record%s are the same; record %" PRIu64 " differs\n\n",
                               same, same == 1 ? "" : "s", same + 1);
    else
        g_string_append_printf(out, "the runs differ from the first record on\n\n");
    for (int i = 0; ok && i < 2; i++) {
        if (log[i].line)
            ok = (m[i] = read_record(&log[i], error)) != NULL;
    }
    ok = ok && print_context(out, ring, style->context, same, log[0].side, error) &&
         print_side(out, &log[0], style->after, error) && print_side(out, &log[1], style->after, error);
    if (ok && m[0] && m[1])
        print_differing(out, m[0], m[1]);
    if (ok && style->causes)
        print_causes(out, log, at, style->causes, m[0] && m[1] && is_same_kind(m[0], m[1]));
    g_free(m[0]);
    g_free(m[1]);
    return ok;
}

/* ---- comparing ---- */

static DiffResult compare(GString *out, Log log[2], const DiffStyle *style, GError **error)
{
    unsigned context = style->context;
    char **ring = g_new0(char *, context + 1);
    DiffResult result = DIFF_ERROR;
    uint64_t same = 0;

    while (next_line(&log[0], error) && next_line(&log[1], error)) {
        if (!log[0].line && !log[1].line) {
            result = DIFF_SAME;
            if (!style->quiet)
                g_string_append_printf(out, "a: %s\nb: %s\nthe same: %" PRIu64 " record%s\n",
                                       log[0].side->title, log[1].side->title, same, same == 1 ? "" : "s");
            break;
        }
        if (!log[0].line || !log[1].line || strcmp(log[0].line, log[1].line)) {
            if (style->quiet || print_difference(out, log, ring, same, style, error))
                result = DIFF_DIFFERENT;
            break;
        }
        if (context) {
            g_free(ring[same % context]);
            ring[same % context] = g_strdup(log[0].line);
        }
        same++;
    }
    for (unsigned i = 0; i < context; i++)
        g_free(ring[i]);
    g_free(ring);
    return result;
}

DiffResult difflog_compare(GString *out, const DiffSide side[2], const DiffStyle *style, GError **error)
{
    Log log[2] = {{0}, {0}};
    DiffResult result = DIFF_ERROR;

    if (open_log(&log[0], &side[0], error) && open_log(&log[1], &side[1], error))
        result = compare(out, log, style, error);
    close_log(&log[0]);
    close_log(&log[1]);
    return result;
}

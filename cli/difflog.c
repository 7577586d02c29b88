/* Two event logs side by side. Records are lines; a difference is explained member by member. */
#include "cli/difflog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/eventlog_json.h"

typedef struct Log {
    const DiffSide *side;
    FILE *file;
    char *line; /* NULL: the log is over */
    size_t room;
    uint64_t number;
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

static const char *member(const EventlogMember *m, const char *name)
{
    for (; m->name; m++)
        if (!strcmp(m->name, name))
            return m->value;
    return NULL;
}

/* A JSON string without its quotes; escapes stay as they are. */
static void append_bare(GString *s, const char *value)
{
    size_t n = strlen(value);

    if (n >= 2 && *value == '"')
        g_string_append_len(s, value + 1, (gssize)n - 2);
    else
        g_string_append(s, value);
}

/* "12.345678901  client:eth0  frame.tx  10.0.0.1 > 10.0.0.2: …" */
static void print_record(const char *mark, const EventlogMember *m)
{
    const char *time = member(m, "time"), *point = member(m, "point"), *summary = member(m, "frame.summary");
    GString *where = g_string_new(NULL), *rest = g_string_new(NULL);

    append_bare(where, member(m, "node") ? member(m, "node") : "?");
    if (point) {
        g_string_append_c(where, ':');
        append_bare(where, point);
    }
    for (const EventlogMember *e = m; e->name; e++) {
        if (!strcmp(e->name, "time") || !strcmp(e->name, "node") || !strcmp(e->name, "point") ||
            !strcmp(e->name, "event") || g_str_has_prefix(e->name, "frame."))
            continue;
        g_string_append_printf(rest, " %s=", e->name);
        append_bare(rest, e->value);
    }
    if (summary) {
        g_string_append(rest, "  ");
        append_bare(rest, summary);
    }
    printf("%s %15s  %-16s %s", mark, time ? time : "?", where->str, "");
    g_string_truncate(where, 0);
    append_bare(where, member(m, "event") ? member(m, "event") : "?");
    printf("%-16s%s\n", where->str, rest->str);
    g_string_free(where, TRUE);
    g_string_free(rest, TRUE);
}

static bool print_line(const char *mark, const Log *l, GError **error)
{
    EventlogMember *m = read_record(l, error);

    if (!m)
        return false;
    print_record(mark, m);
    g_free(m);
    return true;
}

static void print_differing(const EventlogMember *a, const EventlogMember *b)
{
    printf("\nwhat differs\n");
    for (const EventlogMember *e = a; e->name; e++) {
        const char *other = member(b, e->name);

        if (!other || strcmp(other, e->value))
            printf("  %-18s a: %s\n  %-18s b: %s\n", e->name, e->value, "", other ? other : "(not there)");
    }
    for (const EventlogMember *e = b; e->name; e++)
        if (!member(a, e->name))
            printf("  %-18s a: (not there)\n  %-18s b: %s\n", e->name, "", e->value);
}

/* This side's records from the difference on. */
static bool print_side(Log *l, unsigned n, GError **error)
{
    if (!l->line) {
        printf("%s %15s  the log ends here\n", l->side->label, "");
        return true;
    }
    for (unsigned i = 0; i < n && l->line; i++) {
        if (!print_line(l->side->label, l, error) || !next_line(l, error))
            return false;
    }
    return true;
}

static bool print_context(char **ring, unsigned context, uint64_t same, const DiffSide *side, GError **error)
{
    for (uint64_t i = same > context ? same - context : 0; i < same; i++) {
        Log l = {.side = side, .line = ring[i % context], .number = i + 1};

        if (!print_line(" ", &l, error))
            return false;
    }
    return true;
}

static bool print_difference(Log log[2], char **ring, uint64_t same, const DiffStyle *style, GError **error)
{
    EventlogMember *m[2] = {NULL, NULL};
    bool ok = true;

    printf("a: %s\nb: %s\n", log[0].side->title, log[1].side->title);
    if (same)
        printf("the first %" PRIu64 " record%s are the same; record %" PRIu64 " differs\n\n", same,
               same == 1 ? "" : "s", same + 1);
    else
        printf("the runs differ from the first record on\n\n");
    for (int i = 0; ok && i < 2; i++) {
        if (log[i].line)
            ok = (m[i] = read_record(&log[i], error)) != NULL;
    }
    ok = ok && print_context(ring, style->context, same, log[0].side, error) &&
         print_side(&log[0], style->after, error) && print_side(&log[1], style->after, error);
    if (ok && m[0] && m[1])
        print_differing(m[0], m[1]);
    g_free(m[0]);
    g_free(m[1]);
    return ok;
}

/* ---- comparing ---- */

static DiffResult compare(Log log[2], const DiffStyle *style, GError **error)
{
    unsigned context = style->context;
    char **ring = g_new0(char *, context + 1);
    DiffResult result = DIFF_ERROR;
    uint64_t same = 0;

    while (next_line(&log[0], error) && next_line(&log[1], error)) {
        if (!log[0].line && !log[1].line) {
            result = DIFF_SAME;
            if (!style->quiet)
                printf("a: %s\nb: %s\nthe same: %" PRIu64 " record%s\n", log[0].side->title,
                       log[1].side->title, same, same == 1 ? "" : "s");
            break;
        }
        if (!log[0].line || !log[1].line || strcmp(log[0].line, log[1].line)) {
            if (style->quiet || print_difference(log, ring, same, style, error))
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

DiffResult difflog_compare(const DiffSide side[2], const DiffStyle *style, GError **error)
{
    Log log[2] = {{0}, {0}};
    DiffResult result = DIFF_ERROR;

    if (open_log(&log[0], &side[0], error) && open_log(&log[1], &side[1], error))
        result = compare(log, style, error);
    close_log(&log[0]);
    close_log(&log[1]);
    return result;
}

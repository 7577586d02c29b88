#include "lab/diff/diff_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *diff_record_member(const EventlogMember *m, const char *name)
{
    for (; m->name; m++)
        if (!strcmp(m->name, name))
            return m->value;
    return NULL;
}

/* Escapes stay as they are. */
static void append_bare(GString *s, const char *value)
{
    size_t n = strlen(value);

    if (n >= 2 && *value == '"')
        g_string_append_len(s, value + 1, (gssize)n - 2);
    else
        g_string_append(s, value);
}

char *diff_record_text(const EventlogMember *m, const char *name)
{
    const char *value = diff_record_member(m, name);
    GString *s = g_string_new(NULL);

    if (value)
        append_bare(s, value);
    return g_string_free(s, FALSE);
}

/* "12.345678901": always nine decimals. */
SimTime diff_record_time(const EventlogMember *m)
{
    const char *text = diff_record_member(m, "time");
    char *end;
    gint64 seconds;

    if (!text)
        return -1;
    seconds = g_ascii_strtoll(text, &end, 10);
    if (*end != '.' || strlen(end) != 10)
        return -1;
    return seconds * SIM_SEC + g_ascii_strtoll(end + 1, NULL, 10);
}

void diff_record_print(GString *out, const char *mark, const EventlogMember *m)
{
    const char *time = diff_record_member(m, "time"), *point = diff_record_member(m, "point");
    g_autofree char *node = diff_record_text(m, "node"), *event = diff_record_text(m, "event");
    g_autofree char *summary = diff_record_text(m, "frame.summary");
    g_autoptr(GString) where = g_string_new(*node ? node : "?"), rest = g_string_new(NULL);

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
    if (*summary)
        g_string_append_printf(rest, "  %s", summary);
    g_string_append_printf(out, "%s %15s  %-16s %-16s%s\n", mark, time ? time : "?", where->str,
                           *event ? event : "?", rest->str);
}

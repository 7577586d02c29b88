/* Text into lines, as wide as the medium says. */
#include <string.h>

#include "view/ladder_place.h"

/* A number and its unit stay together, and so does what a fold's dots enclose. */
static bool may_break(const char *text, const char *blank)
{
    static const char *const units[] = {"ns", "µs", "ms", "s", "min", "h", "byte", "bytes", "…", NULL};
    const char *word = blank + 1;
    size_t len = strcspn(word, " \n,.;:");

    for (const char *const *u = units; *u; u++)
        if (strlen(*u) == len && !strncmp(*u, word, len))
            return blank == text || (!g_ascii_isdigit(blank[-1]) && strcmp(*u, "…") != 0);
    return true;
}

/* The longest prefix that fits; at least one character. */
static size_t fitting(const LadderMedium *m, const char *text, double limit, LadderRole role)
{
    GString *part = g_string_new(NULL);
    size_t good = 0, at_blank = 0;

    for (const char *p = text; *p && *p != '\n';) {
        const char *next = g_utf8_next_char(p);

        g_string_append_len(part, p, next - p);
        if (m->width(part->str, role) > limit && good)
            break;
        good = (size_t)(next - text);
        if ((*next == ' ' && may_break(text, next)) || *next == '\n' || !*next)
            at_blank = good;
        p = next;
    }
    g_string_free(part, TRUE);
    if (!text[good] || text[good] == '\n' || !at_blank)
        return good;
    return at_blank;
}

GPtrArray *ladder_wrap(const LadderMedium *m, const char *text, double limit, LadderRole role)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    while (*text) {
        size_t len = fitting(m, text, limit, role);

        g_ptr_array_add(lines, g_strndup(text, len));
        text += len;
        while (*text == ' ')
            text++;
        if (*text == '\n')
            text++;
    }
    return lines;
}

double ladder_widest(const LadderMedium *m, const GPtrArray *lines, LadderRole role)
{
    double most = 0;

    for (guint i = 0; i < lines->len; i++)
        most = HS_MAX(most, m->width(lines->pdata[i], role));
    return most;
}

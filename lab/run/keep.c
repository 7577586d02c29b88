#include "lab/run/keep.h"

#include <string.h>

#include "sim/base/suggest.h"

static const struct {
    const char *name;
    unsigned kinds;
} words[] = {
    {"captures", KEEP_CAPTURES}, {"events", KEEP_EVENTS}, {"series", KEEP_SERIES},
    {"pictures", KEEP_PICTURES}, {"manifest", 0},         {"all", KEEP_ALL},
};

static bool add_word(const char *word, unsigned *kinds, char **error)
{
    const char *names[HS_ARRAY_LEN(words)];
    const char *close;

    for (unsigned i = 0; i < HS_ARRAY_LEN(words); i++) {
        names[i] = words[i].name;
        if (!strcmp(word, words[i].name)) {
            *kinds |= words[i].kinds;
            return true;
        }
    }
    close = suggest_closest(word, names, HS_ARRAY_LEN(words));
    *error = g_strdup_printf(
        "\"%s\" is nothing to keep; expected all, or some of captures, events, series, pictures "
        "and manifest, joined by commas%s%s%s",
        word, close ? " (did you mean " : "", close ? close : "", close ? "?)" : "");
    return false;
}

bool keep_parse(const char *list, unsigned *kinds, char **error)
{
    char **parts = g_strsplit(list, ",", -1);
    bool ok = true;

    *kinds = 0;
    if (!*parts)
        ok = add_word("", kinds, error);
    for (char **part = parts; ok && *part; part++)
        ok = add_word(g_strstrip(*part), kinds, error);
    g_strfreev(parts);
    return ok;
}

const char *keep_name(unsigned i)
{
    return 1u << i < KEEP_ALL ? words[i].name : NULL;
}

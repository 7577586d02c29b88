#include "lab/run/gnuplot.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define TOLD 600 /* bytes of gnuplot's own message */

/* What gnuplot said, without the empty lines and the arrow that it points with. */
static char *brief(const char *said)
{
    g_auto(GStrv) lines = g_strsplit(said ? said : "", "\n", -1);
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; lines[i] && text->len < TOLD; i++) {
        g_strstrip(lines[i]);
        if (*lines[i] && strcmp(lines[i], "^"))
            g_string_append_printf(text, "%s%s", text->len ? "; " : "", lines[i]);
    }
    return g_string_free(text, FALSE);
}

/* In gnuplot's single quotes nothing is special but the quote itself. */
static char *assignment(const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, "'", -1);
    g_autofree char *joined = g_strjoinv("''", parts);

    return g_strdup_printf("out='%s'", joined);
}

static bool run(const char *script, const char *part, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(script), *name = g_path_get_basename(script);
    g_autofree char *out = g_path_get_basename(part), *assign = assignment(out), *said = NULL, *told = NULL;
    const char *argv[] = {"gnuplot", "-d", "-e", assign, name, NULL};
    g_auto(GStrv) env = g_get_environ();
    GError *why = NULL;
    int status;

    /* Pictures tell nothing of when and where they were drawn. */
    env = g_environ_setenv(env, "SOURCE_DATE_EPOCH", "0", TRUE);
    env = g_environ_setenv(env, "LC_ALL", "C.UTF-8", TRUE);
    if (!g_spawn_sync(dir, (char **)argv, env, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                      NULL, &said, &status, &why)) {
        g_set_error(error, why->domain, why->code,
                    "gnuplot, which draws pictures, cannot be started: %s%s; %s is what it would draw",
                    why->message,
                    g_error_matches(why, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT)
                        ? " (Debian: apt-get install gnuplot-nox)"
                        : "",
                    script);
        g_error_free(why);
        return false;
    }
    if (g_spawn_check_wait_status(status, NULL) && g_file_test(part, G_FILE_TEST_EXISTS))
        return true;
    told = brief(said);
    g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "gnuplot could not draw %s%s%s", script,
                *told ? ": " : "", told);
    return false;
}

bool gnuplot_draw(const char *script, const char *picture, GError **error)
{
    g_autofree char *part = g_strconcat(picture, ".part", NULL);

    if (run(script, part, error)) {
        if (g_rename(part, picture) == 0)
            return true;
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s", picture,
                    g_strerror(errno));
    }
    g_unlink(part);
    return false;
}

#include "cli/gnuplot.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "view/plot_gnuplot.h"

#define TOLD 600 /* bytes of gnuplot's own message */

static void fail_to_start(const char *path, const char *data, const char *script, const GError *why,
                          GError **error)
{
    if (g_error_matches(why, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT))
        g_set_error(
            error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
            "cannot draw %s: gnuplot is not installed (Debian: apt-get install gnuplot-nox); its data are "
            "in %s, and %s draws them",
            path, data, script);
    else
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot draw %s: %s", path, why->message);
}

/* What gnuplot said, without the empty lines and the arrow that it points with. */
static char *brief(const char *said)
{
    char **lines = g_strsplit(said, "\n", -1);
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; lines[i] && text->len < TOLD; i++) {
        g_strstrip(lines[i]);
        if (*lines[i] && strcmp(lines[i], "^"))
            g_string_append_printf(text, "%s%s", text->len ? "; " : "", lines[i]);
    }
    g_strfreev(lines);
    return g_string_free(text, FALSE);
}

static char *quote(const char *name)
{
    char **parts = g_strsplit(name, "'", -1);
    char *joined = g_strjoinv("''", parts), *all = g_strdup_printf("output='%s'", joined);

    g_strfreev(parts);
    g_free(joined);
    return all;
}

static bool run(const char *path, const char *part, const char *script, const char *data, GError **error)
{
    char *folder = g_path_get_dirname(path), *part_name = g_path_get_basename(part);
    char *script_name = g_path_get_basename(script), *output = quote(part_name);
    const char *argv[] = {"gnuplot", "-d", "-e", output, script_name, NULL};
    char *said = NULL, *told;
    GError *why = NULL;
    int status = 0;
    bool ok = g_spawn_sync(folder, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL,
                           NULL, NULL, NULL, &said, &status, &why);

    if (!ok) {
        fail_to_start(path, data, script, why, error);
        g_error_free(why);
    } else if (!g_spawn_check_wait_status(status, NULL) || !g_file_test(part, G_FILE_TEST_EXISTS)) {
        told = brief(said ? said : "");
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot draw %s: gnuplot failed on %s%s%s",
                    path, script, *told ? ": " : "", told);
        g_free(told);
        ok = false;
    }
    g_free(said);
    g_free(folder);
    g_free(part_name);
    g_free(script_name);
    g_free(output);
    return ok;
}

bool gnuplot_draw(const char *path, GError **error)
{
    char *part = g_strconcat(path, ".part", NULL);
    char *data = plotgnuplot_beside(path, ".tsv"), *script = plotgnuplot_beside(path, ".gp");
    bool ok = run(path, part, script, data, error);

    if (ok && g_rename(part, path) != 0) {
        g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno), "cannot write %s: %s", path,
                    g_strerror(errno));
        ok = false;
    }
    if (!ok)
        (void)g_unlink(part);
    g_free(part);
    g_free(data);
    g_free(script);
    return ok;
}

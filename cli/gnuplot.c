#include "cli/gnuplot.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

static bool run(const char *script, const char *part, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(script), *name = g_path_get_basename(script);
    g_autofree char *out = g_path_get_basename(part), *assign = g_strdup_printf("out=\"%s\"", out),
                    *said = NULL;
    const char *argv[] = {"gnuplot", "-e", assign, name, NULL};
    g_auto(GStrv) env = g_get_environ();
    GError *why = NULL;
    int status;

    /* Pictures tell nothing of when and where they were drawn. */
    env = g_environ_setenv(env, "SOURCE_DATE_EPOCH", "0", TRUE);
    env = g_environ_setenv(env, "LC_ALL", "C.UTF-8", TRUE);
    if (!g_spawn_sync(dir, (char **)argv, env, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                      NULL, &said, &status, &why)) {
        g_set_error(error, why->domain, why->code,
                    "gnuplot, which draws pictures, cannot be started: %s; %s is what it would draw",
                    why->message, script);
        g_error_free(why);
        return false;
    }
    if (g_spawn_check_wait_status(status, NULL) && g_file_test(part, G_FILE_TEST_EXISTS))
        return true;
    g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "gnuplot could not draw %s: %s", script,
                g_strstrip(said));
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

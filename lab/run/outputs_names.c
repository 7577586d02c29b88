#include "lab/run/outputs_names.h"

#include "sim/trace/outfile.h"
#include "view/plot_gnuplot.h"

struct OutputsNames {
    GHashTable *who_of; /* path -> who; look-up only */
};

OutputsNames *outputs_names_new(void)
{
    OutputsNames *n = g_new(OutputsNames, 1);

    n->who_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return n;
}

void outputs_names_free(OutputsNames *n)
{
    if (!n)
        return;
    g_hash_table_destroy(n->who_of);
    g_free(n);
}

/* Folders of its own are made when something comes into them. */
static bool can_be_written(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);

    return outfile_check(g_file_test(folder, G_FILE_TEST_EXISTS) ? path : folder, error);
}

bool outputs_names_claim(OutputsNames *n, const char *path, const char *who, GError **error)
{
    char *canonical = g_canonicalize_filename(path, "/"); /* "./x" is "x" */
    const char *other = g_hash_table_lookup(n->who_of, canonical);

    if (!other) {
        g_hash_table_insert(n->who_of, canonical, (gpointer)who);
        return can_be_written(path, error);
    }
    g_free(canonical);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
                "two files would be called %s: that of %s and that of %s; expected another name", path, other,
                who);
    return false;
}

bool outputs_names_claim_plot(OutputsNames *n, const char *path, const char *who, GError **error)
{
    g_autofree char *script = plotgnuplot_beside(path, ".gp"), *data = plotgnuplot_beside(path, ".tsv");

    return outputs_names_claim(n, path, who, error) && outputs_names_claim(n, script, who, error) &&
           outputs_names_claim(n, data, who, error);
}

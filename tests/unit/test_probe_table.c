/* Every probe of every model: well-formed, unique, and told in docs/traces.md with all its fields. */
#include <glib.h>
#include <string.h>

#include "sim/trace/probe_table.h"

static void test_names(void)
{
    for (const ProbeDesc *const *d = probe_table; *d; d++) {
        g_assert_true(strspn((*d)->name, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen((*d)->name));
        g_assert_true(strchr((*d)->name, '.') != NULL);
        g_assert_true(g_str_has_suffix((*d)->help, "."));
        g_assert_cmpuint((*d)->n_fields, <=, PROBE_MAX_FIELDS);
        g_assert_cmpint((*d)->cls, <, PROBE_CLASSES);
        for (unsigned f = 0; f < (*d)->n_fields; f++) /* keys that each line of an event log has of its own */
            g_assert_false(g_strv_contains(
                (const char *const[]){"time", "node", "point", "event", "frame", NULL}, (*d)->field[f].name));
        g_assert_true(probe_by_name((*d)->name) == *d); /* the first of that name: there is no other */
    }
    g_assert_null(probe_by_name("queue.lenght"));
    g_assert_cmpuint(probe_classes_of("neigh.", 6), ==, PROBE_BIT(PROBE_NEIGH));
    g_assert_cmpuint(probe_classes_of("frame.", 6), ==,
                     PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX) | PROBE_BIT(PROBE_FRAME_DROP));
}

static void test_documented(void)
{
    g_autofree char *path = g_build_filename(g_getenv("HS_SOURCE_ROOT"), "docs/traces.md", NULL);
    g_autofree char *page = NULL;

    g_assert_true(g_file_get_contents(path, &page, NULL, NULL));
    for (const ProbeDesc *const *d = probe_table; *d; d++) {
        g_autoptr(GString) row = g_string_new(NULL);

        g_string_printf(row, "| `%s` | %s |", (*d)->name, (*d)->help);
        for (unsigned f = 0; f < (*d)->n_fields; f++)
            g_string_append_printf(row, "%s `%s`", f ? "," : "", (*d)->field[f].name);
        g_string_append(row, " |");
        if (!strstr(page, row->str))
            g_error("docs/traces.md lacks this row:\n%s", row->str);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/probe_table/names", test_names);
    g_test_add_func("/trace/probe_table/documented", test_documented);
    return g_test_run();
}

#include "lab/test/test_golden.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/trace/outfile.h"

typedef struct Row {
    char *name; /* of the scenario in its folder */
    SinkDigestValue old, wanted;
    bool has_old, has_wanted;
} Row;

typedef struct Folder {
    char *path; /* of its golden.tsv */
    char *dir;
    GPtrArray *rows; /* Row */
    char *error;     /* it cannot be read */
} Folder;

struct TestGolden {
    GPtrArray *folders; /* Folder, in the order of asking */
};

/* ---- reading ---- */

static Row *find_row(Folder *f, const char *name)
{
    for (unsigned i = 0; i < f->rows->len; i++)
        if (!strcmp(((Row *)f->rows->pdata[i])->name, name))
            return f->rows->pdata[i];
    return NULL;
}

static Row *add_row(Folder *f, const char *name)
{
    Row *row = g_new0(Row, 1);

    row->name = g_strdup(name);
    g_ptr_array_add(f->rows, row);
    return row;
}

static bool is_digest(const char *s)
{
    return strlen(s) == HASH64_HEX_LEN - 1 && strspn(s, "0123456789abcdef") == HASH64_HEX_LEN - 1;
}

static bool read_line(Folder *f, const char *line)
{
    char **cell = g_strsplit(line, "\t", -1);
    bool ok = g_strv_length(cell) == 4 && *cell[0] && is_digest(cell[1]) && is_digest(cell[2]) &&
              is_digest(cell[3]) && !find_row(f, cell[0]);

    if (ok) {
        Row *row = add_row(f, cell[0]);

        memcpy(row->old.frames, cell[1], sizeof(row->old.frames));
        memcpy(row->old.state, cell[2], sizeof(row->old.state));
        memcpy(row->old.events, cell[3], sizeof(row->old.events));
        row->has_old = true;
    }
    g_strfreev(cell);
    return ok;
}

static void read_folder(Folder *f)
{
    g_autofree char *text = NULL;
    GError *error = NULL;
    char **lines;

    if (!g_file_get_contents(f->path, &text, NULL, &error)) {
        if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            f->error = g_strdup(error->message);
        g_error_free(error);
        return;
    }
    lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i] && !f->error; i++)
        if (*lines[i] && *lines[i] != '#' && !read_line(f, lines[i]))
            f->error =
                g_strdup_printf("%s:%u: expected a scenario's name, once, and three digests of %d digits, "
                                "separated by tabs",
                                f->path, i + 1, HASH64_HEX_LEN - 1);
    g_strfreev(lines);
}

static Folder *folder_of(TestGolden *g, const char *scenario)
{
    g_autofree char *dir = g_path_get_dirname(scenario);
    Folder *f;

    for (unsigned i = 0; i < g->folders->len; i++) {
        f = g->folders->pdata[i];
        if (!strcmp(f->dir, dir))
            return f;
    }
    f = g_new0(Folder, 1);
    f->path = strcmp(dir, ".") ? g_build_filename(dir, TEST_GOLDEN_NAME, NULL) : g_strdup(TEST_GOLDEN_NAME);
    f->dir = g_steal_pointer(&dir);
    f->rows = g_ptr_array_new();
    g_ptr_array_add(g->folders, f);
    read_folder(f);
    return f;
}

const SinkDigestValue *test_golden_find(TestGolden *g, const char *scenario, GError **error)
{
    g_autofree char *name = g_path_get_basename(scenario);
    Folder *f = folder_of(g, scenario);
    const Row *row = find_row(f, name);

    if (f->error)
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, f->error);
    return !f->error && row && row->has_old ? &row->old : NULL;
}

/* A grade holds the ones before it. */
const char *test_golden_difference(const SinkDigestValue *a, const SinkDigestValue *b)
{
    if (strcmp(a->frames, b->frames))
        return "frames differ, and with them state and events";
    if (strcmp(a->state, b->state))
        return "state differs, and with it events; frames are the same";
    if (strcmp(a->events, b->events))
        return "only events of the engine differ; frames and state are the same";
    return NULL;
}

/* ---- updating ---- */

void test_golden_set(TestGolden *g, const char *scenario, const SinkDigestValue *digest)
{
    g_autofree char *name = g_path_get_basename(scenario);
    Folder *f = folder_of(g, scenario);
    Row *row = find_row(f, name);

    if (!row)
        row = add_row(f, name);
    row->wanted = *digest;
    row->has_wanted = true;
}

static bool is_gone(const Folder *f, const Row *row)
{
    g_autofree char *path = g_build_filename(f->dir, row->name, NULL);

    return access(path, F_OK) != 0;
}

static unsigned show_row(GString *out, const Folder *f, const Row *row)
{
    const char *difference =
        row->has_old && row->has_wanted ? test_golden_difference(&row->old, &row->wanted) : NULL;

    if (!row->has_wanted) {
        if (!is_gone(f, row))
            return 0;
        g_string_append_printf(out, "  gone     %s\n", row->name);
        return 1;
    }
    if (!row->has_old) {
        g_string_append_printf(out, "  new      %s\n           frames %s\n", row->name, row->wanted.frames);
        return 1;
    }
    if (!difference)
        return 0;
    g_string_append_printf(out, "  changed  %s: %s\n", row->name, difference);
    if (strcmp(row->old.frames, row->wanted.frames))
        g_string_append_printf(out, "           frames %s -> %s\n", row->old.frames, row->wanted.frames);
    if (strcmp(row->old.state, row->wanted.state))
        g_string_append_printf(out, "           state  %s -> %s\n", row->old.state, row->wanted.state);
    g_string_append_printf(out, "           events %s -> %s\n", row->old.events, row->wanted.events);
    return 1;
}

static unsigned count_changes(const Folder *f)
{
    unsigned n = 0;

    for (unsigned i = 0; i < f->rows->len; i++) {
        const Row *row = f->rows->pdata[i];

        n += row->has_wanted ? !row->has_old || test_golden_difference(&row->old, &row->wanted)
                             : is_gone(f, row);
    }
    return n;
}

unsigned test_golden_show(TestGolden *g, GString *out)
{
    unsigned total = 0;

    for (unsigned i = 0; i < g->folders->len; i++) {
        const Folder *f = g->folders->pdata[i];

        if (f->error || !count_changes(f))
            continue;
        g_string_append_printf(out, "%s\n", f->path);
        for (unsigned k = 0; k < f->rows->len; k++)
            total += show_row(out, f, f->rows->pdata[k]);
    }
    return total;
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const Row *const *)a)->name, (*(const Row *const *)b)->name);
}

static bool write_folder(Folder *f, GError **error)
{
    OutFile *file = outfile_open(f->path, OUTFILE_WHOLE, error);

    if (!file)
        return false;
    g_ptr_array_sort(f->rows, by_name);
    outfile_printf(file, "# Golden digests: hopscope test compares with them, --update-golden writes them.\n"
                         "# scenario\tframes\tstate\tevents\n");
    for (unsigned i = 0; i < f->rows->len; i++) {
        const Row *row = f->rows->pdata[i];
        const SinkDigestValue *d = row->has_wanted ? &row->wanted : &row->old;

        if (row->has_wanted || !is_gone(f, row))
            outfile_printf(file, "%s\t%s\t%s\t%s\n", row->name, d->frames, d->state, d->events);
    }
    return outfile_close(file, error);
}

bool test_golden_write(TestGolden *g, GError **error)
{
    for (unsigned i = 0; i < g->folders->len; i++) {
        Folder *f = g->folders->pdata[i];

        if (!f->error && count_changes(f) && !write_folder(f, error))
            return false;
    }
    return true;
}

/* ---- life ---- */

TestGolden *test_golden_new(void)
{
    TestGolden *g = g_new0(TestGolden, 1);

    g->folders = g_ptr_array_new();
    return g;
}

static void free_row(gpointer row)
{
    g_free(((Row *)row)->name);
    g_free(row);
}

void test_golden_free(TestGolden *g)
{
    for (unsigned i = 0; i < g->folders->len; i++) {
        Folder *f = g->folders->pdata[i];

        g_ptr_array_set_free_func(f->rows, free_row);
        g_ptr_array_free(f->rows, TRUE);
        g_free(f->path);
        g_free(f->dir);
        g_free(f->error);
        g_free(f);
    }
    g_ptr_array_free(g->folders, TRUE);
    g_free(g);
}

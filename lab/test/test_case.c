#include "lab/test/test_case.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".lua"

void test_case_free(gpointer test_case)
{
    TestCase *t = test_case;

    g_free(t->path);
    g_free(t->wrong);
    g_ptr_array_free(t->args, TRUE);
    g_free(t);
}

/* ---- comments ---- */

/* "-- KEY: VALUE" -> VALUE, for g_free; NULL: another line. */
static char *comment_value(const char *line, const char *key)
{
    if (!g_str_has_prefix(line, "--"))
        return NULL;
    line += 2;
    while (*line == ' ' || *line == '\t')
        line++;
    if (!g_str_has_prefix(line, key) || line[strlen(key)] != ':')
        return NULL;
    return g_strstrip(g_strdup(line + strlen(key) + 1));
}

static bool read_line(TestCase *t, const char *line)
{
    g_autofree char *exit_status = comment_value(line, "expect-exit");
    g_autofree char *args = comment_value(line, "run-args");

    if (exit_status) {
        if (strlen(exit_status) != 1 || *exit_status < '0' || *exit_status > '3')
            return false;
        t->exit_status = *exit_status - '0';
    }
    if (args) {
        int n;
        char **words;

        if (!g_shell_parse_argv(args, &n, &words, NULL))
            return false;
        for (int i = 0; i < n; i++)
            g_ptr_array_add(t->args, words[i]);
        g_free(words);
    }
    return true;
}

static void read_comments(TestCase *t)
{
    GError *error = NULL;
    g_autofree char *text = NULL;
    char **lines;

    if (!g_file_get_contents(t->path, &text, NULL, &error)) {
        t->wrong = g_strdup(error->message);
        g_error_free(error);
        return;
    }
    lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i] && !t->wrong; i++) {
        const char *first = lines[i] + strspn(lines[i], " \t\r");

        if (*first && !g_str_has_prefix(lines[i], "--"))
            break;
        if (!read_line(t, lines[i]))
            t->wrong = g_strdup_printf("%s:%u: cannot read \"%s\"; expected \"-- expect-exit: 0…3\" or "
                                       "\"-- run-args: ARGUMENTS\"",
                                       t->path, i + 1, lines[i]);
    }
    g_strfreev(lines);
}

/* ---- finding ---- */

static void add(GPtrArray *cases, const char *path)
{
    TestCase *t = g_new0(TestCase, 1);

    t->path = g_strdup(path);
    t->args = g_ptr_array_new_with_free_func(g_free);
    read_comments(t);
    g_ptr_array_add(cases, t);
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Files before folders, as one reads a listing. */
static bool find_in(const char *folder, GPtrArray *cases, GError **error)
{
    GDir *dir = g_dir_open(folder, 0, error);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    bool ok = dir != NULL;

    while (dir && (name = g_dir_read_name(dir)))
        if (*name != '.')
            g_ptr_array_add(names, g_strdup(name));
    if (dir)
        g_dir_close(dir);
    g_ptr_array_sort(names, by_name);
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; ok && i < names->len; i++) {
            g_autofree char *path = strcmp(folder, ".") ? g_build_filename(folder, names->pdata[i], NULL)
                                                        : g_strdup(names->pdata[i]);
            bool is_folder = g_file_test(path, G_FILE_TEST_IS_DIR);

            if (pass && is_folder && strcmp(names->pdata[i], "lib"))
                ok = find_in(path, cases, error);
            else if (!pass && !is_folder && g_str_has_suffix(path, SUFFIX))
                add(cases, path);
        }
    }
    return ok;
}

bool test_case_find(const char *operand, GPtrArray *cases, GError **error)
{
    unsigned before = cases->len;

    if (!g_file_test(operand, G_FILE_TEST_IS_DIR)) {
        if (g_file_test(operand, G_FILE_TEST_EXISTS) && g_str_has_suffix(operand, SUFFIX)) {
            add(cases, operand);
            return true;
        }
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s: %s", operand,
                    g_file_test(operand, G_FILE_TEST_EXISTS)
                        ? "not a scenario; expected a file *.lua or a folder"
                        : "No such file or directory");
        return false;
    }
    if (!find_in(operand, cases, error))
        return false;
    if (cases->len > before)
        return true;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s: no scenario (*.lua) in this folder", operand);
    return false;
}

bool test_case_matches(const TestCase *t, const char *pattern)
{
    if (strpbrk(pattern, "*?"))
        return g_pattern_match_simple(pattern, t->path);
    return strstr(t->path, pattern) != NULL;
}

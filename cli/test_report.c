#include "cli/test_report.h"

#include <stdio.h>
#include <string.h>

#include "sim/trace/outfile.h"

#define SAID_LINES 20 /* of a failed test, shown */

/* The last lines of what was said, without empty ones at the end. */
static char **tail(const char *said, unsigned n, unsigned *first)
{
    char **lines = g_strsplit(said, "\n", -1);
    unsigned count = g_strv_length(lines);

    while (count && !*lines[count - 1])
        g_clear_pointer(&lines[--count], g_free);
    *first = count > n ? count - n : 0;
    return lines;
}

static void append_place(GString *s, const TestFailure *f)
{
    if (f->file && f->line)
        g_string_append_printf(s, " (%s:%u)", f->file, f->line);
}

/* ---- a list ---- */

static const char *plural(unsigned n)
{
    return n == 1 ? "" : "s";
}

/* A text of several lines, without the last one's end. */
static void print_lines(const char *first, const char *next, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++)
        printf("%s%s%s", line == lines ? "" : "\n", line == lines ? first : next, *line);
}

static void print_listed(const TestResult *r)
{
    unsigned first;
    char **lines = tail(r->said, SAID_LINES, &first);
    bool ok = !r->failures->len;

    printf("%s %-52s %7.3f s", ok ? "✓" : "✗", r->test->path, r->seconds);
    if (ok)
        printf("  %u expectation%s%s", r->n_expects, plural(r->n_expects), r->is_golden ? ", golden" : "");
    printf("\n");
    for (unsigned i = 0; i < r->failures->len; i++) {
        const TestFailure *f = r->failures->pdata[i];
        g_autoptr(GString) place = g_string_new(NULL);

        append_place(place, f);
        print_lines("    ✗ ", "      ", f->text);
        printf("%s\n", place->str);
    }
    for (char **line = lines + first; !ok && *line; line++)
        printf("    | %s\n", *line);
    g_strfreev(lines);
}

static void print_totals(const TestTotals *t)
{
    printf("%u passed, %u failed", t->passed, t->failed);
    if (t->left)
        printf(", %u left out", t->left);
    if (t->golden)
        printf(", %u compared with golden digests", t->golden);
    printf(", in %.1f s by %u process%s\n", t->seconds, t->jobs, t->jobs == 1 ? "" : "es");
}

/* ---- TAP ---- */

/* Version 13: Perl's harness (prove) refuses to read a later one, and nothing of 14 is needed here. */

/* '#' begins a directive; a backslash escapes it and itself. */
static char *tap_name(const char *path)
{
    GString *s = g_string_new(NULL);

    for (; *path; path++) {
        if (*path == '#' || *path == '\\')
            g_string_append_c(s, '\\');
        g_string_append_c(s, (unsigned char)*path < 0x20 ? '?' : *path);
    }
    return g_string_free(s, FALSE);
}

/* A double-quoted scalar of YAML, which is what JSON's strings are. */
static void print_yaml(const char *key, const char *text)
{
    printf("  %s: \"", key);
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            printf("\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            printf("\\x%02x", (unsigned)*c);
        else
            putchar(*c);
    }
    printf("\"\n");
}

static void print_tap(unsigned number, const TestResult *r)
{
    g_autofree char *name = tap_name(r->test->path);
    unsigned first;
    char **lines = tail(r->said, SAID_LINES, &first);

    printf("%sok %u - %s\n", r->failures->len ? "not " : "", number, name);
    if (r->failures->len) {
        const TestFailure *f = r->failures->pdata[0];

        printf("  ---\n");
        print_yaml("message", f->text);
        if (f->file)
            print_yaml("file", f->file);
        if (f->line)
            printf("  line: %u\n", f->line);
        printf("  ...\n");
        for (unsigned i = 1; i < r->failures->len; i++) {
            g_autoptr(GString) place = g_string_new(NULL);

            f = r->failures->pdata[i];
            append_place(place, f);
            print_lines("# also: ", "#       ", f->text);
            printf("%s\n", place->str);
        }
        for (char **line = lines + first; *line; line++)
            printf("# | %s\n", *line);
    }
    g_strfreev(lines);
}

/* ---- either ---- */

void test_report_begin(TestStyle style, unsigned n)
{
    if (style == TEST_TAP)
        printf("TAP version 13\n1..%u\n", n);
    fflush(stdout);
}

void test_report_result(TestStyle style, unsigned number, const TestResult *r)
{
    if (style == TEST_TAP)
        print_tap(number, r);
    else
        print_listed(r);
    fflush(stdout);
}

void test_report_end(TestStyle style, const TestTotals *totals)
{
    if (style == TEST_LIST)
        print_totals(totals);
}

/* ---- GitHub ---- */

/* The runner's own escapes; properties have two more. */
static char *command_text(const char *text, bool is_property)
{
    GString *s = g_string_new(NULL);

    for (; *text; text++) {
        if (*text == '%' || *text == '\n' || *text == '\r' || (is_property && (*text == ':' || *text == ',')))
            g_string_append_printf(s, "%%%02X", (unsigned char)*text);
        else
            g_string_append_c(s, *text);
    }
    return g_string_free(s, FALSE);
}

void test_report_annotate(const TestResult *r)
{
    for (unsigned i = 0; i < r->failures->len; i++) {
        const TestFailure *f = r->failures->pdata[i];
        g_autofree char *file = command_text(f->file ? f->file : r->test->path, true);
        g_autofree char *title = command_text(r->test->path, true);
        g_autofree char *text = command_text(f->text, false);

        fflush(stdout);
        fprintf(stderr, "::error file=%s,line=%u,title=%s::%s\n", file, HS_MAX(f->line, 1), title, text);
    }
}

/* ---- JUnit ---- */

/* XML 1.0 has no control characters, not even escaped ones; in an attribute a line's end would become a
 * space. */
static char *xml_text(const char *text, bool is_attribute)
{
    g_autofree char *plain = g_utf8_make_valid(text, -1);
    g_autofree char *escaped = NULL;

    for (char *c = plain; *c; c++)
        if ((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t')
            *c = '?';
    escaped = g_markup_escape_text(plain, -1);
    if (!is_attribute || !strchr(escaped, '\n'))
        return g_steal_pointer(&escaped);
    g_auto(GStrv) lines = g_strsplit(escaped, "\n", -1);

    return g_strjoinv("&#10;", lines);
}

/* One element for all that failed: some readers see no more than the first. */
static void put_failures(OutFile *f, const TestResult *r)
{
    const TestFailure *first = r->failures->pdata[0];
    const char *element = r->is_error ? "error" : "failure";
    g_autofree char *message = xml_text(first->text, true);

    outfile_printf(f, "      <%s type=\"%s\" message=\"%s\">", element, r->is_error ? "error" : "expectation",
                   message);
    for (unsigned i = 0; i < r->failures->len; i++) {
        const TestFailure *failure = r->failures->pdata[i];
        g_autoptr(GString) text = g_string_new(failure->text);
        g_autofree char *xml = NULL;

        append_place(text, failure);
        xml = xml_text(text->str, false);
        outfile_printf(f, "%s%s", i ? "\n" : "", xml);
    }
    outfile_printf(f, "</%s>\n", element);
}

static void put_case(OutFile *f, const TestResult *r)
{
    g_autofree char *dir = g_path_get_dirname(r->test->path);
    g_autofree char *base = g_path_get_basename(r->test->path);
    g_autofree char *class_name = xml_text(dir, true), *name = xml_text(base, true),
                    *file = xml_text(r->test->path, true);

    outfile_printf(f, "    <testcase classname=\"%s\" name=\"%s\" file=\"%s\" time=\"%.3f\"%s\n", class_name,
                   name, file, r->seconds, r->failures->len || *r->said ? ">" : "/>");
    if (r->failures->len)
        put_failures(f, r);
    if (*r->said) {
        g_autofree char *said = xml_text(r->said, false);

        outfile_printf(f, "      <system-err>%s</system-err>\n", said);
    }
    if (r->failures->len || *r->said)
        outfile_printf(f, "    </testcase>\n");
}

bool test_report_junit(const char *path, const GPtrArray *results, double seconds, GError **error)
{
    OutFile *f = outfile_open(path, OUTFILE_WHOLE, error);
    unsigned cases = 0, failed = 0, errors = 0;
    g_autofree char *counts = NULL;

    if (!f)
        return false;
    for (unsigned i = 0; i < results->len; i++) {
        const TestResult *r = results->pdata[i];

        cases += r != NULL;
        errors += r && r->failures->len && r->is_error;
        failed += r && r->failures->len && !r->is_error;
    }
    counts = g_strdup_printf("tests=\"%u\" failures=\"%u\" errors=\"%u\" time=\"%.3f\"", cases, failed,
                             errors, seconds);
    outfile_printf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites %s>\n", counts);
    outfile_printf(f, "  <testsuite name=\"hopscope\" %s>\n", counts);
    for (unsigned i = 0; i < results->len; i++)
        if (results->pdata[i])
            put_case(f, results->pdata[i]);
    outfile_printf(f, "  </testsuite>\n</testsuites>\n");
    return outfile_close(f, error);
}

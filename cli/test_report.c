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
        printf("    ✗ %s%s\n", f->text, place->str);
    }
    for (char **line = lines + first; !ok && *line; line++)
        printf("    | %s\n", *line);
    g_strfreev(lines);
}

static void print_totals(const TestTotals *t)
{
    printf("%u passed, %u failed", t->passed, t->failed);
    if (t->golden)
        printf(", %u compared with golden digests", t->golden);
    printf(", in %.1f s by %u process%s\n", t->seconds, t->jobs, t->jobs == 1 ? "" : "es");
}

/* ---- TAP 14 ---- */

/* '#' begins a directive; a backslash escapes it and itself. */
static char *tap_name(const char *path)
{
    GString *s = g_string_new(NULL);

    for (; *path; path++) {
        if (*path == '#' || *path == '\\')
            g_string_append_c(s, '\\');
        g_string_append_c(s, *path);
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
            printf("# also: %s%s\n", f->text, place->str);
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
        printf("TAP version 14\n1..%u\n", n);
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

/* XML 1.0 has no control characters, not even escaped ones. */
static char *xml_text(const char *text)
{
    g_autofree char *plain = g_strdup(text);

    for (char *c = plain; *c; c++)
        if ((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t')
            *c = '?';
    return g_markup_escape_text(plain, -1);
}

static void put_case(OutFile *f, const TestResult *r)
{
    g_autofree char *dir = g_path_get_dirname(r->test->path);
    g_autofree char *base = g_path_get_basename(r->test->path);
    g_autofree char *class_name = xml_text(dir), *name = xml_text(base), *file = xml_text(r->test->path);

    outfile_printf(f, "    <testcase classname=\"%s\" name=\"%s\" file=\"%s\" time=\"%.3f\"%s\n", class_name,
                   name, file, r->seconds, r->failures->len || *r->said ? ">" : "/>");
    for (unsigned i = 0; i < r->failures->len; i++) {
        const TestFailure *failure = r->failures->pdata[i];
        g_autoptr(GString) place = g_string_new(NULL);
        g_autofree char *text = xml_text(failure->text);
        g_autofree char *where = NULL;

        append_place(place, failure);
        where = xml_text(place->str);
        outfile_printf(f, "      <failure message=\"%s\">%s%s</failure>\n", text, text, where);
    }
    if (*r->said) {
        g_autofree char *said = xml_text(r->said);

        outfile_printf(f, "      <system-err>%s</system-err>\n", said);
    }
    if (r->failures->len || *r->said)
        outfile_printf(f, "    </testcase>\n");
}

bool test_report_junit(const char *path, const GPtrArray *results, double seconds, GError **error)
{
    OutFile *f = outfile_open(path, OUTFILE_WHOLE, error);
    unsigned failed = 0;

    if (!f)
        return false;
    for (unsigned i = 0; i < results->len; i++)
        failed += ((const TestResult *)results->pdata[i])->failures->len > 0;
    outfile_printf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    outfile_printf(f, "<testsuites tests=\"%u\" failures=\"%u\" errors=\"0\" time=\"%.3f\">\n", results->len,
                   failed, seconds);
    outfile_printf(
        f, "  <testsuite name=\"hopscope\" tests=\"%u\" failures=\"%u\" errors=\"0\" time=\"%.3f\">\n",
        results->len, failed, seconds);
    for (unsigned i = 0; i < results->len; i++)
        put_case(f, results->pdata[i]);
    outfile_printf(f, "  </testsuite>\n</testsuites>\n");
    return outfile_close(f, error);
}

/* JSON for the inside of a page: what must be escaped, commas, columns, base64, strings by number. */
#include "view/report_json.h"

#include <glib/gstdio.h>

/* What fn writes. */
static char *written(void (*fn)(ReportJson *j))
{
    char *folder = g_dir_make_tmp("hopscope-XXXXXX", NULL), *path, *text = NULL;
    GError *error = NULL;
    OutFile *out;
    ReportJson j;

    g_assert_nonnull(folder);
    path = g_build_filename(folder, "page", NULL);
    out = outfile_open(path, OUTFILE_WHOLE, &error);
    g_assert_no_error(error);
    report_json_init(&j, out);
    fn(&j);
    report_json_clear(&j);
    g_assert_true(outfile_close(out, &error));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
    return text;
}

static void expect(void (*fn)(ReportJson *j), const char *text)
{
    char *seen = written(fn);

    g_assert_cmpstr(seen, ==, text);
    g_free(seen);
}

static void write_hostile(ReportJson *j)
{
    report_json_begin(j, '[');
    report_json_str(j, "</script><!--");
    report_json_str(j, "a&b \"q\" \\ \n\t\x7f");
    report_json_str(j, "\xe2\x80\xa8\xe2\x80\xa9 \xe4\xb8\xad");
    report_json_str(j, "\xff-\xe4\xb8");
    report_json_str(j, NULL);
    report_json_end(j, ']');
}

/* "</" would end the script element and "<!--" change how it is read; U+2028 ends a line in older JavaScript;
 * bytes that are no UTF-8 would make the page unreadable. */
static void test_escape(void)
{
    expect(write_hostile,
           "[\"\\u003c/script\\u003e\\u003c!--\",\"a\\u0026b \\\"q\\\" \\\\ \\n\\u0009\\u007f\","
           "\"\\u2028\\u2029 \xe4\xb8\xad\",\"\xef\xbf\xbd-\xef\xbf\xbd\xef\xbf\xbd\",null]");
}

static void write_nested(ReportJson *j)
{
    GArray *a = g_array_new(FALSE, FALSE, sizeof(int64_t));
    const int64_t values[] = {5, 7, 7, -1};

    g_array_append_vals(a, values, G_N_ELEMENTS(values));
    report_json_begin(j, '{');
    report_json_ints(j, "plain", a);
    report_json_deltas(j, "deltas", a);
    report_json_key(j, "empty");
    report_json_begin(j, '[');
    report_json_end(j, ']');
    report_json_key(j, "yes");
    report_json_bool(j, true);
    report_json_key(j, "most");
    report_json_uint(j, UINT64_MAX);
    report_json_end(j, '}');
    g_array_free(a, TRUE);
}

static void test_nested(void)
{
    expect(write_nested, "{\"plain\":[5,7,7,-1],\"deltas\":[5,2,0,-8],\"empty\":[],\"yes\":true,\"most\":"
                         "18446744073709551615}");
}

/* Each piece begins at a whole group: a reader finds it by counting. */
static void write_base64(ReportJson *j)
{
    report_json_begin(j, '{');
    report_json_base64_begin(j, "bytes");
    report_json_base64(j, (const uint8_t *)"Man", 3);
    report_json_base64(j, (const uint8_t *)"M", 1);
    report_json_base64(j, (const uint8_t *)"Ma", 2);
    report_json_base64_end(j);
    report_json_end(j, '}');
}

static void test_base64(void)
{
    expect(write_base64, "{\"bytes\":\"TWFuTQAATWEA\"}");
}

static void write_strings(ReportJson *j)
{
    ReportStrings s;

    report_strings_init(&s);
    g_assert_cmpint(report_strings_add(&s, "one"), ==, 0);
    g_assert_cmpint(report_strings_add(&s, "two"), ==, 1);
    g_assert_cmpint(report_strings_add(&s, "one"), ==, 0);
    report_json_begin(j, '{');
    report_strings_write(&s, j, "strings");
    report_json_end(j, '}');
    report_strings_clear(&s);
}

static void test_strings(void)
{
    expect(write_strings, "{\"strings\":[\"one\",\"two\"]}");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/view/report-json/escape", test_escape);
    g_test_add_func("/view/report-json/nested", test_nested);
    g_test_add_func("/view/report-json/base64", test_base64);
    g_test_add_func("/view/report-json/strings", test_strings);
    return g_test_run();
}

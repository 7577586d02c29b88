/* The page put together: the assets in their order, the policy with the hashes of the style and the program
 * that it allows, the data. */
#include "view/report.h"

#include <string.h>

#include "view/report_data.h"

static const ReportAsset *asset(const char *name)
{
    for (const ReportAsset *a = report_assets; a->name; a++)
        if (!strcmp(a->name, name))
            return a;
    hs_assert(!"an asset of the page is missing");
    return NULL;
}

/* The program's parts are one function, so that they see each other and nobody else does. */
static GString *program(void)
{
    static const struct {
        const char *name, *file;
    } tables[] = {{"STRINGS", "strings.json"},
                  {"ZH_WIRE", "zh-wire.json"},
                  {"ZH_WORDS", "zh-words.json"},
                  {"ZH_LINES", "zh-lines.json"}};
    GString *text = g_string_new("(function () {\n'use strict';\n");

    for (unsigned i = 0; i < HS_ARRAY_LEN(tables); i++) {
        g_string_append_printf(text, "const %s = ", tables[i].name);
        g_string_append_len(text, asset(tables[i].file)->text, (gssize)asset(tables[i].file)->len);
        g_string_append(text, ";\n");
    }
    for (const ReportAsset *a = report_assets; a->name; a++)
        if (g_str_has_suffix(a->name, ".js"))
            g_string_append_len(text, a->text, (gssize)a->len);
    g_string_append(text, "})();\n");
    return text;
}

static char *hash(const char *text, size_t len)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize n = sizeof(digest);
    char *base64, *source;

    g_checksum_update(sum, (const guchar *)text, (gssize)len);
    g_checksum_get_digest(sum, digest, &n);
    g_checksum_free(sum);
    base64 = g_base64_encode(digest, n);
    source = g_strdup_printf("'sha256-%s'", base64);
    g_free(base64);
    return source;
}

static void write_policy(OutFile *out, const ReportAsset *style, const GString *script)
{
    char *style_hash = hash(style->text, style->len), *script_hash = hash(script->str, script->len);

    outfile_printf(out,
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src %s; "
                   "script-src %s; base-uri 'none'; form-action 'none'\">\n",
                   style_hash, script_hash);
    g_free(style_hash);
    g_free(script_hash);
}

static void write_text(OutFile *out, const char *text, size_t len)
{
    if (len)
        outfile_write(out, text, len);
}

static void write_title(OutFile *out, const char *title)
{
    char *valid = g_utf8_make_valid(title, -1), *escaped = g_markup_escape_text(valid, -1);

    outfile_printf(out, "<title>%s</title>\n", escaped);
    g_free(escaped);
    g_free(valid);
}

/* page.html with its four places filled: <!--policy-->, <!--title-->, <!--style-->, <!--script-->. */
bool report_write(const Story *story, const ReportConfig *config, const char *path, GError **error)
{
    OutFile *out = outfile_open(path, OUTFILE_WHOLE, error);
    GString *script;
    const ReportAsset *style = asset("report.css");
    ReportJson j;

    if (!out)
        return false;
    script = program();
    for (const char *p = asset("page.html")->text; *p;) {
        const char *mark = strstr(p, "<!--");
        const char *end = mark ? strstr(mark, "-->") : NULL;

        if (!end) {
            write_text(out, p, strlen(p));
            break;
        }
        write_text(out, p, (size_t)(mark - p));
        if (g_str_has_prefix(mark, "<!--policy")) {
            write_policy(out, style, script);
        } else if (g_str_has_prefix(mark, "<!--title")) {
            write_title(out, report_data_title(story, config));
        } else if (g_str_has_prefix(mark, "<!--style")) {
            write_text(out, style->text, style->len);
        } else if (g_str_has_prefix(mark, "<!--data")) {
            report_json_init(&j, out);
            report_data_write(story, config, &j);
            report_json_clear(&j);
        } else if (g_str_has_prefix(mark, "<!--script")) {
            write_text(out, script->str, script->len);
        }
        p = end + 3;
    }
    g_string_free(script, TRUE);
    return outfile_close(out, error);
}

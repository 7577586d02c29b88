#include "view/report_json.h"

#include <inttypes.h>
#include <string.h>

#define FLUSH_AT ((gsize)64 << 10)

void report_json_init(ReportJson *j, OutFile *out)
{
    *j = (ReportJson){out, g_string_sized_new(FLUSH_AT + 4096), false};
}

static void flush(ReportJson *j)
{
    outfile_write(j->out, j->line->str, j->line->len);
    g_string_truncate(j->line, 0);
}

void report_json_clear(ReportJson *j)
{
    flush(j);
    g_string_free(j->line, TRUE);
    j->line = NULL;
}

static void before_value(ReportJson *j)
{
    if (j->line->len > FLUSH_AT)
        flush(j);
    if (j->needs_comma)
        g_string_append_c(j->line, ',');
    j->needs_comma = true;
}

void report_json_begin(ReportJson *j, char bracket)
{
    before_value(j);
    g_string_append_c(j->line, bracket);
    j->needs_comma = false;
}

void report_json_end(ReportJson *j, char bracket)
{
    g_string_append_c(j->line, bracket);
    j->needs_comma = true;
}

void report_json_key(ReportJson *j, const char *key)
{
    report_json_str(j, key);
    g_string_append_c(j->line, ':');
    j->needs_comma = false;
}

static void append_char(GString *line, gunichar c)
{
    static const char hex[] = "0123456789abcdef";

    if (c == '"' || c == '\\') {
        g_string_append_c(line, '\\');
        g_string_append_c(line, (char)c);
    } else if (c == '\n') {
        g_string_append(line, "\\n");
    } else if (c < 0x20 || c == 0x7f || c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029) {
        g_string_append(line, "\\u");
        for (int shift = 12; shift >= 0; shift -= 4)
            g_string_append_c(line, hex[c >> shift & 15]);
    } else {
        g_string_append_unichar(line, c);
    }
}

void report_json_str(ReportJson *j, const char *text)
{
    before_value(j);
    if (!text) {
        g_string_append(j->line, "null");
        return;
    }
    g_string_append_c(j->line, '"');
    for (const char *p = text; *p;) {
        gunichar c = (unsigned char)*p < 0x80 ? (gunichar)*p : g_utf8_get_char_validated(p, -1);

        if (c == (gunichar)-1 || c == (gunichar)-2) {
            append_char(j->line, 0xfffd);
            p++;
        } else {
            append_char(j->line, c);
            p = g_utf8_next_char(p);
        }
    }
    g_string_append_c(j->line, '"');
}

void report_json_int(ReportJson *j, int64_t value)
{
    char text[24];

    before_value(j);
    g_string_append_len(j->line, text, g_snprintf(text, sizeof(text), "%" PRId64, value));
}

void report_json_uint(ReportJson *j, uint64_t value)
{
    char text[24];

    before_value(j);
    g_string_append_len(j->line, text, g_snprintf(text, sizeof(text), "%" PRIu64, value));
}

void report_json_bool(ReportJson *j, bool value)
{
    before_value(j);
    g_string_append(j->line, value ? "true" : "false");
}

void report_json_ints(ReportJson *j, const char *key, const GArray *int64s)
{
    report_json_key(j, key);
    report_json_begin(j, '[');
    for (guint i = 0; i < int64s->len; i++)
        report_json_int(j, g_array_index(int64s, int64_t, i));
    report_json_end(j, ']');
}

void report_json_deltas(ReportJson *j, const char *key, const GArray *int64s)
{
    int64_t last = 0;

    report_json_key(j, key);
    report_json_begin(j, '[');
    for (guint i = 0; i < int64s->len; i++) {
        int64_t v = g_array_index(int64s, int64_t, i);

        report_json_int(j, v - last);
        last = v;
    }
    report_json_end(j, ']');
}

void report_json_base64_begin(ReportJson *j, const char *key)
{
    report_json_key(j, key);
    before_value(j);
    g_string_append_c(j->line, '"');
}

void report_json_base64(ReportJson *j, const uint8_t *bytes, size_t len)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    if (j->line->len > FLUSH_AT)
        flush(j);
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)bytes[i] << 16;

        if (i + 1 < len)
            v |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < len)
            v |= bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            g_string_append_c(j->line, digit[v >> shift & 63]);
    }
}

void report_json_base64_end(ReportJson *j)
{
    g_string_append_c(j->line, '"');
}

/* ---- strings ---- */

void report_strings_init(ReportStrings *s)
{
    s->text = g_ptr_array_new_with_free_func(g_free);
    s->index = g_hash_table_new(g_str_hash, g_str_equal);
}

void report_strings_clear(ReportStrings *s)
{
    g_hash_table_destroy(s->index);
    g_ptr_array_free(s->text, TRUE);
}

int64_t report_strings_add(ReportStrings *s, const char *text)
{
    gpointer known = g_hash_table_lookup(s->index, text);

    if (!known) {
        char *kept = g_strdup(text);

        g_ptr_array_add(s->text, kept);
        known = GUINT_TO_POINTER(s->text->len);
        g_hash_table_insert(s->index, kept, known);
    }
    return (int64_t)GPOINTER_TO_UINT(known) - 1;
}

void report_strings_write(const ReportStrings *s, ReportJson *j, const char *key)
{
    report_json_key(j, key);
    report_json_begin(j, '[');
    for (guint i = 0; i < s->text->len; i++)
        report_json_str(j, s->text->pdata[i]);
    report_json_end(j, ']');
}

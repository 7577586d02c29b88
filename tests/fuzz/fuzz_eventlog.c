/* Any line: either members whose names and values are text, or an error. What was written as a string reads
 * back whole. */
#include "sim/trace/eventlog_json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *error = NULL;
    EventlogMember *m = eventlog_json_read((const char *)data, n, &error);
    GString *line = g_string_new("{");

    hs_assert(!m == !!error);
    g_free(m);
    g_free(error);

    eventlog_json_key(line, "text");
    eventlog_json_string(line, (const char *)data, n);
    g_string_append_c(line, '}');
    hs_assert(g_utf8_validate(line->str, (gssize)line->len, NULL));
    m = eventlog_json_read(line->str, line->len, NULL);
    hs_assert(m && m[0].name && !m[1].name);
    hs_assert(strlen(m[0].value) == line->len - strlen("{\"text\":}"));
    g_free(m);
    g_string_free(line, TRUE);
    return 0;
}

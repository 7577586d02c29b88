/* JSON for the inside of an HTML page: compact, written as it goes. Every character that could end a script
 * element or confuse an HTML parser (<, >, &), and the two line ends that JavaScript knows beyond JSON, are
 * written as \u escapes; bytes that are no UTF-8 become U+FFFD. So names out of a hostile scenario stay text.
 *
 * Commas are the writer's; keys and brackets are the caller's to balance. */
#pragma once

#include "sim/trace/outfile.h"

typedef struct ReportJson {
    OutFile *out;
    GString *line;    /* not yet given to out */
    bool needs_comma; /* before the next value or key */
} ReportJson;

void report_json_init(ReportJson *j, OutFile *out);
void report_json_clear(ReportJson *j); /* writes what is left */

void report_json_begin(ReportJson *j, char bracket); /* '{' or '[' */
void report_json_end(ReportJson *j, char bracket);   /* '}' or ']' */
void report_json_key(ReportJson *j, const char *key);
void report_json_str(ReportJson *j, const char *text); /* NULL: null */
void report_json_int(ReportJson *j, int64_t value);
void report_json_uint(ReportJson *j, uint64_t value);
void report_json_bool(ReportJson *j, bool value);
/* A key with an array of numbers; _deltas writes each as its distance from the one before. */
void report_json_ints(ReportJson *j, const char *key, const GArray *int64s);
void report_json_deltas(ReportJson *j, const char *key, const GArray *int64s);
/* A string of base64, put together from pieces: _begin, any number of _base64, _end. Each piece is padded
 * with zero bytes to a multiple of three, so that every piece begins at a whole group of four characters. */
void report_json_base64_begin(ReportJson *j, const char *key);
void report_json_base64(ReportJson *j, const uint8_t *bytes, size_t len);
void report_json_base64_end(ReportJson *j);

/* Strings that are told once and then by number. */
typedef struct ReportStrings {
    GPtrArray *text;
    GHashTable *index; /* look-up only */
} ReportStrings;

void report_strings_init(ReportStrings *s);
void report_strings_clear(ReportStrings *s);
int64_t report_strings_add(ReportStrings *s, const char *text); /* its number, from 0 */
void report_strings_write(const ReportStrings *s, ReportJson *j, const char *key);

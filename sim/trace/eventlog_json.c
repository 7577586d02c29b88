/* JSON text, out and in. The reader keeps values as text, because what a log is read for is to be compared.
 */
#include "sim/trace/eventlog_json.h"

#include <inttypes.h>
#include <string.h>

#define DEPTH_MAX 16

static void escape(GString *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    switch (c) {
    case '"':
        g_string_append(out, "\\\"");
        break;
    case '\\':
        g_string_append(out, "\\\\");
        break;
    case '\n':
        g_string_append(out, "\\n");
        break;
    case '\r':
        g_string_append(out, "\\r");
        break;
    case '\t':
        g_string_append(out, "\\t");
        break;
    default:
        g_string_append(out, "\\u00");
        g_string_append_c(out, hex[c >> 4]);
        g_string_append_c(out, hex[c & 15]);
    }
}

void eventlog_json_string(GString *out, const char *text, size_t n)
{
    const char *end = text + n;

    g_string_append_c(out, '"');
    while (text < end) {
        const char *run = text;

        while (text < end && (unsigned char)*text >= 0x20 && (unsigned char)*text < 0x7f && *text != '"' &&
               *text != '\\')
            text++;
        g_string_append_len(out, run, text - run);
        if (text == end)
            break;
        if ((unsigned char)*text < 0x80) {
            escape(out, (unsigned char)*text++);
            continue;
        }
        gunichar c = g_utf8_get_char_validated(text, end - text);

        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append(out, "\xef\xbf\xbd");
            text++;
        } else {
            const char *next = g_utf8_next_char(text);

            g_string_append_len(out, text, next - text);
            text = next;
        }
    }
    g_string_append_c(out, '"');
}

void eventlog_json_key(GString *out, const char *name)
{
    char last = out->len ? out->str[out->len - 1] : '{';

    if (last != '{' && last != '[')
        g_string_append_c(out, ',');
    eventlog_json_string(out, name, strlen(name));
    g_string_append_c(out, ':');
}

void eventlog_json_time(GString *out, int64_t time_ns)
{
    uint64_t magnitude = time_ns < 0 ? -(uint64_t)time_ns : (uint64_t)time_ns;

    g_string_append_printf(out, "%s%" PRIu64 ".%09" PRIu64, time_ns < 0 ? "-" : "", magnitude / 1000000000,
                           magnitude % 1000000000);
}

/* ---- reading ---- */

typedef struct Reader {
    const char *begin, *at, *end;
    GString *names;  /* names and values, each ended by NUL */
    GArray *members; /* two offsets into names each */
    const char *expected;
} Reader;

static void skip_blanks(Reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool wrong(Reader *r, const char *expected)
{
    if (!r->expected)
        r->expected = expected;
    return false;
}

static bool take(Reader *r, char c, const char *expected)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c)
        return wrong(r, expected);
    r->at++;
    return true;
}

static bool skip_string(Reader *r)
{
    if (!take(r, '"', "a string"))
        return false;
    while (r->at < r->end && *r->at != '"') {
        if ((unsigned char)*r->at < 0x20)
            return wrong(r, "no control character");
        if (*r->at == '\\' && ++r->at == r->end)
            break;
        r->at++;
    }
    if (r->at == r->end)
        return wrong(r, "'\"'");
    r->at++;
    return true;
}

static bool skip_word(Reader *r)
{
    const char *from = r->at;

    while (r->at < r->end && (g_ascii_isalnum(*r->at) || *r->at == '-' || *r->at == '+' || *r->at == '.'))
        r->at++;
    return r->at > from || wrong(r, "a value");
}

static bool read_object(Reader *r, const char *prefix, int depth);

static bool skip_value(Reader *r, int depth)
{
    skip_blanks(r);
    if (depth == DEPTH_MAX)
        return wrong(r, "fewer nested values");
    if (r->at < r->end && *r->at == '"')
        return skip_string(r);
    if (r->at < r->end && *r->at == '[') {
        r->at++;
        skip_blanks(r);
        if (r->at < r->end && *r->at == ']') {
            r->at++;
            return true;
        }
        do {
            if (!skip_value(r, depth + 1))
                return false;
            skip_blanks(r);
        } while (r->at < r->end && *r->at == ',' && r->at++);
        return take(r, ']', "',' or ']'");
    }
    return skip_word(r);
}

static void keep(Reader *r, const char *prefix, const char *name, size_t n_name, const char *value,
                 size_t n_value)
{
    size_t offset[2];

    offset[0] = r->names->len;
    g_string_append(r->names, prefix);
    g_string_append_len(r->names, name, (gssize)n_name);
    g_string_append_c(r->names, '\0');
    offset[1] = r->names->len;
    g_string_append_len(r->names, value, (gssize)n_value);
    g_string_append_c(r->names, '\0');
    g_array_append_val(r->members, offset);
}

static bool read_member(Reader *r, const char *prefix, int depth)
{
    const char *name, *value;
    size_t n_name;

    skip_blanks(r);
    name = r->at + 1;
    if (!skip_string(r))
        return false;
    n_name = (size_t)(r->at - 1 - name);
    if (!take(r, ':', "':'"))
        return false;
    skip_blanks(r);
    if (r->at < r->end && *r->at == '{') {
        char *deeper = g_strdup_printf("%s%.*s.", prefix, (int)n_name, name);
        bool ok = read_object(r, deeper, depth + 1);

        g_free(deeper);
        return ok;
    }
    value = r->at;
    if (!skip_value(r, depth))
        return false;
    keep(r, prefix, name, n_name, value, (size_t)(r->at - value));
    return true;
}

static bool read_object(Reader *r, const char *prefix, int depth)
{
    if (depth == DEPTH_MAX)
        return wrong(r, "fewer nested values");
    if (!take(r, '{', "'{'"))
        return false;
    skip_blanks(r);
    if (r->at < r->end && *r->at == '}') {
        r->at++;
        return true;
    }
    do {
        if (!read_member(r, prefix, depth))
            return false;
        skip_blanks(r);
    } while (r->at < r->end && *r->at == ',' && r->at++);
    return take(r, '}', "',' or '}'");
}

/* Members first, then the text that they point to. */
static EventlogMember *pack(const Reader *r)
{
    unsigned n = r->members->len;
    EventlogMember *members = g_malloc0((n + 1) * sizeof(*members) + r->names->len);
    char *text = (char *)(members + n + 1);

    memcpy(text, r->names->str, r->names->len);
    for (unsigned i = 0; i < n; i++) {
        const size_t *offset = &((const size_t *)r->members->data)[2 * i];

        members[i] = (EventlogMember){text + offset[0], text + offset[1]};
    }
    return members;
}

EventlogMember *eventlog_json_read(const char *text, size_t n, char **error)
{
    Reader r = {.begin = text, .at = text, .end = n ? text + n : text}; /* nothing may be NULL */
    EventlogMember *members = NULL;

    r.names = g_string_new(NULL);
    r.members = g_array_new(FALSE, FALSE, 2 * sizeof(size_t));
    if (n && memchr(text, 0, n))
        wrong(&r, "no zero byte");
    else if (read_object(&r, "", 0)) {
        skip_blanks(&r);
        if (r.at == r.end)
            members = pack(&r);
        else
            wrong(&r, "the end of the line");
    }
    if (!members && error)
        *error = g_strdup_printf("column %td: expected %s", r.at - r.begin + 1, r.expected);
    g_string_free(r.names, TRUE);
    g_array_free(r.members, TRUE);
    return members;
}

/* Tokens, in the order in which a generated scanner's longest match would find them. */
#include "packetdrill/pd_lex.h"

#include <string.h>

void pd_defines_init(PdDefines *d)
{
    d->list = g_array_new(FALSE, FALSE, sizeof(PdDefine));
}

void pd_defines_clear(PdDefines *d)
{
    if (!d->list)
        return;
    for (guint i = 0; i < d->list->len; i++) {
        g_free(g_array_index(d->list, PdDefine, i).name);
        g_free(g_array_index(d->list, PdDefine, i).value);
    }
    g_array_free(d->list, TRUE);
    d->list = NULL;
}

void pd_defines_add(PdDefines *d, const char *name, const char *value)
{
    PdDefine def = {g_strdup(name), g_strdup(value)};

    g_array_append_val(d->list, def);
}

const char *pd_defines_find(const PdDefines *d, const char *name)
{
    for (guint i = d && d->list ? d->list->len : 0; i > 0; i--) {
        const PdDefine *def = &g_array_index(d->list, PdDefine, i - 1);

        if (strcmp(def->name, name) == 0)
            return def->value;
    }
    return NULL;
}

void *pd_arena_alloc(PdArena *a, size_t size)
{
    void *p = g_malloc0(HS_MAX(size, 1));

    g_ptr_array_add(a->blocks, p);
    return p;
}

char *pd_arena_strndup(PdArena *a, const char *s, size_t len)
{
    char *p = pd_arena_alloc(a, len + 1);

    if (len)
        memcpy(p, s, len);
    return p;
}

static bool is_word(int c)
{
    return g_ascii_isalnum(c) || c == '_';
}

static int peek(const PdLex *l, size_t ahead)
{
    return l->pos + ahead < l->len ? (unsigned char)l->text[l->pos + ahead] : -1;
}

static void advance(PdLex *l, size_t n)
{
    for (; n > 0 && l->pos < l->len; n--) {
        if (l->text[l->pos++] == '\n') {
            l->loc.line++;
            l->loc.col = 1;
        } else {
            l->loc.col++;
        }
    }
}

static void wrong(PdLex *l, PdLoc loc, const char *what)
{
    l->tok.kind = PD_TOKEN_WRONG;
    l->tok.loc = loc;
    l->tok.text = what;
    l->tok.text_len = strlen(what);
    l->pos = l->len;
}

/* false: a comment without end. */
static bool skip_blanks(PdLex *l)
{
    for (;;) {
        int c = peek(l, 0);

        if (c >= 0 && g_ascii_isspace(c)) {
            advance(l, 1);
        } else if (c == '/' && peek(l, 1) == '/') {
            while (peek(l, 0) >= 0 && peek(l, 0) != '\n')
                advance(l, 1);
        } else if (c == '/' && peek(l, 1) == '*') {
            PdLoc loc = l->loc;

            advance(l, 2);
            while (peek(l, 0) >= 0 && !(peek(l, 0) == '*' && peek(l, 1) == '/'))
                advance(l, 1);
            if (peek(l, 0) < 0) {
                l->tok.start = l->pos;
                wrong(l, loc, "a comment that does not end");
                return false;
            }
            advance(l, 2);
        } else {
            return true;
        }
    }
}

/* Digits with at most one dot, as seconds: everything behind a microsecond is cut off. */
static bool parse_micros(const char *s, size_t len, int64_t *out)
{
    int64_t v = 0;
    int decimals = -1;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '.') {
            decimals = 0;
            continue;
        }
        if (decimals >= 6)
            continue;
        if (v > (INT64_MAX - 9) / 10)
            return false;
        v = v * 10 + (s[i] - '0');
        if (decimals >= 0)
            decimals++;
    }
    for (decimals = HS_MAX(decimals, 0); decimals < 6; decimals++) {
        if (v > INT64_MAX / 10)
            return false;
        v *= 10;
    }
    *out = v;
    return true;
}

static bool parse_int(const char *s, size_t len, bool allow_octal, int64_t *out)
{
    unsigned base = 10;
    bool negative = len > 0 && *s == '-';
    uint64_t v = 0;

    if (negative) {
        s++;
        len--;
    }
    if (len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
        len -= 2;
    } else if (allow_octal && len > 1 && s[0] == '0') {
        base = 8;
    }
    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        int digit = g_ascii_xdigit_value(s[i]);

        if (digit < 0 || (unsigned)digit >= base || v > (UINT64_MAX - (unsigned)digit) / base)
            return false;
        v = v * base + (unsigned)digit;
    }
    if (base != 16 && v > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)-v : (int64_t)v;
    return true;
}

static size_t digits_from(const PdLex *l, size_t at)
{
    size_t n = 0;

    while (g_ascii_isdigit(peek(l, at + n)) && peek(l, at + n) >= 0)
        n++;
    return n;
}

/* The length of a number at pos; 0: there is none. "5..." is the number 5 before an ellipsis. */
static size_t number_len(const PdLex *l, bool *is_float)
{
    size_t sign = peek(l, 0) == '-';
    size_t whole = digits_from(l, sign), end = sign + whole;

    *is_float = false;
    if (peek(l, end) == '.' && peek(l, end + 1) != '.') {
        size_t fraction = digits_from(l, end + 1);

        if (fraction > 0) {
            *is_float = true;
            return end + 1 + fraction;
        }
    }
    if (whole == 0)
        return 0;
    if (whole == 1 && peek(l, sign) == '0' && (peek(l, sign + 1) | 32) == 'x') {
        size_t n = 0;

        while (peek(l, sign + 2 + n) >= 0 && g_ascii_isxdigit(peek(l, sign + 2 + n)))
            n++;
        if (n > 0)
            end = sign + 2 + n;
    }
    return end;
}

static void take_number(PdLex *l, size_t len, bool is_float)
{
    const char *s = l->text + l->pos;
    size_t sign = *s == '-';

    l->tok.kind = is_float ? PD_TOKEN_FLOAT : PD_TOKEN_INT;
    l->tok.text = pd_arena_strndup(l->arena, s, len);
    l->tok.text_len = len;
    if (!is_float && !parse_int(s, len, false, &l->tok.value)) {
        wrong(l, l->tok.loc, "a number that does not fit in 64 bits");
        return;
    }
    if (memchr(s, 'x', len) || memchr(s, 'X', len)) {
        l->tok.too_large = __builtin_mul_overflow(l->tok.value, INT64_C(1000000), &l->tok.micros);
    } else {
        l->tok.too_large = !parse_micros(s + sign, len - sign, &l->tok.micros);
        if (sign)
            l->tok.micros = -l->tok.micros;
    }
    advance(l, len);
}

static void take_string(PdLex *l)
{
    GString *s = g_string_new(NULL);
    PdLoc loc = l->loc;
    const char *problem = NULL;

    advance(l, 1);
    for (;;) {
        int c = peek(l, 0);

        if (c < 0 || c == '\n') {
            problem = "a string that does not end";
            break;
        }
        advance(l, 1);
        if (c == '"')
            break;
        if (c == '\\') {
            static const char letters[] = "abfnrtv\\\"'", bytes[] = "\a\b\f\n\r\t\v\\\"'";
            int e = peek(l, 0);
            const char *at = e > 0 ? strchr(letters, e) : NULL;

            if (e == 'x' && peek(l, 1) >= 0 && peek(l, 2) >= 0 && g_ascii_isxdigit(peek(l, 1)) &&
                g_ascii_isxdigit(peek(l, 2))) {
                c = g_ascii_xdigit_value((char)peek(l, 1)) << 4 | g_ascii_xdigit_value((char)peek(l, 2));
                advance(l, 3);
            } else if (e >= '0' && e <= '7') { /* up to three octal digits, as in C */
                c = 0;
                for (unsigned i = 0; i < 3 && peek(l, 0) >= '0' && peek(l, 0) <= '7'; i++) {
                    c = c << 3 | (peek(l, 0) - '0');
                    advance(l, 1);
                }
            } else if (at) {
                c = bytes[at - letters];
                advance(l, 1);
            } else {
                problem = "an unknown escape in a string: expected \\a \\b \\f \\n \\r \\t \\v \\\\ \\\" "
                          "\\ooo or \\xHH";
                break;
            }
        }
        g_string_append_c(s, (char)c);
    }
    if (problem) {
        wrong(l, loc, problem);
    } else {
        l->tok.kind = PD_TOKEN_STRING;
        l->tok.text = pd_arena_strndup(l->arena, s->str, s->len);
        l->tok.text_len = s->len;
    }
    g_string_free(s, TRUE);
}

/* Plain text between two marks. */
static void take_block(PdLex *l, PdTokenKind kind, size_t mark_len, const char *end, const char *problem)
{
    const char *from = l->text + l->pos + mark_len;
    const char *to =
        l->pos + mark_len <= l->len ? g_strstr_len(from, (gssize)(l->len - l->pos - mark_len), end) : NULL;
    size_t total;

    if (!to) {
        wrong(l, l->loc, problem);
        return;
    }
    total = (size_t)(to - from) + mark_len + strlen(end);
    if (kind == PD_TOKEN_CODE) {
        while (from < to && (*from == ' ' || *from == '\t'))
            from++;
        while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
            to--;
    }
    l->tok.kind = kind;
    l->tok.text_len = (size_t)(to - from);
    l->tok.text = pd_arena_strndup(l->arena, from, l->tok.text_len);
    advance(l, total);
}

/* What a defined word stands for. */
static void replace_word(PdLex *l, const char *value)
{
    size_t len = strlen(value);

    if (len >= 2 && (*value == '"' || *value == '`') && value[len - 1] == *value) {
        l->tok.kind = *value == '"' ? PD_TOKEN_STRING : PD_TOKEN_COMMAND;
        value++;
        len -= 2;
    } else if (parse_int(value, len, true, &l->tok.value)) {
        l->tok.kind = PD_TOKEN_INT;
        l->tok.too_large = __builtin_mul_overflow(l->tok.value, INT64_C(1000000), &l->tok.micros);
    } else {
        l->tok.kind = PD_TOKEN_WORD;
    }
    l->tok.text = pd_arena_strndup(l->arena, value, len);
    l->tok.text_len = len;
}

static void take_word(PdLex *l, size_t len)
{
    const char *value;

    l->tok.kind = PD_TOKEN_WORD;
    l->tok.text = pd_arena_strndup(l->arena, l->text + l->pos, len);
    l->tok.text_len = len;
    advance(l, len);
    value = pd_defines_find(l->defines, l->tok.text);
    if (value)
        replace_word(l, value);
}

void pd_lex_init(PdLex *l, const char *text, size_t len, const PdDefines *defines, PdArena *arena)
{
    *l = (PdLex){.text = text, .len = len, .loc = {1, 1}, .defines = defines, .arena = arena};
    l->last_line = 1;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* the byte order mark of some editors */
        l->pos = 3;
    pd_lex_next(l);
}

void pd_lex_next(PdLex *l)
{
    size_t word = 0, number;
    bool is_float;
    int c;

    l->last_line = l->loc.line;
    if (!skip_blanks(l))
        return;
    c = peek(l, 0);
    l->tok = (PdToken){.kind = PD_TOKEN_END, .loc = l->loc, .start = l->pos, .end = l->pos};
    if (c < 0) {
        l->tok.end_line = l->loc.line;
        return;
    }
    while (peek(l, word) >= 0 && is_word(peek(l, word)))
        word++;
    number = number_len(l, &is_float);
    if (c == '"') {
        take_string(l);
    } else if (c == '`') {
        take_block(l, PD_TOKEN_COMMAND, 1, "`", "a command whose closing back quote is missing");
    } else if (c == '%' && peek(l, 1) == '{') {
        take_block(l, PD_TOKEN_CODE, 2, "}%", "a code block whose closing }% is missing");
    } else if (c == '.' && peek(l, 1) == '.' && peek(l, 2) == '.') {
        l->tok.kind = PD_TOKEN_ELLIPSIS;
        advance(l, 3);
    } else if (number > 0 && number >= word) {
        take_number(l, number, is_float);
    } else if (word > 0) {
        take_word(l, word);
    } else {
        l->tok.kind = PD_TOKEN_PUNCT;
        l->tok.value = c;
        advance(l, 1);
    }
    l->tok.end = l->pos;
    l->tok.end_line = l->loc.line;
}

static void go_back(PdLex *l)
{
    l->pos = l->tok.start;
    l->loc = l->tok.loc;
}

/* A number that does not fit in 64 bits may still be a cookie of digits only. */
static bool is_digit_at(const PdLex *l, size_t at)
{
    return at < l->len && g_ascii_isdigit(l->text[at]);
}

const char *pd_lex_raw(PdLex *l, const char *stop, bool quotes, PdLoc *loc)
{
    size_t n = 0;
    char quote = 0;
    const char *text;

    if ((l->tok.kind == PD_TOKEN_WRONG && !is_digit_at(l, l->tok.start)) || l->tok.kind == PD_TOKEN_END) {
        *loc = l->tok.loc;
        return "";
    }
    go_back(l);
    *loc = l->loc;
    for (;; n++) {
        int c = peek(l, n);

        if (c <= 0)
            break;
        if (quote) {
            quote = c == quote ? 0 : quote;
        } else if (quotes && (c == '"' || c == '\'' || c == '`')) {
            quote = (char)c;
        } else if (g_ascii_isspace(c) || strchr(stop, c)) {
            break;
        }
    }
    text = pd_arena_strndup(l->arena, l->text + l->pos, n);
    advance(l, n);
    pd_lex_next(l);
    return text;
}

const char *pd_lex_parenthesised(PdLex *l)
{
    size_t n = 1, depth = 1;
    const char *text;

    go_back(l);
    for (; depth > 0; n++) {
        int c = peek(l, n);

        if (c < 0) {
            wrong(l, l->loc, "a parenthesis that is not closed");
            return NULL;
        }
        depth += c == '(';
        depth -= c == ')';
    }
    text = pd_arena_strndup(l->arena, l->text + l->pos + 1, n - 2);
    advance(l, n);
    pd_lex_next(l);
    return text;
}

char *pd_lex_found(const PdLex *l)
{
    const PdToken *t = &l->tok;

    switch (t->kind) {
    case PD_TOKEN_END:
        return g_strdup("the end of the file");
    case PD_TOKEN_INT:
    case PD_TOKEN_FLOAT:
        return g_strdup_printf("the number %s", t->text);
    case PD_TOKEN_WORD:
        return g_strdup_printf("'%s'", t->text);
    case PD_TOKEN_STRING:
        return g_strdup("a string");
    case PD_TOKEN_COMMAND:
        return g_strdup("a command in back quotes");
    case PD_TOKEN_CODE:
        return g_strdup("a code block");
    case PD_TOKEN_ELLIPSIS:
        return g_strdup("'...'");
    case PD_TOKEN_PUNCT:
        if (t->value > 32 && t->value < 127)
            return g_strdup_printf("'%c'", (int)t->value);
        return g_strdup_printf("the byte 0x%02x", (unsigned)t->value);
    default:
        return g_strdup(t->text);
    }
}

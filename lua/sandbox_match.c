/* Matches Lua patterns (Lua 5.4 Reference Manual 6.4.1). Stock Lua's matcher runs for longer than anybody
 * lives on a pattern like ("a*"):rep(40).."b", and the count hook does not run inside: this one accounts for
 * every step it takes. Written from the manual; the meaning of malformed patterns is an error that names the
 * fault. */
#include "lua/sandbox_match.h"

#include <ctype.h>
#include <string.h>

#include "lua/sandbox_private.h"
#include "sim/base/base.h"

#define DEPTH_MAX 200
#define STEPS_PER_CHARGE 1024
#define STEPS_PER_UNIT 4

#define CAPTURE_OPEN (-1)
#define CAPTURE_POSITION (-2)

static const char *match_here(SandboxMatch *m, const char *s, const char *p);

static void step(SandboxMatch *m)
{
    if (++m->steps >= STEPS_PER_CHARGE) {
        sandbox_charge(m->L, m->steps / STEPS_PER_UNIT);
        m->steps = 0;
    }
}

/* The end of the single-character item that begins at p. */
static const char *item_end(SandboxMatch *m, const char *p)
{
    char first = *p++;

    if (first == '%') {
        if (p == m->pat_end)
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 1;
    }
    if (first != '[')
        return p;
    if (p < m->pat_end && *p == '^')
        p++;
    /* A ']' in the first place stands for itself. */
    for (bool is_first = true;; is_first = false) {
        if (p == m->pat_end)
            luaL_error(m->L, "malformed pattern (missing ']')");
        char c = *p++;

        if (c == ']' && !is_first)
            return p;
        if (c == '%') {
            if (p == m->pat_end)
                luaL_error(m->L, "malformed pattern (missing ']')");
            p++;
        }
    }
}

/* Character classes are ASCII's, whatever the locale. */
static bool in_class(unsigned char c, char class)
{
    bool is;
    bool ascii = c < 128;

    switch (tolower((unsigned char)class)) {
    case 'a':
        is = ascii && isalpha(c);
        break;
    case 'c':
        is = ascii && iscntrl(c);
        break;
    case 'd':
        is = c >= '0' && c <= '9';
        break;
    case 'g':
        is = c > 32 && c < 127;
        break;
    case 'l':
        is = c >= 'a' && c <= 'z';
        break;
    case 'p':
        is = ascii && ispunct(c);
        break;
    case 's':
        is = c == ' ' || (c >= 9 && c <= 13);
        break;
    case 'u':
        is = c >= 'A' && c <= 'Z';
        break;
    case 'w':
        is = ascii && isalnum(c);
        break;
    case 'x':
        is = ascii && isxdigit(c);
        break;
    default:
        return (unsigned char)class == c; /* escaped punctuation */
    }
    return is != (bool)(isupper((unsigned char)class) != 0);
}

/* Whether c is in the set "[…]" from p to end (just after its ']'). */
static bool in_set(unsigned char c, const char *p, const char *end)
{
    bool negated = false;

    end--;
    if (*++p == '^') {
        negated = true;
        p++;
    }
    while (p < end) {
        if (*p == '%') {
            if (in_class(c, p[1]))
                return !negated;
            p += 2;
        } else if (p + 2 < end && p[1] == '-') {
            if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2])
                return !negated;
            p += 3;
        } else {
            if ((unsigned char)*p == c)
                return !negated;
            p++;
        }
    }
    return negated;
}

static bool item_matches(SandboxMatch *m, const char *s, const char *p, const char *end)
{
    step(m);
    if (s >= m->src_end)
        return false;
    switch (*p) {
    case '.':
        return true;
    case '%':
        return in_class((unsigned char)*s, p[1]);
    case '[':
        m->steps += (unsigned)HS_MIN(end - p, 1000) / 2;
        return in_set((unsigned char)*s, p, end);
    default:
        return *p == *s;
    }
}

/* "%bxy": from an x to the y that balances it. */
static const char *match_balance(SandboxMatch *m, const char *s, const char *p)
{
    if (m->pat_end - p < 2)
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    if (s >= m->src_end || *s != p[0])
        return NULL;
    size_t open = 1;

    for (s++; s < m->src_end; s++) {
        step(m);
        if (*s == p[1]) {
            if (--open == 0)
                return s + 1;
        } else if (*s == p[0]) {
            open++;
        }
    }
    return NULL;
}

static const char *match_repeat(SandboxMatch *m, const char *s, const char *p, const char *end, bool greedy)
{
    const char *rest = end + 1;

    if (!greedy) {
        for (;; s++) {
            const char *r = match_here(m, s, rest);

            if (r || !item_matches(m, s, p, end))
                return r;
        }
    }
    const char *last = s;

    while (item_matches(m, last, p, end))
        last++;
    for (; last >= s; last--) {
        const char *r = match_here(m, last, rest);

        if (r)
            return r;
    }
    return NULL;
}

static const char *match_open(SandboxMatch *m, const char *s, const char *p, ptrdiff_t kind)
{
    if (m->n_captures == SANDBOX_CAPTURES_MAX)
        luaL_error(m->L, "too many captures");
    m->capture[m->n_captures].start = s;
    m->capture[m->n_captures].len = kind;
    m->n_captures++;
    const char *r = match_here(m, s, p);

    if (!r)
        m->n_captures--;
    return r;
}

static const char *match_close(SandboxMatch *m, const char *s, const char *p)
{
    int i = m->n_captures - 1;

    while (i >= 0 && m->capture[i].len != CAPTURE_OPEN)
        i--;
    if (i < 0)
        luaL_error(m->L, "invalid pattern capture (a ')' without '(')");
    m->capture[i].len = s - m->capture[i].start;
    const char *r = match_here(m, s, p);

    if (!r)
        m->capture[i].len = CAPTURE_OPEN;
    return r;
}

/* "%1": the text of a capture again. */
static const char *match_back(SandboxMatch *m, const char *s, char digit)
{
    int i = digit - '1';

    if (i < 0 || i >= m->n_captures || m->capture[i].len == CAPTURE_OPEN)
        luaL_error(m->L, "invalid capture index %%%d in pattern", i + 1);
    ptrdiff_t len = m->capture[i].len;

    if (len == CAPTURE_POSITION) /* has no text; stock Lua finds no match either */
        return NULL;
    m->steps += (unsigned)HS_MIN(len / 16, STEPS_PER_CHARGE);
    step(m);
    if (m->src_end - s < len || memcmp(s, m->capture[i].start, (size_t)len) != 0)
        return NULL;
    return s + len;
}

/* "%f[set]": between a character outside the set and one inside; beyond both ends there are zeros. */
static bool at_frontier(SandboxMatch *m, const char *s, const char *set, const char *end)
{
    unsigned char before = s == m->src ? 0 : (unsigned char)s[-1];
    unsigned char after = s == m->src_end ? 0 : (unsigned char)*s;

    step(m);
    return !in_set(before, set, end) && in_set(after, set, end);
}

/* The end of the match of the pattern from p at s, or NULL. */
static const char *match_items(SandboxMatch *m, const char *s, const char *p)
{
    while (p < m->pat_end) {
        step(m);
        if (*p == '(') {
            bool is_position = p + 1 < m->pat_end && p[1] == ')';

            return match_open(m, s, p + (is_position ? 2 : 1), is_position ? CAPTURE_POSITION : CAPTURE_OPEN);
        }
        if (*p == ')')
            return match_close(m, s, p + 1);
        if (*p == '$' && p + 1 == m->pat_end)
            return s == m->src_end ? s : NULL;
        if (*p == '%' && p + 1 < m->pat_end) {
            if (p[1] == 'b') {
                s = match_balance(m, s, p + 2);
                p += 4;
                if (!s)
                    return NULL;
                continue;
            }
            if (p[1] == 'f') {
                p += 2;
                if (p == m->pat_end || *p != '[')
                    luaL_error(m->L, "missing '[' after '%%f' in pattern");
                const char *end = item_end(m, p);

                if (!at_frontier(m, s, p, end))
                    return NULL;
                p = end;
                continue;
            }
            if (p[1] >= '0' && p[1] <= '9') {
                s = match_back(m, s, p[1]);
                p += 2;
                if (!s)
                    return NULL;
                continue;
            }
        }
        const char *end = item_end(m, p);
        char suffix = end < m->pat_end ? *end : '\0';

        if (suffix == '*')
            return match_repeat(m, s, p, end, true);
        if (suffix == '-')
            return match_repeat(m, s, p, end, false);
        bool matches = item_matches(m, s, p, end);

        if (suffix == '+')
            return matches ? match_repeat(m, s + 1, p, end, true) : NULL;
        if (suffix == '?') {
            const char *r = matches ? match_here(m, s + 1, end + 1) : NULL;

            if (r)
                return r;
            p = end + 1;
            continue;
        }
        if (!matches)
            return NULL;
        s++;
        p = end;
    }
    return s;
}

static const char *match_here(SandboxMatch *m, const char *s, const char *p)
{
    if (++m->depth > DEPTH_MAX)
        luaL_error(m->L, "pattern too complex");
    const char *r = match_items(m, s, p);

    m->depth--;
    return r;
}

void sandbox_match_init(SandboxMatch *m, lua_State *L, const char *src, size_t src_len, const char *pat,
                        size_t pat_len)
{
    *m = (SandboxMatch){.L = L, .src = src, .src_end = src + src_len, .pat_end = pat + pat_len};
}

const char *sandbox_match_at(SandboxMatch *m, const char *s, const char *p)
{
    m->n_captures = 0;
    m->depth = 0;
    return match_here(m, s, p);
}

void sandbox_match_done(SandboxMatch *m)
{
    sandbox_charge(m->L, m->steps / STEPS_PER_UNIT);
}

void sandbox_match_push(SandboxMatch *m, int i, const char *s, const char *e)
{
    if (i >= m->n_captures) {
        if (i > 0)
            luaL_error(m->L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(m->L, s, (size_t)(e - s));
    } else if (m->capture[i].len == CAPTURE_POSITION) {
        lua_pushinteger(m->L, m->capture[i].start - m->src + 1);
    } else if (m->capture[i].len == CAPTURE_OPEN) {
        luaL_error(m->L, "unfinished capture");
    } else {
        lua_pushlstring(m->L, m->capture[i].start, (size_t)m->capture[i].len);
    }
}

int sandbox_match_push_all(SandboxMatch *m, const char *s, const char *e)
{
    int n = m->n_captures == 0 && s ? 1 : m->n_captures;

    luaL_checkstack(m->L, n, "too many captures");
    for (int i = 0; i < n; i++)
        sandbox_match_push(m, i, s, e);
    return n;
}

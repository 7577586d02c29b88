/* Lua patterns (Lua 5.4 Reference Manual 6.4.1): find, match, gmatch, gsub. Stock Lua's matcher runs for
 * longer than anybody lives on a pattern like ("a*"):rep(40).."b", and the count hook does not run inside:
 * this one accounts for every step it takes. Written from the manual; the meaning of malformed patterns is an
 * error that names the fault. */
#include <ctype.h>
#include <string.h>

#include "lua/sandbox_private.h"
#include "sim/base/base.h"

#define CAPTURES_MAX 32
#define DEPTH_MAX 200
#define STEPS_PER_CHARGE 1024
#define STEPS_PER_UNIT 4

#define CAPTURE_OPEN (-1)
#define CAPTURE_POSITION (-2)

typedef struct Matcher {
    lua_State *L;
    const char *src, *src_end;
    const char *pat_end;
    unsigned steps, depth;
    int n_captures;
    struct {
        const char *start;
        ptrdiff_t len; /* or CAPTURE_… */
    } capture[CAPTURES_MAX];
} Matcher;

static const char *match_here(Matcher *m, const char *s, const char *p);

static void step(Matcher *m)
{
    if (++m->steps >= STEPS_PER_CHARGE) {
        sandbox_charge(m->L, m->steps / STEPS_PER_UNIT);
        m->steps = 0;
    }
}

/* The end of the single-character item that begins at p. */
static const char *item_end(Matcher *m, const char *p)
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

static bool item_matches(Matcher *m, const char *s, const char *p, const char *end)
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
static const char *match_balance(Matcher *m, const char *s, const char *p)
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

static const char *match_repeat(Matcher *m, const char *s, const char *p, const char *end, bool greedy)
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

static const char *match_open(Matcher *m, const char *s, const char *p, ptrdiff_t kind)
{
    if (m->n_captures == CAPTURES_MAX)
        luaL_error(m->L, "too many captures");
    m->capture[m->n_captures].start = s;
    m->capture[m->n_captures].len = kind;
    m->n_captures++;
    const char *r = match_here(m, s, p);

    if (!r)
        m->n_captures--;
    return r;
}

static const char *match_close(Matcher *m, const char *s, const char *p)
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
static const char *match_back(Matcher *m, const char *s, char digit)
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
static bool at_frontier(Matcher *m, const char *s, const char *set, const char *end)
{
    unsigned char before = s == m->src ? 0 : (unsigned char)s[-1];
    unsigned char after = s == m->src_end ? 0 : (unsigned char)*s;

    step(m);
    return !in_set(before, set, end) && in_set(after, set, end);
}

/* The end of the match of the pattern from p at s, or NULL. */
static const char *match_items(Matcher *m, const char *s, const char *p)
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

static const char *match_here(Matcher *m, const char *s, const char *p)
{
    if (++m->depth > DEPTH_MAX)
        luaL_error(m->L, "pattern too complex");
    const char *r = match_items(m, s, p);

    m->depth--;
    return r;
}

static void matcher_init(Matcher *m, lua_State *L, const char *src, size_t src_len, const char *pat,
                         size_t pat_len)
{
    *m = (Matcher){.L = L, .src = src, .src_end = src + src_len, .pat_end = pat + pat_len};
}

static const char *match_at(Matcher *m, const char *s, const char *p)
{
    m->n_captures = 0;
    m->depth = 0;
    return match_here(m, s, p);
}

static void matcher_done(Matcher *m)
{
    sandbox_charge(m->L, m->steps / STEPS_PER_UNIT);
}

/* Pushes capture i of a match from s to e; without captures, number 0 is the whole match. */
static void push_capture(Matcher *m, int i, const char *s, const char *e)
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

/* All captures; if there are none, the whole match, unless s is NULL. */
static int push_captures(Matcher *m, const char *s, const char *e)
{
    int n = m->n_captures == 0 && s ? 1 : m->n_captures;

    luaL_checkstack(m->L, n, "too many captures");
    for (int i = 0; i < n; i++)
        push_capture(m, i, s, e);
    return n;
}

/* The optional starting position at idx, as an offset; beyond the end: more than len. */
static size_t start_offset(lua_State *L, int idx, size_t len)
{
    lua_Integer at = luaL_optinteger(L, idx, 1);

    if (at > 0)
        return (size_t)at - 1;
    return at == 0 || at < -(lua_Integer)len ? 0 : len - (size_t)-at;
}

static int find_or_match(lua_State *L, bool find)
{
    size_t src_len, pat_len;
    const char *src = luaL_checklstring(L, 1, &src_len), *pat = luaL_checklstring(L, 2, &pat_len);
    size_t at = start_offset(L, 3, src_len);

    if (at > src_len) {
        lua_pushnil(L);
        return 1;
    }
    bool is_plain = find && (lua_toboolean(L, 4) || !strpbrk(pat, "^$*+?.([%-") || strlen(pat) != pat_len);

    /* A pattern with a zero byte is plain only if all its parts are. */
    if (is_plain && !lua_toboolean(L, 4))
        for (size_t i = 0; i < pat_len && is_plain; i++)
            is_plain = pat[i] == '\0' || !strchr("^$*+?.([%-", pat[i]);
    if (is_plain) {
        sandbox_charge(L, (src_len - at) / 16);
        const char *hit = pat_len ? memmem(src + at, src_len - at, pat, pat_len) : src + at;

        if (!hit) {
            lua_pushnil(L);
            return 1;
        }
        lua_pushinteger(L, hit - src + 1);
        lua_pushinteger(L, hit - src + (lua_Integer)pat_len);
        return 2;
    }
    bool anchored = pat_len > 0 && pat[0] == '^';
    Matcher m;

    matcher_init(&m, L, src, src_len, pat, pat_len);
    for (const char *s = src + at;; s++) {
        const char *e = match_at(&m, s, pat + anchored);

        if (e) {
            matcher_done(&m);
            if (!find)
                return push_captures(&m, s, e);
            lua_pushinteger(L, s - src + 1);
            lua_pushinteger(L, e - src);
            return push_captures(&m, NULL, NULL) + 2;
        }
        if (anchored || s == m.src_end)
            break;
    }
    matcher_done(&m);
    lua_pushnil(L);
    return 1;
}

static int string_find(lua_State *L)
{
    return find_or_match(L, true);
}

static int string_match(lua_State *L)
{
    return find_or_match(L, false);
}

/* Upvalues: text, pattern, offset to go on at, offset of the end of the last match (-1: none). */
static int gmatch_step(lua_State *L)
{
    size_t src_len, pat_len;
    const char *src = lua_tolstring(L, lua_upvalueindex(1), &src_len);
    const char *pat = lua_tolstring(L, lua_upvalueindex(2), &pat_len);
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(3)), last = lua_tointeger(L, lua_upvalueindex(4));
    Matcher m;

    matcher_init(&m, L, src, src_len, pat, pat_len);
    for (; at <= (lua_Integer)src_len; at++) {
        const char *e = match_at(&m, src + at, pat);

        if (e && e - src != last) {
            matcher_done(&m);
            lua_pushinteger(L, e - src);
            lua_copy(L, -1, lua_upvalueindex(3));
            lua_replace(L, lua_upvalueindex(4));
            return push_captures(&m, src + at, e);
        }
    }
    matcher_done(&m);
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(3));
    return 0;
}

static int string_gmatch(lua_State *L)
{
    size_t len;

    luaL_checklstring(L, 1, &len);
    luaL_checkstring(L, 2);
    size_t at = start_offset(L, 3, len);

    lua_settop(L, 2);
    lua_pushinteger(L, (lua_Integer)HS_MIN(at, len + 1));
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, gmatch_step, 4);
    return 1;
}

static void add_replacement_text(Matcher *m, luaL_Buffer *out, const char *s, const char *e)
{
    size_t len;
    const char *text = lua_tolstring(m->L, 3, &len);

    for (const char *p = text; p < text + len; p++) {
        if (*p != '%') {
            luaL_addchar(out, *p);
            continue;
        }
        p++;
        if (p < text + len && *p == '%') {
            luaL_addchar(out, '%');
        } else if (p < text + len && *p == '0') {
            luaL_addlstring(out, s, (size_t)(e - s));
        } else if (p < text + len && *p >= '1' && *p <= '9') {
            push_capture(m, *p - '1', s, e);
            luaL_tolstring(m->L, -1, NULL); /* a position is a number */
            lua_remove(m->L, -2);
            luaL_addvalue(out);
        } else {
            luaL_error(m->L, "invalid use of '%%' in replacement string");
        }
    }
    m->steps += (unsigned)HS_MIN(len / 8, STEPS_PER_CHARGE);
}

static void add_replacement(Matcher *m, luaL_Buffer *out, const char *s, const char *e)
{
    lua_State *L = m->L;
    int type = lua_type(L, 3);

    if (type == LUA_TSTRING || type == LUA_TNUMBER) {
        add_replacement_text(m, out, s, e);
        return;
    }
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, push_captures(m, s, e), 1);
    } else {
        push_capture(m, 0, s, e);
        lua_gettable(L, 3);
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(out, s, (size_t)(e - s));
    } else if (!lua_isstring(L, -1)) {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    } else {
        luaL_addvalue(out);
    }
}

static int string_gsub(lua_State *L)
{
    size_t src_len, pat_len;
    const char *src = luaL_checklstring(L, 1, &src_len), *pat = luaL_checklstring(L, 2, &pat_len);
    int type = lua_type(L, 3);

    luaL_argexpected(
        L, type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TTABLE || type == LUA_TFUNCTION, 3,
        "string/function/table");
    if (type == LUA_TNUMBER)
        lua_tostring(L, 3);
    lua_Integer max = luaL_optinteger(L, 4, (lua_Integer)src_len + 1), count = 0;
    bool anchored = pat_len > 0 && pat[0] == '^';
    const char *s = src, *last = NULL;
    luaL_Buffer out;
    Matcher m;

    matcher_init(&m, L, src, src_len, pat, pat_len);
    luaL_buffinit(L, &out);
    while (count < max) {
        const char *e = match_at(&m, s, pat + anchored);

        if (e && e != last) {
            count++;
            add_replacement(&m, &out, s, e);
            s = last = e;
        } else if (s < m.src_end) {
            luaL_addchar(&out, *s++);
        } else {
            break;
        }
        if (anchored)
            break;
    }
    luaL_addlstring(&out, s, (size_t)(m.src_end - s));
    luaL_pushresult(&out);
    matcher_done(&m);
    lua_pushinteger(L, count);
    return 2;
}

void sandbox_pattern_install(lua_State *L)
{
    static const luaL_Reg ours[] = {
        {"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch}, {"gsub", string_gsub},
        {NULL, NULL},
    };

    luaL_setfuncs(L, ours, 0);
}

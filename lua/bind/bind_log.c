/* What a scenario says: hs.log with the simulated time, and hs.title and hs.note, a lesson's narration. All
 * of it is also an event (scenario.log), so that traces and ladders can show it. What is said in Chinese too
 * is followed by a second event, scenario.translation: what is printed, and what who knows one language
 * reads, is the English text. */
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "lua/bind/bind.h"
#include "lua/luaopt.h"
#include "sim/base/base.h"

typedef struct SayOpts {
    const char *en, *zh;
} SayOpts;

static const LuaOpt say_opts[] = {
    {"en", LUAOPT_STRING, offsetof(SayOpts, en), .required = true},
    {"zh", LUAOPT_STRING, offsetof(SayOpts, zh)},
};
const BindOptions bind_note_options = {"hs.note", say_opts, HS_ARRAY_LEN(say_opts)};
static const BindOptions title_options = {"hs.title", say_opts, HS_ARRAY_LEN(say_opts)};
static const BindOptions log_options = {"hs.log", say_opts, HS_ARRAY_LEN(say_opts)};

/* Leaves the text on the stack. */
static const char *join(lua_State *L, int first)
{
    int n = lua_gettop(L);
    luaL_Buffer b;

    luaL_buffinit(L, &b);
    for (int i = first; i <= n; i++) {
        if (i > first)
            luaL_addchar(&b, ' ');
        sandbox_tolstring(L, i, NULL);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    return lua_tostring(L, -1);
}

#define WIDTH 96

/* Breaks the text into lines of at most WIDTH characters; a line of the text stays a line. */
static void print_wrapped(Scenario *s, const char *indent, const char *text)
{
    GString *line = g_string_new(NULL);

    for (const char *p = text; *p;) {
        size_t len = strcspn(p, "\n"), take = len;

        if (take > WIDTH) {
            take = WIDTH;
            while (take > WIDTH / 2 && p[take] != ' ')
                take--;
            if (p[take] != ' ')
                take = WIDTH;
        }
        g_string_assign(line, indent);
        g_string_append_len(line, p, (gssize)take);
        scenario_print(s, line->str);
        p += take;
        if (*p == '\n' || *p == ' ')
            p++;
    }
    g_string_free(line, TRUE);
}

/* The text with the arguments from `first` on put in, as string.format does; left on the stack. An argument
 * that is a table of languages itself stands for the text in this one, else for the English one. */
static const char *fill(lua_State *L, const char *text, const char *lang, int first, int n_args)
{
    if (n_args < first)
        return text;
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, LUA_STRLIBNAME);
    lua_getfield(L, -1, "format");
    lua_pushstring(L, text);
    for (int i = first; i <= n_args; i++)
        if (!lua_istable(L, i) || (!bind_get_field(L, i, lang) && !bind_get_field(L, i, "en")))
            lua_pushvalue(L, i);
    lua_call(L, n_args - first + 2, 1);
    return lua_tostring(L, -1);
}

/* { en = "%d frames", zh = "%d 个帧" } at `first`, and what is put in behind it. */
static void read_languages(lua_State *L, const BindOptions *who, int first, SayOpts *o)
{
    int n_args = lua_gettop(L);

    luaL_checkstack(L, n_args + 8, NULL);
    luaopt_read(L, first, who->who, who->opts, who->n, 0, o);
    o->en = fill(L, o->en, "en", first + 1, n_args);
    o->zh = o->zh ? fill(L, o->zh, "zh", first + 1, n_args) : NULL;
}

static void record(const Node *node, const char *kind, const SayOpts *o)
{
    if (probe_wanted(node, PROBE_LOG))
        probe_emit(node, &scenario_probe_log, NULL, NULL, (ProbeValue[]){{.s = kind}, {.s = o->en}});
    if (o->zh && probe_wanted(node, PROBE_TRANSLATION))
        probe_emit(node, &scenario_probe_translation, NULL, NULL,
                   (ProbeValue[]){{.s = kind}, {.s = "zh"}, {.s = o->zh}});
}

/* Anything, joined with blanks; or in two languages. */
static int say(lua_State *L, const BindOptions *who, const char *kind, const char *indent)
{
    Scenario *s = scenario_of(L);
    SayOpts o = {0};

    if (lua_istable(L, 1))
        read_languages(L, who, 1, &o);
    else
        o.en = join(L, 1);
    if (*indent == '\0' && !s->title)
        s->title = g_strdup(o.en);
    if (!s->config.quiet) {
        print_wrapped(s, indent, o.en);
        if (*indent == '\0')
            scenario_print(s, "");
    }
    record(&s->control, kind, &o);
    return 0;
}

/* A table without languages is a value like others, and is shown as one. */
static bool has_languages(lua_State *L, int idx)
{
    bool has = false;

    if (!lua_istable(L, idx))
        return false;
    for (unsigned i = 0; i < HS_ARRAY_LEN(say_opts) && !has; i++) {
        has = bind_get_field(L, idx, say_opts[i].name);
        if (has)
            lua_pop(L, 1);
    }
    return has;
}

void bind_log_args(lua_State *L, int first, const Node *node)
{
    Scenario *s = scenario_of(L);
    SayOpts o = {0};
    char at[SIMTIME_STR_LEN];

    if (has_languages(L, first))
        read_languages(L, &log_options, first, &o);
    else
        o.en = join(L, first);
    simtime_str(sim_now(s->sim), at);
    lua_pushfstring(L, node == &s->control ? "[%s] %s%s" : "[%s] %s: %s", at,
                    node == &s->control ? "" : node->name, o.en);
    scenario_print(s, lua_tostring(L, -1));
    record(node, "log", &o);
}

static int hs_log(lua_State *L)
{
    bind_log_args(L, 1, &scenario_of(L)->control);
    return 0;
}

static int hs_title(lua_State *L)
{
    return say(L, &title_options, "title", "");
}

static int hs_note(lua_State *L)
{
    return say(L, &bind_note_options, "note", "  ");
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* hs.translate("zh", { ["a text"] = "一段文字" }): what names of expectations are in the other language. */
static int hs_translate(lua_State *L)
{
    static const char *const languages[] = {"zh"};
    Scenario *s = scenario_of(L);
    const char *lang = bind_check_name(L, 1, "language");
    guint first = s->words->len;

    if (strcmp(lang, languages[0]) != 0)
        bind_raise_unknown(L, "language", lang, "hs.translate", languages, HS_ARRAY_LEN(languages));
    luaL_checktype(L, 2, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
            luaerr_raise(L, "hs.translate: expected a table from texts to texts");
        g_ptr_array_add(s->words, g_strdup(lua_tostring(L, -2)));
        g_ptr_array_add(s->words, g_strdup(lua_tostring(L, -1)));
    }
    /* tidy-allow: qsort (keys of a table are unique, so no two elements are equal) */
    qsort(s->words->pdata + first, (s->words->len - first) / 2, 2 * sizeof(char *), compare_words);
    return 0;
}

void bind_log_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"log", hs_log}, {"note", hs_note}, {"title", hs_title}, {"translate", hs_translate}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}

/* Packet rules: link:rule(function(p) … return "drop" end).
 *
 * What a rule may return: nothing or "pass"; "drop", "duplicate", "corrupt"; { "delay", "10ms" }; a table
 * with more to say
 * ({ "duplicate", copies = 2, gap = "1ms" }); or a string of bytes, { "replace", bytes }, that goes on
 * instead. Fields of p that the rule assigned go out changed. */
#include <stdlib.h>
#include <string.h>

#include "lua/bind/bind.h"
#include "sim/base/suggest.h"

typedef struct Rule {
    Scenario *s;
    LinkDir *dir;
    int ref; /* LUA_NOREF: taken away */
    uint64_t calls;
    const char *from, *to;
    uint16_t linktype;
    TcpSeen *seen;
} Rule;

typedef struct VerdictOpts {
    SimTime delay, gap;
    int64_t copies, bit;
    bool fcs, overtake;
} VerdictOpts;

static const LuaOpt delay_opts[] = {
    {.name = "overtake", .kind = LUAOPT_BOOL, .offset = offsetof(VerdictOpts, overtake)},
};
static const LuaOpt duplicate_opts[] = {
    {.name = "copies", .kind = LUAOPT_INT, .offset = offsetof(VerdictOpts, copies), .min = 1, .max = 1000},
    {.name = "gap", .kind = LUAOPT_TIME, .offset = offsetof(VerdictOpts, gap)},
};
static const LuaOpt corrupt_opts[] = {
    {.name = "bit", .kind = LUAOPT_INT, .offset = offsetof(VerdictOpts, bit), .max = 524287},
    {.name = "fcs", .kind = LUAOPT_BOOL, .offset = offsetof(VerdictOpts, fcs)},
};
const BindOptions bind_delay_options = {"verdict delay", delay_opts, HS_ARRAY_LEN(delay_opts)};
const BindOptions bind_duplicate_options = {"verdict duplicate", duplicate_opts,
                                            HS_ARRAY_LEN(duplicate_opts)};
const BindOptions bind_corrupt_options = {"verdict corrupt", corrupt_opts, HS_ARRAY_LEN(corrupt_opts)};

static const char *const verdicts[] = {"pass", "drop", "duplicate", "corrupt", "delay", "replace"};

typedef struct Judgement { /* passed through luaerr_protect */
    Rule *rule;
    Packet *pkt;
    const ImpairFrame *frame;
    ImpairVerdict *v;
    PacketView *view;
    Packet *instead;
} Judgement;

/* Errors about what a rule returned name the line where the rule begins. */
_Noreturn static void bad_verdict(lua_State *L, const Rule *r, const char *what)
{
    lua_Debug ar;

    lua_rawgeti(L, LUA_REGISTRYINDEX, r->ref);
    lua_getinfo(L, ">S", &ar);
    lua_pushfstring(L, "%s:%d: this rule returned %s", ar.short_src, ar.linedefined, what);
    lua_error(L);
    abort();
}

_Noreturn static void unknown_verdict(lua_State *L, const Rule *r, int idx)
{
    const char *close = lua_type(L, idx) == LUA_TSTRING
                            ? suggest_closest(lua_tostring(L, idx), verdicts, HS_ARRAY_LEN(verdicts))
                            : NULL;
    const char *got = luaerr_describe(L, idx);

    if (close)
        bad_verdict(L, r, lua_pushfstring(L, "%s (did you mean \"%s\"?)", got, close));
    bad_verdict(
        L, r,
        lua_pushfstring(L,
                        "%s, expected nil, \"drop\", \"duplicate\", \"corrupt\", { \"delay\", \"10ms\" } or "
                        "{ \"replace\", bytes }",
                        got));
}

/* opts is the table with more to say, or 0. */
static void apply(lua_State *L, Judgement *j, const char *name, int name_idx, int opts)
{
    VerdictOpts o = {.copies = 1, .bit = -1, .fcs = true};
    ImpairVerdict *v = j->v;
    size_t len;

    if (strcmp(name, "pass") == 0) {
        return;
    } else if (strcmp(name, "drop") == 0) {
        v->drop = DROP_RULE;
    } else if (strcmp(name, "duplicate") == 0) {
        if (opts)
            luaopt_read(L, opts, "\"duplicate\"", duplicate_opts, HS_ARRAY_LEN(duplicate_opts), 1, &o);
        v->copies += (unsigned)o.copies;
        v->copy_gap = o.gap;
    } else if (strcmp(name, "corrupt") == 0) {
        if (opts)
            luaopt_read(L, opts, "\"corrupt\"", corrupt_opts, HS_ARRAY_LEN(corrupt_opts), 1, &o);
        /* Without a bit: one in the middle of what the frame carries, always the same. */
        impair_flip(v, o.bit >= 0 ? (uint32_t)o.bit : j->frame->len * 4);
        v->fcs_fixed = !o.fcs;
    } else if (strcmp(name, "delay") == 0 && opts) {
        luaopt_read(L, opts, "\"delay\"", delay_opts, HS_ARRAY_LEN(delay_opts), 2, &o);
        lua_rawgeti(L, opts, 2);
        v->delay += bind_check_time(L, -1, "delay");
        v->may_overtake |= o.overtake;
    } else if (strcmp(name, "replace") == 0 && opts) {
        if (lua_rawgeti(L, opts, 2) != LUA_TSTRING)
            bad_verdict(L, j->rule,
                        lua_pushfstring(L, "{ \"replace\", %s }, expected a string of bytes",
                                        luaerr_describe(L, -1)));
        const char *bytes = lua_tolstring(L, -1, &len);

        if (len == 0 || len > 65535)
            bad_verdict(L, j->rule, lua_pushfstring(L, "%d bytes, expected 1 to 65535", (int)len));
        j->instead = packet_from_bytes(j->pkt->pool, j->pkt->birth_node, j->pkt->birth_id,
                                       (const uint8_t *)bytes, len);
    } else {
        unknown_verdict(L, j->rule, name_idx);
    }
}

static int judge(lua_State *L)
{
    Judgement *j = lua_touserdata(L, 1);
    Rule *r = j->rule;
    PacketFacts facts = {
        .time = sim_now(r->s->sim), .nth = r->calls, .from = r->from, .to = r->to, .linktype = r->linktype};

    bind_tcp_seen_look(r->seen, NULL, NULL, j->pkt, r->linktype, &facts.tcp);
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->ref);
    j->view = bind_packet_push(L, j->pkt, &facts);
    lua_pushvalue(L, -1);
    lua_insert(L, 2); /* stays while the verdict is read */
    lua_call(L, 1, 1);
    int result = lua_gettop(L);

    if (lua_isnil(L, result))
        return 0;
    if (lua_type(L, result) == LUA_TSTRING)
        apply(L, j, lua_tostring(L, result), result, 0);
    else if (lua_type(L, result) == LUA_TTABLE && lua_rawgeti(L, result, 1) == LUA_TSTRING)
        apply(L, j, lua_tostring(L, -1), result + 1, result);
    else
        unknown_verdict(L, r, result);
    return 0;
}

static Packet *on_frame(void *user, LinkDir *dir, Packet *pkt, const ImpairFrame *frame, ImpairVerdict *v)
{
    Rule *r = user;
    Scenario *s = r->s;
    Judgement j = {.rule = r, .pkt = pkt, .frame = frame, .v = v};
    LuaErr err = {0};

    if (s->failed || r->ref == LUA_NOREF)
        return pkt;
    r->calls++;
    bool ok = luaerr_protect(s->L, judge, &j, &err);

    if (!j.instead && ok && j.view)
        j.instead = bind_packet_altered(j.view, pkt->pool);
    if (j.view)
        bind_packet_done(j.view);
    if (!ok)
        scenario_fail(s, &err);
    if (!j.instead)
        return pkt;
    packet_unref(pkt);
    return j.instead;
}

static Rule *find_rule(Scenario *s, const LinkDir *dir)
{
    for (guint i = 0; i < s->rules->len; i++) {
        Rule *r = g_ptr_array_index(s->rules, i);

        if (r->dir == dir)
            return r;
    }
    return NULL;
}

void bind_rule_set(lua_State *L, NetLink *link, unsigned end, int fn_idx)
{
    Scenario *s = scenario_of(L);
    LinkDir *dir = netlink_dir(link, end);
    bool is_off = lua_isnil(L, fn_idx);

    if (!is_off && lua_type(L, fn_idx) != LUA_TFUNCTION)
        luaerr_arg(L, fn_idx, "rule", NULL, "a function, or nil to take the rule away");
    Rule *r = find_rule(s, dir);

    if (r) {
        luaL_unref(L, LUA_REGISTRYINDEX, r->ref);
        r->ref = LUA_NOREF;
    }
    if (is_off) {
        linkdir_set_rule(dir, NULL, NULL);
        return;
    }
    lua_pushvalue(L, fn_idx);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);

    if (!r) {
        r = g_new0(Rule, 1);
        g_ptr_array_add(s->rules, r);
    }
    bind_tcp_seen_free(r->seen);
    *r = (Rule){.s = s,
                .dir = dir,
                .ref = ref,
                .from = netlink_node(link, end)->name,
                .to = netlink_node(link, !end)->name,
                .linktype = linkdir_from(dir)->point.linktype,
                .seen = bind_tcp_seen_new()};
    linkdir_set_rule(dir, on_frame, r);
}

static void release(void *ptr)
{
    Rule *r = ptr;

    linkdir_set_rule(r->dir, NULL, NULL); /* sockets that are closed later still send */
    bind_tcp_seen_free(r->seen);
    g_free(r);
}

void bind_rules_free(Scenario *s)
{
    g_ptr_array_set_free_func(s->rules, release);
    g_ptr_array_free(s->rules, true);
}

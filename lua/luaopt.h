/* Option tables: hs.link(a, b, { rate = "10Mbps", delay = "20ms" }) read by a static list of what may be in
 * them.
 *
 * Strings with units are read by sim/base/units.h; a number means seconds, bits per second, bytes, or the
 * ratio itself. Fields whose option is absent are left alone, so defaults are set beforehand. Every mistake
 * raises an error that names the option, the value and what was expected; a misspelt name gets a suggestion.
 *
 * Ownership: strings stored are borrowed from the table (keep it on the stack while they are used). */
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum LuaOptKind {
    LUAOPT_STRING,   /* const char * (without zero bytes) */
    LUAOPT_BOOL,     /* bool */
    LUAOPT_INT,      /* int64_t */
    LUAOPT_NUMBER,   /* double, finite */
    LUAOPT_TIME,     /* SimTime, not negative unless min is */
    LUAOPT_RATE,     /* uint64_t, bits per second */
    LUAOPT_SIZE,     /* uint64_t, bytes */
    LUAOPT_RATIO,    /* double from 0 to 1 */
    LUAOPT_TABLE,    /* int: the value is pushed, this is its index; so below */
    LUAOPT_FUNCTION, /* int */
    LUAOPT_ANY,      /* int */
} LuaOptKind;

typedef struct LuaOpt {
    const char *name;
    LuaOptKind kind;
    size_t offset;   /* of the field in the struct read into */
    double min, max; /* inclusive, in the unit of a plain number; both 0: no bounds */
    bool required;
} LuaOpt;

/* Reads the table at idx into *into; nothing at idx (none or nil) is an empty table. `who` is the function as
 * a scenario writes it ("hs.link"). The first n_positional list elements are not options, and are left to the
 * caller. At most 64 options. Returns which were there: bit i for opts[i]. */
uint64_t luaopt_read(lua_State *L, int idx, const char *who, const LuaOpt *opts, size_t n_opts,
                     int n_positional, void *into);

/* One value, not in a table, read the same way: name is what errors call it. */
void luaopt_value(lua_State *L, int idx, const char *who, const LuaOpt *opt, void *into);

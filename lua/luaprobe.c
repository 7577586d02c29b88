#include "lua/luaprobe.h"

bool luaprobe_push(lua_State *L, ProbeKind kind, ProbeValue v)
{
    switch (kind) {
    case PROBE_U64:
        lua_pushinteger(L, (lua_Integer)v.u);
        return true;
    case PROBE_I64:
        lua_pushinteger(L, v.i);
        return true;
    case PROBE_BOOL:
        lua_pushboolean(L, v.u != 0);
        return true;
    case PROBE_STR:
        lua_pushstring(L, v.s);
        return true;
    case PROBE_FLOAT:
        lua_pushnumber(L, v.f);
        return true;
    case PROBE_TIME:
    case PROBE_IP4:
    case PROBE_MAC:
        break;
    }
    return false;
}

/* math with the same bits everywhere: what stock Lua asks the C library for, and the C library answers by
 * version and CPU, is computed by sim/base/exactmath.h or here from + - * / and sqrt. Random numbers come
 * from the host's stream.
 *
 * The operator ^ never looks at a metatable for numbers: the virtual machine calls the C library's pow. We
 * define pow itself (at the end of this file): the program's definition takes precedence over the library's
 * for Lua's shared library too, so that x ^ y and math.pow(x, y) are equal. A test holds us to it. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "lua/sandbox_private.h"
#include "sim/base/base.h"
#include "sim/base/exactmath.h"

/* pi / 2 in three parts; the first two have 33 bits, so that small multiples of them are exact (Cody and
 * Waite). */
static const double half_pi_high = 0x1.921fb544p+0;
static const double half_pi_middle = 0x1.0b4611a6p-34;
static const double half_pi_low = 0x1.3198a2e037073p-69;
static const double half_pi = 0x1.921fb54442d18p+0;
static const double turns_per_radian = 0x1.45f306dc9c883p-3;
/* Beyond this, the multiples are not exact any more. */
#define ANGLE_MAX 0x1p20

static void sine_cosine(lua_State *L, double *sine, double *cosine)
{
    double x = luaL_checknumber(L, 1);

    if (!(fabs(x) <= ANGLE_MAX))
        luaL_argerror(L, 1,
                      "an angle between -2^20 and 2^20 expected (reduce it by multiples of 2 * math.pi)");
    double quarters = floor(x / half_pi + 0.5);
    double r = ((x - quarters * half_pi_high) - quarters * half_pi_middle) - quarters * half_pi_low;
    double s, c;

    exactmath_sincos_turns(fabs(r) * turns_per_radian, &s, &c);
    if (r < 0)
        s = -s;
    switch ((int64_t)quarters & 3) {
    case 0:
        *sine = x == 0 ? x : s; /* keeps the sign of a zero */
        *cosine = c;
        break;
    case 1:
        *sine = c;
        *cosine = -s;
        break;
    case 2:
        *sine = -s;
        *cosine = -c;
        break;
    default:
        *sine = -c;
        *cosine = s;
    }
}

static int math_sin(lua_State *L)
{
    double s, c;

    sine_cosine(L, &s, &c);
    lua_pushnumber(L, s);
    return 1;
}

static int math_cos(lua_State *L)
{
    double s, c;

    sine_cosine(L, &s, &c);
    lua_pushnumber(L, c);
    return 1;
}

static int math_tan(lua_State *L)
{
    double s, c;

    sine_cosine(L, &s, &c);
    lua_pushnumber(L, s / c);
    return 1;
}

/* For z >= 0: atan z = 2 atan(z / (1 + sqrt(1 + z^2))) makes z small, then the series z - z^3/3 + z^5/5 … */
static double arctan(double z)
{
    double sum = 0, square;
    bool is_big = z > 1;

    if (is_big)
        z = 1 / z;
    if (z < 0x1p-28)
        return is_big ? half_pi - z : z;
    z = z / (1 + sqrt(1 + z * z));
    z = z / (1 + sqrt(1 + z * z));
    square = z * z;
    for (int k = 23; k >= 3; k -= 2)
        sum = square * ((k / 2 % 2 ? -1.0 : 1.0) / k + sum);
    z = 4 * (z + z * sum);
    return is_big ? half_pi - z : z;
}

/* Special values as C17 annex F has them for atan2. */
static double arctan2(double y, double x)
{
    double a;

    if (isnan(x) || isnan(y))
        return NAN;
    if (y == 0)
        a = signbit(x) ? 2 * half_pi : 0;
    else if (isinf(x) && isinf(y))
        a = x > 0 ? half_pi / 2 : 3 * (half_pi / 2);
    else if (x == 0 || isinf(y))
        a = half_pi;
    else
        a = x > 0 ? arctan(fabs(y) / x) : 2 * half_pi - arctan(fabs(y) / -x);
    return signbit(y) ? -a : a;
}

static int math_atan(lua_State *L)
{
    lua_pushnumber(L, arctan2(luaL_checknumber(L, 1), luaL_optnumber(L, 2, 1)));
    return 1;
}

static int math_asin(lua_State *L)
{
    double x = luaL_checknumber(L, 1);

    lua_pushnumber(L, fabs(x) <= 1 ? arctan2(x, sqrt((1 - x) * (1 + x))) : NAN);
    return 1;
}

static int math_acos(lua_State *L)
{
    double x = luaL_checknumber(L, 1);

    lua_pushnumber(L, fabs(x) <= 1 ? 2 * arctan2(sqrt(1 - x), sqrt(1 + x)) : NAN);
    return 1;
}

static int math_exp(lua_State *L)
{
    lua_pushnumber(L, exactmath_exp(luaL_checknumber(L, 1)));
    return 1;
}

static int math_pow(lua_State *L)
{
    lua_pushnumber(L, exactmath_pow(luaL_checknumber(L, 1), luaL_checknumber(L, 2)));
    return 1;
}

/* Logarithms of whole powers of whole bases come out whole. */
static int math_log(lua_State *L)
{
    double x = luaL_checknumber(L, 1), y = exactmath_log(x);

    if (!lua_isnoneornil(L, 2)) {
        double base = luaL_checknumber(L, 2), whole;

        y /= exactmath_log(base);
        whole = floor(y + 0.5);
        if (fabs(y - whole) < 1e-9 && fabs(whole) < 1100 && exactmath_pow(base, whole) == x)
            y = whole;
    }
    lua_pushnumber(L, y);
    return 1;
}

/* math.random() in [0, 1) with 53 bits; random(n), random(m, n) whole numbers, without bias; random(0) 64
 * bits. */
static int math_random(lua_State *L)
{
    const Sandbox *sb = sandbox_of(L);
    lua_Integer low = 1, high;

    if (!sb->config.draw)
        return luaL_error(L, "math.random is not available here");
    switch (lua_gettop(L)) {
    case 0:
        lua_pushnumber(L, (double)(sb->config.draw(sb->config.user) >> 11) * 0x1p-53);
        return 1;
    case 1:
        high = luaL_checkinteger(L, 1);
        if (high == 0) {
            lua_pushinteger(L, (lua_Integer)sb->config.draw(sb->config.user));
            return 1;
        }
        break;
    case 2:
        low = luaL_checkinteger(L, 1);
        high = luaL_checkinteger(L, 2);
        break;
    default:
        return luaL_error(L, "wrong number of arguments to math.random");
    }
    luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
    uint64_t width = (uint64_t)high - (uint64_t)low + 1, draw = sb->config.draw(sb->config.user);

    if (width != 0) {
        uint64_t excess = (0 - width) % width; /* 2^64 mod width: this many draws would be too many */

        while (draw < excess)
            draw = sb->config.draw(sb->config.user);
        draw %= width;
    }
    lua_pushinteger(L, (lua_Integer)((uint64_t)low + draw));
    return 1;
}

static int math_randomseed(lua_State *L)
{
    const Sandbox *sb = sandbox_of(L);

    if (!sb->config.reseed)
        return luaL_error(L, "math.randomseed is not available: the seed of a run is given with --seed");
    lua_Number number = luaL_checknumber(L, 1);
    uint64_t key;

    if (lua_isinteger(L, 1))
        key = (uint64_t)lua_tointeger(L, 1);
    else
        memcpy(&key, &number, sizeof key);
    sb->config.reseed(sb->config.user, key);
    return 0;
}

void sandbox_math_install(lua_State *L)
{
    static const luaL_Reg ours[] = {
        {"acos", math_acos},
        {"asin", math_asin},
        {"atan", math_atan},
        {"cos", math_cos},
        {"exp", math_exp},
        {"log", math_log},
        {"pow", math_pow},
        {"random", math_random},
        {"sin", math_sin},
        {"tan", math_tan},
        {"randomseed", math_randomseed},
        {NULL, NULL},
    };

    luaL_setfuncs(L, ours, 0);
}

double pow(double x, double y)
{
    return exactmath_pow(x, y);
}

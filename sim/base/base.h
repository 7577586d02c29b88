/* Macros that every room uses. Nothing here knows networks. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HS_LIKELY(x) __builtin_expect(!!(x), 1)
#define HS_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define HS_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define HS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define HS_MUST_USE __attribute__((warn_unused_result))
#define HS_MIN(a, b) ((a) < (b) ? (a) : (b))
#define HS_MAX(a, b) ((a) > (b) ? (a) : (b))

/* The struct of type T whose member m is at p. */
#define HS_CONTAINER_OF(p, T, m) ((T *)((char *)(p)-offsetof(T, m)))

/* Our own mistakes: kept in release builds, one condition each. */
#define hs_assert(cond)                                                                                      \
    do {                                                                                                     \
        if (HS_UNLIKELY(!(cond)))                                                                            \
            hs_assert_failed(#cond, __FILE__, __LINE__, __func__);                                           \
    } while (0)
_Noreturn void hs_assert_failed(const char *cond, const char *file, int line, const char *func);

/* Mathematics that gives the same bits on every machine, compiler and optimisation level.
 *
 * The C library's log, exp and pow change with its version and with the CPU (fused multiply-add), so model
 * code may not call them. These use only IEEE 754 double + - * / and integer operations, each of which is
 * fully defined as long as the compiler keeps contraction off (-ffp-contract=off, set in the root's
 * meson.build) and evaluates in double (FLT_EVAL_METHOD 0). Results lie within one unit in the last place of
 * the true value; special values (infinities, NaN, zeros, negative arguments) follow C17 annex F. No
 * floating-point exceptions are promised. */
#pragma once

#include <stdint.h>

__extension__ typedef unsigned __int128 ExactU128;

double exactmath_log(double x);
double exactmath_log1p(double x); /* log(1 + x) without losing a small x */
double exactmath_exp(double x);
double exactmath_expm1(double x); /* exp(x) - 1 without losing a small result */
double exactmath_pow(double x, double y);

/* sin and cos of an angle given in turns (1.0 is the full circle), so that the reduction is exact. 0 <= turns
 * <= 1. */
void exactmath_sincos_turns(double turns, double *sine, double *cosine);

/* floor(a * b / c) with the product in 128 bits. c > 0 and the result must fit: both are asserted. */
uint64_t exactmath_muldiv64(uint64_t a, uint64_t b, uint64_t c);

/* Largest r with r * r <= n, and with r * r * r <= n. */
uint64_t exactmath_isqrt64(uint64_t n);
uint64_t exactmath_icbrt64(uint64_t n);

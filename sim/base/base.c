#include "sim/base/base.h"

#include <stdio.h>
#include <stdlib.h>

void hs_assert_failed(const char *cond, const char *file, int line, const char *func)
{
    fprintf(stderr, "hopscope: internal error: %s:%d: %s: '%s' does not hold\n", file, line, func, cond);
    abort();
}

/* Names of Linux constants in scripts: AF_INET, SO_RCVBUF, MSG_PEEK, EAGAIN … */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool pd_symbol_find(const char *name, int64_t *value);
/* The closest known name, or NULL. */
const char *pd_symbol_suggest(const char *name);
/* All of them in order, NULL behind the last: for tests. */
const char *pd_symbol_at(size_t i);

/* "EAGAIN"; NULL: no such error. */
const char *pd_errno_name(int err);
bool pd_errno_find(const char *name, int *err);

/* What a run came to, in JSON: the same members wherever it is written. */
#pragma once

#include <json-glib/json-glib.h>

#include "lua/scenario.h"

/* A member with a text, made valid UTF-8; NULL: the member is null. */
void outcome_json_string(JsonBuilder *b, const char *name, const char *value);
/* A list of {"name": …, "passed": …}, failed ones with "detail", as the member `name`. */
void outcome_json_expectations(JsonBuilder *b, const char *name, const Scenario *s);

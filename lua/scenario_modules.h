/* The parts of the scenario library that are written in Lua (lua/hs), made into text by scripts/embed-files.
 */
#pragma once

#include <stddef.h>

typedef struct ScenarioModule {
    const char *name; /* "=hs/expect"; NULL ends the list */
    const char *text;
    size_t len;
} ScenarioModule;

extern const ScenarioModule scenario_modules[];

/* Simulated time: a signed 64-bit count of nanoseconds since the run began (292 years of range).
 * Instants and durations share the type; a name ends in _ns only where it is not a SimTime. */
#pragma once

#include <stdint.h>

typedef int64_t SimTime;

#define SIM_NS ((SimTime)1)
#define SIM_US ((SimTime)1000)
#define SIM_MS ((SimTime)1000000)
#define SIM_SEC ((SimTime)1000000000)
#define SIM_NEVER INT64_MAX

/* "12.345678901" (seconds, always nine decimals) into buf; returns buf. */
#define SIMTIME_STR_LEN 32
char *simtime_str(SimTime t, char buf[SIMTIME_STR_LEN]);

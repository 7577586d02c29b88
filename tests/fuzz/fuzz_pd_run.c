/* Any text as a packetdrill script, and it is run: it passes, fails, or cannot be done, and in the latter
 * cases there is a sentence that says why. No crash, no hang, no leak, whatever the script asks for. */
#include <stdlib.h>
#include <string.h>

#include "packetdrill/pd_run.h"
#include "packetdrill/pd_sim.h"

#define MAX_TEXT 8192
#define MAX_TIME_US (600 * 1000000LL) /* a script of years is no mistake, but it takes a while */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool is_short(const PdScript *s)
{
    for (unsigned i = 0; i < s->n_events; i++)
        if (s->events[i].time_us > MAX_TIME_US || s->events[i].end_us > MAX_TIME_US)
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *error = NULL;
    PdConfig config;
    PdScript *script;

    if (n > MAX_TEXT)
        return 0;
    pd_config_init(&config);
    script = pd_parse("fuzz", (const char *)data, n, &config, &error);
    if (script && is_short(script)) {
        PdOutcome outcome = pd_run(script, &config, &pd_sim_ops, NULL, &(PdObserver){0}, &error);

        hs_assert((outcome == PD_PASSED) == !error);
    }
    pd_script_free(script);
    pd_config_clear(&config);
    g_free(error);
    return 0;
}

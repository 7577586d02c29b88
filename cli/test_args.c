#include "cli/test_args.h"

#include "cli/args.h"

typedef struct Options {
    GPtrArray *set, *unused;
    uint64_t seed, max_events, max_memory, count;
    SimTime until;
    bool has_seed, flag;
    const char *text;
} Options;

/* What a scenario may say in run-args. What asks for files or words has no effect here. */
static bool parse(const TestCase *t, Options *o)
{
    const ArgOption options[] = {
        {"set", 'p', ARG_LIST, "NAME=VALUE", "", o->set, NULL, NULL},
        {"seed", 's', ARG_COUNT, "N", "", &o->seed, &o->has_seed, NULL},
        {"until", 'u', ARG_TIME, "TIME", "", &o->until, NULL, NULL},
        {"max-events", 0, ARG_COUNT, "N", "", &o->max_events, NULL, NULL},
        {"max-memory", 0, ARG_SIZE, "SIZE", "", &o->max_memory, NULL, NULL},
        {"pcap", 'c', ARG_OPTIONAL_LIST, "PATTERN", "", o->unused, NULL, NULL},
        {"pcap-drops", 0, ARG_FLAG, NULL, "", &o->flag, NULL, NULL},
        {"pcap-per-interface", 0, ARG_FLAG, NULL, "", &o->flag, NULL, NULL},
        {"pcap-compress", 0, ARG_FLAG, NULL, "", &o->flag, NULL, NULL},
        {"qlog", 0, ARG_OPTIONAL_LIST, "HOST", "", o->unused, NULL, NULL},
        {"qlog-port", 0, ARG_COUNT, "PORT", "", &o->count, NULL, NULL},
        {"qlog-level", 0, ARG_STRING, "LEVEL", "", &o->text, NULL, NULL},
        {"digest", 'd', ARG_FLAG, NULL, "", &o->flag, NULL, NULL},
        {"stats", 'S', ARG_FLAG, NULL, "", &o->flag, NULL, NULL},
        {"keep", 'k', ARG_STRING, "LIST", "", &o->text, NULL, NULL},
        {"no-manifest", 0, ARG_FLAG, NULL, "", &o->flag, NULL, NULL},
        {"snaplen", 0, ARG_SIZE, "BYTES", "", &o->count, NULL, NULL},
        {"events", 'e', ARG_OPTIONAL_LIST, "CLASSES", "", o->unused, NULL, NULL},
        {"quiet", 'q', ARG_FLAG, NULL, "", &o->flag, NULL, NULL},
        {0},
    };
    const ArgCommand command = {"test", "", "", options, 0, 0, NULL};
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    const char *operand[1];

    g_ptr_array_add(argv, (void *)"run-args");
    for (unsigned i = 0; i < t->args->len; i++)
        g_ptr_array_add(argv, t->args->pdata[i]);
    g_ptr_array_add(argv, NULL);
    return args_parse(&command, (int)argv->len - 1, (char **)argv->pdata, operand) == ARGS_OK;
}

bool test_args_join(const TestCase *t, const TestArgs *all, TestRunConfig *out)
{
    Options o = {.set = g_ptr_array_new(), .unused = g_ptr_array_new(), .until = SIM_NEVER};

    if (!parse(t, &o))
        return false;
    for (unsigned i = 0; i < all->set->len; i++)
        g_ptr_array_add(o.set, all->set->pdata[i]);
    g_ptr_array_add(o.set, NULL);
    *out = (TestRunConfig){.set = (const char *const *)o.set->pdata,
                           .has_seed = all->has_seed || o.has_seed,
                           .seed = all->has_seed ? all->seed : o.seed,
                           .until = HS_MIN(all->until, o.until),
                           .max_events = o.max_events,
                           .max_memory = o.max_memory};
    return true;
}

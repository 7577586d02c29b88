/* The loop over a script's events in the stack's time. */
#include "packetdrill/pd_run.h"

#include <stdarg.h>
#include <string.h>

#include "packetdrill/pd_run_priv.h"

#define FIRST_PORT 53311 /* of the peers of passive connections */

int64_t pd_run_now_us(const PdRun *r)
{
    return r->ops->now(r->stack) / PD_NS_PER_US;
}

bool pd_run_fail(PdRun *r, PdOutcome outcome, const PdEvent *e, const char *format, ...)
{
    va_list args;
    char *text;

    if (r->error)
        return false;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    r->error = g_strdup_printf("%s:%u: %s", r->script->path, e ? e->action_loc.line : 1, text);
    r->outcome = outcome;
    g_free(text);
    return false;
}

void pd_run_line(PdRun *r, const char *format, ...)
{
    va_list args;
    char *text;

    if (!r->observer || !r->observer->line || (!r->config->verbose && !r->config->debug))
        return;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    r->observer->line(r->observer->user, text);
    g_free(text);
}

/* Warnings and print() are told in any case. */
static void tell(PdRun *r, const char *text)
{
    if (r->observer && r->observer->line)
        r->observer->line(r->observer->user, text);
}

int64_t pd_run_tolerance_us(const PdRun *r, int64_t distance_us)
{
    int64_t by_percent = (int64_t)(r->config->tolerance_percent * (double)HS_MAX(distance_us, 0) / 100.0);

    return HS_MAX(r->config->tolerance_us, by_percent);
}

/* Section 3: relative times count from when the event before was completed; only inbound after inbound counts
 * from the scheduled time. */
static void schedule(PdRun *r, const PdEvent *e, const PdEvent *before)
{
    bool both_inbound = before && before->kind == PD_EVENT_PACKET && before->packet->dir == PD_INBOUND &&
                        e->kind == PD_EVENT_PACKET && e->packet->dir == PD_INBOUND;
    int64_t base_us = both_inbound ? r->previous_us : pd_run_now_us(r);

    if (e->time == PD_TIME_ABSOLUTE)
        base_us = 0;
    r->scheduled_us = base_us + e->time_us;
    r->end_us = base_us + e->end_us;
    if (e->time == PD_TIME_ANY)
        r->scheduled_us = r->end_us = pd_run_now_us(r);
}

static bool wait_for_event(PdRun *r, const PdEvent *e, bool is_first)
{
    int64_t late, tolerance = pd_run_tolerance_us(r, r->scheduled_us - r->previous_us);

    r->ops->run_until(r->stack, HS_MAX(r->ops->now(r->stack), r->scheduled_us * PD_NS_PER_US));
    late = pd_run_now_us(r) - r->scheduled_us;
    if (is_first || late <= tolerance)
        return true;
    return pd_run_fail(r, PD_FAILED, e,
                       "timing error: expected the event at %" G_GINT64_FORMAT
                       ".%06d s, and it is %" G_GINT64_FORMAT ".%06d s already (tolerance %" G_GINT64_FORMAT
                       " us)",
                       r->scheduled_us / 1000000, (int)(r->scheduled_us % 1000000),
                       pd_run_now_us(r) / 1000000, (int)(pd_run_now_us(r) % 1000000), tolerance);
}

static bool run_command(PdRun *r, const char *text, const PdEvent *e, unsigned line)
{
    char *output = NULL, *why = NULL;
    int status = r->ops->shell(r->stack, text, &output, &why);
    const PdEvent at = {.action_loc = {line, 1}};

    if (output && *output)
        pd_run_line(r, "%s", output);
    g_free(output);
    if (status != 0) {
        pd_run_fail(r, why ? PD_WRONG : PD_FAILED, e ? e : &at, "error executing `%s` command: %s", text,
                    why ? why : "non-zero exit status");
        g_free(why);
        return false;
    }
    return true;
}

/* ---- code blocks ---- */

typedef struct Block {
    const PdEvent *event;
    PdSnapshot snapshot;
} Block;

static bool take_snapshot(PdRun *r, const PdEvent *e, GArray *blocks)
{
    Block b = {.event = e};
    char *why = NULL;

    if (!pd_call_finish(r, 0, false))
        return false;
    if (!r->conn || r->conn->live_fd < 0)
        return pd_run_fail(
            r, PD_FAILED, e,
            "error in code: the connection under test has no descriptor yet (accept it first)");
    if (!r->ops->snapshot(r->stack, r->conn->live_fd, &b.snapshot, &why)) {
        pd_run_fail(r, PD_FAILED, e, "error in code: %s", why ? why : "TCP_INFO cannot be read");
        g_free(why);
        return false;
    }
    g_array_append_val(blocks, b);
    return true;
}

static bool run_blocks(PdRun *r, GArray *blocks)
{
    for (guint i = 0; i < blocks->len; i++) {
        Block *b = &g_array_index(blocks, Block, i);
        GString *output = g_string_new(NULL);
        char *why = NULL;
        unsigned line = 0;
        bool ok = pd_code_run(r->code, b->event->text, b->event->action_loc.line, &b->snapshot, output, &line,
                              &why);

        if (output->len) {
            g_string_truncate(output, output->len - 1);
            tell(r, output->str);
        }
        g_string_free(output, TRUE);
        if (!ok) {
            const PdEvent at = {.action_loc = {line, 1}};

            pd_run_fail(r, pd_code_is_assertion(r->code) ? PD_FAILED : PD_WRONG, &at,
                        "error in Python code: %s", why);
            g_free(why);
            return false;
        }
    }
    return true;
}

/* ---- the loop ---- */

static bool act(PdRun *r, const PdEvent *e, GArray *blocks)
{
    switch (e->kind) {
    case PD_EVENT_PACKET:
        return e->packet->dir == PD_INBOUND ? pd_packets_inbound(r, e) : pd_packets_outbound(r, e);
    case PD_EVENT_SYSCALL:
        return pd_call_start(r, e);
    case PD_EVENT_COMMAND:
        return run_command(r, e->text, e, 0);
    case PD_EVENT_CODE:
        return take_snapshot(r, e, blocks);
    }
    return false;
}

/* A mismatch of a kind that the flags forgive becomes a warning. */
static bool forgive(PdRun *r, const PdEvent *e)
{
    bool forgiven = (e->kind == PD_EVENT_PACKET && r->config->non_fatal_packet) ||
                    (e->kind == PD_EVENT_SYSCALL && r->config->non_fatal_syscall);
    char *warning;

    if (!forgiven || r->outcome != PD_FAILED)
        return false;
    warning = g_strdup_printf("warning: %s", r->error);
    tell(r, warning);
    g_free(warning);
    g_clear_pointer(&r->error, g_free);
    r->outcome = PD_PASSED;
    return true;
}

static bool run_events(PdRun *r, GArray *blocks)
{
    const PdScript *s = r->script;

    for (unsigned i = 0; i < s->n_events; i++) {
        const PdEvent *e = &s->events[i];
        bool is_outbound = e->kind == PD_EVENT_PACKET && e->packet->dir == PD_OUTBOUND;
        bool ok;

        r->event = e;
        schedule(r, e, i ? &s->events[i - 1] : NULL);
        ok = (is_outbound || wait_for_event(r, e, i == 0)) && act(r, e, blocks);
        if (!ok && !forgive(r, e))
            return false;
        r->ops->run_until(r->stack, r->ops->now(r->stack));
        if (!pd_call_finish(r, 0, false) && !forgive(r, e))
            return false;
        r->previous_us = r->scheduled_us;
    }
    return pd_call_finish(r, 1000000, true);
}

static bool run_script(PdRun *r)
{
    const PdScript *s = r->script;
    GArray *blocks;
    bool ok;

    if (r->config->init_scripts && !run_command(r, r->config->init_scripts, NULL, 1))
        return false;
    if (s->init && !run_command(r, s->init, NULL, s->init_loc.line))
        return false;
    blocks = g_array_new(FALSE, FALSE, sizeof(Block));
    r->ops->start(r->stack);
    ok = run_events(r, blocks);
    /* The cleanup command runs in any case, and its own failure counts only where nothing failed before. */
    if (s->cleanup)
        ok = run_command(r, s->cleanup, NULL, s->cleanup_loc.line) && ok;
    if (ok)
        ok = run_blocks(r, blocks);
    g_array_free(blocks, TRUE);
    return ok;
}

PdOutcome pd_run(const PdScript *script, const PdConfig *config, const PdStackOps *ops, void *stack_user,
                 const PdObserver *observer, char **error)
{
    PdRun r = {.script = script, .config = config, .ops = ops, .observer = observer, .next_port = FIRST_PORT};
    char *why = NULL;
    bool ok;

    *error = NULL;
    if (!pd_config_host(config, &r.host, &why)) {
        *error = g_strdup_printf("%s:1: %s", script->path, why);
        g_free(why);
        return PD_WRONG;
    }
    r.host.script_path = script->path;
    r.stack = ops->open(&r.host, stack_user, &why);
    if (!r.stack) {
        *error = g_strdup_printf("%s:1: %s", script->path, why);
        g_free(why);
        return PD_WRONG;
    }
    r.conns = g_ptr_array_new_with_free_func(pd_conn_free);
    r.labels = g_array_new(FALSE, FALSE, sizeof(PdLabel));
    r.recent = g_ptr_array_new_with_free_func(g_free);
    r.code = pd_code_new();
    ok = run_script(&r);
    ops->close(r.stack);
    pd_call_clear(&r.pending.call);
    pd_code_free(r.code);
    g_ptr_array_free(r.recent, TRUE);
    g_array_free(r.labels, TRUE);
    g_ptr_array_free(r.conns, TRUE);
    if (ok)
        return PD_PASSED;
    *error = r.error;
    return r.outcome;
}

#include "tests/interop/stimuli.h"

#include <string.h>

#include "models/wire/ipv4.h"
#include "packetdrill/pd_info.h"
#include "packetdrill/pd_match.h"
#include "packetdrill/pd_run_priv.h"

#define FIRST_PORT 50000
#define DEFAULT_FIRST_TS 100
/* How late a packet may be that the script expects; then the script goes on without it. */
#define PACKET_GRACE_US 400000
#define ANY_TIME_GRACE_US 5000000
#define CALL_GRACE_US 1000000

typedef struct Stimuli {
    PdRun run;
    PdConfig config;
    GPtrArray *items;
    uint32_t script_isn, first_ts;
    unsigned claimed; /* items that an outbound line has been satisfied with */
} Stimuli;

static void item_free(void *data)
{
    StimuliItem *i = data;
    pd_result_clear(&i->result);
    if (i->facts)
        g_ptr_array_free(i->facts, TRUE);
    g_free(i->note);
    g_free(i->output);
    g_free(i);
}

static StimuliItem *add_item(Stimuli *s, const PdEvent *e, int64_t at_us)
{
    StimuliItem *i = g_new0(StimuliItem, 1);
    i->event = e;
    i->at_us = at_us;
    i->end_us = -1;
    g_ptr_array_add(s->items, i);
    return i;
}

/* ---- what the stack sends ---- */

static void learn(Stimuli *s, PdSeen *seen)
{
    PdConn *c = s->run.conn;
    if (seen->tcp.flags & TCP_SYN && (!c->map.has_local || s->config.many_connections))
        pd_map_learn_local(&c->map, s->script_isn, seen->tcp.seq);
    for (unsigned i = 0; i < seen->n_options; i++) {
        if (seen->options[i].kind == TCP_OPT_TIMESTAMPS && !pd_map_has_ts(&c->map))
            pd_map_learn_ts(&c->map, s->first_ts, seen->options[i].ts_val);
    }
}

static void to_script(const Stimuli *s, PdSeen *seen)
{
    const PdMap *m = &s->run.conn->map;
    bool syn = seen->tcp.flags & TCP_SYN;
    seen->tcp.seq = pd_map_local_to_script(m, seen->tcp.seq, syn);
    if (seen->tcp.flags & TCP_ACK)
        seen->tcp.ack = pd_map_remote_to_script(m, seen->tcp.ack, false);
    for (unsigned i = 0; i < seen->n_options; i++) {
        PdTcpOption *o = &seen->options[i];
        if (o->kind == TCP_OPT_TIMESTAMPS)
            o->ts_val = pd_map_ts_to_script(m, o->ts_val);
        for (unsigned k = 0; o->kind == TCP_OPT_SACK && k < o->n; k++) {
            o->sack[k].left = pd_map_remote_to_script(m, o->sack[k].left, false);
            o->sack[k].right = pd_map_remote_to_script(m, o->sack[k].right, false);
        }
    }
}

/* Writes down the next packet of the connection; false: none until the limit. */
static bool take(Stimuli *s, int64_t limit_us)
{
    PdRun *r = &s->run;
    for (;;) {
        PdCaptured captured = {0};
        PdSeen seen;
        const char *why;
        if (!r->ops->take_packet(r->stack, limit_us * PD_NS_PER_US, &captured))
            return false;
        bool ok = pd_packet_explain(&seen, &captured, &why);
        g_free(captured.bytes);
        bool is_many = s->config.many_connections && seen.ip_proto == IP_PROTO_TCP;
        if (!ok || (!is_many && !pd_conn_owns(r, &seen)))
            continue;
        PdConn *before = r->conn;
        if (is_many)
            r->conn = pd_conn_by_ports(r, seen.tuple.src_port, seen.tuple.dst_port);
        if (seen.ip_proto == IP_PROTO_TCP) {
            learn(s, &seen);
            to_script(s, &seen);
        }
        r->conn = before;
        StimuliItem *item = add_item(s, NULL, seen.at_ns / PD_NS_PER_US);
        item->seen = seen;
        item->with_ports = is_many;
        return true;
    }
}

static void wait_until(Stimuli *s, int64_t until_us)
{
    while (take(s, until_us))
        ;
    s->run.ops->run_until(s->run.stack, until_us * PD_NS_PER_US);
}

/* A line of the script that expects a packet: goes on when as much has been sent, or when it is too late. */
static void expect(Stimuli *s, const PdEvent *e)
{
    int64_t limit_us =
        e->time == PD_TIME_ANY ? pd_run_now_us(&s->run) + ANY_TIME_GRACE_US : s->run.end_us + PACKET_GRACE_US;
    uint32_t need = e->packet->proto == PD_TCP ? e->packet->tcp.len : 0, have = 0;
    for (;;) {
        while (s->claimed < s->items->len) {
            const StimuliItem *i = s->items->pdata[s->claimed++];
            if (i->event)
                continue;
            have += i->seen.payload_len;
            if (have >= need)
                return;
        }
        if (!take(s, limit_us))
            return;
    }
}

/* ---- calls ---- */

static void returned(Stimuli *s, StimuliItem *i, const PdCall *call, PdResult *result)
{
    char *why = NULL;
    i->result = *result;
    *result = (PdResult){0};
    i->is_as_written = pd_call_check(&s->run, i->event->syscall, call, &i->result, &why);
    i->note = why;
    pd_call_on_return(&s->run, i->event->syscall, call, &i->result);
}

static bool finish_call(Stimuli *s, StimuliItem *i, PdCall *call, int64_t limit_us)
{
    PdResult result = {0};
    bool done = s->run.ops->wait_call(s->run.stack, limit_us * PD_NS_PER_US, &result);
    if (done) {
        i->end_us = result.at_ns / PD_NS_PER_US;
        returned(s, i, call, &result);
    } else {
        i->note = g_strdup("still sleeping");
        i->is_asleep = true;
    }
    pd_call_clear(call);
    return done;
}

typedef struct Sleeping {
    StimuliItem *item;
    PdCall call;
} Sleeping;

static bool make_call(Stimuli *s, const PdEvent *e, Sleeping *sleeping, char **error)
{
    PdRun *r = &s->run;
    PdCall call = {0};
    PdResult result = {0};
    if (!pd_call_prepare(r, e->syscall, &call, error))
        return false;
    pd_call_on_start(r, e->syscall, &call);
    StimuliItem *i = add_item(s, e, pd_run_now_us(r));
    if (!r->ops->call(r->stack, &call, &result, error)) {
        *sleeping = (Sleeping){.item = i, .call = call};
        return true;
    }
    if (!*error) {
        if (call.may_block)
            i->end_us = result.at_ns / PD_NS_PER_US;
        returned(s, i, &call, &result);
    }
    pd_call_clear(&call);
    return !*error;
}

/* ---- facts ---- */

typedef struct FactSearch {
    const char *text;
    GPtrArray *facts;
} FactSearch;

static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = text; (p = strstr(p, word)); p += n) {
        bool begins = p == text || !(g_ascii_isalnum(p[-1]) || p[-1] == '_');
        if (begins && !g_ascii_isalnum(p[n]) && p[n] != '_')
            return true;
    }
    return false;
}

static void on_fact(void *user, const char *name, uint64_t value)
{
    FactSearch *f = user;
    if (!has_word(f->text, name))
        return;
    g_ptr_array_add(f->facts, g_strdup(name));
    g_ptr_array_add(f->facts, g_strdup_printf("%" G_GUINT64_FORMAT, value));
}

static void look(Stimuli *s, const PdEvent *e)
{
    PdRun *r = &s->run;
    StimuliItem *i = add_item(s, e, pd_run_now_us(r));
    PdSnapshot snap;
    char *error = NULL;
    if (!r->conn || r->conn->live_fd < 0)
        i->note = g_strdup("the connection has no descriptor");
    else if (!r->ops->snapshot(r->stack, r->conn->live_fd, &snap, &error))
        i->note = error;
    else
        pd_info_foreach(&snap, on_fact,
                        &(FactSearch){e->text, i->facts = g_ptr_array_new_with_free_func(g_free)});
}

/* ---- the loop ---- */

static bool run_shell(Stimuli *s, const char *text, StimuliItem *item, char **error)
{
    char *output = NULL;
    int status = s->run.ops->shell(s->run.stack, text, &output, error);
    if (!*error && status != 0)
        *error = g_strdup_printf("command failed (%d): %s\n%s", status, text, output ? output : "");
    if (item)
        item->output = output;
    else
        g_free(output);
    return !*error;
}

static void schedule(Stimuli *s, const PdEvent *e, const PdEvent *before)
{
    PdRun *r = &s->run;
    bool both_inbound = before && e->kind == PD_EVENT_PACKET && before->kind == PD_EVENT_PACKET &&
                        e->packet->dir == PD_INBOUND && before->packet->dir == PD_INBOUND;
    int64_t base = e->time != PD_TIME_RELATIVE ? 0
                   : both_inbound              ? r->scheduled_us
                   : before                    ? pd_run_now_us(r)
                                               : 0;
    r->event = e;
    r->previous_us = r->scheduled_us;
    r->scheduled_us = base + e->time_us;
    r->end_us = e->has_window || (e->syscall && e->syscall->has_end) ? base + e->end_us : r->scheduled_us;
}

static bool do_event(Stimuli *s, const PdEvent *e, const PdEvent *before, Sleeping *sleeping, char **error)
{
    PdRun *r = &s->run;
    bool is_packet = e->kind == PD_EVENT_PACKET;
    schedule(s, e, before);
    if (is_packet && e->packet->dir == PD_OUTBOUND) {
        expect(s, e);
        return true;
    }
    wait_until(s, r->scheduled_us);
    if (is_packet) {
        int64_t at_us = pd_run_now_us(r);
        bool ok = pd_packets_inbound(r, e);
        add_item(s, e, at_us);
        return ok;
    }
    if (e->kind == PD_EVENT_CODE) {
        look(s, e);
        return true;
    }
    if (e->kind == PD_EVENT_COMMAND) {
        return run_shell(s, e->text, add_item(s, e, pd_run_now_us(r)), error);
    }
    /* One call sleeps at a time: the next one waits for it. */
    if (sleeping->item) {
        bool done = finish_call(s, sleeping->item, &sleeping->call, pd_run_now_us(r) + CALL_GRACE_US);
        sleeping->item = NULL;
        if (!done) {
            *error = g_strdup("the call before sleeps still");
            return false;
        }
    }
    return make_call(s, e, sleeping, error);
}

/* Numbers that the script calls the stack's first ones. */
static void look_ahead(Stimuli *s, const PdScript *script)
{
    bool has_syn = false, has_ts = false;
    s->first_ts = DEFAULT_FIRST_TS;
    for (unsigned i = 0; i < script->n_events; i++) {
        const PdEvent *e = &script->events[i];
        if (e->kind != PD_EVENT_PACKET || e->packet->dir != PD_OUTBOUND || e->packet->proto != PD_TCP)
            continue;
        const PdTcp *t = &e->packet->tcp;
        if (t->flags & TCP_SYN && !has_syn) {
            has_syn = true;
            s->script_isn = t->seq;
        }
        for (unsigned k = 0; k < t->n_options && !has_ts; k++) {
            if (t->options[k].kind == TCP_OPT_TIMESTAMPS) {
                has_ts = true;
                s->first_ts = t->options[k].ts_val;
            }
        }
    }
}

static gint by_time(gconstpointer a, gconstpointer b)
{
    const StimuliItem *x = *(StimuliItem *const *)a, *y = *(StimuliItem *const *)b;
    return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

static void run_events(Stimuli *s, const PdScript *script, int64_t tail_us, char **error)
{
    Sleeping sleeping = {0};
    for (unsigned i = 0; i < script->n_events && !*error && !s->run.error; i++)
        do_event(s, &script->events[i], i ? &script->events[i - 1] : NULL, &sleeping, error);
    if (sleeping.item)
        finish_call(s, sleeping.item, &sleeping.call, pd_run_now_us(&s->run) + CALL_GRACE_US);
    if (!*error && !s->run.error)
        wait_until(s, pd_run_now_us(&s->run) + tail_us);
    if (!*error && s->run.error)
        *error = g_strdup(s->run.error);
    else if (*error && s->run.event) {
        char *what = *error;
        *error = g_strdup_printf("%s:%u: %s", script->path, s->run.event->loc.line, what);
        g_free(what);
    }
}

GPtrArray *stimuli_run(const PdScript *script, const PdConfig *config, const PdStackOps *ops, void *user,
                       int64_t tail_us, char **error)
{
    Stimuli s = {.run = {.script = script,
                         .ops = ops,
                         .conns = g_ptr_array_new_with_free_func(pd_conn_free),
                         .labels = g_array_new(FALSE, TRUE, sizeof(PdLabel)),
                         .recent = g_ptr_array_new_with_free_func(g_free),
                         .next_port = FIRST_PORT}};
    s.items = g_ptr_array_new_with_free_func(item_free);
    pd_config_init(&s.config);
    pd_config_copy(&s.config, config);
    s.config.ts_ecr_scaled = true;
    s.run.config = &s.config;
    look_ahead(&s, script);
    if (pd_config_host(&s.config, &s.run.host, error)) {
        s.run.host.script_path = script->path;
        s.run.stack = ops->open(&s.run.host, user, error);
    }
    if (s.run.stack) {
        if (!script->init || run_shell(&s, script->init, NULL, error)) {
            ops->start(s.run.stack);
            run_events(&s, script, tail_us, error);
        }
        ops->close(s.run.stack);
    }
    g_ptr_array_free(s.run.conns, TRUE);
    g_array_free(s.run.labels, TRUE);
    g_ptr_array_free(s.run.recent, TRUE);
    g_free(s.run.error);
    pd_config_clear(&s.config);
    if (*error) {
        g_ptr_array_free(s.items, TRUE);
        return NULL;
    }
    g_ptr_array_sort(s.items, by_time);
    return s.items;
}

/* All arithmetic is modulo 2^32, as sequence numbers and timestamps are. */
#include "packetdrill/pd_map.h"

#include "models/wire/tcp.h"

void pd_map_init(PdMap *m)
{
    *m = (PdMap){.ts = g_array_new(FALSE, FALSE, sizeof(PdTsPair))};
}

void pd_map_clear(PdMap *m)
{
    if (m->ts)
        g_array_free(m->ts, TRUE);
    m->ts = NULL;
}

void pd_map_learn_remote(PdMap *m, uint32_t isn)
{
    m->remote_isn = isn;
}

void pd_map_learn_local(PdMap *m, uint32_t script_isn, uint32_t live_isn)
{
    m->has_local = true;
    m->script_isn = script_isn;
    m->live_isn = live_isn;
}

uint32_t pd_map_local_to_live(const PdMap *m, uint32_t script, bool syn)
{
    return syn ? script - m->script_isn + m->live_isn : script + m->live_isn;
}

uint32_t pd_map_local_to_script(const PdMap *m, uint32_t live, bool syn)
{
    return syn ? live - m->live_isn + m->script_isn : live - m->live_isn;
}

uint32_t pd_map_remote_to_live(const PdMap *m, uint32_t script, bool syn)
{
    return syn ? script : script + m->remote_isn;
}

uint32_t pd_map_remote_to_script(const PdMap *m, uint32_t live, bool syn)
{
    return syn ? live : live - m->remote_isn;
}

static const PdTsPair *first_pair(const PdMap *m)
{
    return m->ts->len ? &g_array_index(m->ts, PdTsPair, 0) : NULL;
}

void pd_map_learn_ts(PdMap *m, uint32_t script, uint32_t live)
{
    PdTsPair pair = {script, live};

    g_array_append_val(m->ts, pair);
}

bool pd_map_has_ts(const PdMap *m)
{
    return m->ts->len > 0;
}

uint32_t pd_map_ts_to_script(const PdMap *m, uint32_t live)
{
    const PdTsPair *first = first_pair(m);

    return first ? first->script + (live - first->live) : live;
}

bool pd_map_ecr_to_live(const PdMap *m, uint32_t script, bool scaled, uint32_t *live)
{
    const PdTsPair *first = first_pair(m);

    if (scaled && first) {
        *live = script - first->script + first->live;
        return true;
    }
    for (guint i = m->ts->len; i > 0; i--) {
        const PdTsPair *pair = &g_array_index(m->ts, PdTsPair, i - 1);

        if (pair->script == script) {
            *live = pair->live;
            return true;
        }
    }
    return false;
}

bool pd_map_inbound(const PdMap *m, const PdTcp *p, bool ecr_scaled, PdTcp *out, PdTcpOption *options,
                    uint32_t *bad_ecr)
{
    bool syn = p->flags & TCP_SYN, has_ack = p->flags & TCP_ACK;

    *out = *p;
    out->options = options;
    out->seq = pd_map_remote_to_live(m, p->seq, syn);
    if (has_ack)
        out->ack = pd_map_local_to_live(m, p->ack, syn);
    for (unsigned i = 0; i < p->n_options; i++) {
        PdTcpOption *o = &options[i];

        *o = p->options[i];
        if (o->kind == TCP_OPT_SACK) {
            for (unsigned b = 0; b < o->n; b++) {
                o->sack[b].left = pd_map_local_to_live(m, o->sack[b].left, syn);
                o->sack[b].right = pd_map_local_to_live(m, o->sack[b].right, syn);
            }
        } else if (o->kind == TCP_OPT_TIMESTAMPS && has_ack &&
                   !pd_map_ecr_to_live(m, p->options[i].ts_ecr, ecr_scaled, &o->ts_ecr)) {
            *bad_ecr = p->options[i].ts_ecr;
            return false;
        }
    }
    return true;
}

bool pd_map_flow_label(PdMap *m, uint32_t script, uint32_t live)
{
    if (script == 0)
        return true;
    if (m->has_flow_label && (m->script_flow_label == script) != (m->live_flow_label == live))
        return false;
    m->has_flow_label = true;
    m->script_flow_label = script;
    m->live_flow_label = live;
    return true;
}

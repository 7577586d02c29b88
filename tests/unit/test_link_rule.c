/* What others bring to a link: a queue that holds frames back, and a rule that changes what becomes of them.
 */
#include <string.h>

#include "models/link/link.h"
#include "tests/unit/test_link_helper.h"

#define GBIT UINT64_C(1000000000)

/* A queue that lets nothing go before a set time: a shaper's face. */
typedef struct Gate {
    Queue q;
    Packet *held[8];
    SimTime opens;
} Gate;

static bool gate_init(Queue *q, const double *values, const bool *set, char **error)
{
    ((Gate *)q)->opens = (SimTime)values[0];
    return true;
}

static void gate_clear(Queue *q)
{
    for (unsigned i = 0; i < q->packets; i++)
        packet_unref(((Gate *)q)->held[i]);
}

static QueueVerdict gate_enqueue(Queue *q, Packet *p, SimTime now)
{
    ((Gate *)q)->held[q->packets++] = p;
    return QUEUE_OK;
}

static Packet *gate_take(Queue *q, SimTime now)
{
    Gate *g = (Gate *)q;
    Packet *p = g->held[0];

    if (!q->packets)
        return NULL;
    memmove(g->held, g->held + 1, --q->packets * sizeof *g->held);
    return p;
}

static Packet *gate_dequeue(Queue *q, SimTime now)
{
    return now >= ((Gate *)q)->opens ? gate_take(q, now) : NULL;
}

static SimTime gate_next(const Queue *q, SimTime now)
{
    return q->packets ? ((const Gate *)q)->opens : SIM_NEVER;
}

static const QueueOps gate_ops = {.name = "gate",
                                  .size = sizeof(Gate),
                                  .init = gate_init,
                                  .clear = gate_clear,
                                  .enqueue = gate_enqueue,
                                  .dequeue = gate_dequeue,
                                  .next = gate_next,
                                  .take = gate_take};

/* The link asks a queue when its next frame is ready, and does not sleep until then if another queue takes
 * over; nor are frames that are not ready lost when it does, or when the cable is pulled. */
static void test_gate(void)
{
    FateSink fates;
    Bed b;

    bed_start(&b, 0, 0);
    fate_attach(&fates, &b);
    linkdir_set_queue(b.dir, queue_new(&gate_ops, (double[]){(double)SIM_SEC}, NULL, NULL));
    bed_send(&b, 100);
    bed_send(&b, 100);
    bed_run(&b, SIM_MS);
    g_assert_cmpuint(b.port[1].got->len, ==, 0);
    linkdir_set_queue(b.dir, queue_new(&gate_ops, (double[]){(double)(2 * SIM_MS)}, NULL, NULL));
    bed_run(&b, 500 * SIM_MS);
    g_assert_cmpuint(b.port[1].got->len, ==, 2);
    bed_expect(&b, 1, 2, 2 * SIM_MS);
    linkdir_set_queue(b.dir, queue_new(&gate_ops, (double[]){(double)SIM_SEC}, NULL, NULL));
    bed_send(&b, 100);
    link_set_up(b.link, false);
    g_assert_cmpuint(fate_of(&fates, 3)->drop, ==, 1);
    bed_end(&b);
    g_array_free(fates.fate, TRUE);
}

static Packet *rule_replace(void *user, LinkDir *d, Packet *pkt, const ImpairFrame *f, ImpairVerdict *v)
{
    Bed *b = user;
    Packet *other = pkt;

    switch (f->nth) {
    case 1: /* another frame in its place */
        g_assert_cmpuint(f->len, ==, 100);
        other = bed_packet(b, 60);
        other->birth_id = 1001;
        packet_unref(pkt);
        break;
    case 2: /* the same, cut */
        other = packet_own(pkt);
        packet_trim(other, 20);
        break;
    case 3:
        v->drop = DROP_RULE;
        break;
    case 4:
        v->delay = SIM_MS;
        v->may_overtake = true;
        break;
    case 5:
        impair_flip(v, 1000000007); /* taken modulo the frame's length */
        break;
    case 6:
        link_set_up(b->link, false);
        break;
    }
    return other;
}

static void test_rule(void)
{
    FateSink fates;
    Bed b;

    bed_start(&b, 0, 0);
    fate_attach(&fates, &b);
    linkdir_set_rule(b.dir, rule_replace, &b);
    b.next_id = 1;
    for (uint64_t i = 1; i <= 6; i++) {
        b.next_id = i;
        bed_send(&b, 100);
    }
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(b.port[1].got->len, ==, 0); /* the sixth took them all with it */
    for (uint64_t i = 2; i <= 6; i++) {
        g_assert_cmpuint(fate_of(&fates, i)->tx, ==, 1);
        g_assert_cmpuint(fate_of(&fates, i)->drop, ==, 1);
        g_assert_cmpstr(fate_of(&fates, i)->reason, ==, i == 3 ? "packet rule" : "link down");
    }
    g_assert_cmpuint(fate_of(&fates, 1)->drop, ==, 0); /* replaced: its stand-in ends instead */
    g_assert_cmpuint(fate_of(&fates, 1001)->drop, ==, 1);
    link_set_up(b.link, true);
    linkdir_set_rule(b.dir, NULL, NULL);
    g_assert_false(b.dir->m->slow);
    b.next_id = 7;
    bed_send(&b, 100);
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 0, 7, 0);
    bed_end(&b);
    g_array_free(fates.fate, TRUE);

    bed_start(&b, 0, 0); /* the first five of the list arrive, as told */
    linkdir_set_rule(b.dir, rule_replace, &b);
    for (uint64_t i = 1; i <= 5; i++) {
        b.next_id = i;
        bed_send(&b, 100);
    }
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 0, 1001, 0);
    g_assert_cmpuint(bed_got(&b, 1, 0)->len, ==, 60);
    bed_expect(&b, 1, 2, 0);
    g_assert_cmpuint(bed_got(&b, 1, 1)->len, ==, 20);
    bed_expect(&b, 2, 5, 0);
    g_assert_false(bed_got(&b, 1, 2)->fcs_ok);
    bed_expect(&b, 3, 4, SIM_MS);
    bed_end(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/queue-that-waits", test_gate);
    g_test_add_func("/link/rule", test_rule);
    return g_test_run();
}

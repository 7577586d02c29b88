/* The contract of queues, for every discipline in the table; and what a link tells about its queue. */
#include "models/queue/queue.h"

#include "tests/unit/test_link_helper.h"

static void test_table(void)
{
    unsigned n = 0;

    for (; queue_ops_table[n]; n++) {
        const QueueOps *o = queue_ops_table[n];

        g_assert_true(queue_ops_by_name(o->name) == o);
        g_assert_cmpuint(o->size, >=, sizeof(Queue));
        g_assert_nonnull(o->help);
        g_assert_nonnull(o->params);
        g_assert_nonnull(o->enqueue);
        g_assert_nonnull(o->dequeue);
        g_assert_nonnull(o->next);
        if (n)
            g_assert_cmpstr(queue_ops_table[n - 1]->name, <, o->name);
    }
    g_assert_cmpuint(n, ==, queue_ops_table_len);
    g_assert_cmpuint(n, >, 0);
    g_assert_null(queue_ops_by_name("droptial"));
    queue_free(NULL);
}

typedef struct LenSink {
    ProbeSink sink;
    GString *log;
} LenSink;

static void len_record(ProbeSink *sink, const ProbeRecord *r)
{
    g_assert_cmpstr(r->desc->name, ==, "queue.length");
    g_assert_cmpstr(r->point->name, ==, "eth0");
    g_string_append_printf(((LenSink *)sink)->log, "%d:%d/%d ", (int)r->time, (int)r->value[0].u,
                           (int)r->value[1].u);
}

/* Each change of the queue in front of a link is told, with time and both lengths: 1226 + 24 bytes take 10 us
 * at 1 Gbit/s. The frame that finds the link idle does not pass the queue. */
static void test_probe(void)
{
    LenSink sink = {.sink = {.mask = PROBE_BIT(PROBE_QUEUE), .record = len_record},
                    .log = g_string_new(NULL)};
    Bed b;

    bed_init(&b, 1);
    b.config[0].rate_bps = 1000000000;
    b.config[0].queue = queue_new_default(2);
    bed_plug(&b);
    probes_attach(b.probes, &sink.sink);
    for (int i = 0; i < 4; i++)
        bed_send(&b, 1226);
    bed_run(&b, SIM_NEVER);
    g_assert_cmpstr(sink.log->str, ==, "0:1/1226 0:2/2452 10000:1/1226 20000:0/0 ");
    g_assert_cmpuint(linkdir_queue(b.dir)->stats.peak_packets, ==, 2);
    g_assert_cmpuint(linkdir_stats(b.dir).queue_drops, ==, 1);
    g_assert_cmpuint(linkdir_stats(b.dir).tx_packets, ==, 3);
    probes_detach(b.probes, &sink.sink);
    bed_end(&b);
    g_string_free(sink.log, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/queue/table", test_table);
    g_test_add_func("/queue/probe", test_probe);
    return g_test_run();
}

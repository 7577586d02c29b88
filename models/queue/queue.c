#include "models/queue/queue.h"

#include <glib.h>
#include <string.h>

Queue *queue_new(const QueueOps *ops, const double *values, const bool *set, char **error)
{
    Queue *q = g_malloc0(ops->size);

    q->ops = ops;
    if (!ops->init(q, values, set, error)) {
        g_free(q);
        return NULL;
    }
    return q;
}

Queue *queue_new_default(uint32_t packets)
{
    return queue_new(queue_ops_by_name("droptail"), (const double[]){packets, 0, 0},
                     (const bool[]){true, false, false}, NULL);
}

void queue_free(Queue *q)
{
    if (!q)
        return;
    q->ops->clear(q);
    g_free(q->stats.signals);
    g_free(q);
}

QueueSignals *queue_count(Queue *q)
{
    if (!q->stats.signals)
        q->stats.signals = g_new0(QueueSignals, 1);
    return q->stats.signals;
}

size_t queue_bytes(const Queue *q)
{
    return q->ops->size + (q->stats.signals ? sizeof *q->stats.signals : 0);
}

const QueueOps *queue_ops_by_name(const char *name)
{
    for (const QueueOps *const *o = queue_ops_table; *o; o++)
        if (strcmp((*o)->name, name) == 0)
            return *o;
    return NULL;
}

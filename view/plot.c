#include "view/plot.h"

#include <string.h>

#include "sim/base/suggest.h"

const PlotWhatInfo plot_whats[PLOT_WHATS] = {
    [PLOT_CWND] = {"cwnd", "Congestion window", "congestion window, with the sender's states as bands"},
    [PLOT_SSTHRESH] = {"ssthresh", "Slow start threshold", "slow start threshold"},
    [PLOT_INFLIGHT] = {"inflight", "In flight", "segments in flight"},
    [PLOT_SEQUENCE] = {"sequence", "Sequence numbers",
                       "sequence numbers over time: data, retransmissions, ACKs, window, SACK, losses"},
    [PLOT_RWND] = {"rwnd", "Receive window", "the window that the receiver offers"},
    [PLOT_RTT] = {"rtt", "Round-trip time", "samples of the round-trip time, and the smoothed one"},
    [PLOT_RTO] = {"rto", "Retransmission timeout", "retransmission timeout"},
    [PLOT_QUEUE] = {"queue", "Queue length", "packets in the queues in front of links"},
    [PLOT_SOJOURN] = {"sojourn", "Time in the queue", "how long packets waited in those queues"},
    [PLOT_THROUGHPUT] = {"throughput", "Throughput", "bits of frames that arrive at the receiver"},
    [PLOT_GOODPUT] = {"goodput", "Goodput", "bits of payload that the receiver acknowledges in order"},
    [PLOT_FAIRNESS] = {"fairness", "Fairness", "Jain's index of the flows' goodput"},
    [PLOT_LOSS] = {"loss", "Lost frames", "frames with payload that were lost"},
    [PLOT_MARK] = {"mark", "Marked frames", "frames that arrived with Congestion Experienced (ECN)"},
};

char *plot_what_names(const char *separator)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < PLOT_WHATS; i++)
        g_string_append_printf(text, "%s%s", i ? separator : "", plot_whats[i].name);
    return g_string_free(text, FALSE);
}

static char *unknown(const char *word)
{
    const char *names[PLOT_WHATS], *closest;
    char *all, *text;

    for (unsigned i = 0; i < PLOT_WHATS; i++)
        names[i] = plot_whats[i].name;
    closest = suggest_closest(word, names, PLOT_WHATS);
    if (closest)
        return g_strdup_printf("\"%s\" cannot be plotted; did you mean \"%s\"?", word, closest);
    all = plot_what_names(", ");
    text = g_strdup_printf("\"%s\" cannot be plotted; expected some of %s", word, all);
    g_free(all);
    return text;
}

bool plot_parse_what(const char *list, uint32_t *what, char **error)
{
    char **words = g_strsplit(list, ",", -1);
    uint32_t found = 0;
    char *wrong = NULL;

    for (unsigned i = 0; words[i] && !wrong; i++) {
        unsigned k = 0;

        g_strstrip(words[i]);
        while (k < PLOT_WHATS && strcmp(plot_whats[k].name, words[i]))
            k++;
        if (k == PLOT_WHATS)
            wrong = unknown(words[i]);
        else
            found |= PLOT_BIT(k);
    }
    if (!words[0])
        wrong = unknown("");
    g_strfreev(words);
    if (wrong) {
        *error = wrong;
        return false;
    }
    *what |= found;
    return true;
}

bool plot_has_distribution(uint32_t what)
{
    uint32_t none =
        PLOT_BIT(PLOT_SEQUENCE) | PLOT_BIT(PLOT_FAIRNESS) | PLOT_BIT(PLOT_LOSS) | PLOT_BIT(PLOT_MARK);

    return what && !(what & (what - 1)) && !(what & none);
}

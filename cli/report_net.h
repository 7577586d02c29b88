/* What a report needs to know of a scenario's network beyond its probes: kinds of nodes, links, addresses. */
#pragma once

#include "lua/scenario.h"
#include "view/report.h"

typedef struct ReportNet {
    Net *net;
    GHashTable *link_of; /* ProbePoint -> NetLink; look-up only */
    GArray *links;       /* ReportLink */
    GArray *addresses;   /* ReportAddress; their text is ours */
    GArray *expects;     /* ReportExpect */
    GArray *params;      /* ReportParam */
} ReportNet;

void report_net_init(ReportNet *n, Scenario *s);
void report_net_clear(ReportNet *n);
/* For StoryConfig, with a ReportNet as user. */
const char *report_net_kind_of(void *user, const Node *node);
const char *report_net_link_of(void *user, const ProbePoint *point);
/* After the run: fills in *out what belongs to the network and to the outcome; it refers to n and to s. */
void report_net_tell(ReportNet *n, Scenario *s, ReportConfig *out);

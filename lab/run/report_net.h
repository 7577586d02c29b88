/* What a report needs to know of a scenario's network beyond its story: links, addresses, the outcome. */
#pragma once

#include "lua/scenario.h"
#include "view/report.h"

typedef struct ReportNet {
    Net *net;
    GArray *links;     /* ReportLink */
    GArray *addresses; /* ReportAddress; their text is ours */
    GArray *expects;   /* ReportExpect */
    GArray *words;     /* ReportWord */
    GArray *params;    /* ReportParam */
} ReportNet;

void report_net_init(ReportNet *n, Scenario *s);
void report_net_clear(ReportNet *n);
/* After the run: fills in *out what belongs to the network and to the outcome; it refers to n and to s. */
void report_net_tell(ReportNet *n, Scenario *s, ReportConfig *out);

/* The packets of a report: each that differs in a byte is told once. */
#pragma once

#include "view/report_json.h"
#include "view/story.h"

typedef struct ReportPackets ReportPackets;

ReportPackets *report_packets_new(const Story *story, ReportStrings *strings);
void report_packets_free(ReportPackets *p);
/* The number that the page knows the story's packet by. */
int64_t report_packets_add(ReportPackets *p, int32_t packet);
/* Keys "packets", "bytes", "malformed", "defs", "shapes", "values". */
void report_packets_write(const ReportPackets *p, ReportJson *j);

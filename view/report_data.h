/* What a report's page knows of the run, as JSON. */
#pragma once

#include "view/report.h"
#include "view/report_json.h"

void report_data_write(const Story *story, const ReportConfig *config, ReportJson *j);
/* The page's title: given, or what the scenario calls itself. */
const char *report_data_title(const Story *story, const ReportConfig *config);

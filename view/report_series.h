/* What a report plots. */
#pragma once

#include "view/report.h"
#include "view/report_json.h"

void report_series_write(const Story *story, const ReportConfig *config, ReportJson *j,
                         ReportStrings *strings);

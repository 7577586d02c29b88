/* What people and other programs are told about a test run: a list on a terminal, TAP 13, JUnit's XML,
 * annotations for GitHub. */
#pragma once

#include "lab/test/test_run.h"

typedef enum TestStyle { TEST_LIST, TEST_TAP } TestStyle;

typedef struct TestTotals {
    unsigned passed, failed, left, golden; /* left: not told; golden: compared */
    double seconds;                        /* of real time, all together */
    unsigned jobs;
} TestTotals;

void test_report_begin(TestStyle style, unsigned n);
/* number counts from 1. */
void test_report_result(TestStyle style, unsigned number, const TestResult *r);
void test_report_end(TestStyle style, const TestTotals *totals);

/* On stderr: "::error file=…,line=…::…", one for each failure. */
void test_report_annotate(const TestResult *r);
/* Without those that were not run (NULL). */
bool test_report_junit(const char *path, const GPtrArray *results, double seconds,
                       GError **error) HS_MUST_USE;

/* models/link/linktrace: both formats, and the exact message for each way to get them wrong. */
#include "models/link/linktrace.h"

#include <string.h>

static LinkTrace *schedule(const char *text, GError **error)
{
    return linktrace_parse_schedule(text, strlen(text), "x.trace", error);
}

static LinkTrace *opportunities(const char *text, GError **error)
{
    return linktrace_parse_opportunities(text, strlen(text), "x.up", error);
}

static void test_schedule(void)
{
    GError *error = NULL;
    LinkTrace *t = schedule("# time rate delay loss\n"
                            "0 10Mbps 20ms 0\r\n"
                            "\n"
                            "\t1.5s  -  40ms 1% # worse\n"
                            "2s 2500kbps\n"
                            "3s - - 1",
                            &error);

    g_assert_no_error(error);
    g_assert_cmpint(t->kind, ==, LINKTRACE_SCHEDULE);
    g_assert_cmpuint(t->n_steps, ==, 4);
    g_assert_cmpint(t->steps[0].time, ==, 0);
    g_assert_true(t->steps[0].sets_rate && t->steps[0].sets_delay && t->steps[0].sets_loss);
    g_assert_cmpuint(t->steps[0].rate_bps, ==, 10000000);
    g_assert_cmpint(t->steps[0].delay, ==, 20 * SIM_MS);
    g_assert_cmpfloat(t->steps[0].loss, ==, 0.0);
    g_assert_cmpint(t->steps[1].time, ==, 1500 * SIM_MS);
    g_assert_true(!t->steps[1].sets_rate && t->steps[1].sets_delay && t->steps[1].sets_loss);
    g_assert_cmpint(t->steps[1].delay, ==, 40 * SIM_MS);
    g_assert_cmpfloat(t->steps[1].loss, ==, 0.01);
    g_assert_true(t->steps[2].sets_rate && !t->steps[2].sets_delay && !t->steps[2].sets_loss);
    g_assert_cmpuint(t->steps[2].rate_bps, ==, 2500000);
    g_assert_true(!t->steps[3].sets_rate && !t->steps[3].sets_delay && t->steps[3].sets_loss);
    g_assert_cmpfloat(t->steps[3].loss, ==, 1.0);
    linktrace_free(t);
    linktrace_free(NULL);
}

static void check_schedule_error(const char *text, const char *begin)
{
    GError *error = NULL;

    g_assert_null(schedule(text, &error));
    if (!g_str_has_prefix(error->message, begin))
        g_assert_cmpstr(error->message, ==, begin);
    g_error_free(error);
}

static void test_schedule_errors(void)
{
    check_schedule_error("", "x.trace:0: the trace is empty, expected lines of \"time rate delay loss\"");
    check_schedule_error("# only\n\n", "x.trace:2: the trace is empty");
    check_schedule_error("0 1Mbps\n1s\n", "x.trace:2: only one column, expected \"time rate delay loss\"");
    check_schedule_error("0 1Mbps 1ms 0 5\n",
                         "x.trace:1: \"5\" is one column too many, expected \"time rate delay loss\"");
    check_schedule_error("0 1Mbps\n2s -\n1500ms -\n",
                         "x.trace:3: time \"1500ms\", expected one after 2s, that of the line before");
    check_schedule_error("1s -\n1000ms -\n", "x.trace:2: time \"1000ms\", expected one after 1s");
    check_schedule_error("-1s 1Mbps\n", "x.trace:1: time \"-1s\" is before the trace's begin");
    check_schedule_error("0 0bps\n",
                         "x.trace:1: rate \"0bps\", expected more than 0 (an interrupted link has loss 1)");
    check_schedule_error("0 1Mbps -3ms\n", "x.trace:1: delay \"-3ms\", expected 0 or more");
    /* These come from sim/base/units: the value and what is wrong with it. */
    check_schedule_error("0 10Mbs\n", "x.trace:1: \"10Mbs\" is not a rate");
    check_schedule_error("soon 1Mbps\n", "x.trace:1: \"soon\" is not a time");
    check_schedule_error("0 1Mbps 5\n", "x.trace:1: \"5\" is not a time");
    check_schedule_error("0 - - 101%\n", "x.trace:1: \"101%\"");
    check_schedule_error(
        "0 1111111111222222222233333333334444444444555555555566666666667777\n",
        "x.trace:1: \"111111111122222222223333333333444444444455555555556666666666777\" is not a number");
}

static void test_opportunities(void)
{
    GError *error = NULL;
    LinkTrace *t = opportunities("0\n3\n3\n# gap\n\n10\r\n", &error);
    /* Three rounds: each begins 10 ms after the one before, so that 10 and the next 0 coincide (Mahimahi's
     * LinkQueue::use_a_delivery_opportunity adds the last number to its base). */
    static const int expected_ms[] = {0, 3, 3, 10, 10, 13, 13, 20, 20, 23, 23, 30};

    g_assert_no_error(error);
    g_assert_cmpint(t->kind, ==, LINKTRACE_OPPORTUNITIES);
    g_assert_cmpuint(t->n_opportunities, ==, 4);
    for (unsigned i = 0; i < HS_ARRAY_LEN(expected_ms); i++)
        g_assert_cmpint(linktrace_opportunity_time(t, i), ==, expected_ms[i] * SIM_MS);
    g_assert_cmpint(linktrace_opportunity_time(t, UINT64_MAX), ==, SIM_NEVER);
    linktrace_free(t);
}

static void check_opportunity_error(const char *text, const char *message)
{
    GError *error = NULL;

    g_assert_null(opportunities(text, &error));
    g_assert_cmpstr(error->message, ==, message);
    g_error_free(error);
}

static void test_opportunity_errors(void)
{
    check_opportunity_error("",
                            "x.up:0: the trace is empty, expected lines of a whole number of milliseconds");
    check_opportunity_error("1\n2\n1\n", "x.up:3: 1 ms, expected 2 or more, as in the line before");
    check_opportunity_error("1\nx\n",
                            "x.up:2: \"x\" is not a number, expected a whole number of milliseconds");
    check_opportunity_error("-1\n",
                            "x.up:1: \"-1\" is not a number, expected a whole number of milliseconds");
    check_opportunity_error("1.5\n",
                            "x.up:1: \"1.5\" is not a number, expected a whole number of milliseconds");
    check_opportunity_error("1 2\n",
                            "x.up:1: \"2\" is one column too many, expected a whole number of milliseconds");
    check_opportunity_error("0\n0\n",
                            "x.up:2: the last number is 0, expected more: after it the trace repeats");
    check_opportunity_error("4294967296\n",
                            "x.up:1: \"4294967296\" is too large, expected at most 4294967295 ms");
    check_opportunity_error(
        "\xff\n", "x.up:1: \"\xef\xbf\xbd\" is not a number, expected a whole number of milliseconds");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/linktrace/schedule", test_schedule);
    g_test_add_func("/link/linktrace/schedule-errors", test_schedule_errors);
    g_test_add_func("/link/linktrace/opportunities", test_opportunities);
    g_test_add_func("/link/linktrace/opportunity-errors", test_opportunity_errors);
    return g_test_run();
}

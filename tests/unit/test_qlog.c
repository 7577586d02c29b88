/* sim/trace/qlog: the exact records of the main schema, as JSON text sequences; view/qlog_flow: which packets
 * an acknowledgment is about. */
#include "sim/trace/qlog.h"

#include <glib/gstdio.h>

#include "models/wire/tcp.h"
#include "view/qlog_flow.h"

static const QlogHeader header = {.title = "bulk.lua",
                                  .trace_title = "bulk",
                                  .vantage_name = "client",
                                  .vantage_type = "client",
                                  .schemas = (const char *const[]){"urn:x:tcp", "urn:x:quic", NULL}};

static char *temporary(void)
{
    char *dir = g_dir_make_tmp("hopscope-test-XXXXXX", NULL), *path = g_build_filename(dir, "f.sqlog", NULL);

    g_free(dir);
    return path;
}

static void forget(char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);

    g_unlink(path);
    g_rmdir(dir);
    g_free(path);
}

/* draft-ietf-quic-qlog-main-schema 5 and 7; RFC 7464 2.2: RS, the text, LF. */
static void test_records(void)
{
    char *path = temporary();
    g_autofree char *text = NULL;
    GError *error = NULL;
    QlogFile *f = qlog_open(path, &header, &error);
    GString *s;

    g_assert_no_error(error);
    s = qlog_begin(f, 1234567, "tcp:packet_sent", "transport", "a \"b\"");
    qlog_u64(s, "n", UINT64_MAX);
    qlog_array(s, "list");
    qlog_object(s, NULL);
    qlog_bool(s, "fin", true);
    g_string_append_c(s, '}');
    qlog_object(s, NULL);
    g_string_append(s, "}]");
    qlog_ms(s, "delta", -1500000);
    qlog_ms(s, "whole", 300000000);
    qlog_end(f);
    qlog_begin(f, 1234567, "tcp:x", "recovery", "g");
    qlog_end(f);
    g_assert_cmpuint(qlog_events(f), ==, 2);
    g_assert_true(qlog_close(f, &error));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(
        text, ==,
        "\x1e{\"file_schema\":\"urn:ietf:params:qlog:file:sequential\",\"serialization_format\":"
        "\"application/"
        "qlog+json-seq\",\"qlog_version\":\"0.3\",\"qlog_format\":\"JSON-SEQ\",\"title\":\"bulk.lua\","
        "\"trace\":"
        "{\"title\":\"bulk\",\"vantage_point\":{\"name\":\"client\",\"type\":\"client\"},\"common_fields\":{"
        "\"time_format\":"
        "\"relative_to_epoch\",\"reference_time\":{\"clock_type\":\"monotonic\",\"epoch\":\"unknown\"}},"
        "\"configuration\":{\"time_offset\":\"0.000000000001\"},"
        "\"event_schemas\":[\"urn:x:tcp\",\"urn:x:quic\"]}}\n"
        "\x1e{\"time\":1.234567,\"name\":\"tcp:packet_sent\",\"category\":\"transport\",\"group_id\":\"a "
        "\\\"b\\\"\",\"data\":{\"n\":18446744073709551615,\"list\":[{\"fin\":true},{}],\"delta\":-1.5,"
        "\"whole\":300.0}}"
        "\n"
        "\x1e{\"time\":1.234567,\"name\":\"tcp:x\",\"category\":\"recovery\",\"group_id\":\"g\",\"data\":{}}"
        "\n");
    forget(path);
}

static void test_no_folder(void)
{
    GError *error = NULL;

    g_assert_null(qlog_open("/nowhere/at/all.sqlog", &header, &error));
    g_assert_nonnull(error);
    g_error_free(error);
}

static void add(QlogFlow *f, uint32_t seq, uint64_t number)
{
    QlogSent p = {seq, seq + 100, number, false, "data"};

    g_array_append_val(f->sent, p);
}

static void assert_acked(QlogFlow *f, uint32_t ack, const TcpOptions *o, const char *expected, unsigned left)
{
    g_autoptr(GString) ranges = g_string_new(NULL);

    qlog_flow_acked(f->sent, ack, o, ranges);
    g_assert_cmpstr(ranges->str, ==, expected);
    g_assert_cmpuint(f->sent->len, ==, left);
}

/* Numbers in ranges; sequence numbers wrap; what SACK names is off the list; what was lost is not told. */
static void test_acked(void)
{
    QlogFlow *f = qlog_flow_new(NULL, "g");
    TcpOptions o = {.n_sack = 1, .sack = {{150, 350}}};

    for (uint32_t i = 0; i < 7; i++)
        add(f, 100 * i - 250, 10 + i); /* -250, -150, -50, 50, 150, 250, 350 */
    add(f, 450, 20);
    assert_acked(f, (uint32_t)-200, NULL, "", 8);
    assert_acked(f, 50, NULL, "[10,12]", 5);
    assert_acked(f, 50, &o, "[14,15]", 3);
    g_array_index(f->sent, QlogSent, 0).is_lost = true; /* number 13 */
    add(f, 50, 21);
    assert_acked(f, 550, NULL, "[16],[20,21]", 0);
    qlog_flow_free(f);
}

/* RFC 9293 3.7.1, and RFC 7323 appendix A for the timestamps. */
static void test_mss(void)
{
    QlogFlow *f = qlog_flow_new(NULL, "g");

    g_assert_cmpuint(qlog_flow_mss(f), ==, 536);
    f->mss[0] = 1460;
    g_assert_cmpuint(qlog_flow_mss(f), ==, 536);
    f->mss[1] = 1400;
    g_assert_cmpuint(qlog_flow_mss(f), ==, 1400);
    f->has_ts[0] = true;
    g_assert_cmpuint(qlog_flow_mss(f), ==, 1400);
    f->has_ts[1] = true;
    g_assert_cmpuint(qlog_flow_mss(f), ==, 1388);
    qlog_flow_free(f);
}

/* Offsets count from the byte behind the SYN, and go on where sequence numbers wrap. */
static void test_offset(void)
{
    QlogFlow *f = qlog_flow_new(NULL, "g");
    uint64_t offset = 0;

    f->isn[1] = UINT32_MAX - 1; /* the first byte is number 2^32 - 1 */
    g_assert_cmpuint(qlog_flow_offset(f, 1, UINT32_MAX), ==, 0);
    g_assert_cmpuint(qlog_flow_offset(f, 1, UINT32_MAX - 1), ==, 0); /* a keep-alive's, the SYN's own */
    g_assert_cmpuint(qlog_flow_offset(f, 1, 9), ==, 10);
    for (unsigned i = 0; i < 5; i++) /* five steps of 2^30 */
        offset = qlog_flow_offset(f, 1, 9 + (i + 1) * (1u << 30));
    g_assert_cmpuint(offset, ==, 10 + 5 * (UINT64_C(1) << 30));
    g_assert_cmpuint(qlog_flow_offset(f, 1, 9 + (1u << 30) - 100), ==, offset - 100); /* sent again */
    qlog_flow_free(f);
}

/* RFC 7323 2.3: windows of SYNs are not scaled, others are if both sides said so. Only what goes further than
 * before is told: QUIC's max_data (RFC 9000 4.1). */
static void test_limit(void)
{
    QlogFlow *f = qlog_flow_new(NULL, "g");
    StorySegment seg = {.ack = 501, .window = 100, .flags = TCP_ACK};

    g_assert_cmpuint(qlog_flow_new_limit(f, 0, &seg), ==, 0); /* nothing is known */
    f->has_syn[0] = f->has_syn[1] = true;
    f->isn[1] = 500;
    g_assert_cmpuint(qlog_flow_new_limit(f, 0, &seg), ==, 100);
    g_assert_cmpuint(qlog_flow_new_limit(f, 0, &seg), ==, 0);
    seg.ack += 40;
    seg.window = 60; /* the window closes: its edge stays */
    g_assert_cmpuint(qlog_flow_new_limit(f, 0, &seg), ==, 0);
    f->has_wscale[0] = true;
    f->wscale[0] = 7;
    g_assert_cmpuint(qlog_flow_new_limit(f, 0, &seg), ==, 0); /* the other side did not agree */
    f->has_wscale[1] = true;
    g_assert_cmpuint(qlog_flow_new_limit(f, 0, &seg), ==, 40 + 60 * 128);
    seg.flags |= TCP_RST;
    seg.window = 1000;
    g_assert_cmpuint(qlog_flow_new_limit(f, 0, &seg), ==, 0);
    qlog_flow_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/qlog/records", test_records);
    g_test_add_func("/trace/qlog/no-folder", test_no_folder);
    g_test_add_func("/view/qlog-flow/acked", test_acked);
    g_test_add_func("/view/qlog-flow/mss", test_mss);
    g_test_add_func("/view/qlog-flow/offset", test_offset);
    g_test_add_func("/view/qlog-flow/limit", test_limit);
    return g_test_run();
}

/* sim/trace/hexbytes: every style of hexadecimal text that people paste, and exact messages for the rest. */
#include "sim/trace/hexbytes.h"

#include <string.h>

/* Packets as hexadecimal text, "/" between them; or the error's message. */
static char *parse(const char *text)
{
    GError *error = NULL;
    GPtrArray *packets = hexbytes_parse(text, strlen(text), "in", &error);
    GString *s = g_string_new(NULL);

    if (!packets) {
        g_string_assign(s, error->message);
        g_error_free(error);
        return g_string_free(s, FALSE);
    }
    for (guint i = 0; i < packets->len; i++) {
        gsize n;
        const uint8_t *bytes = g_bytes_get_data(packets->pdata[i], &n);

        if (i)
            g_string_append_c(s, '/');
        for (gsize k = 0; k < n; k++)
            g_string_append_printf(s, "%02x", bytes[k]);
    }
    g_ptr_array_unref(packets);
    return g_string_free(s, FALSE);
}

static void check(const char *text, const char *expected)
{
    char *got = parse(text);

    g_assert_cmpstr(got, ==, expected);
    g_free(got);
}

static void test_plain(void)
{
    check("ff ff 00:05", "ffff0005");
    check("ffff0005", "ffff0005");
    check("  FFFF\n0005\n", "ffff0005");
    check("0xff, 0xFF, 0x00, 0x05", "ffff0005");
    check("\\xff\\xff\\x00\\x05", "ffff0005");
    check("ff-ff-00-05.0607", "ffff00050607");
    check("# a frame\nff ff # first half\n# more\n00 05\n", "ffff0005");
    check("ff\n\n00\r\n\r\n\n05", "ff/00/05");
    /* Zeros at the beginning are bytes, not an offset, as long as nothing in the line says so. */
    check("0000 0001 0002", "000000010002");
    check("00000000", "00000000");
    check("00:00:00:01", "00000001");
}

static void test_plain_errors(void)
{
    check("ff ff\n00 g5", "in:2:4: 'g' is not a hexadecimal digit");
    check("ff f", "in:1:4: 'f' has an odd number of hexadecimal digits");
    check("ff\n 123", "in:2:2: '123' has an odd number of hexadecimal digits");
    check("ff \x80", "in:1:4: byte 0x80 is not a hexadecimal digit");
    check("", "in:0:1: no bytes found");
    check("# nothing\n", "in:1:1: no bytes found");
}

#define SEVENTEEN "000102030405060708090a0b0c0d0e0fab"

static void test_dumps(void)
{
    /* xxd: the last line's "ab" on the right is text. */
    check("00000000: 0001 0203 0405 0607 0809 0a0b 0c0d 0e0f  ................\n"
          "00000010: ab                                       ab\n",
          SEVENTEEN);
    check("00000000: 6162                                     ab\n", "6162");
    check("00000000: 61 62 63 64 65 66 67 68  abcdefgh\n00000008: 69  cd\n", "616263646566676869");
    /* hexdump -C, with its gap after the eighth byte and its last offset. */
    check("00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |................|\n"
          "00000010  ab                                                |.|\n"
          "00000011\n",
          SEVENTEEN);
    check("00000000  61 62 63 64 65 66 67 68  69 6a 6b                 |abcdefghijk|\n",
          "6162636465666768696a6b");
    /* hexdump -C with a repetition. */
    check("00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n00000030  01  "
          "|.|\n",
          "00000000000000000000000000000000"
          "00000000000000000000000000000000"
          "0000000000000000000000000000000001");
    /* od -Ax -tx1. */
    check("000000 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n000010 ab\n000011\n", SEVENTEEN);
    /* Wireshark, tshark -x: several packets; a '#' on the right is no comment. */
    check("0000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f   ......#.........\n"
          "0010  ab                                                .\n"
          "\n"
          "0000  ff 23 ab   .#.\n",
          SEVENTEEN "/ff23ab");
    check("0000   ff ff 00 05 be ef 12 34 56 78 9a bc de f0 11 22   .......4Vx....ab\n",
          "ffff0005beef123456789abcdef01122");
    /* tcpdump -x and -X with a line about each packet. */
    check("12:00:00.000000 IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 1, length 8\n"
          "\t0x0000:  0001 0203 0405 0607 0809 0a0b 0c0d 0e0f  ................\n"
          "\t0x0010:  ab                                       .\n"
          "12:00:01.000000 IP 10.0.0.2 > 10.0.0.1: ICMP echo reply\n"
          "\t0x0000:  4500 00\n",
          SEVENTEEN "/450000");
}

static void test_dump_errors(void)
{
    check("0000  ff ff\n0003  ff\n", "in:1:1: this line has 2 bytes, but the next line's offset calls for 3");
    check("0000  ff ff\n\n0004  ff\n", "in:3:1: offset 0x4, expected 0x2");
    check("0000  ff ff\nff ff\n", "in:2:1: expected an offset, as the first line has");
    check("0000  ff fg\n", "in:1:11: 'g' is not a hexadecimal digit");
    check("0000  ff fff\n", "in:1:10: 'fff' has an odd number of hexadecimal digits");
    check("0000000 0045 5400\n", "in:1:9: words as hexdump and od print them have their bytes swapped: use "
                                 "hexdump -C, od -Ax -tx1 or xxd");
    check("0000  ff\n*\nffffffff  00\n",
          "in:3:1: offset 0xffffffff cannot follow a repetition that begins at 0x1");
    check("0000  ff\n*\n", "in:2:1: nothing says how often the line is repeated");
}

static void test_limit(void)
{
    GString *s = g_string_new(NULL);

    for (int i = 0; i < HEXBYTES_PACKET_MAX_BYTES; i++)
        g_string_append(s, "aa");
    g_string_append(s, "\nbb");
    check(s->str, "in:2:1: a packet of more than 262144 bytes");
    g_string_free(s, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/hexbytes/plain", test_plain);
    g_test_add_func("/trace/hexbytes/plain-errors", test_plain_errors);
    g_test_add_func("/trace/hexbytes/dumps", test_dumps);
    g_test_add_func("/trace/hexbytes/dump-errors", test_dump_errors);
    g_test_add_func("/trace/hexbytes/limit", test_limit);
    return g_test_run();
}

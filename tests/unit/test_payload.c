#include "sim/packet/payload.h"

#include <glib.h>
#include <string.h>

#include "sim/packet/checksum.h"

/* byte(o) = o mod 251, from any offset, however long. */
static void test_fill(void)
{
    static const uint64_t offs[] = {0, 1, 125, 250, 251, 252, 1000, UINT64_C(1) << 40, UINT64_MAX - 5000};
    uint8_t buf[2100];

    for (size_t o = 0; o < HS_ARRAY_LEN(offs); o++) {
        for (size_t len = 0; len <= 2048; len += len < 520 ? 1 : 191) {
            memset(buf, 0xee, sizeof buf);
            payload_fill(buf, offs[o], len);
            for (size_t i = 0; i < len; i++)
                g_assert_cmpuint(buf[i], ==, (offs[o] + i) % 251);
            g_assert_cmpuint(buf[len], ==, 0xee);
            g_assert_true(payload_matches(buf, offs[o], len));
            if (len) {
                buf[len - 1] ^= 1;
                g_assert_false(payload_matches(buf, offs[o], len));
            }
        }
        g_assert_cmpuint(payload_byte(offs[o]), ==, offs[o] % 251);
    }
}

/* The closed form against adding up the bytes: all residues and lengths over two laps of both parities. */
static void test_checksum(void)
{
    static uint8_t bytes[70000];

    for (unsigned off = 0; off < 2 * PAYLOAD_PERIOD; off++) {
        payload_fill(bytes, off, 1600);
        for (size_t len = 0; len <= 1600; len += len < 8 ? 1 : 1 + (off + len) % 23)
            g_assert_cmphex(checksum_fold(payload_checksum(off, len)), ==,
                            checksum_fold(checksum_add(0, bytes, len)));
    }
    for (uint64_t off = UINT64_C(1) << 33; off < (UINT64_C(1) << 33) + 3; off++) {
        payload_fill(bytes, off, sizeof bytes);
        for (size_t len = sizeof bytes - 3; len <= sizeof bytes; len++)
            g_assert_cmphex(checksum_fold(payload_checksum(off, len)), ==,
                            checksum_fold(checksum_add(0, bytes, len)));
    }
}

static void test_chunk(void)
{
    PktChunk *c = pktchunk_new_copy("abc", 3);

    g_assert_cmpuint(c->len, ==, 3);
    g_assert_cmpmem(c->bytes, c->len, "abc", 3);
    pktchunk_ref(c);
    pktchunk_unref(c);
    g_assert_cmpuint(c->ref, ==, 1);
    pktchunk_unref(c);
    pktchunk_unref(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet/payload/fill", test_fill);
    g_test_add_func("/packet/payload/checksum", test_checksum);
    g_test_add_func("/packet/payload/chunk", test_chunk);
    return g_test_run();
}

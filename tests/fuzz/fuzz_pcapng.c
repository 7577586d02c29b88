/* Hostile captures: whatever the bytes, the reader ends with a status and every packet it hands out is
 * readable. */
#include "sim/trace/pcapng_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    PcapngReader *r = pcapng_reader_new(data, n, "fuzz");
    PcapngReadStatus status;
    GError *error = NULL;
    PcapngPacket p;
    volatile uint8_t sum = 0;

    while ((status = pcapng_reader_next(r, &p, &error)) == PCAPNG_READ_PACKET) {
        hs_assert(!error);
        hs_assert(p.len >= p.caplen);
        for (uint32_t i = 0; i < p.caplen; i++)
            sum = (uint8_t)(sum + p.bytes[i]);
        for (size_t i = 0; i < p.n_comments; i++)
            hs_assert(g_utf8_validate(p.comments[i], -1, NULL));
        hs_assert(!p.iface_name || g_utf8_validate(p.iface_name, -1, NULL));
    }
    hs_assert((status == PCAPNG_READ_END) == !error);
    g_clear_error(&error);
    pcapng_reader_free(r);
    return 0;
}

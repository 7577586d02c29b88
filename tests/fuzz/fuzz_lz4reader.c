/* Hostile LZ4 frames: whatever the bytes, the reader ends, within the sizes that blocks may have. */
#include <string.h>

#include "sim/trace/bytesource.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t magic[4] = {0x04, 0x22, 0x4d, 0x18};
    uint8_t *bytes = g_malloc(n + sizeof magic), piece[4096];
    volatile uint8_t sum = 0;
    GError *error = NULL;
    uint64_t total = 0;
    ByteSource s;
    ssize_t k;

    memcpy(bytes, magic, sizeof magic);
    if (n)
        memcpy(bytes + sizeof magic, data, n);
    bytesource_init_memory(&s, bytes, n + sizeof magic, "fuzz");
    while ((k = bytesource_read(&s, piece, sizeof piece, &error)) > 0) {
        for (ssize_t i = 0; i < k; i++)
            sum = (uint8_t)(sum + piece[i]);
        total += (uint64_t)k;
        hs_assert(total <= 256 * (uint64_t)n); /* a match's length grows by 255 a byte */
    }
    hs_assert((k < 0) == (error != NULL));
    hs_assert(k == 0 || bytesource_read(&s, piece, 1, NULL) < 0);
    g_clear_error(&error);
    bytesource_clear(&s);
    g_free(bytes);
    return 0;
}

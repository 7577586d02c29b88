/* Any text: either packets, or an error. */
#include "sim/trace/hexbytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    GError *error = NULL;
    GPtrArray *packets = hexbytes_parse((const char *)data, n, "fuzz", &error);

    hs_assert(!packets == !!error);
    if (packets)
        g_ptr_array_unref(packets);
    g_clear_error(&error);
    return 0;
}

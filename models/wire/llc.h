/* IEEE 802.2 logical link control, unnumbered frames (three bytes): what 802.3 frames, and so BPDUs, begin
 * with. */
#pragma once

#include "models/wire/wire.h"

#define LLC_HDR_LEN 3
#define LLC_SAP_STP 0x42
#define LLC_SAP_SNAP 0xaa
#define LLC_UI 0x03

typedef struct LlcHdr {
    uint8_t dsap;
    uint8_t ssap;
    uint8_t control;
} LlcHdr;

static inline size_t llc_encoded_len(const LlcHdr *h)
{
    (void)h;
    return LLC_HDR_LEN;
}

int llc_decode(LlcHdr *out, const uint8_t *p, size_t len);
size_t llc_encode(uint8_t *p, const LlcHdr *h);
bool llc_describe(WireCursor *c);

/* What the files of `hopscope dissect` share. */
#pragma once

#include "models/wire/dissect.h"
#include "sim/base/base.h"
#include "sim/base/simtime.h"

typedef struct DissectFrame {
    uint64_t number;        /* from 1 */
    const char *iface_name; /* NULL: not known */
    int linktype;           /* of the capture, or a WireLinkType */
    bool has_time, has_packetid;
    SimTime time;
    uint64_t packetid;
    uint32_t flags; /* PCAPNG_FLAG_… */
    const uint8_t *bytes;
    uint32_t caplen, len;
    const char *const *comments;
    size_t n_comments;
} DissectFrame;

typedef struct DissectStyle {
    bool notes; /* --explain */
    bool dump;  /* --bytes */
    bool summary;
} DissectStyle;

/* Both print to stdout; false: the frame is malformed (not merely cut short by the capture). */
bool dissect_text_frame(const DissectFrame *f, const DissectStyle *style);
bool dissect_json_frame(const DissectFrame *f, const DissectStyle *style);

/* "outbound", "inbound", or NULL. */
const char *dissect_direction(const DissectFrame *f);
/* What the capture did not take cannot be told from what never was there, as far as a decoder goes. */
static inline bool dissect_is_cut(const DissectFrame *f, WireError err)
{
    return f->caplen < f->len && err == WIRE_TRUNCATED;
}

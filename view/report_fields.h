/* The fields of many packets in little room. A header's layout is known to models/wire alone: each packet is
 * dissected once, and what packets have in common is kept once.
 *
 * A *shape* is the list of layers with their places and fields (definition, first bit, bits). Segments that
 * differ only in their values have the same shape. Of a value nothing is kept that can be read from the
 * packet's bytes: the plain rendering of the field's kind (a decimal number for WIRE_UINT, "0x" and digits
 * for WIRE_HEX …) is made by the page, which knows kinds and no headers. What is kept is the rest of the
 * text: " (TCP)" behind the plain rendering, or the whole text where it does not begin with that. The rests
 * of a packet, one number for each field of its shape, are its *values*, and they too are often the same:
 *   0          nothing behind the plain rendering
 *   2 n + 1    string n behind the plain rendering
 *   2 n + 2    string n instead of it; {#k} in it stands for the text of the packet's field k */
#pragma once

#include "view/report_json.h"
#include "view/story.h"

typedef struct ReportFields ReportFields;

typedef struct ReportPacketFields {
    int64_t shape, values;
    uint32_t header_len; /* up to the first byte of payload that no codec claims */
    int64_t malformed;   /* string: why; -1: nothing is wrong */
    uint32_t malformed_at;
} ReportPacketFields;

ReportFields *report_fields_new(ReportStrings *strings);
void report_fields_free(ReportFields *f);
void report_fields_add(ReportFields *f, const StoryPacket *p, ReportPacketFields *out);
void report_fields_write(const ReportFields *f, ReportJson *j); /* keys "defs", "shapes", "values" */

/* IGMP: version 1 (RFC 1112), 2 (RFC 2236) and 3 (RFC 3376). */
#pragma once

#include "models/wire/ipv4_addr.h"
#include "models/wire/wire.h"

#define IGMP_LEN 8
#define IGMP_V3_QUERY_LEN 12
#define IGMP_V3_RECORD_LEN 8

#define IGMP_QUERY 0x11
#define IGMP_V1_REPORT 0x12
#define IGMP_V2_REPORT 0x16
#define IGMP_LEAVE 0x17
#define IGMP_V3_REPORT 0x22

#define IGMP_V3_IS_INCLUDE 1
#define IGMP_V3_IS_EXCLUDE 2
#define IGMP_V3_TO_INCLUDE 3
#define IGMP_V3_TO_EXCLUDE 4
#define IGMP_V3_ALLOW 5
#define IGMP_V3_BLOCK 6

typedef struct IgmpMsg {
    uint8_t type;
    uint8_t version; /* of a query: 1 when max_resp is 0, 3 when longer than 8 bytes, else 2 */
    uint8_t
        max_resp; /* code as on the wire: tenths of a second below 128, floating point above (version 3) */
    uint16_t checksum; /* encode computes it for messages without a list */
    uint32_t group;    /* 0 in a general query */
    /* Version 3 queries. */
    bool suppress;
    uint8_t qrv;
    uint8_t qqic;
    uint16_t n_sources;
    /* Version 3 reports. */
    uint16_t n_records;
} IgmpMsg;

typedef struct IgmpRecord {
    uint8_t type;
    uint32_t group;
    uint16_t n_sources;
    const uint8_t *sources; /* 4 bytes each */
} IgmpRecord;

/* Returns 8, or 12 for a version 3 query. Lists behind must lie within len (WIRE_TRUNCATED). */
int igmp_decode(IgmpMsg *out, const uint8_t *p, size_t len);
/* Record number i of a version 3 report that decodes. */
bool igmp_record(IgmpRecord *out, const uint8_t *p, size_t len, unsigned i);
size_t igmp_encoded_len(const IgmpMsg *m);
size_t igmp_encode(uint8_t *p, const IgmpMsg *m);
void igmp_fill_checksum(uint8_t *p, size_t len);
int igmp_check(const uint8_t *p, size_t len);
/* The time in tenths of a second that a version 3 code means (RFC 3376 4.1.1). */
unsigned igmp_code_value(uint8_t code);
bool igmp_describe(WireCursor *c);

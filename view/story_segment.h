/* The network and transport headers of a packet that was seen, as far as pictures need them. */
#pragma once

#include "view/story.h"

#define STORY_ADDR_LEN 48

typedef struct StorySegment {
    uint8_t proto;  /* of IP: 1, 6, 17 … */
    bool has_ports; /* TCP or UDP, and its header is there: not a later fragment */
    char src[STORY_ADDR_LEN], dst[STORY_ADDR_LEN];
    uint16_t src_port, dst_port;
    bool is_fragment; /* the first one has ports, the others have not */
    uint32_t fragment_id, fragment_offset;
    uint32_t l3, l4;      /* where the headers begin in the packet's bytes */
    uint32_t payload_len; /* behind the transport header */
    /* TCP only */
    uint32_t seq, ack; /* as on the wire */
    uint16_t flags;    /* TCP_SYN … (models/wire/tcp.h) */
    uint16_t window;   /* unscaled */
    uint32_t options_len;
} StorySegment;

/* The packet's bytes for g_free, zeros where they were cut off: lengths are then right. NULL: nothing is
 * missing, p->bytes are whole. */
uint8_t *story_mended(const StoryPacket *p);
/* false: no IP packet, or cut so short that its header is not whole. */
bool story_segment(const StoryPacket *p, StorySegment *out);

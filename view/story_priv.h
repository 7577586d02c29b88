/* What the files of the story share. */
#pragma once

#include "view/story.h"

#define STORY_CHUNK (UINT32_C(1) << 18)

struct Story {
    StoryConfig config;
    ProbeSink sink;
    Probes *probes; /* NULL: detached */
    Partition *part;
    SimTime end;
    bool is_cut;
    GStringChunk *strings;
    GArray *nodes;                 /* StoryNode */
    GArray *points;                /* StoryPoint */
    GArray *links;                 /* const char * */
    GArray *records;               /* StoryRecord */
    GArray *packets;               /* StoryPacket */
    GArray *flights;               /* StoryFlight */
    GArray *flows;                 /* StoryFlow */
    GArray *conns;                 /* StoryConn */
    GArray *cookies_seen;          /* uint64_t for each node: SYN cookies that packets were found for */
    GArray *node_of;               /* Node.id -> index of nodes */
    GArray *point_of;              /* ProbePoint.id -> index of points */
    GHashTable *link_of;           /* name -> index + 1 */
    GHashTable *latest;            /* birth -> index + 1 of the packet seen last; look-up only */
    GHashTable *flow_of, *conn_of; /* likewise */
    GPtrArray *chunks;             /* of values and bytes */
    uint8_t *chunk;
    uint32_t chunk_used, chunk_size;
    uint64_t chunk_bytes; /* of all chunks */
};

/* Room that lives as long as the story, for anything. */
void *story_room(Story *s, size_t len);
const char *story_intern(Story *s, const char *text);
void story_flow_add_packet(Story *s, StoryPacket *p, const Node *birth_node, SimTime now);
void story_flow_add_conns(Story *s);
void story_flow_add_fragments(Story *s); /* that came before the first one of their datagram */

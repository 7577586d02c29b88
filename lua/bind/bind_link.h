/* What the files about links share: a link's options as read, before anything is built. */
#pragma once

#include "lua/bind/bind.h"

#define LINK_SET_END 15 /* bits of LinkDraftDir.set: one for each option of a direction */

enum {
    LINK_SET_RATE,
    LINK_SET_DELAY,
    LINK_SET_JITTER,
    LINK_SET_REORDERS,
    LINK_SET_MTU,
    LINK_SET_IMPAIR = 8,
    LINK_SET_LOSS,
    LINK_SET_DUPLICATE,
    LINK_SET_CORRUPT,
    LINK_SET_REORDER
};

typedef struct LinkDraftDir {
    LinkDirConfig config; /* without queue and impairments */
    Queue *queue;
    Impair *impair;
    LinkTrace *trace;
    uint64_t set; /* which options were given */
} LinkDraftDir;

typedef struct LinkDraft {
    NetLinkConfig net; /* without directions */
    LinkDraftDir dir[2];
    bool up;
} LinkDraft;

/* Pushes an empty one; it is Lua's. */
LinkDraft *bind_linkdraft_push(lua_State *L);
/* The ends' nodes must be set. */
void bind_linkdraft_read(lua_State *L, int idx, LinkDraft *d);
void bind_linkdraft_read_dir(lua_State *L, int idx, const char *who, LinkDraftDir *d);

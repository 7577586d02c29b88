/* What a story (view/story.h) does not learn from the probes, asked of the network that a scenario built. */
#pragma once

#include "lua/scenario.h"
#include "view/story.h"

typedef struct StoryNet StoryNet;

StoryNet *storynet_new(Scenario *s);
void storynet_free(StoryNet *n);
/* For StoryConfig, with the StoryNet as user. */
const char *storynet_kind_of(void *user, const Node *node);
const char *storynet_link_of(void *user, const ProbePoint *point);
const Node *storynet_far_of(void *user, const ProbePoint *point);
uint64_t storynet_cookies_of(void *user, const Node *node);
/* All of them. */
void storynet_fill(StoryNet *n, StoryConfig *config);

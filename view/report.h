/* One HTML page that shows a run: ladder, packets as bytes and fields, TCP's states and windows, plots,
 * topology, narration and expectations. The page needs no network: it holds its data, its style and its
 * program, and a policy that forbids it everything else.
 *
 * The page is view/report/page.html with the files of view/report put in; the data is written by
 * report_data.c, whose opening comment is its reference. What the page shows of a network that is not on the
 * probe bus comes with the configuration. */
#pragma once

#include "view/story.h"

typedef struct ReportLink {
    const char *name;
    const char *end[2];  /* names of nodes */
    const char *kind[2]; /* of these, as in StoryNode */
    uint64_t rate_bps[2];
    SimTime delay[2]; /* of what leaves that end */
} ReportLink;

typedef struct ReportAddress {
    const char *node, *dev, *text; /* "10.0.0.1/24" */
} ReportAddress;

typedef struct ReportExpect {
    const char *name;
    bool ok;
    const char *detail;
} ReportExpect;

typedef struct ReportParam {
    const char *name, *value;
} ReportParam;

typedef struct ReportWord {
    const char *en, *zh;
} ReportWord;

typedef struct ReportConfig {
    const char *title;    /* NULL: the first hs.title, else the scenario's name */
    const char *scenario; /* "lessons/handshake.lua" */
    const char *lang;     /* "en", "zh"; NULL: what the reader's browser prefers */
    uint64_t seed;
    const ReportLink *link;
    unsigned n_links;
    const ReportAddress *address;
    unsigned n_addresses;
    const ReportExpect *expect;
    unsigned n_expects;
    const ReportParam *param;
    unsigned n_params;
    const ReportWord *word; /* texts of the scenario in Chinese */
    unsigned n_words;
    /* What is shown: */
    const bool *shows_flow; /* for each flow of the story; NULL: all, and frames of none */
    SimTime from, to;       /* both included; 0 and SIM_NEVER: all */
    const int32_t *lane;    /* nodes of the story whose lanes are shown at first; none: the page decides */
    unsigned n_lanes;
} ReportConfig;

/* Errors are those of the file. The story is sealed. */
bool report_write(const Story *story, const ReportConfig *config, const char *path, GError **error);

/* A file of view/report, made by scripts/embed-files. */
typedef struct ReportAsset {
    const char *name, *text;
    size_t len;
} ReportAsset;
extern const ReportAsset report_assets[]; /* a NULL name at the end */

/* Writes frames into pcapng captures that Wireshark opens: one interface for each point ("client:eth0"), what
 * leaves it when its first bit does, what arrives with its last bit, each with its direction. The same frame
 * has the same packet id wherever it is seen. Remarkable frames have a comment: "duplicate", "corrupted on
 * the way", "dropped: queue full".
 *
 * Drops are recorded on request. What is dropped inside a host, without its link header, appears on an
 * interface of its own, "client:eth0 (IP)", or "client (IP)" where no network card was involved.
 *
 * One file for all, or one file for each interface (NODE-DEV.pcapng). Compressed if its name ends in .lz4.
 * Interfaces that exist when the sink is made are in the file even if nothing passes; others are added at
 * their first frame. A sink that is there before the network (is_early) opens its file at the first frame,
 * and gets its idle interfaces from sink_pcapng_settle. */
#pragma once

#include <glib.h>

#include "sim/trace/pcapng_writer.h"
#include "sim/trace/probe.h"

typedef struct SinkPcapng SinkPcapng;

/* What the caller knows about a point beyond its name; everything may stay zero. */
typedef struct SinkPcapngPoint {
    const char *description; /* "client-r, 10Mbps" */
    const char *link;        /* the link's name, for patterns */
    uint64_t speed_bps;
    uint8_t ipv4[8 * 8]; /* addresses and masks */
    unsigned n_ipv4;
} SinkPcapngPoint;

typedef struct SinkPcapngConfig {
    const char *path; /* the file; or, with per_interface, the folder */
    bool per_interface;
    bool compress; /* with per_interface: NODE-DEV.pcapng.lz4; otherwise the path's end says so */
    bool drops;
    bool is_early;               /* see above */
    uint32_t snaplen;            /* 0: whole frames */
    const char *const *patterns; /* "client:*", "client", a link's name; NULL at the end; NULL: everything */
    const ProbePoint *const *points; /* n_points of them: these, whatever the patterns say */
    unsigned n_points;
    const char *comment;     /* of the section: scenario and seed */
    OutHold *hold;           /* for the files (sim/trace/outfile.h); NULL: none */
    const PcapngName *names; /* copied into the file at its end */
    unsigned n_names;
    void (*describe)(void *user, const ProbePoint *point, SinkPcapngPoint *out); /* NULL: nothing to add */
    void *user;
} SinkPcapngConfig;

/* NULL and *error: cannot write. The names must outlive the sink; everything else is copied. */
SinkPcapng *sink_pcapng_new(Probes *probes, const SinkPcapngConfig *config, GError **error) HS_MUST_USE;

/* The network is built: opens the file and describes every selected interface that exists now. False and
 * *error: cannot write, now or since the sink was made. names replace those of the config. */
bool sink_pcapng_settle(SinkPcapng *s, const PcapngName *names, unsigned n_names, GError **error) HS_MUST_USE;

/* How many interfaces were selected up to now; 0 is worth an error to whoever wrote a pattern. */
unsigned sink_pcapng_interfaces(const SinkPcapng *s);
uint64_t sink_pcapng_frames(const SinkPcapng *s);
bool sink_pcapng_has_failed(const SinkPcapng *s);
/* The files, in order of creation; paths are the sink's. */
unsigned sink_pcapng_file_count(const SinkPcapng *s);
const char *sink_pcapng_file(const SinkPcapng *s, unsigned i);

/* Detaches and closes the files. False and *error: something could not be written; what there is, is set
 * aside as NAME.incomplete. Frees s in either case. */
bool sink_pcapng_close(SinkPcapng *s, GError **error);
/* Gives up; what was written is set aside as NAME.incomplete. NULL is allowed. */
void sink_pcapng_discard(SinkPcapng *s);

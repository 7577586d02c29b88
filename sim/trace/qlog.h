/* qlog files: structured logs of transport protocols that tools for QUIC and TCP alike can read.
 *
 * Here is what no protocol is needed for: the file and the envelope of an event. Format: draft-ietf-quic-
 * qlog-main-schema-14, file schema "sequential" (QlogFileSeq), as JSON text sequences (RFC 7464: each record
 * begins with the byte 0x1e and ends with a line feed). What TCP's events say is view/qlog_tcp.
 *
 * Some members are for qvis, whose released version reads an older draft (0.3): the header also says
 * qlog_version, qlog_format and configuration, and every event has a "category", which qvis takes for the
 * part of the name before the colon. An event may have members of one's own (section 7); of the header the
 * schema says nothing of the kind, but tools have to pass over what they do not know (section 8.4).
 *
 * Times are milliseconds, exact, from the beginning of the run. The file is a stream: what a killed run
 * leaves is readable up to its last whole record.
 *
 * An event is written between qlog_begin and qlog_end; its data is what qlog_u64 and the others append. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "sim/base/simtime.h"
#include "sim/trace/outfile.h"

#define QLOG_SUFFIX "sqlog"

typedef struct QlogFile QlogFile;

typedef struct QlogHeader {
    const char *title;          /* of the file */
    const char *description;    /* NULL: none */
    const char *trace_title;    /* short; qvis shows it behind each group's name; NULL: none */
    const char *vantage_name;   /* who saw it: "client" */
    const char *vantage_type;   /* "client", "server", "network", "unknown" */
    const char *const *schemas; /* URIs of the event schemas, at least one; NULL at the end */
    OutHold *hold;              /* for the file (sim/trace/outfile.h); NULL: none */
} QlogHeader;

QlogFile *qlog_open(const char *path, const QlogHeader *header, GError **error) HS_MUST_USE;
uint64_t qlog_events(const QlogFile *f);
const char *qlog_path(const QlogFile *f);
bool qlog_has_failed(const QlogFile *f);
/* Both free f. */
bool qlog_close(QlogFile *f, GError **error);
void qlog_discard(QlogFile *f); /* NULL is allowed */

/* name: "tcp:packet_sent". group: which of the conversations in this file. Returns the text that the data's
 * members are appended to; times must not go back. */
GString *qlog_begin(QlogFile *f, SimTime time, const char *name, const char *category, const char *group);
void qlog_end(QlogFile *f);

void qlog_u64(GString *s, const char *name, uint64_t v);
void qlog_str(GString *s, const char *name, const char *v);
void qlog_bool(GString *s, const char *name, bool v);
void qlog_ms(GString *s, const char *name, int64_t ns);
/* "name":{ or "name":[ and the end of it; a name of NULL is an element of an array. */
void qlog_object(GString *s, const char *name);
void qlog_array(GString *s, const char *name);

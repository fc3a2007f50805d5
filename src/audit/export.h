/* Events as other systems want them: OCSF, CEF, RFC 5424 syslog, OpenTelemetry logs. One line of
 * the trail becomes one record; which member goes where stands in a table of each format. Pure. */
#ifndef AUDIT_EXPORT_H
#define AUDIT_EXPORT_H

#include "audit/chain.h"

typedef enum {
    AUDIT_EXPORT_OCSF,   /* a JSON object a line: schema.ocsf.io 1.3.0 */
    AUDIT_EXPORT_CEF,    /* a line: ArcSight Common Event Format, version 0 */
    AUDIT_EXPORT_SYSLOG, /* RFC 5424; the line of the trail is its message */
    AUDIT_EXPORT_OTLP,   /* a JSON object a line: OTLP 1, ExportLogsServiceRequest */
    AUDIT_EXPORT_COUNT
} audit_format_t;

typedef struct {
    audit_format_t format;
    str_t version; /* of this program */
    str_t host;    /* of syslog: printable ASCII without spaces, at most 255; unset: "-" */
    bool
        octets; /* syslog: each record after its length (RFC 6587 section 3.4.1), without newline */
} audit_export_t;

enum { AUDIT_EXPORT_BYTES = 12 * 262144 }; /* of one record, at most */

/** False: there is no such format. */
bool audit_export_format(str_t name, audit_format_t *out);
/** Appends the record of a line, with its newline; *seq is the line's number. RC_MALFORMED: it is
 * no line of a trail; nothing is appended. The arena is reset. */
rc_t audit_export_line(const audit_export_t *how, arena_t *scratch, str_t line, buf_t *b,
                       uint64_t *seq) MUST_USE;

#endif

/* One event as one line of the trail, and the head that the line after it must name. Pure. */
#ifndef AUDIT_LINE_H
#define AUDIT_LINE_H

#include "core/buf.h"
#include "jose/digest.h"
#include "model/audit_event.h"

/** Where a chain stands: the number of its last line, and the SHA-256 of that line's bytes with
 *  its newline. Before the first line: number 0 and 32 random bytes, which name the chain. */
typedef struct {
    uint64_t seq;
    uint8_t hash[SHA256_BYTES];
} audit_head_t;

/** The name of a chain: what line 1 names as its `prev`. */
typedef struct {
    bool known;
    uint8_t bytes[SHA256_BYTES];
} audit_name_t;

enum {
    AUDIT_HASH_HEX = 2 * SHA256_BYTES,
    AUDIT_TIME_BYTES = 24,
    AUDIT_NODE_BYTES = 64,  /* of a node's name, at most */
    AUDIT_LINE_FRAME = 208, /* what a line has more than its body, at most */
};

/** The kind's name in the file; static. */
str_t audit_kind_name(audit_kind_t kind);
/** Whether some kind has this name. */
bool audit_kind_exists(str_t name);

/** Writes Unix time as ISO 8601 in UTC with milliseconds. */
void audit_time_format(int64_t ms, char out[AUDIT_TIME_BYTES]);
/** Reads that form, which the caller has checked. */
int64_t audit_time_parse(str_t time);

/** Bytes that audit_body_write may need for `e`. */
size_t audit_body_bound(const audit_event_t *e);
/** Writes the members between `seq` and `prev`, without braces: time, event, decision and what is
 *  set. `now_ms` is Unix time. Text is cut at its limit; bytes that are not UTF-8 become U+FFFD, so
 *  that the line is JSON whatever strangers sent, and what ends lines to some readers (U+0085,
 *  U+2028, U+2029) stands as an escape. `arguments` are read strictly and written anew in
 *  one spelling (numbers as they stand); what is too long, too deep or no JSON is left out, and
 *  `arguments_omitted` says why. *out borrows from `b`, which must be empty. RC_LIMIT, RC_MEMORY.
 */
rc_t audit_body_write(buf_t *b, const audit_event_t *e, int64_t now_ms, str_t *out) MUST_USE;
/** Appends the line that follows `head`, with its newline, and moves `head` onto it. Failure sticks
 *  in `b`, and `head` stays. */
void audit_line_write(buf_t *b, audit_head_t *head, str_t body);
/** The same with the name of the node that wrote it, which needs no escaping; unset or empty: as
 *  above. */
void audit_node_line_write(buf_t *b, audit_head_t *head, str_t node, str_t body);
/** The name in such a line; unset: there is none. Borrows the line, which need not be sound. */
str_t audit_line_node(str_t line);

#endif

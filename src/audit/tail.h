/* What of a trail is shown, and how: filters, lines for people, lines safe for a terminal. Pure. */
#ifndef AUDIT_TAIL_H
#define AUDIT_TAIL_H

#include "audit/chain.h"

/** Unset: any. All that are set must equal. */
typedef struct {
    str_t kind, user, client;
} audit_filter_t;

/** Whether the line is to be shown. A line that cannot be read is shown only without a filter. The
 *  arena is reset. */
bool audit_filter_takes(const audit_filter_t *filter, arena_t *scratch, str_t line);
/** The place of the last `*want` lines that the filter takes within `window`, which ends behind a
 *  newline and, unless `whole`, begins anywhere within a line. *want falls by what was found. */
size_t audit_filter_back(const audit_filter_t *filter, arena_t *scratch, str_t window, bool whole,
                         uint64_t *want);

/** Appends `s` with all that could command a terminal or turn the reading order (C0, DEL, C1, bidi
 *  controls, line separators) as \uXXXX, and bytes that are no UTF-8 as \ufffd. JSON stays JSON. */
void audit_put_visible(buf_t *b, str_t s);
/** Appends one line for people: time, decision, event, reason in columns; what else is set as
 *  name=value; the sentence last. A line that cannot be read comes as it is, made visible. Ends
 *  with a newline. The arena is reset. */
void audit_put_human(buf_t *b, arena_t *scratch, str_t line);
/** The heads of those columns, with a newline; static. */
str_t audit_human_heads(void);

#endif

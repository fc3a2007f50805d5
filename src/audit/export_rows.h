/* What the formats share. Internal to the room. */
#ifndef AUDIT_EXPORT_ROWS_H
#define AUDIT_EXPORT_ROWS_H

#include "audit/export.h"

/** How much an event matters. */
typedef enum { AUDIT_LEVEL_INFO, AUDIT_LEVEL_REFUSED, AUDIT_LEVEL_ALERT } audit_level_t;

/** A member of an event, and its place in the other format. */
typedef struct {
    str_t member, place;
} audit_row_t;

#define AUDIT_ROW(member, place)                                                                   \
    {                                                                                              \
        STR_INIT(member), STR_INIT(place)                                                          \
    }

audit_level_t audit_level_of(const audit_record_t *r);
/** The text of a member: a string's decoded, of anything else its JSON. Unset: it is not there. */
str_t audit_member_text(const audit_record_t *r, str_t member);
/** The row of a member, or NULL. */
const audit_row_t *audit_row_find(const audit_row_t *rows, size_t n, str_t member);
/** Appends `s` with control characters, line separators and what else could end a record or turn a
 *  terminal's reading order as \uXXXX, and a backslash before itself and each byte of `set`. */
void audit_put_escaped(buf_t *b, arena_t *scratch, str_t s, const char *set);

void audit_ocsf_write(const audit_export_t *how, const audit_record_t *r, buf_t *b);
void audit_cef_write(const audit_export_t *how, arena_t *scratch, const audit_record_t *r,
                     buf_t *b);
void audit_syslog_write(const audit_export_t *how, arena_t *scratch, const audit_record_t *r,
                        str_t line, buf_t *b);
void audit_otlp_write(const audit_export_t *how, const audit_record_t *r, buf_t *b);

#endif

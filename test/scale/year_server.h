#ifndef SCALE_YEAR_SERVER_H
#define SCALE_YEAR_SERVER_H

#include "store/tables.h"

#include <stdint.h>

/* What a PostgreSQL server under the year says of itself, on a connection beside the store's. */
typedef struct year_server year_server_t;

/** NULL: `driver` has no server. With WARDER_YEAR_SERVER=own the server is set for a year that goes
 *  by in minutes: autovacuum looks each second and does not pause, pages go whole into the log. */
year_server_t *year_server_open(const char *driver, const char *conninfo);
void year_server_close(year_server_t *s);

/** At each full hour. On the last day of a week there is a checkpoint each hour, so that each page
 *  that is changed goes whole into the log once an hour. */
void year_server_hour(year_server_t *s, int64_t hour);

/* Of the week until now. */
typedef struct {
    double log_mib;       /* write-ahead log on a day without checkpoints */
    double log_whole_mib; /* on the day with one each hour */
    double transactions;  /* numbers taken from the 2^31 that there are, on a day */
    uint64_t dead;        /* rows that are deleted and not cleared away, in all tables */
    uint64_t vacuums;     /* by autovacuum, since the beginning, of all tables */
} year_server_week_t;
void year_server_week(year_server_t *s, year_server_week_t *out);

/** Writes all tables anew, and says how large they are then. */
void year_server_rewrite(year_server_t *s, uint64_t bytes[TABLE_COUNT]);

#endif

/* A saved store, whatever it is: a backup of SQLite, or an export. */
#ifndef CMD_STORE_SAVED_H
#define CMD_STORE_SAVED_H

#include "cmd/store_command.h"
#include "cmd/store_pipe.h"

typedef struct {
    admin_t *admin;
    const char *path;
    FILE *file;
    bool is_database;
    bool (*wants)(table_id_t table); /* which records are given; NULL: all */
    int64_t least;                   /* numbers of revocations go on above it at least */
    uint64_t revocation;
    uint64_t given; /* records */
    store_source_t inner;
    store_text_t text;
    store_pipe_t pipe;
    bool piping;
    store_t *database;
    const char *copy; /* of the backup, which is never written itself */
} store_saved_t;

/** Opens it, `path`, `wants` and `least` set, the rest zero. 0, or an exit code after saying why.
 * End with store_saved_close after any result. */
int store_saved_open(store_saved_t *s);
store_source_t store_saved_source(store_saved_t *s);
/** Says why a store could not be filled with it. */
int store_saved_refused(store_saved_t *s, rc_t rc, str_t why);
void store_saved_close(store_saved_t *s);

#endif

/* A store with a record of each kind, and whole stores as text. */
#ifndef STORE_TEST_DUMP_H
#define STORE_TEST_DUMP_H

#include "store/archive.h"
#include "store/store_test_util.h"
#include "store/upkeep.h"

/** One record or more in each table, as effects write them; grants, people and sessions fit. */
void play_put_all(play_t *p);
/** All records as lines of an archive, without head and tail; in p->a. */
str_t play_dump(play_t *p);
/** Fills the store of `to` with what that of `from` holds. */
rc_t play_copy(play_t *from, play_t *to, str_t *why);

/* Records in memory as a source. */
typedef struct {
    arena_t *a;
    str_t rest; /* lines */
    rc_t ends_with;
    archive_reader_t reader;
    uint64_t revocation;
} test_source_t;
store_source_t test_source(test_source_t *s, arena_t *a, str_t lines);

#endif

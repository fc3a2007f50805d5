/* A model of a disk: files, their names, and what of both was not synced yet. Chance decides what
 * of that survives a loss of power. */
#ifndef STORE_TEST_DISK_H
#define STORE_TEST_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEST_DISK_NODES = 64, TEST_DISK_NAME_BYTES = 128 };

/* A change that was not synced yet: bytes at a place, or (bytes NULL) the size. */
typedef struct change {
    struct change *next;
    int64_t at;
    size_t n;
    uint8_t *bytes;
} change_t;

/* A file, as its number in the file system: what is on the disk for sure, and what is not yet. */
typedef struct {
    char name[TEST_DISK_NAME_BYTES];
    bool is_there;          /* for those who look now */
    bool is_entered;        /* its name is on the disk for sure */
    bool syncs_folder_once; /* SQLite syncs the folder with the first sync of a new log */
    uint8_t *bytes;
    size_t n, room;
    change_t *first, **last;
} node_t;

typedef struct {
    node_t nodes[TEST_DISK_NODES];
    size_t n_nodes;
    uint64_t seed;
} test_disk_t;

/** The next number of the disk's chance. */
uint64_t test_disk_random(test_disk_t *d);
/** Of `in` times, about one. */
bool test_disk_happens(test_disk_t *d, uint32_t in);
/** The file of that name, for those who look now; NULL: there is none. */
node_t *test_disk_find(test_disk_t *d, const char *name);
/** The same, made where it is missing. */
node_t *test_disk_open(test_disk_t *d, const char *name, bool syncs_folder_once);
/** Notes a change that is not synced; `bytes` NULL: the size becomes `at`. */
void test_disk_change(node_t *node, int64_t at, const void *bytes, size_t n);
/** All changes are on the disk. */
void test_disk_sync(node_t *node);
/** Of the changes some are on the disk, and the rest is forgotten. */
void test_disk_forget(test_disk_t *d, node_t *node);
/** All names are on the disk as they are now. */
void test_disk_sync_folder(test_disk_t *d);
/** Puts what survives of the files whose names begin with `was` at `path` and beside it, and ends
 *  all files. */
void test_disk_survive(test_disk_t *d, const char *was, const char *path);

#endif

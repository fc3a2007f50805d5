/* The drivers of keep.h, for tests that run over each of them. */
#ifndef TOKENS_TOKENS_TEST_DRIVERS_H
#define TOKENS_TOKENS_TEST_DRIVERS_H

#include "tokens/keep.h"

typedef struct tokens_test_driver tokens_test_driver_t;

/** A keep that is open, and what it stands on. */
typedef struct {
    const tokens_test_driver_t *driver;
    arena_t *arena;
    char *folder; /* a new one for each test, with all in it removed at its end */
    void *object;
    tokens_keep_t keep;
} tokens_test_keep_t;

struct tokens_test_driver {
    const char *name;
    /** Opens in k->folder, again too. */
    void (*open)(tokens_test_keep_t *k);
    void (*close)(tokens_test_keep_t *k);
    bool lasts; /* what is kept is there when it is opened again */
    int rounds; /* of what is to be done often: a service is slower than memory */
    /* What all its tests need; false with a reason where that cannot be had. Both may be NULL. */
    bool (*prepare)(const char **reason);
    void (*dismiss)(void);
};

/* In this order. */
enum { TOKENS_TEST_MEMORY, TOKENS_TEST_FOLDER, TOKENS_TEST_DESKTOP };

extern const tokens_test_driver_t TOKENS_TEST_DRIVERS[];
extern const size_t TOKENS_TEST_DRIVER_COUNT;

/** Setup and teardown of a test whose initial state is a driver; its state is a tokens_test_keep_t.
 */
int tokens_test_setup(void **state);
int tokens_test_teardown(void **state);
/** Closes and opens it anew. */
void tokens_test_reopen(tokens_test_keep_t *k);
/** A new folder under the system's for temporary files, mode 0700; free it with the other. */
char *tokens_test_folder(void);
void tokens_test_folder_remove(char *folder);

rc_t tokens_test_put(tokens_test_keep_t *k, str_t name, str_t text, str_t *why);
rc_t tokens_test_get(tokens_test_keep_t *k, str_t name, str_t *text, str_t *why);
void tokens_test_assert_put(tokens_test_keep_t *k, str_t name, str_t text);
void tokens_test_assert_kept(tokens_test_keep_t *k, str_t name, str_t want);
/** The path of a file in the folder of the driver "folder"; "" is that itself. */
str_t tokens_test_at(tokens_test_keep_t *k, const char *file);
/** How many files in it have a name with this end. */
size_t tokens_test_files_ending(tokens_test_keep_t *k, str_t end);

#endif

/* A session bus and a secret service of a test's own, in a folder of their own: the real programs.
 */
#ifndef TOKENS_TOKENS_TEST_BUS_H
#define TOKENS_TOKENS_TEST_BUS_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct {
    char *folder;
    pid_t bus, service; /* 0: not running */
} tokens_test_bus_t;

/** Why it cannot be started here; NULL: it can. Static. */
const char *tokens_test_bus_lacks(void);
/** Starts a bus that starts nothing by itself, and names it in the environment. */
void tokens_test_bus_start(tokens_test_bus_t *b);
/** Starts the service with its default collection unlocked, and waits until it is there. */
void tokens_test_bus_serve(tokens_test_bus_t *b);
/** Ends the service, as a crash would. */
void tokens_test_bus_unserve(tokens_test_bus_t *b);
/** Locks the default collection, as a person may. */
void tokens_test_bus_lock(void);
/** Ends both. */
void tokens_test_bus_stop(tokens_test_bus_t *b);

#endif

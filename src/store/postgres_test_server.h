/* A double of a PostgreSQL server: speaks the protocol as far as the pool needs it, and goes wrong
 * as it is told. It knows no SQL but the few statements of the pool itself. */
#ifndef STORE_POSTGRES_TEST_SERVER_H
#define STORE_POSTGRES_TEST_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { FAKE_CONNECTIONS = 64 };

/* What happens to a statement whose text or name has `where` in it, `times` times; FAKE_ERROR also
 * to the text that is to be prepared by that name, which is called text:warder_name, in small
 * letters. */
typedef enum {
    FAKE_NOTHING,
    FAKE_ERROR,      /* an error with `sqlstate` */
    FAKE_FATAL,      /* the same, and the end of the connection */
    FAKE_CUT_BEFORE, /* the connection ends before the statement is carried out */
    FAKE_CUT_AFTER,  /* it is carried out and committed, and then the connection ends */
    FAKE_CUT_WITHIN, /* the same, in the middle of the answer */
    FAKE_SILENCE,    /* nothing comes any more on this connection */
} fake_fault_t;

typedef struct {
    int port;
    int listener;
    pthread_t acceptor;
    pthread_t threads[FAKE_CONNECTIONS];
    int sockets[FAKE_CONNECTIONS];
    atomic_int n;

    pthread_mutex_t lock;
    struct {
        fake_fault_t kind;
        char where[64], sqlstate[6];
        int times;
    } fault, then;
    atomic_bool proxy;    /* the process that serves is not the one that was named */
    atomic_bool standby;  /* it follows another */
    atomic_bool follower; /* the same, and it says so when a connection begins */
    atomic_bool old;      /* it is of version 12 */
    atomic_bool mute;     /* new connections are taken and get no answer */
    atomic_bool witness;  /* a witness finds its row */
    atomic_bool stopping;
    atomic_int commits;        /* of statements that are neither questions nor the pool's own */
    atomic_int named, unnamed; /* statements prepared by name; carried out without one */
    atomic_int sessions;       /* settings of a session, */
    atomic_int locals;         /* and of a transaction */
    atomic_int generation;
    atomic_int early; /* messages that came before the answer to the Sync before them */
} fake_t;

void fake_start(fake_t *f);
void fake_stop(fake_t *f);
void fake_fail(fake_t *f, fake_fault_t kind, const char *where, const char *sqlstate, int times);
/** What comes from the moment on at which the fault has struck for the last time. */
void fake_then(fake_t *f, fake_fault_t kind, const char *where, const char *sqlstate, int times);
/** Ends all connections. */
void fake_cut_all(fake_t *f);

#endif

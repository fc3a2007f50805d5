/* The object behind access.h. Private to access.c and access_new.c. */
#ifndef PROXY_ACCESS_OBJECT_H
#define PROXY_ACCESS_OBJECT_H

#include "proxy/access.h"
#include "proxy/provider.h"
#include "rs/check.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ACCESS_HOSTS_MAX = 32 /* that documents may come from although they are inner ones */ };

/* Whoever fetches beside the requests holds it as well: settings may be replaced meanwhile. */
struct access {
    arena_t *arena;
    access_config_t config;
    warder_rs_ports_t ports;
    warder_rs_t *rs;
    const provider_t *profiles[RS_SERVERS_MAX]; /* of each server; NULL: none */
    str_t issuers[RS_SERVERS_MAX];
    size_t n_servers;
    str_t hosts[ACCESS_HOSTS_MAX]; /* named in the settings: may be in an inner network */
    size_t n_hosts;
    atomic_uint refs;
    atomic_bool refreshing;
    pthread_mutex_t lock;  /* guards the three below */
    struct check *waiting; /* checks that one fetch is made for */
    size_t n_waiting;
    bool fetching;
};

/** Keys or answers are about to go stale: new ones are fetched while the old still serve. */
void access_refresh_early(access_t *a);
/** Gives one of its holders up; the last one frees it. */
void access_unref(access_t *a);

#endif

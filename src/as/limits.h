/* Who may ask how often: token buckets shared by all workers of a node, behind one lock. */
#ifndef AS_LIMITS_H
#define AS_LIMITS_H

#include "conf/conf.h"
#include "core/ports.h"

typedef struct as_limits as_limits_t;

/* What is counted; a route names one as its rate_class. */
typedef enum {
    AS_RATE_NONE,
    AS_RATE_PAGE,           /* key: address */
    AS_RATE_REGISTER,       /* key: address; before the body is read */
    AS_RATE_REGISTER_ONE,   /* key: address, software, and where its codes go */
    AS_RATE_REGISTER_KNOWN, /* key: address, and hosted client of the catalogue */
    AS_RATE_TOKEN,          /* key: client and address; only with token_requests_per_minute */
    AS_RATE_CLIENT_FAILS,   /* key: the same; taken by failed client authentications */
    AS_RATE_STRANGER,       /* key: address; taken by failures of clients that nobody knows */
    AS_RATE_BEGIN,          /* key: address; pushed requests and devices: rows of strangers' */
    AS_RATE_DEVICE,         /* keys: address, and browser; taken by each code of a device */
    AS_RATE_FETCH,          /* key: address; taken by each document that must be fetched */
    AS_RATE_FEED,           /* key: address; the list of revocations */
    AS_RATE_COUNT,
} as_rate_t;

rc_t as_limits_new(const conf_t *conf, clock_port_t clock, random_port_t random,
                   as_limits_t **out) MUST_USE;
void as_limits_free(as_limits_t *l);
/** Takes one of `key`. False: refuse with 429 and *retry_after seconds. Any thread. */
bool as_limits_take(as_limits_t *l, as_rate_t rate, str_t key, uint32_t *retry_after);
/** Whether there is one left, without taking it. */
bool as_limits_peek(as_limits_t *l, as_rate_t rate, str_t key, uint32_t *retry_after);

#endif

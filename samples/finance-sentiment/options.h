/* The command line. */
#ifndef SENTIMENT_OPTIONS_H
#define SENTIMENT_OPTIONS_H

#include "core/arena.h"
#include "warder/rs.h"

typedef struct {
    const char *listen; /* as given */
    str_t host;         /* of it, without brackets */
    uint16_t port;
    const char *issuer;
    const char *resource;       /* NULL: http://LISTEN/mcp */
    const char *feed;           /* NULL: the built-in one */
    const char *data;           /* NULL: the default folder */
    const char *dpop;           /* as given; NULL: "optional" */
    const char *nonce;          /* as given; NULL: "off" */
    const char *calls;          /* as given; NULL: the standard of mcp_http */
    uint32_t calls_per_minute;  /* of it; 0 with NULL */
    warder_rs_dpop_t dpop_mode; /* of the two before */
    bool dpop_nonce;
    const char *acr_values;  /* how people must have signed in (RFC 9470); NULL: however */
    const char *max_age;     /* as given; NULL: whenever */
    int max_age_s;           /* of it; 0 with NULL */
    const char *refetch;     /* as given; NULL: the standard of libwarder */
    int refetch_s;           /* of it; 0 with NULL */
    const char *client_id;   /* at the issuer, to ask about opaque tokens; NULL: they are refused */
    const char *live_cache;  /* as given; NULL: LIVE_CACHE_MINUTES */
    int live_cache_minutes;  /* of it; 0 with NULL */
    const char *live_budget; /* as given; NULL: LIVE_BUDGET */
    int live_budget_n;       /* of it; 0 with NULL */
    const char *keep;        /* as given; NULL: ARTICLES_KEPT */
    int keep_articles;       /* of it; 0 with NULL */
    const char *keep_for;    /* as given; NULL: ARTICLES_KEPT_DAYS */
    int keep_days;           /* of it; 0 with NULL */
    const char *lists;       /* as given; NULL: "all" */
    bool lists_own;          /* lists show only what a token may use */
    bool stdio;              /* serves standard streams; listen, issuer and resource are NULL */
    bool help, version;      /* nothing else is checked then */
} options_t;

/** Reads argv behind the program's name; borrows it. False: *why is one sentence, in `a`. */
bool options_read(arena_t *a, int argc, char **argv, options_t *out, str_t *why);
/** What --help prints. */
extern const char OPTIONS_HELP[];

#endif

/* What the operator decides, as the decisions of this room read it. Filled once by the shell. */
#ifndef OAUTH_SETTINGS_H
#define OAUTH_SETTINGS_H

#include "oauth/issuer.h"
#include "oauth/redirect_uri.h"

/** Who may register a client (RFC 7591). */
typedef enum {
    OAUTH_REGISTER_OFF,
    OAUTH_REGISTER_TOKEN,     /* with an initial access token */
    OAUTH_REGISTER_STATEMENT, /* with a software statement of a trusted issuer */
    OAUTH_REGISTER_OPEN,
} oauth_registration_t;

/** Whether tokens may be bound to keys (RFC 9449). Off: DPoP headers are not read. */
typedef enum { OAUTH_DPOP_OFF, OAUTH_DPOP_OPTIONAL, OAUTH_DPOP_REQUIRED } oauth_dpop_mode_t;

/** Whether a client's assertion may be for the URL of the token endpoint, too, and not for the
 * issuer alone: that of clients whom no administrator added, never, or always. */
typedef enum {
    OAUTH_AUDIENCE_AUTO,
    OAUTH_AUDIENCE_ISSUER,
    OAUTH_AUDIENCE_ENDPOINT
} oauth_audience_t;

/** Times are seconds. */
typedef struct {
    str_t issuer;                 /* the one string in metadata, `iss` and tokens */
    int64_t code_lifetime;        /* 60 */
    int64_t interaction_lifetime; /* how long a person may take for login and consent */
    int64_t decision_replay;      /* how long a repeated decision gets the same answer: 30 */
    int64_t access_token_lifetime;
    int64_t refresh_token_idle;     /* an unused refresh token ends */
    int64_t refresh_token_lifetime; /* a grant ends, however often it was refreshed */
    int64_t refresh_grace;          /* a rotated refresh token may come again; 0: never */
    bool refresh_rotate_bound;      /* refresh tokens that are bound to a key rotate, too */
    oauth_dpop_mode_t dpop;
    bool dpop_nonce;           /* proofs must hold a nonce of ours */
    uint64_t max_spent;        /* quota of SPEND; 0: none */
    uint64_t max_interactions; /* quota of INTERACTION_INSERT; 0: none */
    bool keep_consented;       /* a request for more than was approved before is widened by what was
                                * approved before, visibly on the consent page: clients that step up ask
                                * for the new scope only and would lose the old one */
    int64_t pushed_lifetime;   /* a request_uri may be taken to the authorization endpoint */
    bool pushed_required;      /* requests that were not pushed are refused (RFC 9126 section 5) */
    int64_t device_lifetime;   /* a device waits for its person */
    int64_t device_interval;   /* least seconds between two of its polls, at first */
    uint64_t max_pushed, max_devices; /* quotas of PUSHED_INSERT and DEVICE_INSERT; 0: none */
    oauth_registration_t registration;
    bool stateless_clients;       /* open registrations live in their client_id (sealed_client.h) */
    bool registration_management; /* clients may read, change and delete their registration */
    oauth_redirect_policy_t redirects; /* of clients that no administrator made */
    bool drop_bad_redirect_uris;       /* register the good ones of a list and drop the others */
    bool strict_application_type; /* refuse "web" with native redirect URIs instead of correcting
                                   * it to "native" */
    uint32_t registrable_grants;  /* GRANT_* bits that a stranger may register for */
    int64_t registration_unused_ttl;
    uint64_t max_clients;      /* quota of CLIENT_INSERT; 0: none */
    bool documents;            /* an https URL as client_id names a metadata document */
    str_list_t document_hosts; /* core/host_list.h: only there; empty: anywhere, but for: */
    str_list_t denied_document_hosts;
    str_list_t private_hosts; /* development: may have special addresses (http/fetch.h) */
    oauth_issuers_t issuers;  /* whose assertions count */
    oauth_audience_t assertion_audience; /* of client assertions */
} oauth_settings_t;

/** The defaults of all but the issuer, which is unset. */
oauth_settings_t oauth_settings_default(void);

/** The protected resources as the store has them, and which one is meant when none is named. */
typedef struct {
    const resource_t *v;
    size_t n;
    str_t default_uri; /* canonical; unset: the only one, if there is exactly one */
} oauth_resources_t;

#endif

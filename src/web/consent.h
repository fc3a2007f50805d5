/* The page on which a person decides about a client. All names in it come from strangers: they are
 * escaped, stripped of characters that reorder or hide text, and capped, here. */
#ifndef WEB_CONSENT_H
#define WEB_CONSENT_H

#include "web/form.h"

typedef struct {
    str_t name;   /* the scope itself */
    str_t text;   /* what it allows, in the resource's words; unset: the name is shown alone */
    bool broad;   /* has a wildcard: marked */
    bool already; /* approved before; the others are marked as new if any is */
} web_scope_t;

typedef enum {
    WEB_CLIENT_UNVERIFIED, /* registered itself */
    WEB_CLIENT_BY_ADMIN,   /* added by the administrator */
    WEB_CLIENT_BY_HOST,    /* client_id is the URL of a document at client_host */
    WEB_CLIENT_VOUCHED,    /* client_host signed its registration, and is trusted to */
} web_client_origin_t;

typedef enum {
    WEB_REDIRECT_HTTPS,
    WEB_REDIRECT_LOOPBACK, /* a program on this computer */
    WEB_REDIRECT_PRIVATE,  /* an application that has claimed the scheme */
} web_redirect_kind_t;

/** Posts csrf, interaction, document and decision (approve or deny) to WEB_PATH_CONSENT. Views
 * borrow. */
typedef struct {
    str_t csrf;
    str_t interaction;

    str_t client_name; /* unset: it gave none */
    str_t client_id;
    web_client_origin_t client_origin;
    str_t client_host; /* BY_HOST, VOUCHED: with its port as it stands in the URL */

    web_redirect_kind_t redirect_kind;
    str_t redirect_uri;
    str_t redirect_host; /* with its port as it stands in the URI; PRIVATE: the scheme */

    str_t resource_name; /* unset: the URI alone */
    str_t resource_uri;
    const web_scope_t *scopes; /* without offline_access */
    size_t n_scopes;
    bool offline; /* may act while the person is away (a refresh token) */

    str_t username;    /* unset: nobody is signed in yet */
    str_t switch_href; /* "not you?": a path of ours ("/..."); unset: no link */
    str_t user_code;   /* of the device that the access goes to, as it shows it; unset: it goes to
                        * redirect_uri */

    bool only_loopback; /* each of its redirect URIs leads to this computer */
    str_t document;     /* what the decision is about; unset: no matter of a document */
} web_consent_t;

/** The part of the page that says who asks for what; other pages show it, too. */
void web_consent_facts(buf_t *b, const web_consent_t *v);
void web_page_consent(buf_t *b, const web_consent_t *v);

#endif

/* What was seen of a server: one answer for each thing that is asked, and what follows from them at
 * once. Pure. */
#ifndef DOCTOR_FACTS_H
#define DOCTOR_FACTS_H

#include "client/challenge.h"
#include "client/reason.h"
#include "core/json.h"
#include "core/url.h"
#include "http/agent.h"

/* DOCTOR_PHASE(NAME, "id", "title") */
#define DOCTOR_PHASE_TABLE(DOCTOR_PHASE)                                                           \
    DOCTOR_PHASE(REACH, "reach", "Reaching the server")                                            \
    DOCTOR_PHASE(CHALLENGE, "challenge", "The endpoint asks for a token")                          \
    DOCTOR_PHASE(RESOURCE, "resource", "Metadata of the resource")                                 \
    DOCTOR_PHASE(SERVER, "server", "Metadata of the authorization server")                         \
    DOCTOR_PHASE(REGISTRATION, "registration", "How clients become known")                         \
    DOCTOR_PHASE(SIGN_IN, "sign_in", "Authorization endpoint and token endpoint")                  \
    DOCTOR_PHASE(BROWSER, "browser", "Clients that run in a browser")                              \
    DOCTOR_PHASE(TOKEN, "token", "With a token")

typedef enum {
#define DOCTOR_PHASE(name, id, title) DOCTOR_PHASE_##name,
    DOCTOR_PHASE_TABLE(DOCTOR_PHASE)
#undef DOCTOR_PHASE
        DOCTOR_PHASE_COUNT
} doctor_phase_t;

typedef enum {
#define ASK(name, id, phase, what) DOCTOR_ASK_##name,
#include "doctor/asks.def"
#undef ASK
    DOCTOR_ASK_COUNT
} doctor_ask_t;

typedef struct {
    str_t id, what;
    doctor_phase_t phase;
} doctor_ask_row_t;
/** Static. */
const doctor_ask_row_t *doctor_ask_row(doctor_ask_t ask);
str_t doctor_phase_id(doctor_phase_t phase);
str_t doctor_phase_title(doctor_phase_t phase);

/** One thing that was asked. */
typedef struct {
    bool asked; /* there is an answer, of whatever end */
    bool
        copied; /* no request of its own: an earlier one was the same, or its host did not answer */
    bool beyond; /* not asked, as the budget was used up */
    str_t method, url;
    http_answer_t answer;
    int64_t ms;         /* from the request to the whole answer */
    const json_t *json; /* the body of a 200, where it is a JSON object; else NULL */
} doctor_exchange_t;

/** What a sign-in brought. No secret is in it. */
typedef struct {
    bool tried, signed_in;
    client_failure_t failure; /* where not signed_in */
    str_t issuer, resource;   /* of the token, by its source */
    bool is_jwt;
    str_t token_iss;      /* claims, unverified; unset: absent or opaque */
    str_list_t token_aud; /* one string or several */
    int64_t life_s;       /* seconds; 0: not said */
    bool has_refresh, refresh_tried, refreshed;
    bool lists_tools; /* the answer to tools/list was a result */
} doctor_signed_t;

typedef struct {
    str_t url; /* of the MCP endpoint as it was typed; http or https */
    url_t parts;
    unsigned requests, budget;
    doctor_exchange_t at[DOCTOR_ASK_COUNT];
    doctor_signed_t sign;

    /* Learnt of the answers. */
    doctor_ask_t refused_at; /* the first 401 without a token; DOCTOR_ASK_COUNT: there is none */
    client_challenges_t challenges;
    client_challenge_t challenge;
    doctor_ask_t
        resource_at; /* the document that a client uses; DOCTOR_ASK_COUNT: none was found */
    const json_t *resource;
    str_t issuer; /* the first of authorization_servers; unset: none is named */
    size_t n_issuers;
    doctor_ask_t server_at; /* as resource_at */
    const json_t *server;
} doctor_facts_t;

/** Empty facts about a server. RC_MALFORMED: no http(s) URL, or one with userinfo or a fragment. */
rc_t doctor_facts_begin(str_t url, unsigned budget, doctor_facts_t *out) MUST_USE;
/** Takes an answer in. The slices are borrowed. RC_MEMORY. */
rc_t doctor_facts_took(arena_t *a, doctor_facts_t *f, doctor_ask_t ask,
                       const http_answer_t *answer) MUST_USE;

/* Readers. */
/** 0: nothing was asked, or no whole answer came. */
int doctor_status(const doctor_facts_t *f, doctor_ask_t ask);
bool doctor_answered(const doctor_facts_t *f, doctor_ask_t ask);
/** The JSON object of a 200; NULL: none. */
const json_t *doctor_json(const doctor_facts_t *f, doctor_ask_t ask);
/** The first header field of that name; unset: absent. */
str_t doctor_header(const doctor_facts_t *f, doctor_ask_t ask, str_t name);
/** Whether the endpoint gave an answer of HTTP at all. */
bool doctor_reached(const doctor_facts_t *f);
/** Whether it answers without a token, and names no metadata: a server for everybody. */
bool doctor_is_open(const doctor_facts_t *f);
/** Whether the URL names this machine. */
bool doctor_is_loopback(str_t url);
/** "https://host:port" of a URL; unset: it is none. In `a`. */
str_t doctor_origin(arena_t *a, str_t url);

#endif

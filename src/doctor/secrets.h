/* What must not stand in any report: remembered as it passes by, and taken out of texts. */
#ifndef DOCTOR_SECRETS_H
#define DOCTOR_SECRETS_H

#include "core/secret.h"
#include "http/agent.h"

enum { DOCTOR_SECRETS_MAX = 64, DOCTOR_SECRET_LEAST = 6 };

/** In an arena, wiped with it. Further ones than DOCTOR_SECRETS_MAX make every text hidden. */
typedef struct doctor_secrets {
    secret_t v[DOCTOR_SECRETS_MAX];
    size_t n;
    bool full;
} doctor_secrets_t;

/** Remembers one. Shorter ones than DOCTOR_SECRET_LEAST bytes are words of any text, and left. */
void doctor_secrets_add(arena_t *a, doctor_secrets_t *s, str_t secret);
/** Remembers what a request for tokens or a registration sends, and what comes back. */
void doctor_secrets_learn(arena_t *a, doctor_secrets_t *s, const http_agent_request_t *request,
                          const http_answer_t *answer);
/** The text with "[hidden]" in place of each, in `a`; all of it is that where memory lacks. */
str_t doctor_secrets_hide(arena_t *a, const doctor_secrets_t *s, str_t text);
/** A URL without what stands behind its '?', in `a`. */
str_t doctor_shown_url(arena_t *a, str_t url);

#endif

/* Clients that are known by the URL of their metadata document
 * (draft-ietf-oauth-client-id-metadata-document-01): which URLs may be one, and what the document
 * says. Nobody registers; whoever serves the document answers for it. */
#ifndef OAUTH_CLIENT_DOCUMENT_H
#define OAUTH_CLIENT_DOCUMENT_H

#include "oauth/reason.h"
#include "oauth/settings.h"

/** Whether `id` is meant as the URL of a document, rightly or wrongly: it begins as one. Ids that
 *  are made here never do. */
bool oauth_client_document_is_meant(str_t id);
/**
 * Judges the URL before any look-up (section 3): OAUTH_FINE, OAUTH_CLIENT_ID_URL or
 * OAUTH_CLIENT_ID_HOST. One spelling only: https (http for a loopback host among the private ones)
 * and host in lower case, a name as DNS writes it and no address, a path other than "/" without
 * dot segments however encoded, no query, fragment or user information.
 */
oauth_reason_t oauth_client_document_check_url(const oauth_settings_t *settings, str_t id);

/** What came from there. */
typedef struct {
    int status;
    str_t content_type; /* unset when absent */
    str_t body;
} oauth_client_document_answer_t;

/** What it says; lives in the arena and borrows from answer and URL. */
typedef struct {
    oauth_reason_t reason; /* OAUTH_FINE, or OAUTH_CLIENT_DOCUMENT_* */
    str_t detail;          /* of a refusal, for the audit; unset: the reason's own text */
    client_t client;       /* OAUTH_FINE: of CLIENT_BY_DOCUMENT, with its `document` hash */
} oauth_client_document_t;

/** Reads the document of `url`, which has been judged. RC_MEMORY. */
rc_t oauth_client_document_read(arena_t *a, const oauth_settings_t *settings, str_t url,
                                const oauth_client_document_answer_t *answer,
                                oauth_client_document_t *out) MUST_USE;
/** The hash of what a person must approve anew when it changes (section 6.3): name, redirect URIs
 *  in any order, home page, keys, and how it authenticates. */
rc_t oauth_client_document_hash(arena_t *a, const client_t *client, hash_t *out) MUST_USE;
/** Whether each of its redirect URIs leads to the person's own machine: anybody there can pretend
 *  to be it. */
bool oauth_client_is_loopback_only(const client_t *client);

#endif

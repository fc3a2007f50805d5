#include "as/statement.h"

#include "oauth/statement.h"

rc_t as_statement_want_keys(as_flow_t *f, const as_flow_document_t **out)
{
    oauth_statement_t statement;
    const oauth_issuers_t *issuers = &f->w->as->oauth.issuers;
    *out = NULL;
    if (!oauth_issuer_any(issuers, OAUTH_ISSUER_SOFTWARE_STATEMENT))
        return RC_OK;
    TRY(oauth_statement_read(f->a, f->x->body, &statement));
    if (!str_is_set(statement.issuer))
        return RC_OK;
    const oauth_issuer_t *issuer =
        oauth_issuer_find(issuers, statement.issuer, OAUTH_ISSUER_SOFTWARE_STATEMENT);
    if (issuer && !str_is_set(issuer->jwks) && str_is_set(issuer->jwks_uri))
        *out = as_flow_fetch(f, issuer->jwks_uri, &AS_FETCHED_KEYS);
    return RC_OK;
}

str_t as_statement_keys(const as_flow_document_t *document)
{
    return document ? document->body : STR_UNSET;
}

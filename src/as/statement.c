#include "as/statement.h"

#include "oauth/statement.h"

rc_t as_statement_want(as_flow_t *f, as_issuer_t *out)
{
    oauth_statement_t statement;
    const oauth_issuers_t *issuers = &f->w->as->oauth.issuers;
    *out = (as_issuer_t){0};
    if (!oauth_issuer_any(issuers, OAUTH_ISSUER_SOFTWARE_STATEMENT))
        return RC_OK;
    TRY(oauth_statement_read(f->a, f->x->body, &statement));
    if (!str_is_set(statement.issuer))
        return RC_OK;
    return as_issuer_want(
        f, oauth_issuer_find(issuers, statement.issuer, OAUTH_ISSUER_SOFTWARE_STATEMENT), out);
}

rc_t as_statement_follow(as_flow_t *f, as_issuer_t *issuer, oauth_reason_t reason, bool *more)
{
    TRY(as_issuer_follow(f, issuer, more));
    if (!*more && reason == OAUTH_STATEMENT_SIGNATURE)
        *more = as_issuer_keys_again(issuer);
    return RC_OK;
}

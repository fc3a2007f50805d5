/* The fields of the audit event that a decision knows itself. */
#ifndef OAUTH_EVENT_H
#define OAUTH_EVENT_H

#include "model/audit_event.h"
#include "oauth/reason.h"

/** Allowed when `r` is OAUTH_FINE; else denied, with the row's audit text as detail. */
static inline audit_event_t oauth_event(audit_kind_t kind, oauth_reason_t r)
{
    return (audit_event_t){
        .kind = kind,
        .allowed = r == OAUTH_FINE,
        .reason = oauth_reason_name(r),
        .detail = r == OAUTH_FINE ? STR_UNSET : oauth_reason_audit(r),
    };
}

#endif

/* One interaction, for audit and compliance: who, which client, what, decision with its precise
 * reason, when, request id. Never a token, code, secret or password. */
#ifndef MODEL_AUDIT_EVENT_H
#define MODEL_AUDIT_EVENT_H

#include "core/str.h"

/* AUDIT(NAME, "name in the file", what it records) */
#define AUDIT_TABLE(AUDIT)                                                                         \
    AUDIT(CLIENT_REGISTERED, "client.registered", "a client was registered or refused")            \
    AUDIT(CLIENT_DELETED, "client.deleted", "a client was deleted")                                \
    AUDIT(CLIENT_CHANGED, "client.changed", "a client's registration was read or changed")         \
    AUDIT(PUSHED, "pushed", "an authorization request was pushed or refused")                      \
    AUDIT(DEVICE, "device", "a device asked to be signed in, or a person typed its code")          \
    AUDIT(INTROSPECTION, "introspection", "a resource server asked about a token")                 \
    AUDIT(REGISTRATION_TOKEN, "registration_token", "a token for one registration was made")       \
    AUDIT(USER_CREATED, "user.created", "an account was created")                                  \
    AUDIT(USER_CHANGED, "user.changed",                                                            \
          "a password or groups were changed, or an account disabled")                             \
    AUDIT(LOGIN, "login", "a person signed in or failed to")                                       \
    AUDIT(LOGOUT, "logout", "a person signed out")                                                 \
    AUDIT(AUTHORIZE, "authorize", "an authorization request was refused or answered")              \
    AUDIT(CONSENT, "consent", "a person approved or denied a client")                              \
    AUDIT(TOKEN, "token", "the token endpoint issued or refused tokens")                           \
    AUDIT(REFRESH_REUSE, "refresh_reuse", "a rotated refresh token came back; family revoked")     \
    AUDIT(CODE_REPLAY, "code_replay", "a used code came back; family revoked")                     \
    AUDIT(REVOKE, "revoke", "a token was revoked")                                                 \
    AUDIT(RESOURCE_CHANGED, "resource.changed", "a protected resource was added or changed")       \
    AUDIT(KEY_CHANGED, "key.changed", "a signing key was made, activated or retired")              \
    AUDIT(ACCESS, "access", "a resource server let a request in or refused it")                    \
    AUDIT(TOOL_CALL, "tool_call", "a tool was called")                                             \
    AUDIT(CALL_BEGIN, "call.begin", "a message to a protected server was let through or refused")  \
    AUDIT(CALL_END, "call.end", "a message that was let through was answered, or broke off")       \
    AUDIT(DEFINITION, "definition.changed",                                                        \
          "a protected server offers a tool that is new or changed")                               \
    AUDIT(ANSWER, "answer.dropped",                                                                \
          "a protected server answered what it was not asked, and nobody got it")                  \
    AUDIT(UPSTREAM, "upstream", "a protected server was started, ended or failed")                 \
    AUDIT(SETTINGS, "settings", "settings were loaded anew, or refused")                           \
    AUDIT(STORE, "store", "the whole store was exported, filled, moved, saved or restored")        \
    AUDIT(CHECKPOINT, "checkpoint", "the trail so far, signed with the audit key")                 \
    AUDIT(MEND, "mend", "zeros, or lines out of order, that a loss of power left were put aside")  \
    AUDIT(RETENTION, "retention", "a file of the trail whose time was over is deleted")            \
    AUDIT(SERVER, "server", "the server started or stopped")

typedef enum {
#define AUDIT(name, text, about) AUDIT_##name,
    AUDIT_TABLE(AUDIT)
#undef AUDIT
        AUDIT_KIND_COUNT
} audit_kind_t;

/** Unset members are left out of the line. */
typedef struct {
    audit_kind_t kind;
    bool allowed;     /* the decision: "allow" or "deny" */
    str_t reason;     /* precise; the name of a reason row for refusals, e.g. "pkce_mismatch" */
    str_t detail;     /* one free sentence, no secrets; hostile parts are escaped by the writer */
    str_t user;       /* id of the person */
    str_t client;     /* client_id */
    str_t resource;   /* resource identifier */
    str_t scope;      /* asked for or granted */
    str_t tool;       /* of a tool call */
    str_t family;     /* grant id */
    str_t token;      /* jti, never the token */
    str_t address;    /* of the caller */
    str_t request_id; /* of the HTTP request */
    int64_t duration_us; /* 0: left out */
    /* of calls through the gateway */
    str_t issuer;   /* of the token: `user` is its subject */
    str_t upstream; /* path of the protected server */
    str_t method;   /* of the message */
    str_t object;   /* resource or prompt that it names; tools stand in `tool` */
    str_t rule;     /* of the policy that decided */
    str_t shadow;   /* what the shadow policy says: "allow", or reason and rule; unset: none */
    str_t arguments_hash; /* SHA-256 of the arguments' bytes, hexadecimal */
    str_t arguments;      /* JSON, redacted; by opt-in */
    str_t trace;          /* W3C trace-id */
    int64_t status;       /* of the HTTP answer; 0: left out, as the following */
    int64_t bytes_in, bytes_out;
} audit_event_t;

#endif

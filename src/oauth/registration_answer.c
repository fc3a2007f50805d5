#include "oauth/registration_answer.h"

#include "core/limits.h"
#include "oauth/client_metadata.h"
#include "oauth/metadata.h"
#include "oauth/resource.h"

/* Where a client manages its registration (RFC 7592 section 3). */
static rc_t management_uri(arena_t *a, str_t issuer, str_t client_id, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_URL_BYTES);
    buf_put(&b, issuer);
    buf_put(&b, STR(OAUTH_PATH_REGISTER "/"));
    buf_percent(&b, client_id);
    return buf_done(&b, out);
}

/* The holder of the token may come back with it. */
static rc_t write_management(arena_t *a, const oauth_registration_answer_t *what, json_writer_t *w)
{
    str_t uri;
    if (!str_is_set(what->management))
        return RC_OK;
    TRY(management_uri(a, what->settings->issuer, what->client->id, &uri));
    json_member_str(w, STR("registration_access_token"), what->management);
    json_member_str(w, STR("registration_client_uri"), uri);
    return RC_OK;
}

rc_t oauth_registration_answer_write(arena_t *a, const oauth_registration_answer_t *what,
                                     str_t *out)
{
    str_t scope;
    TRY(oauth_resource_scope_all(a, what->resources, &scope));
    buf_t b = buf_new(a, LIMIT_REGISTRATION_BYTES * 3 + LIMIT_METADATA_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("client_id"), what->client->id);
    json_member_int(&w, STR("client_id_issued_at"), what->client->created_at);
    json_member_str(&w, STR("client_secret"), what->secret);
    if (str_is_set(what->secret))
        json_member_int(&w, STR("client_secret_expires_at"), 0);
    TRY(write_management(a, what, &w));
    oauth_client_metadata_write(&w, what->client);
    json_member_str(&w, STR("scope"), scope);
    json_member_str(&w, STR("software_statement"), what->statement);
    json_end_object(&w);
    return buf_done(&b, out);
}

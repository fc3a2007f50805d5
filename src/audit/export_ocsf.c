/* OCSF 1.3.0: Authentication (class 3002) for people and clients that sign in and get tokens, API
 * Activity (class 6003) for all others. Source: schema.ocsf.io/1.3.0. */
#include "audit/export_rows.h"

enum { CATEGORY_IAM = 3, CATEGORY_APPLICATION = 6, AUTHENTICATION = 3002, API_ACTIVITY = 6003 };
enum { OTHER = 99 };

/* Kinds with an activity of their own; all others are API Activity, Other. */
static const struct {
    audit_kind_t kind;
    int class, activity;
} KINDS[] = {
    {AUDIT_LOGIN, AUTHENTICATION, 1},           /* Logon */
    {AUDIT_LOGOUT, AUTHENTICATION, 2},          /* Logoff */
    {AUDIT_TOKEN, AUTHENTICATION, 3},           /* Authentication Ticket */
    {AUDIT_CLIENT_REGISTERED, API_ACTIVITY, 1}, /* Create */
    {AUDIT_REGISTRATION_TOKEN, API_ACTIVITY, 1},
    {AUDIT_USER_CREATED, API_ACTIVITY, 1},
    {AUDIT_INTROSPECTION, API_ACTIVITY, 2},  /* Read */
    {AUDIT_CLIENT_CHANGED, API_ACTIVITY, 3}, /* Update */
    {AUDIT_USER_CHANGED, API_ACTIVITY, 3},
    {AUDIT_RESOURCE_CHANGED, API_ACTIVITY, 3},
    {AUDIT_KEY_CHANGED, API_ACTIVITY, 3},
    {AUDIT_STORE, API_ACTIVITY, 3},
    {AUDIT_CLIENT_DELETED, API_ACTIVITY, 4}, /* Delete */
    {AUDIT_REVOKE, API_ACTIVITY, 4},
    {AUDIT_RETENTION, API_ACTIVITY, 4},
    {AUDIT_MEND, API_ACTIVITY, 4},
};

/* A member, and the object, the object in that, and the name that it goes to. */
typedef struct {
    str_t member, object, inner, name;
    bool is_number;
} place_t;

#define PLACE(member, object, inner, name, is_number)                                              \
    {                                                                                              \
        STR_INIT(member), STR_INIT(object), STR_INIT(inner), STR_INIT(name), is_number             \
    }

static const place_t PLACES[] = {
    PLACE("client", "actor", "", "app_uid", false),
    PLACE("user", "actor", "user", "uid", false),
    PLACE("family", "actor", "session", "uid", false),
    PLACE("issuer", "actor", "session", "issuer", false),
    PLACE("method", "api", "", "operation", false),
    PLACE("upstream", "api", "service", "name", false),
    PLACE("request_id", "api", "request", "uid", false),
    PLACE("reason", "api", "response", "error", false),
    PLACE("detail", "api", "response", "message", false),
    PLACE("status", "api", "response", "code", true),
    PLACE("address", "src_endpoint", "", "ip", false),
};
static const str_t OBJECTS[] = {STR_INIT("actor"), STR_INIT("api"), STR_INIT("src_endpoint")};
static const str_t INNERS[] = {STR_INIT("user"), STR_INIT("session"), STR_INIT("service"),
                               STR_INIT("request"), STR_INIT("response")};
/* Members that are told elsewhere. */
static const audit_row_t ELSEWHERE[] = {
    AUDIT_ROW("time", ""),   AUDIT_ROW("event", ""),       AUDIT_ROW("decision", ""),
    AUDIT_ROW("rule", ""),   AUDIT_ROW("duration_us", ""), AUDIT_ROW("tool", ""),
    AUDIT_ROW("object", ""), AUDIT_ROW("resource", ""),
};
static const audit_row_t RESOURCES[] = {
    AUDIT_ROW("tool", "tool"),
    AUDIT_ROW("object", "object"),
    AUDIT_ROW("resource", "protected resource"),
};
enum {
    N_KINDS = sizeof KINDS / sizeof KINDS[0],
    N_PLACES = sizeof PLACES / sizeof PLACES[0],
    N_OBJECTS = sizeof OBJECTS / sizeof OBJECTS[0],
    N_INNERS = sizeof INNERS / sizeof INNERS[0],
    N_ELSEWHERE = sizeof ELSEWHERE / sizeof ELSEWHERE[0],
    N_RESOURCES = sizeof RESOURCES / sizeof RESOURCES[0],
};

static void put_class(json_writer_t *w, const audit_record_t *r, int *class)
{
    int activity = OTHER;
    *class = API_ACTIVITY;
    for (size_t i = 0; i < N_KINDS; i++) {
        if (!str_eq(audit_kind_name(KINDS[i].kind), r->event))
            continue;
        *class = KINDS[i].class;
        activity = KINDS[i].activity;
    }
    json_member_int(w, STR("category_uid"),
                    *class == AUTHENTICATION ? CATEGORY_IAM : CATEGORY_APPLICATION);
    json_member_int(w, STR("class_uid"), *class);
    json_member_int(w, STR("activity_id"), activity);
    json_member_int(w, STR("type_uid"), (int64_t) * class * 100 + activity);
    json_member_str(w, STR("activity_name"), r->event);
}

static void put_outcome(json_writer_t *w, const audit_record_t *r)
{
    static const int SEVERITY[] = {1, 2, 4}; /* Informational, Low, High */
    int64_t duration_us;
    bool allowed = str_eq(r->decision, STR("allow"));
    json_member_int(w, STR("time"), audit_time_parse(r->time));
    json_member_int(w, STR("severity_id"), SEVERITY[audit_level_of(r)]);
    json_member_int(w, STR("status_id"), allowed ? 1 : 2); /* Success, Failure */
    json_member_str(w, STR("status_detail"), audit_member_text(r, STR("reason")));
    json_member_str(w, STR("message"), audit_member_text(r, STR("detail")));
    if (json_get_i64(r->json, STR("duration_us"), &duration_us))
        json_member_int(w, STR("duration"), duration_us / 1000);
}

static void put_metadata(json_writer_t *w, const audit_export_t *how, const audit_record_t *r)
{
    json_key(w, STR("metadata"));
    json_begin_object(w);
    json_member_str(w, STR("version"), STR("1.3.0"));
    json_key(w, STR("product"));
    json_begin_object(w);
    json_member_str(w, STR("name"), STR("Warder"));
    json_member_str(w, STR("vendor_name"), STR("Warder"));
    json_member_str(w, STR("version"), how->version);
    json_end_object(w);
    json_member_str(w, STR("log_name"), STR("audit"));
    json_member_int(w, STR("sequence"), (int64_t)r->seq);
    json_member_str(w, STR("correlation_uid"), audit_member_text(r, STR("request_id")));
    json_end_object(w);
}

/* What an object must hold although the event does not tell it. */
static void put_required(json_writer_t *w, const audit_record_t *r, str_t object)
{
    bool has_actor = json_get(r->json, STR("client")) || json_get(r->json, STR("user"));
    if (str_eq(object, STR("actor")) && !has_actor)
        json_member_str(w, STR("app_name"), STR("unknown"));
    if (str_eq(object, STR("api")) && !json_get(r->json, STR("method")))
        json_member_str(w, STR("operation"), r->event);
    if (str_eq(object, STR("src_endpoint")) && !json_get(r->json, STR("address")))
        json_member_str(w, STR("name"), STR("unknown"));
}

/* A text where a number belongs (no line of ours has one) finds no place. */
static bool fits(const place_t *p, const json_t *member)
{
    int64_t number;
    return member && (!p->is_number || json_i64(member, &number));
}

/* The members of one object, or of one in it; those of an inner one with its braces. */
static void put_places(json_writer_t *w, const audit_record_t *r, str_t object, str_t inner)
{
    bool open = inner.n == 0;
    for (size_t i = 0; i < N_PLACES; i++) {
        const place_t *p = &PLACES[i];
        str_t text = audit_member_text(r, p->member);
        if (!fits(p, json_get(r->json, p->member)) || !str_eq(p->object, object) ||
            !str_eq(p->inner, inner))
            continue;
        if (!open) {
            json_key(w, inner);
            json_begin_object(w);
            open = true;
        }
        json_key(w, p->name);
        if (p->is_number)
            json_raw(w, text);
        else
            json_str(w, text);
    }
    if (open && inner.n > 0)
        json_end_object(w);
}

static void put_objects(json_writer_t *w, const audit_record_t *r)
{
    for (size_t i = 0; i < N_OBJECTS; i++) {
        json_key(w, OBJECTS[i]);
        json_begin_object(w);
        put_required(w, r, OBJECTS[i]);
        put_places(w, r, OBJECTS[i], STR(""));
        for (size_t k = 0; k < N_INNERS; k++)
            put_places(w, r, OBJECTS[i], INNERS[k]);
        json_end_object(w);
    }
}

static bool has_place(const json_t *member)
{
    for (size_t i = 0; i < N_PLACES; i++)
        if (str_eq(PLACES[i].member, member->key))
            return fits(&PLACES[i], member);
    return audit_row_find(ELSEWHERE, N_ELSEWHERE, member->key) != NULL;
}

/* Authentication names the user; a client that signs in for itself is one. */
static void put_user(json_writer_t *w, const audit_record_t *r)
{
    str_t user = audit_member_text(r, STR("user")), client = audit_member_text(r, STR("client"));
    json_key(w, STR("user"));
    json_begin_object(w);
    if (str_is_set(user) || str_is_set(client))
        json_member_str(w, STR("uid"), str_is_set(user) ? user : client);
    else
        json_member_str(w, STR("name"), STR("unknown"));
    json_end_object(w);
    json_key(w, STR("service"));
    json_begin_object(w);
    json_member_str(w, STR("name"), STR("Warder"));
    json_end_object(w);
}

static void put_resources(json_writer_t *w, const audit_record_t *r)
{
    bool any = false;
    for (size_t i = 0; i < N_RESOURCES; i++) {
        str_t text = audit_member_text(r, RESOURCES[i].member);
        if (!str_is_set(text))
            continue;
        if (!any) {
            json_key(w, STR("resources"));
            json_begin_array(w);
        }
        any = true;
        json_begin_object(w);
        json_member_str(w, STR("type"), RESOURCES[i].place);
        json_member_str(w, STR("name"), text);
        json_end_object(w);
    }
    if (any)
        json_end_array(w);
}

/* The rule, and all that has no place of its own there. */
static void put_unmapped(json_writer_t *w, const audit_record_t *r)
{
    json_key(w, STR("unmapped"));
    json_begin_object(w);
    json_member_str(w, STR("rule"), audit_member_text(r, STR("rule")));
    for (const json_t *m = r->json->child; m; m = m->next) {
        if (has_place(m))
            continue;
        json_key(w, m->key);
        if (json_is(m, JSON_STRING))
            json_str(w, m->str);
        else
            json_raw(w, m->raw);
    }
    json_end_object(w);
}

void audit_ocsf_write(const audit_export_t *how, const audit_record_t *r, buf_t *b)
{
    int class;
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    put_class(&w, r, &class);
    put_outcome(&w, r);
    put_metadata(&w, how, r);
    put_objects(&w, r);
    if (class == AUTHENTICATION)
        put_user(&w, r);
    put_resources(&w, r);
    put_unmapped(&w, r);
    json_end_object(&w);
}

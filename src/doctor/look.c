#include "doctor/look.h"

#include "client/plain.h"

enum { SEEN_BYTES = 480 };

const doctor_ask_t LOOK_RESOURCE_PLACES[] = {DOCTOR_ASK_PRM_CHALLENGE, DOCTOR_ASK_PRM_PATH,
                                             DOCTOR_ASK_PRM_ROOT, DOCTOR_ASK_COUNT};
const doctor_ask_t LOOK_SERVER_PLACES[] = {DOCTOR_ASK_AS_RFC8414, DOCTOR_ASK_AS_OIDC_INSERTED,
                                           DOCTOR_ASK_AS_OIDC, DOCTOR_ASK_COUNT};

doctor_check_end_t look_hit(look_t *l, str_t seen)
{
    l->seen = client_plain(l->a, seen, SEEN_BYTES);
    return DOCTOR_CHECK_HIT;
}

doctor_check_end_t look_hit_status(look_t *l, doctor_ask_t ask)
{
    return HIT(l, "%d at %" PRIstr, doctor_status(l->f, ask), STR_ARG(l->f->at[ask].url));
}

doctor_check_end_t look_fine(const look_t *l, doctor_ask_t ask)
{
    return doctor_answered(l->f, ask) ? DOCTOR_CHECK_FINE : DOCTOR_CHECK_UNSEEN;
}

bool look_is_2xx(int status)
{
    return status >= 200 && status < 300;
}

bool look_is_3xx(int status)
{
    return status >= 300 && status < 400;
}

static bool has_type(const look_t *l, doctor_ask_t ask, str_t type)
{
    str_t value = doctor_header(l->f, ask, STR("Content-Type"));
    str_t bare = str_trim(str_first(value, str_find(value, ';', 0)), " \t");
    return str_is_set(value) && str_eq_nocase(bare, type);
}

bool look_is_json(const look_t *l, doctor_ask_t ask)
{
    return has_type(l, ask, STR("application/json"));
}

bool look_is_page(const look_t *l, doctor_ask_t ask)
{
    return has_type(l, ask, STR("text/html"));
}

bool look_is_array(const json_t *object, str_t member)
{
    return json_is(json_get(object, member), JSON_ARRAY);
}

bool look_holds(const json_t *object, str_t member, str_t text)
{
    const json_t *list = json_get(object, member);
    if (!json_is(list, JSON_ARRAY))
        return false;
    for (const json_t *v = list->child; v; v = v->next)
        if (json_is(v, JSON_STRING) && str_eq(v->str, text))
            return true;
    return false;
}

bool look_is_true(const json_t *object, str_t member)
{
    bool value = false;
    return json_get_bool(object, member, &value) && value;
}

static str_t without_slash(str_t url)
{
    return url.n > 0 && url.p[url.n - 1] == '/' ? str_first(url, url.n - 1) : url;
}

bool look_differs_by_slash(str_t one, str_t other)
{
    return !str_eq(one, other) && str_eq(without_slash(one), without_slash(other));
}

bool look_is_http_url(str_t url)
{
    url_t u;
    return str_is_set(url) && url_parse(url, &u) == RC_OK && url_is_http(&u);
}

bool look_is_plain_http(str_t url)
{
    url_t u;
    return look_is_http_url(url) && url_parse(url, &u) == RC_OK && !url_is_https(&u) &&
           !doctor_is_loopback(url);
}

/* Of the document and of the objects in it; deeper there is nothing in metadata. */
str_t look_null_member(const json_t *object)
{
    for (const json_t *v = object ? object->child : NULL; v; v = v->next) {
        if (json_is(v, JSON_NULL))
            return v->key;
        if (!json_is(v, JSON_OBJECT))
            continue;
        for (const json_t *w = v->child; w; w = w->next)
            if (json_is(w, JSON_NULL))
                return w->key;
    }
    return STR_UNSET;
}

/* UNSEEN where none of the places gave an answer. */
static doctor_check_end_t fine_places(const look_t *l, const doctor_ask_t *places)
{
    LOOK_EACH(places, ask)
    {
        if (doctor_answered(l->f, *ask))
            return DOCTOR_CHECK_FINE;
    }
    return DOCTOR_CHECK_UNSEEN;
}

doctor_check_end_t look_not_json(look_t *l, const doctor_ask_t *places)
{
    LOOK_EACH(places, ask)
    {
        if (doctor_status(l->f, *ask) != 200 || doctor_json(l->f, *ask))
            continue;
        str_t type = doctor_header(l->f, *ask, STR("Content-Type"));
        return HIT(l, "200 at %" PRIstr " with %" PRIstr ", which is no JSON object",
                   STR_ARG(l->f->at[*ask].url), STR_ARG(str_is_set(type) ? type : STR("no type")));
    }
    return fine_places(l, places);
}

doctor_check_end_t look_type(look_t *l, const doctor_ask_t *places)
{
    LOOK_EACH(places, ask)
    {
        if (!doctor_json(l->f, *ask) || look_is_json(l, *ask))
            continue;
        str_t type = doctor_header(l->f, *ask, STR("Content-Type"));
        return HIT(l, "Content-Type: %" PRIstr " at %" PRIstr,
                   STR_ARG(str_is_set(type) ? type : STR("(none)")), STR_ARG(l->f->at[*ask].url));
    }
    return fine_places(l, places);
}

doctor_check_end_t look_redirects(look_t *l, const doctor_ask_t *places)
{
    LOOK_EACH(places, ask)
    {
        if (!look_is_3xx(doctor_status(l->f, *ask)))
            continue;
        str_t where = doctor_header(l->f, *ask, STR("Location"));
        return HIT(l, "%d at %" PRIstr ", to %" PRIstr, doctor_status(l->f, *ask),
                   STR_ARG(l->f->at[*ask].url), STR_ARG(where));
    }
    return fine_places(l, places);
}

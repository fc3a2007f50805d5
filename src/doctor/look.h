/* What the functions behind the table of checks share. */
#ifndef DOCTOR_LOOK_H
#define DOCTOR_LOOK_H

#include "doctor/checks.h"

/** One check at work. */
typedef struct {
    arena_t *a;
    const doctor_facts_t *f;
    str_t seen;
} look_t;

/* One function a row of the table, by its name. */
#define CHECK(name, grade, phase, sentence, rule, mend, who)                                       \
    doctor_check_end_t check_##name(look_t *l);
#include "doctor/checks.def"
#undef CHECK

/* The check hit, and this was seen: a format of our own, with words of strangers as its values. */
#define HIT(l, ...) look_hit((l), arena_printf((l)->a, __VA_ARGS__))

doctor_check_end_t look_hit(look_t *l, str_t seen);
/** HIT with the URL and the status of an answer. */
doctor_check_end_t look_hit_status(look_t *l, doctor_ask_t ask);
/** FINE, or UNSEEN where the question got no answer. */
doctor_check_end_t look_fine(const look_t *l, doctor_ask_t ask);

bool look_is_2xx(int status);
bool look_is_3xx(int status);
/** Whether Content-Type is application/json, or HTML. */
bool look_is_json(const look_t *l, doctor_ask_t ask);
bool look_is_page(const look_t *l, doctor_ask_t ask);
/** Whether a member is an array of texts that holds `text`. */
bool look_holds(const json_t *object, str_t member, str_t text);
bool look_is_array(const json_t *object, str_t member);
bool look_is_true(const json_t *object, str_t member);
/** Whether two URLs are one but for a last slash. */
bool look_differs_by_slash(str_t one, str_t other);
/** Whether it is http, and not on this machine. */
bool look_is_plain_http(str_t url);
bool look_is_http_url(str_t url);
/** The first member that is null, also in objects within; unset: there is none. */
str_t look_null_member(const json_t *object);

/* Lists of what is asked, each ended by DOCTOR_ASK_COUNT. */
extern const doctor_ask_t LOOK_RESOURCE_PLACES[];
extern const doctor_ask_t LOOK_SERVER_PLACES[];
#define LOOK_EACH(list, ask) for (const doctor_ask_t *ask = (list); *ask != DOCTOR_ASK_COUNT; ask++)

/* The same checks of both kinds of metadata. */
doctor_check_end_t look_not_json(look_t *l, const doctor_ask_t *places);
doctor_check_end_t look_type(look_t *l, const doctor_ask_t *places);
doctor_check_end_t look_redirects(look_t *l, const doctor_ask_t *places);

#endif

/* The pages that ask for a password. Views borrow; unset members are left out of the page. */
#ifndef WEB_LOGIN_H
#define WEB_LOGIN_H

#include "web/consent.h"

/** What the page says above the form. */
typedef enum {
    WEB_LOGIN_PLAIN,
    WEB_LOGIN_AGAIN,   /* the client asks for the password though somebody is signed in */
    WEB_LOGIN_REFUSED, /* name or password wrong; the same for every cause */
    WEB_LOGIN_LATER,   /* too many failures: wait retry_after_s */
    WEB_LOGIN_BUSY,    /* the server has too much to do right now */
    WEB_LOGIN_STALE,   /* the form was too old or not ours: please again */
    WEB_LOGIN_FAILED,  /* signing in elsewhere did not work; the same for every cause but: */
    WEB_LOGIN_AWAY,    /* the provider cannot be reached */
    WEB_LOGIN_NOTICE_COUNT
} web_login_notice_t;

/** Sign in; posts username, password, csrf, interaction to WEB_PATH_LOGIN. */
typedef struct {
    str_t csrf;
    str_t interaction;         /* unset: leads to the account page */
    str_t client_name;         /* who is waiting, with an interaction; unset: not known here */
    str_t username;            /* what was typed before */
    str_t provider;            /* name of one where people may sign in, too; unset: none */
    const web_consent_t *asks; /* what waits for the sign-in, shown in full above the provider's
                                * button; NULL: not known here */
    str_t forward_csrf;        /* of the button that leads to the provider: it posts this and
                                * interaction to WEB_PATH_ELSEWHERE; unset: instead of it there is */
    str_t forward_href;        /* a link to the page that shows what waits, and has the button */
    bool no_password;          /* only there */
    web_login_notice_t notice;
    uint32_t retry_after_s;
} web_login_t;

void web_page_login(buf_t *b, const web_login_t *v);

/** The first account; posts token, username, password, password_again, csrf to WEB_PATH_SETUP. */
typedef struct {
    str_t csrf;
    str_t token; /* of the link */
    str_t username;
    str_t problem;            /* one sentence (identity_password_fault_text, ...) */
    bool problem_of_username; /* which field it belongs to */
} web_setup_t;

void web_page_setup(buf_t *b, const web_setup_t *v);

#endif

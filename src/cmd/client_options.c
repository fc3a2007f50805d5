#include "cmd/client_options.h"

#include "cmd/secret_file.h"
#include "client/url_rule.h"
#include "core/num.h"
#include "jose/pem.h"

enum { SIGN_IN_S_MAX = 3600 };

static int bad(const char *option, const char *wants)
{
    return command_fail(EXIT_USAGE, "--%s wants %s", option, wants);
}

/* The text of a file that holds one secret, without the end of its line. Unset: not given. */
static int read_secret(arena_t *a, const option_t *rows, const char *option, secret_t *out)
{
    str_t path = option_get(rows, option);
    *out = secret_of(STR_UNSET);
    if (!path.p)
        return EXIT_DONE;
    const secret_file_t file = {.path = arena_cstr(a, path), .what = option};
    int code = secret_file_read(a, &file, out);
    if (code != EXIT_DONE)
        return code;
    out->hidden = str_trim(out->hidden, " \t\r\n");
    if (out->hidden.n > 0)
        return EXIT_DONE;
    return command_fail(EXIT_SETTING, "--%s '%" PRIstr "' is empty", option, STR_ARG(path));
}

static int read_key(arena_t *a, const option_t *rows, client_options_t *out)
{
    secret_t pem;
    jose_key_t *key;
    str_t name = option_get(rows, "client-algorithm");
    int code = read_secret(a, rows, "client-key-file", &pem);
    if (code != EXIT_DONE || !pem.hidden.p)
        return code;
    /* The strict reader wants the text as tools write it: with the end of its last line. */
    str_t text = arena_printf(a, "%" PRIstr "\n", STR_ARG(pem.hidden));
    rc_t rc = text.p ? pem_private_read(a, text, &key) : RC_MEMORY;
    if (text.p)
        secret_wipe((char *)(uintptr_t)text.p, text.n);
    if (rc != RC_OK)
        return command_fail(EXIT_SETTING,
                            "--client-key-file holds no private key in PKCS#8 PEM; 'openssl "
                            "pkcs8 -topk8 -nocrypt' writes one");
    out->key = (jwk_t){.key = key, .kid = option_get(rows, "client-key-id")};
    out->key.alg = name.p ? alg_parse(name) : jose_key_usual_alg(jose_key_kind(key));
    if (!jose_key_fits(jose_key_kind(key), out->key.alg)) {
        jwk_free(&out->key);
        return bad("client-algorithm", "ES256, EdDSA, RS256 or PS256, and one that fits the key");
    }
    out->tokens.who.key = &out->key;
    return EXIT_DONE;
}

static int read_grant(const option_t *rows, tokens_way_t *out)
{
    static const struct {
        const char *name;
        tokens_way_t way;
    } GRANTS[] = {
        {"authorization_code", TOKENS_PERSON},  {"device_code", TOKENS_DEVICE},
        {"client_credentials", TOKENS_MACHINE}, {"jwt-bearer", TOKENS_WORKLOAD},
        {"enterprise", TOKENS_ENTERPRISE},      {"none", TOKENS_NONE},
    };
    str_t name = option_get(rows, "grant");
    tokens_way_t other = option_is_set(rows, "device")       ? TOKENS_DEVICE
                         : option_is_set(rows, "token-file") ? TOKENS_GIVEN
                                                             : TOKENS_PERSON;
    *out = other;
    if (!name.p)
        return EXIT_DONE;
    for (size_t i = 0; i < sizeof GRANTS / sizeof *GRANTS; i++) {
        *out = GRANTS[i].way;
        if (!str_eq(name, str_c(GRANTS[i].name)))
            continue;
        if (other == TOKENS_PERSON || other == *out)
            return EXIT_DONE;
        return command_fail(EXIT_USAGE,
                            "--grant says something else than --device or --token-file");
    }
    return bad("grant", "authorization_code, device_code, client_credentials, jwt-bearer, "
                        "enterprise or none");
}

static int read_keep(const option_t *rows, client_keep_t *out)
{
    static const char *const NAMES[] = {"auto", "desktop", "folder", "memory"};
    str_t name = option_get(rows, "keep");
    *out = option_is_set(rows, "folder") ? CLIENT_KEEP_FOLDER : CLIENT_KEEP_AUTO;
    for (size_t i = 0; name.p && i < sizeof NAMES / sizeof *NAMES; i++) {
        *out = (client_keep_t)i;
        if (str_eq(name, str_c(NAMES[i])))
            return EXIT_DONE;
    }
    return name.p ? bad("keep", "auto, desktop, folder or memory") : EXIT_DONE;
}

static int read_number(const option_t *rows, const char *option, int64_t max, int64_t *out)
{
    str_t text = option_get(rows, option);
    *out = 0;
    if (!text.p || (num_i64(text, 1, max, out)))
        return EXIT_DONE;
    return command_fail(EXIT_USAGE, "--%s wants a number from 1 to %lld", option, (long long)max);
}

static int read_url(const char *what, str_t url, bool plain_ok)
{
    client_reason_t reason = url.p ? client_url_check(url, plain_ok) : CLIENT_FINE;
    if (reason == CLIENT_FINE)
        return EXIT_DONE;
    const client_reason_row_t *row = client_reason_row(reason);
    return command_fail(EXIT_USAGE, "%s '%" PRIstr "': %" PRIstr ". %" PRIstr, what, STR_ARG(url),
                        STR_ARG(row->sentence), STR_ARG(row->mend));
}

int client_options_url(str_t url)
{
    return read_url("the URL", url, true);
}

static int read_urls(const option_t *rows, tokens_config_t *t)
{
    const struct {
        const char *option;
        str_t *url;
    } URLS[] = {{"issuer", &t->issuer},
                {"client-issuer", &t->who_issuer},
                {"client-metadata-url", &t->document},
                {"provider", &t->provider.issuer}};
    int code = client_options_url(t->url);
    for (size_t i = 0; code == EXIT_DONE && i < sizeof URLS / sizeof *URLS; i++) {
        *URLS[i].url = option_get(rows, URLS[i].option);
        code = read_url(URLS[i].option, *URLS[i].url, t->plain_ok);
    }
    return code;
}

static int read_secrets(arena_t *a, const option_t *rows, client_options_t *out)
{
    tokens_config_t *t = &out->tokens;
    secret_t id_token, given;
    int code = read_secret(a, rows, "client-secret-file", &t->who.secret);
    if (code == EXIT_DONE)
        code = read_secret(a, rows, "provider-secret-file", &t->provider.client_secret);
    if (code == EXIT_DONE)
        code = read_secret(a, rows, "id-token-file", &id_token);
    if (code == EXIT_DONE)
        code = read_secret(a, rows, "token-file", &given);
    if (code != EXIT_DONE)
        return code;
    t->provider.id_token = id_token.hidden;
    t->given = given.hidden;
    return read_key(a, rows, out);
}

/* What a way cannot do without. */
static int check_way(const tokens_config_t *t)
{
    bool proves = t->who.secret.hidden.p || t->who.key;
    if (t->who.secret.hidden.p && t->who.key)
        return command_fail(EXIT_USAGE, "give --client-secret-file or --client-key-file, not both");
    if (proves && !t->who.client_id.p && !t->document.p)
        return command_fail(EXIT_USAGE, "--client-id is missing: whose secret or key is that?");
    if (t->way == TOKENS_MACHINE && (!t->who.client_id.p || !proves))
        return command_fail(EXIT_USAGE, "client_credentials wants --client-id, and "
                                        "--client-secret-file or --client-key-file");
    if (t->way == TOKENS_WORKLOAD && !t->assertion_file.p)
        return command_fail(EXIT_USAGE, "jwt-bearer wants --assertion-file");
    if (t->way == TOKENS_ENTERPRISE &&
        (!t->provider.issuer.p || !t->provider.client_id.p || !t->provider.id_token.p))
        return command_fail(EXIT_USAGE, "enterprise wants --provider, --provider-client-id and "
                                        "--id-token-file");
    return EXIT_DONE;
}

int client_options_read(arena_t *a, const option_t *rows, str_t url, client_options_t *out)
{
    int64_t port, seconds;
    *out = (client_options_t){.folder = option_get(rows, "folder"),
                              .ca_file = option_get(rows, "ca-file"),
                              .browser = option_get(rows, "browser"),
                              .interactive = option_is_set(rows, "interactive"),
                              .no_browser = option_is_set(rows, "no-browser"),
                              .verbose = option_is_set(rows, "verbose")};
    tokens_config_t *t = &out->tokens;
    t->url = url;
    t->plain_ok = option_is_set(rows, "plain-http");
    t->who.client_id = option_get(rows, "client-id");
    t->scope = option_get(rows, "scope");
    t->assertion_file = option_get(rows, "assertion-file");
    t->provider.client_id = option_get(rows, "provider-client-id");
    t->registration.name = option_get(rows, "client-name");
    t->dpop = option_is_set(rows, "dpop");
    t->strict =
        option_is_set(rows, "strict-resource") ? CLIENT_RESOURCE_EXACT : CLIENT_RESOURCE_PREFIX;
    t->reach = option_is_set(rows, "private-networks") ? HTTP_REACH_ANY : HTTP_REACH_PUBLIC;
    if (out->browser.p && !str_starts(out->browser, STR("/")))
        return bad("browser", "the absolute path of a program");
    int code = read_grant(rows, &t->way);
    if (code == EXIT_DONE)
        code = read_keep(rows, &out->keep);
    if (code == EXIT_DONE)
        code = read_number(rows, "callback-port", UINT16_MAX, &port);
    if (code == EXIT_DONE)
        code = read_number(rows, "sign-in-seconds", SIGN_IN_S_MAX, &seconds);
    if (code == EXIT_DONE)
        code = read_urls(rows, t);
    if (code == EXIT_DONE)
        code = read_secrets(a, rows, out);
    if (code != EXIT_DONE)
        return code;
    t->callback_port = (uint16_t)port;
    t->sign_in_ms = seconds * 1000;
    return check_way(t);
}

#include "proxy/provider.h"

enum { PAGE_MAX = 1 << 18 };

/* An empty column says nothing. */
#define OR_NONE(text) (sizeof(text) > 1 ? (text) : NULL)

static const provider_t PROVIDERS[] = {
#define PROVIDER(id, name, typ, needs, refuses, client, scope, audience, groups, roles, note,      \
                 source)                                                                           \
    {STR_INIT(id),                                                                                 \
     STR_INIT(name),                                                                               \
     {OR_NONE(typ), OR_NONE(needs), OR_NONE(refuses), OR_NONE(client), OR_NONE(scope),             \
      OR_NONE(audience)},                                                                          \
     STR_INIT(groups),                                                                             \
     STR_INIT(roles),                                                                              \
     sizeof(typ) > 1,                                                                              \
     STR_INIT(note),                                                                               \
     STR_INIT(source)},
#include "proxy/providers.def"
#undef PROVIDER
};
enum { COUNT = sizeof PROVIDERS / sizeof PROVIDERS[0] };

const provider_t *providers(size_t *n)
{
    *n = COUNT;
    return PROVIDERS;
}

const provider_t *provider_find(str_t id)
{
    for (size_t i = 0; i < COUNT; i++)
        if (str_eq(PROVIDERS[i].id, id))
            return &PROVIDERS[i];
    return NULL;
}

static const json_t *at_path(const json_t *v, str_t path)
{
    str_t name;
    while (v && str_split(&path, '.', &name))
        v = json_get(v, name);
    return v;
}

/* The members with one more before them, which is found first. */
static const json_t *with_member(arena_t *a, const json_t *object, str_t name, str_t path)
{
    const json_t *from = path.n > 0 && !str_eq(path, name) ? at_path(object, path) : NULL;
    if (!from)
        return object;
    json_t *head = ARENA_NEW(a, json_t), *member = ARENA_NEW(a, json_t);
    if (!head || !member)
        return NULL;
    *member = *from;
    member->key = name;
    member->next = object->child;
    *head = *object;
    head->child = member;
    head->count++;
    return head;
}

const json_t *provider_claims(arena_t *a, const provider_t *p, const json_t *claims)
{
    const json_t *with = p ? with_member(a, claims, STR("groups"), p->groups) : claims;
    return p && with ? with_member(a, with, STR("roles"), p->roles) : with;
}

/* ---- docs/PROVIDERS.md ---- */

static const str_t HEAD = STR_INIT(
    "# Authorization servers of others\n\n"
    "An upstream takes the tokens of this server, or of those that stand in its "
    "`authorization_servers`\n(docs/SETTINGS.md). Any server whose access tokens are as RFC 9068 "
    "says, and that knows resource\nindicators (RFC 8707), needs nothing but its `issuer`; opaque "
    "tokens need `client_id` and\n`client_secret_file` as well, to ask about them (RFC 7662).\n\n"
    "What is always held, whoever issued a token:\n\n"
    "- The signature is of a key that this issuer publishes, by an algorithm of that key; `iss` is "
    "equal byte\n  for byte; `exp` has not passed.\n"
    "- `aud` is the URL of the resource, or one of `audiences`, byte for byte. `audiences` is for "
    "servers\n  that cannot name the resource: whatever they give for such an audience is good "
    "here, "
    "also what was\n  meant for another API of that name.\n"
    "- ID tokens and tokens of other kinds are refused: by the type of the header (`at+jwt`), and "
    "where a\n  profile has another type, by claims that access tokens alone have and ID tokens "
    "have not.\n"
    "- Keys are fetched again every `keys_fresh_s` seconds, and when a token names a new one. An "
    "issuer that\n  is away is believed for `keys_stale_s`; then nobody comes in until it is "
    "back.\n\n"
    "`profile` says how a known provider differs. Rendered from `src/proxy/providers.def`.\n\n"
    "| profile | provider | type | of these claims | none of these | client_id | scope | audience "
    "|\n|---|---|---|---|---|---|---|---|\n");

static void put_cell(buf_t *b, const char *text, const char *standard)
{
    if (text)
        buf_fmt(b, "`%s` | ", text);
    else
        buf_fmt(b, "%s | ", standard);
}

static void put_row(buf_t *b, const provider_t *p)
{
    const warder_rs_dialect_t *d = &p->dialect;
    buf_fmt(b, "| `%" PRIstr "` | %" PRIstr " | ", STR_ARG(p->id), STR_ARG(p->name));
    if (!p->usable) {
        buf_put(b, STR("cannot be taken | | | | | |\n"));
        return;
    }
    put_cell(b, d->typ, "`at+jwt`");
    put_cell(b, d->needs, "");
    put_cell(b, d->refuses, "");
    put_cell(b, d->client_claims, "`client_id`");
    put_cell(b, d->scope_claim, "`scope`");
    put_cell(b, d->audience_claim, "`aud`");
    b->n--; /* the last space */
    buf_char(b, '\n');
}

static void put_claims(buf_t *b, const provider_t *p)
{
    if (p->groups.n > 0)
        buf_fmt(b, "`groups` of policies is its claim `%" PRIstr "`. ", STR_ARG(p->groups));
    if (p->roles.n > 0)
        buf_fmt(b, "`roles` is `%" PRIstr "`. ", STR_ARG(p->roles));
}

rc_t provider_document(arena_t *a, str_t *out)
{
    buf_t b = buf_new(a, PAGE_MAX);
    buf_put(&b, HEAD);
    for (size_t i = 0; i < COUNT; i++)
        put_row(&b, &PROVIDERS[i]);
    for (size_t i = 0; i < COUNT; i++) {
        const provider_t *p = &PROVIDERS[i];
        buf_fmt(&b, "\n## %" PRIstr "\n\n%" PRIstr " ", STR_ARG(p->name), STR_ARG(p->note));
        put_claims(&b, p);
        buf_fmt(&b, "Source: %" PRIstr "\n", STR_ARG(p->source));
    }
    return buf_done(&b, out);
}

/* docs/CLIENTS.md, written of the catalogue. */
#include "conf/conf_catalogue.h"

#include "core/buf.h"

enum { PAGE_MAX = 1 << 20 };

static const str_t HEAD = STR_INIT(
    "# Clients\n\n"
    "What the MCP clients of the catalogue need of Warder. Rendered from `share/clients.yaml`, "
    "which "
    "is part\nof the program; the setting `client_catalogue` names a file of the same form that "
    "extends it.\n\n"
    "A client says who it is in one of three ways:\n\n"
    "- **document**: its client_id is the URL of its metadata document. Nothing is stored before a "
    "person\n  approves it (`client_documents`).\n"
    "- **registration**: it registers by itself (RFC 7591). On a public URL that needs an initial "
    "access\n  token unless `registration: open` is set; most clients cannot send one, so a server "
    "for "
    "everybody\n  sets `open`. Open registrations leave no row: the client_id holds the "
    "registration, never expires,\n  and works until the key that seals it is replaced or an "
    "administrator "
    "deletes the client.\n"
    "- **configuration**: a person gives it an id, and perhaps a secret, from `warder admin client "
    "add`.\n\n"
    "The catalogue grants nothing by itself. It is used for four things:\n\n"
    "- `redirect_profile: desktop` allows the private-use schemes that stand in it. That is the "
    "default on\n  a loopback public_url only: there whoever could claim such a scheme on the "
    "machine can listen on\n  its loopback interface as well, so nothing is lost. On a public URL "
    "the machines are other\n  people's, and MCP asks for https or loopback: the operator "
    "decides.\n"
    "- Registrations that send codes to the callbacks of a hosted client are counted in a bucket "
    "of "
    "their\n  own (`registration_known_per_minute`), as many people come from few addresses.\n"
    "- `lenient_loopback` lets a client that is known by its document answer at another path of "
    "its\n"
    "  loopback address than the document lists.\n"
    "- This page, and the tests, which replay each client's requests.\n\n"
    "What all of them get without a setting: any port on loopback, 127.0.0.1, [::1] and localhost "
    "as "
    "one\nhost, unknown members and unsupported grants of a registration left out, scopes narrowed "
    "instead of\nrefused, `state` and `scope` optional, a resource with or without its last slash, "
    "and a refresh token\nthat several processes use at once (`refresh_grace`).\n");

static void put_list(buf_t *b, str_list_t list, const char *quote)
{
    for (size_t i = 0; i < list.n; i++)
        buf_fmt(b, "%s%s%" PRIstr "%s", i ? ", " : "", quote, STR_ARG(list.v[i]), quote);
}

static void put_row(buf_t *b, const conf_known_client_t *k)
{
    buf_fmt(b, "| [%" PRIstr "](#%" PRIstr ") | ", STR_ARG(k->name), STR_ARG(k->id));
    put_list(b, k->identifies_by, "");
    buf_fmt(b, " | %" PRIstr " | ", STR_ARG(k->auth));
    put_list(b, k->settings, "`");
    buf_put(b, k->settings.n ? STR(" |\n") : STR("none |\n"));
}

static void put_items(buf_t *b, const char *title, str_list_t list)
{
    if (list.n == 0)
        return;
    buf_fmt(b, "\n%s:\n\n", title);
    for (size_t i = 0; i < list.n; i++)
        buf_fmt(b, "- `%" PRIstr "`\n", STR_ARG(list.v[i]));
}

static void put_client(buf_t *b, const conf_known_client_t *k)
{
    buf_fmt(b, "\n### %" PRIstr "\n\n**%" PRIstr "**", STR_ARG(k->id), STR_ARG(k->name));
    if (str_is_set(k->note))
        buf_fmt(b, ": %" PRIstr, STR_ARG(k->note));
    buf_char(b, '\n');
    put_items(b, "Settings", k->settings);
    put_items(b, "Metadata documents (its client_id)", k->documents);
    put_items(b, "Redirect URIs", k->redirect_uris);
    if (k->lenient_loopback)
        buf_put(b, STR("\nAny path of its loopback redirect URI will do, when it is known by its "
                       "document.\n"));
}

rc_t conf_catalogue_document(arena_t *a, const conf_catalogue_t *c, str_t *out)
{
    buf_t b = buf_new(a, PAGE_MAX);
    buf_put(&b, HEAD);
    buf_put(&b, STR("\n## All at a glance\n\n| client | identifies itself by | authenticates by | "
                    "settings it needs |\n|---|---|---|---|\n"));
    for (size_t i = 0; i < c->n; i++)
        put_row(&b, &c->v[i]);
    buf_put(&b, STR("\n## One by one\n"));
    for (size_t i = 0; i < c->n; i++)
        put_client(&b, &c->v[i]);
    return buf_done(&b, out);
}

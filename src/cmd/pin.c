/* warder pin list|approve|forget */
#include "cmd/admin.h"
#include "cmd/client_print.h"
#include "cmd/command.h"
#include "core/hex.h"
#include "oauth/label.h"
#include "proxy/pins.h"

#include <stdio.h>

enum {
    HASH_DIGITS = 12,
    /* Whoever writes both definitions needs 2^64 tries for two that begin alike. */
    HASH_LEAST = 32,
    /* All changes, each at a place as long as a definition may be. */
    JSON_BYTES = 16 << 20,
    LIST_ARENA_BYTES = 64 << 20,
};

static int cannot_open(rc_t rc, str_t why)
{
    if (rc == RC_MEMORY)
        return command_out_of_memory();
    int code = rc == RC_CONFIG ? EXIT_REFUSED : EXIT_FAILED;
    return command_fail(code, "%" PRIstr, STR_ARG(why));
}

static int open_pins(admin_t *admin, pins_t **out)
{
    str_t why;
    const pins_config_t config = {
        .folder = admin->settings.conf.data, .log = &admin->log, .clock = clock_system()};
    rc_t rc = pins_new(admin->a, &config, out, &why);
    return rc == RC_OK ? EXIT_DONE : cannot_open(rc, why);
}

typedef struct {
    admin_t *admin;
    str_t path; /* unset: all */
    bool json;
} listing_t;

static void print_hash(const hash_t *hash)
{
    for (size_t i = 0; i < HASH_DIGITS / 2; i++)
        printf("%02x", hash->b[i]);
}

static const char *state_of(const gate_pin_t *pin)
{
    return !pin->has_pending ? "approved" : pin->has_approved ? "changed" : "new";
}

static void print_value(const char *sign, str_t value)
{
    if (!value.p)
        return;
    printf("    %s ", sign);
    client_print_json(stdout, value);
}

/* Words of upstreams: what could do something to a terminal comes as an escape, and the name of a
 * member makes no line that could be taken for one of ours. */
static void print_changes(arena_t *a, const gate_pin_t *pin)
{
    gate_pin_changes_t changes;
    if (!pin->has_pending)
        return;
    bool both = pin->pending_text.text.p && (pin->approved_text.text.p || !pin->has_approved);
    if (!pin->pending_text.text.p) {
        printf("  (its words were not kept: ask the server for them)\n");
        return;
    }
    if (!both)
        printf("  (the words that were trusted were not kept: this is all of the new ones)\n");
    rc_t rc = gate_pin_diff(a, pin->approved_text.text, pin->pending_text.text, &changes);
    if (rc != RC_OK)
        printf("  (what differs cannot be told (%s): read both definitions, with --json)\n",
               rc_name(rc));
    for (size_t i = 0; i < changes.n; i++) {
        printf("  ");
        client_print_line(stdout, changes.v[i].place, changes.v[i].place.n + 1);
        printf("\n");
        print_value("-", changes.v[i].was);
        print_value("+", changes.v[i].is);
    }
    if (changes.more)
        printf("  (more differs than is told here: read both definitions, with --json)\n");
}

/* As a shell reads it. */
static void print_word(str_t word)
{
    printf("'");
    for (size_t i = 0; i < word.n; i++)
        fwrite(word.p[i] == '\'' ? "'\\''" : &word.p[i], 1, word.p[i] == '\'' ? 4 : 1, stdout);
    printf("'");
}

/* Trusts what was shown, and nothing that comes between. `shown`: its name as it was printed. */
static void print_command(str_t path, const gate_pin_t *pin, str_t shown)
{
    if (!str_eq(pin->tool, shown) || str_starts(shown, STR("--"))) {
        printf("  (its name cannot be typed: approve all of the upstream, or none)\n");
        return;
    }
    printf("  warder pin approve ");
    print_word(path);
    printf(" ");
    print_word(shown);
    printf(" ");
    for (size_t i = 0; i < sizeof pin->pending.b; i++)
        printf("%02x", pin->pending.b[i]);
    printf("\n");
}

/* Names come from upstreams: what hides or breaks lines is left out. */
static void print_pin(arena_t *a, const gate_pin_set_t *set, const gate_pin_t *pin)
{
    str_t name;
    if (oauth_label_clean(a, pin->tool, GATE_PIN_NAME_BYTES, &name) != RC_OK)
        return;
    printf("%" PRIstr "  %" PRIstr "  %s%s", STR_ARG(set->path), STR_ARG(name), state_of(pin),
           pin->gone ? "  gone" : "");
    if (pin->has_approved) {
        printf("  approved ");
        print_hash(&pin->approved);
    }
    if (pin->has_pending) {
        printf("  waits ");
        print_hash(&pin->pending);
        str_t since = command_time(a, pin->pending_at);
        printf(" since %" PRIstr, STR_ARG(since));
    }
    printf("\n");
    print_changes(a, pin);
    if (pin->has_pending)
        print_command(set->path, pin, name);
}

static void write_hash(json_writer_t *w, const char *name, bool told, const hash_t *hash)
{
    char text[2 * sizeof hash->b];
    buf_t b = buf_fixed(text, sizeof text);
    buf_hex(&b, hash->b, sizeof hash->b);
    if (told)
        json_member_str(w, str_c(name), buf_str(&b));
}

static void write_value(json_writer_t *w, const char *name, str_t value)
{
    if (!value.p)
        return;
    json_key(w, str_c(name));
    json_raw(w, value);
}

static void write_changes(json_writer_t *w, arena_t *a, const gate_pin_t *pin)
{
    gate_pin_changes_t changes;
    str_t is = pin->pending_text.text;
    if (!pin->has_pending || !is.p)
        return;
    rc_t rc = gate_pin_diff(a, pin->approved_text.text, is, &changes);
    json_key(w, STR("changes"));
    json_begin_array(w);
    for (size_t i = 0; i < changes.n; i++) {
        json_begin_object(w);
        json_member_str(w, STR("place"), changes.v[i].place);
        write_value(w, "was", changes.v[i].was);
        write_value(w, "is", changes.v[i].is);
        json_end_object(w);
    }
    json_end_array(w);
    if (changes.more || rc != RC_OK)
        json_member_bool(w, STR("more"), true);
}

/* One object a line. */
static void print_pin_json(arena_t *a, const gate_pin_set_t *set, const gate_pin_t *pin)
{
    str_t line;
    buf_t b = buf_new(a, JSON_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("upstream"), set->path);
    json_member_str(&w, STR("tool"), pin->tool);
    json_member_str(&w, STR("state"), str_c(state_of(pin)));
    json_member_bool(&w, STR("gone"), pin->gone);
    write_hash(&w, "approved", pin->has_approved, &pin->approved);
    write_hash(&w, "pending", pin->has_pending, &pin->pending);
    if (pin->has_pending)
        json_member_int(&w, STR("pending_at"), pin->pending_at);
    write_value(&w, "approved_definition", pin->approved_text.text);
    write_value(&w, "pending_definition", pin->pending_text.text);
    write_changes(&w, a, pin);
    json_end_object(&w);
    if (buf_done(&b, &line) == RC_OK)
        client_print_json(stdout, line);
}

static void print_one(void *ctx, const gate_pin_set_t *set, const gate_pin_t *pin)
{
    const listing_t *l = ctx;
    arena_t *a = arena_new(LIST_ARENA_BYTES);
    if (a && (!l->path.p || str_eq(l->path, set->path)))
        (l->json ? print_pin_json : print_pin)(a, set, pin);
    arena_free(a);
}

static int list_pins(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    pins_t *pins;
    listing_t listing = {admin, n_words > 0 ? words[0] : STR_UNSET, option_is_set(rows, "json")};
    int code = open_pins(admin, &pins);
    if (code != EXIT_DONE)
        return code;
    pins_each(pins, print_one, &listing);
    pins_free(pins);
    return EXIT_DONE;
}

static int not_changed(rc_t rc, const char *nothing, str_t path)
{
    if (rc == RC_NOT_FOUND)
        return command_fail(EXIT_REFUSED,
                            "'%" PRIstr "': %s; 'warder pin list' shows what there is",
                            STR_ARG(path), nothing);
    if (rc == RC_CONFLICT)
        return command_fail(EXIT_REFUSED,
                            "'%" PRIstr "': what waits is not what that hash is of; "
                            "'warder pin list' shows what it is now",
                            STR_ARG(path));
    return command_fail(EXIT_FAILED, "the pins could not be changed (%s)", rc_name(rc));
}

static int record(admin_t *admin, const char *reason, const pins_choice_t *what, str_t detail)
{
    const audit_event_t event = {.kind = AUDIT_DEFINITION,
                                 .allowed = true,
                                 .reason = str_c(reason),
                                 .detail = detail,
                                 .upstream = what->path,
                                 .tool = what->tool};
    return admin_record(admin, &event);
}

/* The path, which all changes need, and what else was given. */
static int read_choice(const str_t *words, size_t n_words, pins_choice_t *out)
{
    *out = (pins_choice_t){STR_UNSET, STR_UNSET, STR_UNSET};
    if (n_words == 0)
        return command_fail(EXIT_USAGE, "name the upstream by its path, as '/mcp'");
    out->path = words[0];
    out->tool = n_words > 1 ? words[1] : STR_UNSET;
    out->hash = n_words > 2 ? words[2] : STR_UNSET;
    bool good = !out->hash.p || (out->hash.n >= HASH_LEAST && out->hash.n <= 2 * sizeof(hash_t));
    for (size_t i = 0; i < out->hash.n; i++)
        good &= hex_value(out->hash.p[i]) >= 0;
    if (!good)
        return command_fail(EXIT_USAGE,
                            "give at least %d hexadecimal digits of the hash, as "
                            "'warder pin list' shows it",
                            HASH_LEAST);
    return EXIT_DONE;
}

static str_t hex_of(arena_t *a, const hash_t *hash)
{
    str_t text;
    buf_t b = buf_new(a, 2 * sizeof hash->b);
    buf_hex(&b, hash->b, sizeof hash->b);
    return buf_done(&b, &text) == RC_OK ? text : STR_UNSET;
}

/* Each with its hash, so that the trail tells what was trusted, and not only that something was. */
static int tell_trusted(admin_t *admin, str_t path, const pins_trusted_list_t *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const pins_choice_t what = {path, list->v[i].tool,
                                    hex_of(admin->a, &list->v[i].definition)};
        str_t detail = arena_printf(admin->a, "sha256 %" PRIstr, STR_ARG(what.hash));
        int code = record(admin, "definition_approved", &what, detail);
        if (code != EXIT_DONE)
            return code;
    }
    printf("%zu tool%s approved\n", list->n, list->n == 1 ? "" : "s");
    for (size_t i = 0; i < list->n; i++) {
        str_t hash = hex_of(admin->a, &list->v[i].definition);
        printf("%" PRIstr "  ", STR_ARG(hash));
        client_print_line(stdout, list->v[i].tool, GATE_PIN_NAME_BYTES);
        printf("\n");
    }
    return EXIT_DONE;
}

static int approve_pins(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    pins_t *pins;
    pins_choice_t choice;
    pins_trusted_list_t trusted;
    (void)rows;
    int code = read_choice(words, n_words, &choice);
    if (code == EXIT_DONE)
        code = open_pins(admin, &pins);
    if (code != EXIT_DONE)
        return code;
    rc_t rc = pins_approve(pins, admin->a, &choice, &trusted);
    pins_free(pins);
    return rc == RC_OK ? tell_trusted(admin, choice.path, &trusted)
                       : not_changed(rc, "nothing of it waits for approval", choice.path);
}

static int forget_pins(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    pins_t *pins;
    pins_choice_t choice;
    size_t count;
    (void)rows;
    int code = read_choice(words, n_words, &choice);
    if (code == EXIT_DONE)
        code = open_pins(admin, &pins);
    if (code != EXIT_DONE)
        return code;
    rc_t rc = pins_forget(pins, choice.path, choice.tool, &count);
    pins_free(pins);
    if (rc != RC_OK)
        return not_changed(rc, "there are no pins of it", choice.path);
    code = record(admin, "definition_forgotten", &choice, STR_UNSET);
    if (code == EXIT_DONE)
        printf("%zu tool%s forgotten\n", count, count == 1 ? "" : "s");
    return code;
}

static const option_t LIST_OPTIONS[] = {{.name = "json", .is_switch = true}};

static int run_list(int argc, char **argv)
{
    return admin_command(argc, argv, LIST_OPTIONS, 1, 1, list_pins);
}

static int run_approve(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 3, approve_pins);
}

static int run_forget(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 2, forget_pins);
}

const command_t CMD_PIN_LIST = {
    "pin list", "[UPSTREAM] [--json]",
    "lists the pinned definitions of upstreams' tools, and what changed", run_list};
const command_t CMD_PIN_APPROVE = {
    "pin approve", "UPSTREAM [TOOL [HASH]]",
    "trusts the definitions that wait; with HASH only the one that was read", run_approve};
const command_t CMD_PIN_FORGET = {"pin forget", "UPSTREAM [TOOL]",
                                  "forgets pins; an upstream without any is trusted as it is then",
                                  run_forget};

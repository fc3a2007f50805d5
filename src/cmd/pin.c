/* warder pin list|approve|forget */
#include "cmd/admin.h"
#include "cmd/command.h"
#include "oauth/label.h"
#include "proxy/pins.h"

#include <stdio.h>

enum { HASH_DIGITS = 12 };

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
} listing_t;

static void print_hash(const hash_t *hash)
{
    for (size_t i = 0; i < HASH_DIGITS / 2; i++)
        printf("%02x", hash->b[i]);
}

/* Names come from upstreams: what hides or breaks lines is left out. */
static void print_pin(void *ctx, const gate_pin_set_t *set, const gate_pin_t *pin)
{
    const listing_t *l = ctx;
    str_t name;
    if (l->path.p && !str_eq(l->path, set->path))
        return;
    if (oauth_label_clean(l->admin->a, pin->tool, GATE_PIN_NAME_BYTES, &name) != RC_OK)
        return;
    const char *state = !pin->has_pending ? "approved" : pin->has_approved ? "changed" : "new";
    printf("%" PRIstr "  %" PRIstr "  %s%s", STR_ARG(set->path), STR_ARG(name), state,
           pin->gone ? "  gone" : "");
    if (pin->has_approved) {
        printf("  approved ");
        print_hash(&pin->approved);
    }
    if (pin->has_pending) {
        printf("  waits ");
        print_hash(&pin->pending);
        str_t since = command_time(l->admin->a, pin->pending_at);
        printf(" since %" PRIstr, STR_ARG(since));
    }
    printf("\n");
}

static int list_pins(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    pins_t *pins;
    listing_t listing = {admin, n_words > 0 ? words[0] : STR_UNSET};
    int code = open_pins(admin, &pins);
    if (code != EXIT_DONE)
        return code;
    pins_each(pins, print_pin, &listing);
    pins_free(pins);
    return EXIT_DONE;
}

/* What both changes are made of. */
typedef struct {
    rc_t (*change)(pins_t *p, str_t path, str_t tool, size_t *count);
    const char *reason;
    const char *done, *nothing;
} verb_t;

static const verb_t APPROVE = {pins_approve, "definition_approved", "approved",
                               "nothing of it waits for approval"};
static const verb_t FORGET = {pins_forget, "definition_forgotten", "forgotten",
                              "there are no pins of it"};

static int not_changed(rc_t rc, const verb_t *verb, str_t path)
{
    if (rc == RC_NOT_FOUND)
        return command_fail(EXIT_REFUSED,
                            "'%" PRIstr "': %s; 'warder pin list' shows what there is",
                            STR_ARG(path), verb->nothing);
    return command_fail(EXIT_FAILED, "the pins could not be changed (%s)", rc_name(rc));
}

static int record(admin_t *admin, const verb_t *verb, str_t path, str_t tool)
{
    effects_t none = {0};
    const audit_event_t event = {.kind = AUDIT_DEFINITION,
                                 .allowed = true,
                                 .reason = str_c(verb->reason),
                                 .upstream = path,
                                 .tool = tool};
    return admin_apply(admin, &none, &event, "");
}

static int change_pins(admin_t *admin, const verb_t *verb, const str_t *words, size_t n_words)
{
    pins_t *pins;
    size_t count;
    if (n_words == 0)
        return command_fail(EXIT_USAGE, "name the upstream by its path, as '/mcp'");
    str_t path = words[0], tool = n_words > 1 ? words[1] : STR_UNSET;
    int code = open_pins(admin, &pins);
    if (code != EXIT_DONE)
        return code;
    rc_t rc = verb->change(pins, path, tool, &count);
    pins_free(pins);
    if (rc != RC_OK)
        return not_changed(rc, verb, path);
    code = record(admin, verb, path, tool);
    if (code == EXIT_DONE)
        printf("%zu tool%s %s\n", count, count == 1 ? "" : "s", verb->done);
    return code;
}

static int approve_pins(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    return change_pins(admin, &APPROVE, words, n_words);
}

static int forget_pins(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    return change_pins(admin, &FORGET, words, n_words);
}

static int run_list(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 1, list_pins);
}

static int run_approve(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 2, approve_pins);
}

static int run_forget(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 2, forget_pins);
}

const command_t CMD_PIN_LIST = {"pin list", "[UPSTREAM]",
                                "lists the pinned definitions of upstreams' tools", run_list};
const command_t CMD_PIN_APPROVE = {"pin approve", "UPSTREAM [TOOL]",
                                   "trusts the definitions that wait", run_approve};
const command_t CMD_PIN_FORGET = {"pin forget", "UPSTREAM [TOOL]",
                                  "forgets pins; an upstream without any is trusted as it is then",
                                  run_forget};

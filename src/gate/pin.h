/* Pins: what the definitions of an upstream's tools were when somebody trusted them. A tool whose
 * words change under the model's eyes is another tool. Pure. */
#ifndef GATE_PIN_H
#define GATE_PIN_H

#include "core/json.h"
#include "model/records.h"

enum {
    GATE_PIN_TOOLS = 2000,            /* of one upstream */
    GATE_PIN_UPSTREAMS = 256,         /* that ever had pins */
    GATE_PIN_NAME_BYTES = 512,        /* of a tool */
    GATE_PIN_FILE_BYTES = 16 << 20,   /* all at their longest do not fit: such a set is refused */
    GATE_PIN_ARENA_BYTES = 128 << 20, /* of a file with its tree, and what comes later */
    GATE_PIN_FIRST_USE_S = 600,       /* how long a first list may take, with all its pages */
    GATE_PIN_TEXT_BYTES = 32 << 10, /* of a definition that is kept to be read; else its hash is */
    GATE_PIN_TEXT_LEAST = 1 << 10,
    GATE_PIN_SHARE_BYTES = 2 << 20,  /* of those of one upstream, as the file spells them */
    GATE_PIN_ROOM_BYTES = 4 << 20,   /* of memory for them, and */
    GATE_PIN_TEXTS_BYTES = 32 << 20, /* of memory for all upstreams' */
    GATE_PIN_DEPTH = 32,             /* into which a difference is told; deeper is one */
    GATE_PIN_CHANGES = 256,          /* that one difference tells */
};

/** A text with room of its own, which others use after it. */
typedef struct {
    str_t text;     /* unset: none */
    size_t spelled; /* its bytes in the file, where quotes take two */
    char *room;
    size_t cap;
} gate_pin_text_t;

/** One tool. */
typedef struct {
    str_t tool;
    hash_t approved, pending; /* definitions: trusted; seen last, and another one */
    gate_pin_text_t approved_text, pending_text; /* what they say, where there was room */
    bool has_approved, has_pending;
    bool gone;          /* the last whole list did not have it */
    bool seen;          /* of the list that is being compared */
    int64_t pending_at; /* Unix seconds; 0 without */
} gate_pin_t;

/** Those of one upstream, sorted by name. */
typedef struct {
    str_t path;
    int64_t since; /* Unix seconds: of its first pin */
    bool complete; /* a first list was seen to its end: what comes now is new */
    gate_pin_t *v;
    size_t n, cap;
    size_t room_bytes; /* for texts */
} gate_pin_set_t;

/** All. Lives in one arena, which changes add to. */
typedef struct {
    gate_pin_set_t *v;
    size_t n, cap;
    size_t text_bytes; /* of room for texts */
} gate_pins_t;

typedef enum { GATE_PIN_SAME, GATE_PIN_NEW, GATE_PIN_CHANGED, GATE_PIN_GONE } gate_pin_state_t;

/** "same", "new", "changed", "gone"; static. */
str_t gate_pin_state_name(gate_pin_state_t state);

/**
 * SHA-256 of a tool's definition: its members name, title, description, inputSchema, outputSchema,
 * annotations and execution, each with all it holds. Not covered: _meta, icons, and members that no
 * revision of MCP knows, which clients do not show to a model. The order of members, white space,
 * escapes and the spelling of numbers (1, 1.0, 1e0) make no difference; the order of lists does.
 * RC_MEMORY.
 */
rc_t gate_pin_hash(arena_t *a, const json_t *tool, hash_t *out) MUST_USE;

/** NULL: it has none. */
gate_pin_set_t *gate_pins_find(const gate_pins_t *pins, str_t path);
gate_pin_t *gate_pin_find(const gate_pin_set_t *set, str_t tool);

/** Whether a definition that is seen at `now_s` is trusted at once: nobody has seen the whole of
 * the upstream's first list yet. `set` NULL: nothing of it at all. */
bool gate_pin_is_first_use(const gate_pin_set_t *set, int64_t now_s);
/** What a definition is, compared with what is trusted. */
gate_pin_state_t gate_pin_compare(const gate_pin_set_t *set, str_t tool, const hash_t *definition);
/** Whether the tool, as it was seen last, waits for approval. */
bool gate_pin_waits(const gate_pin_set_t *set, str_t tool, int64_t now_s);

/** A definition that was seen. */
typedef struct {
    str_t path, tool;
    hash_t definition;
    int64_t now_s;
    str_t text; /* gate_pin_text; may be unset */
} gate_pin_sight_t;

/** The members that the hash covers, as JSON, in `a`; unset: longer than what is kept. */
str_t gate_pin_text(arena_t *a, const json_t *tool);
/** Keeps a text in `to`, which is of `set`, where that set has room left of its share; else none.
 * For pin.c. */
void gate_pin_keep(arena_t *a, gate_pins_t *pins, gate_pin_set_t *set, gate_pin_text_t *to,
                   str_t text);
/** How many bytes a text takes in the file, and those of all texts of a set. */
size_t gate_pin_spelled(str_t text);
size_t gate_pin_share(const gate_pin_set_t *set);

/** One difference: where, as names with dots, and both values as JSON; unset: it was not there. */
typedef struct {
    str_t place, was, is;
} gate_pin_change_t;
typedef struct {
    const gate_pin_change_t *v;
    size_t n;
    bool more; /* there are others, beyond GATE_PIN_CHANGES */
} gate_pin_changes_t;

/** What differs between two texts of definitions; unset ones have no members. What is written in
 *  another way and means the same is no difference; lists differ as a whole. What people read
 * stands first, so that nothing crowds it out: name, title, description, annotations. In `a`;
 * borrows both. RC_MALFORMED, RC_LIMIT, RC_MEMORY. */
rc_t gate_pin_diff(arena_t *a, str_t was, str_t is, gate_pin_changes_t *out) MUST_USE;

/** Notes it. *fresh says that it was not known before: worth a report, and a write of the file. On
 *  first use it is trusted. RC_LIMIT: no room, or a name too long; RC_MEMORY. */
rc_t gate_pin_note(arena_t *a, gate_pins_t *pins, const gate_pin_sight_t *sight,
                   bool *fresh) MUST_USE;
/** Ends the comparison with a whole list, of which `tools` are the names: calls gone(ctx, tool) for
 *  each that is missing and was not before. */
void gate_pin_note_gone(gate_pin_set_t *set, str_list_t tools, void (*gone)(void *ctx, str_t tool),
                        void *ctx);
/** Whether the hash of what waits begins with these hexadecimal digits, of either case. */
bool gate_pin_is_pending(const gate_pin_t *pin, str_t digits);
/** Trusts what waits: of one tool, or with `tool` unset of all. Returns how many. */
size_t gate_pin_approve(gate_pin_set_t *set, str_t tool);
/** Forgets one tool, or with `tool` unset the upstream, whose next list is then a first one.
 * Returns how many tools. */
size_t gate_pin_forget(gate_pins_t *pins, str_t path, str_t tool);

/** Reads pins.json:
 *    {"version":1,"upstreams":[{"path":"/mcp","since":1,"complete":true,"tools":[
 *      {"name":"a","approved":"64 hex digits","pending":"…","pending_at":1,"gone":true,
 *       "approved_text":"{…}","pending_text":"{…}"}]}]}
 *  Where all together would not fit, the texts of those upstreams that have most of them are left
 *  out. Everything in `a`. RC_MALFORMED, RC_LIMIT,
 * RC_MEMORY; *out is empty then. */
rc_t gate_pins_read(arena_t *a, str_t text, gate_pins_t *out) MUST_USE;
/** And writes it: what gate_pins_read reads. RC_LIMIT, RC_MEMORY. */
rc_t gate_pins_write(arena_t *a, const gate_pins_t *pins, str_t *out) MUST_USE;

#endif

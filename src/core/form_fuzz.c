/* Any bytes as a form: what is taken can be written again and reads as the same fields. */
#include "core/buf.h"
#include "core/form.h"
#include "core/limits.h"

#include <stdlib.h>

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_lookup(arena_t *a, const form_t *f, str_t name)
{
    size_t times = 0;
    for (size_t i = 0; i < f->n; i++)
        times += str_eq(f->v[i].name, name);
    str_t value;
    form_found_t found = form_get(f, name, &value);
    check(found == (times > 1 ? FORM_REPEATED : str_is_set(value) ? FORM_ONCE : FORM_ABSENT));
    check(!str_is_set(value) || value.n > 0);
    str_list_t all;
    check(form_get_all(a, f, name, &all) == RC_OK && all.n <= times);
}

static void check_field(arena_t *a, const form_t *f, const form_field_t *field)
{
    check(str_is_utf8(field->name) && str_is_utf8(field->value));
    check(str_find(field->name, '\0', 0) == field->name.n);
    check(str_find(field->value, '\0', 0) == field->value.n);
    check_lookup(a, f, field->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(32 << 20);
    form_t f, again;
    if (size < 65536 && form_parse(a, str_of(data, size), &f) == RC_OK) {
        check(f.n <= LIMIT_FORM_FIELDS);
        buf_t b = buf_new(a, 4 << 20);
        for (size_t i = 0; i < f.n; i++) {
            check_field(a, &f, &f.v[i]);
            buf_char(&b, '&');
            buf_form(&b, f.v[i].name);
            buf_char(&b, '=');
            buf_form(&b, f.v[i].value);
        }
        check(form_parse(a, buf_str(&b), &again) == RC_OK && again.n == f.n);
        for (size_t i = 0; i < f.n; i++)
            check(str_eq(f.v[i].name, again.v[i].name) && str_eq(f.v[i].value, again.v[i].value));
    }
    arena_free(a);
    return 0;
}

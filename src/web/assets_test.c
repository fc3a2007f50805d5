#include "web/web_test_page.h"

#include <stdio.h>
#include <stdlib.h>

#include "web/assets.h"

/* FNV-1a, 64 bits (draft-eastlake-fnv), as embed.py computes it. */
static uint64_t fnv1a64(str_t s)
{
    uint64_t value = 0xcbf29ce484222325;
    for (size_t i = 0; i < s.n; i++)
        value = (value ^ (uint8_t)s.p[i]) * 0x100000001b3;
    return value;
}

/* As it is computed from the body, an asset of another body has another ETag. */
static void the_etag_is_of_the_body(void **state)
{
    (void)state;
    size_t n;
    const web_asset_t *assets = web_assets(&n);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) {
        char etag[32];
        int length =
            snprintf(etag, sizeof etag, "\"%016llx\"", (unsigned long long)fnv1a64(assets[i].body));
        assert_true(str_eq(assets[i].etag, str_of(etag, (size_t)length)));
    }
    assert_false(str_eq(assets[0].etag, assets[1].etag));
    assert_true(fnv1a64(str_skip(assets[0].body, 1)) != fnv1a64(assets[0].body));
}

static void the_body_is_the_file(void **state)
{
    (void)state;
    size_t n;
    const web_asset_t *assets = web_assets(&n);
    const char *source = getenv("WARDER_SOURCE");
    assert_non_null(source);
    for (size_t i = 0; i < n; i++) {
        static char body[65536];
        char path[4096];
        str_t name = str_skip(assets[i].path, STR("/assets/").n);
        snprintf(path, sizeof path, "%s/src/web/%" PRIstr, source, STR_ARG(name));
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        size_t got = fread(body, 1, sizeof body, f);
        fclose(f);
        assert_true(str_eq(str_of(body, got), assets[i].body));
    }
}

static void found_by_path(void **state)
{
    (void)state;
    const web_asset_t *css = web_asset_find(STR("/assets/warder.css"));
    assert_non_null(css);
    assert_true(str_eq(css->content_type, STR("text/css; charset=utf-8")));
    const web_asset_t *icon = web_asset_find(STR("/assets/icon.svg"));
    assert_non_null(icon);
    assert_true(str_eq(icon->content_type, STR("image/svg+xml; charset=utf-8")));
    assert_null(web_asset_find(STR("/assets/../warder.css")));
    assert_null(web_asset_find(STR("/assets/")));
    assert_null(web_asset_find(STR_UNSET));
}

/* The policy of the pages lets nothing else be loaded. */
static void nothing_foreign_is_loaded(void **state)
{
    (void)state;
    str_t css = web_asset_find(STR("/assets/warder.css"))->body;
    assert_lacks(css, "url(");
    assert_lacks(css, "@import");
    str_t icon = web_asset_find(STR("/assets/icon.svg"))->body;
    assert_lacks(icon, "script");
    assert_lacks(icon, "href");
    assert_lacks(icon, "style");
}

static void the_style_heeds_what_people_set(void **state)
{
    (void)state;
    str_t css = web_asset_find(STR("/assets/warder.css"))->body;
    assert_has(css, "prefers-color-scheme: dark");
    assert_has(css, "prefers-reduced-motion: reduce");
    assert_has(css, ":focus-visible");
    assert_has(css, "overflow-wrap: anywhere");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_etag_is_of_the_body),
        cmocka_unit_test(the_body_is_the_file),
        cmocka_unit_test(found_by_path),
        cmocka_unit_test(nothing_foreign_is_loaded),
        cmocka_unit_test(the_style_heeds_what_people_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

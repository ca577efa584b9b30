//! Patterns that are refused.

use super::{path, refused, routes};

#[test]
fn a_path_that_can_never_match_is_refused() {
    refused(
        &path("healthz"),
        "line 6, column 11: `healthz`: the path does not start with `/`; \
             write it from the root, as in `/timesheets/{id}`",
    );
    refused(
        &path("/a//b"),
        "line 6, column 11: `/a//b`: `//`: a path with an empty segment is always refused; \
             write a single `/`",
    );
    refused(
        &path("/a/../b"),
        "line 6, column 11: `/a/../b`: a path with a `.` or `..` segment is always refused; \
             write the path that is meant, without dots",
    );
    refused(
        &path("/a?b=1"),
        "line 6, column 11: `/a?b=1`: `?`: a route matches the path alone, without query and fragment; \
             leave out everything from there",
    );
    refused(
        &path(r#""/a#b""#),
        "line 6, column 11: `\"/a#b\"`: `#`: a route matches the path alone, without query and fragment; \
             leave out everything from there",
    );
    refused(
        &path("/a%20b"),
        "line 6, column 11: `/a%20b`: `%`: a route is compared with the decoded path; \
             write the character itself instead of its escape",
    );
    refused(
        &path("/a;b"),
        "line 6, column 11: `/a;b`: no path that passes holds `;` in a literal segment; \
             use a `{parameter}` there; `allow_in_path` says what it may hold",
    );
    refused(
        &path("/a/*"),
        "line 6, column 11: `/a/*`: `*` is no wildcard here; \
             write `{name}` for one segment, or `{*rest}` for everything that follows",
    );
    refused(
        &path(r#""/a/{\tb\n""#),
        "line 6, column 11: `\"/a/{\\tb\\n\"`: the braces in `{\\tb\\n` do not enclose a whole segment; \
             write `{name}` between two slashes, and nothing else there",
    );
    refused(
        &path("/a/{id}.json"),
        "line 6, column 11: `/a/{id}.json`: the braces in `{id}.json` do not enclose a whole segment; \
             write `{name}` between two slashes, and nothing else there",
    );
    refused(
        &path("/a/{}"),
        "line 6, column 11: `/a/{}`: the parameter `{}` has no proper name; \
             name it with letters, digits, `_` or `-`, as in `{id}` or `{*rest}`",
    );
    refused(
        &path("/{*rest}/a"),
        "line 6, column 11: `/{*rest}/a`: there is a segment behind `{*…}`; \
             use `{name}` for a segment in the middle",
    );
    refused(
        &path("/a\\b"),
        "line 6, column 11: `/a\\b`: no path that passes holds `\\` in a literal segment; \
             use a `{parameter}` there; `allow_in_path` says what it may hold",
    );
    refused(
        &path(r#""/a\tb""#),
        "line 6, column 11: `\"/a\\tb\"`: no path that passes holds `\\t` in a literal segment; \
             use a `{parameter}` there; `allow_in_path` says what it may hold",
    );
    refused(
        &path(""),
        "line 6, column 9: `path:`: there is no value here; \
             write one, or remove the field",
    );
    refused(
        &path("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;"),
        "line 6, column 11: `/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…`: no path that passes holds `;` in a literal segment; \
             use a `{parameter}` there; `allow_in_path` says what it may hold",
    );
}

#[test]
fn the_same_pattern_and_method_twice_is_refused() {
    refused(
        &routes(
            "  - { path: /x, methods: [GET], public: true }\n  - { path: /x, methods: [POST, GET], public: true }",
        ),
        "line 7, column 13: `/x`: the route in line 6 has the same pattern, and takes `GET` as well; \
             keep one of the two, or give them different `methods`",
    );
    refused(
        &routes(
            "  - { path: \"/t/{id}\", public: true }\n  - { path: /u, public: true }\n  - { path: \"/t/{name}/\", authenticated: true }",
        ),
        "line 8, column 13: `\"/t/{name}/\"`: the route in line 6 has the same pattern, and takes any method as well; \
             keep one of the two, or give them different `methods`",
    );
    refused(
        &routes(
            "  - { path: \"/t/{*rest}\", public: true }\n  - { path: \"/t/{*path}\", public: true }",
        ),
        "line 7, column 13: `\"/t/{*path}\"`: the route in line 6 has the same pattern, and takes any method as well; \
             keep one of the two, or give them different `methods`",
    );
}

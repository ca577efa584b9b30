//! The table, case by case.

use super::*;
use crate::path::AllowInPath;
use crate::route::Access;

mod specification;

fn route(path: &str, methods: &[&str]) -> Route {
    Route {
        path: path.into(),
        methods: methods.iter().map(|method| (*method).into()).collect(),
        access: Access::Public,
        mode: None,
        token: None,
        allow_in_path: AllowInPath::default(),
    }
}

fn table(routes: impl IntoIterator<Item = Route>) -> RouteTable {
    let mut table = RouteTable::with_capacity(0);
    for route in routes {
        let pattern = Pattern::parse(&route.path).expect("it is a pattern");
        table.insert(&pattern, route).expect("it is no twin");
    }
    table
}

/// What the table says, in short: the route's methods and path, or `no path`, `no method …`, `ambiguous`.
fn said(table: &RouteTable, method: &str, path: &str) -> String {
    let path = CanonicalPath::parse(path.as_bytes()).expect("it is canonical");
    match table.find(&path, method.as_bytes()) {
        Match::Route(route) if route.methods.is_empty() => route.path.clone(),
        Match::Route(route) => format!("{} {}", route.methods.join(","), route.path),
        Match::NoPath => "no path".into(),
        Match::NoMethod { pattern } => format!("no method {pattern}"),
        Match::AmbiguousPath { .. } => "ambiguous".into(),
    }
}

fn check(table: &RouteTable, asked: &[(&str, &str)]) {
    for (request, expected) in asked {
        let (method, path) = request.split_once(' ').expect("a method and a path");
        assert_eq!(said(table, method, path), *expected, "{request}");
    }
}

#[test]
fn a_literal_beats_a_parameter_beats_a_rest_from_the_left() {
    let paths = [
        "/",
        "/a",
        "/a/b",
        "/a/{x}",
        "/a/{*rest}",
        "/{x}/b",
        "/{x}/b/c",
        "/{x}/{y}/d",
        "/a/b/{x}/e",
        "/{*rest}",
    ];
    let table = table(paths.map(|path| route(path, &[])));
    check(
        &table,
        &[
            ("GET /", "/"),
            ("GET /a", "/a"),
            ("GET /a/", "/a"),
            ("GET /a/b", "/a/b"),
            ("GET /a/c", "/a/{x}"),
            ("GET /a/b/c", "/a/{*rest}"),
            ("GET /a/b/d", "/a/{*rest}"),
            ("GET /a/b/c/e", "/a/b/{x}/e"),
            ("GET /a/b/c/f", "/a/{*rest}"),
            ("GET /z/b", "/{x}/b"),
            ("GET /z/b/c", "/{x}/b/c"),
            ("GET /z/b/d", "/{x}/{y}/d"),
            ("GET /z/b/e", "/{*rest}"),
            ("GET /z", "/{*rest}"),
        ],
    );
}

/// The search goes back where a literal leads nowhere.
#[test]
fn a_dead_end_is_left_again() {
    let table = table(["/a/b/c", "/a/{x}/d", "/{x}/b/e"].map(|path| route(path, &[])));
    check(
        &table,
        &[
            ("GET /a/b/c", "/a/b/c"),
            ("GET /a/b/d", "/a/{x}/d"),
            ("GET /a/b/e", "/{x}/b/e"),
            ("GET /a/b/f", "no path"),
            ("GET /a/b", "no path"),
            ("GET /a/b/c/d", "no path"),
            ("GET /", "no path"),
        ],
    );
}

#[test]
fn a_rest_also_matches_nothing_and_a_parameter_never_does() {
    let table = table([route("/reports/{*rest}", &[]), route("/t/{id}", &[])]);
    check(
        &table,
        &[
            ("GET /reports", "/reports/{*rest}"),
            ("GET /reports/", "/reports/{*rest}"),
            ("GET /reports/a/b/c", "/reports/{*rest}"),
            ("GET /reportsx", "no path"),
            ("GET /Reports", "no path"),
            ("GET /t", "no path"),
            ("GET /t/", "no path"),
            ("GET /t/1", "/t/{id}"),
            ("GET /t/1/2", "no path"),
        ],
    );
}

#[test]
fn matching_is_on_the_decoded_path() {
    let table = table(["/a b/größe", "/{x}"].map(|path| route(path, &[])));
    check(
        &table,
        &[
            ("GET /a%20b/gr%C3%B6%C3%9Fe", "/a b/größe"),
            ("GET /a+b/gr%C3%B6%C3%9Fe", "no path"),
            ("GET /%61", "/{x}"),
        ],
    );
}

#[test]
fn a_named_method_beats_any_and_no_broader_pattern_is_asked() {
    let table = table([
        route("/t", &["GET"]),
        route("/t", &["POST", "PUT"]),
        route("/u", &["GET"]),
        route("/u", &[]),
        route("/{*rest}", &[]),
    ]);
    check(
        &table,
        &[
            ("GET /t", "GET /t"),
            ("PUT /t", "POST,PUT /t"),
            ("DELETE /t", "no method /t"),
            ("get /t", "no method /t"),
            ("GET /u", "GET /u"),
            ("DELETE /u", "/u"),
            ("get /u", "no method /u"),
            ("head /u", "no method /u"),
            ("get /v", "/{*rest}"),
            ("DELETE /v", "/{*rest}"),
        ],
    );
}

#[test]
fn get_takes_head_unless_head_is_named() {
    let table = table([
        route("/a", &["GET"]),
        route("/b", &["GET"]),
        route("/b", &["HEAD"]),
        route("/c", &["GET"]),
        route("/c", &[]),
        route("/d", &["POST"]),
        route("/e", &["HEAD"]),
    ]);
    check(
        &table,
        &[
            ("HEAD /a", "GET /a"),
            ("head /a", "no method /a"),
            ("HEAD /b", "HEAD /b"),
            ("HEAD /c", "GET /c"),
            ("HEAD /d", "no method /d"),
            ("GET /e", "no method /e"),
        ],
    );
}

#[test]
fn what_a_segment_holds_must_be_allowed_where_it_stands() {
    let allowing = |path: &str, methods: &[&str], allow_in_path| Route {
        allow_in_path,
        ..route(path, methods)
    };
    let slash = AllowInPath {
        encoded_slash: true,
        ..AllowInPath::default()
    };
    let others = AllowInPath {
        semicolon: true,
        double_escape: true,
        ..AllowInPath::default()
    };
    let table = table([
        allowing("/s/{x}", &["GET"], slash),
        route("/s/{x}", &["POST"]),
        allowing("/s/{x}/{*rest}", &[], slash),
        allowing("/o/{*rest}", &[], others),
        route("/plain/{x}", &[]),
        route("/plain/{*rest}", &[]),
    ]);
    check(
        &table,
        &[
            ("GET /s/a%2Fb", "GET /s/{x}"),
            ("HEAD /s/a%2Fb", "GET /s/{x}"),
            ("POST /s/a%2Fb", "ambiguous"),
            ("DELETE /s/a%2Fb", "ambiguous"),
            ("DELETE /s/a", "no method /s/{x}"),
            ("GET /s/a;b", "ambiguous"),
            ("GET /s/a%2Fb%25", "ambiguous"),
            ("GET /s/a%2Fb/c%2Fd/e", "/s/{x}/{*rest}"),
            ("GET /o/a;b/c%25", "/o/{*rest}"),
            ("GET /o/a%2Fb", "ambiguous"),
            ("GET /plain/a;b", "ambiguous"),
            ("GET /plain/a%2Fb", "ambiguous"),
            ("GET /none/a%2Fb", "ambiguous"),
            ("GET /none/a", "no path"),
        ],
    );
}

/// `/s%2Flit` is one segment: it is never `/s/lit`, nor a literal that would look like it.
#[test]
fn a_segment_that_hides_something_is_no_literal() {
    let slash = AllowInPath {
        encoded_slash: true,
        semicolon: true,
        double_escape: true,
    };
    let table = table([
        route("/s/lit", &[]),
        route("/lit", &[]),
        Route {
            allow_in_path: slash,
            ..route("/{x}", &[])
        },
    ]);
    check(
        &table,
        &[
            ("GET /s%2Flit", "/{x}"),
            ("GET /lit;v=1", "/{x}"),
            ("GET /lit%3B", "/{x}"),
            ("GET /%256cit", "/{x}"),
            ("GET /lit%2F", "/{x}"),
            ("GET /s/%6cit", "/s/lit"),
            // To a router that does not decode it is `/{x}`.
            ("GET /%6cit", "ambiguous"),
        ],
    );
}

#[test]
fn a_twin_is_refused_and_changes_nothing() {
    let mut table = table([route("/t/{id}", &["GET", "PUT"]), route("/t/{id}", &[])]);
    let twin = |table: &mut RouteTable, path: &str, methods: &[&str]| {
        let pattern = Pattern::parse(path).expect("it is a pattern");
        table.insert(&pattern, route(path, methods))
    };
    let taken = |by: usize, method: Option<&str>| {
        Err(AlreadyRouted {
            by,
            method: method.map(String::from),
        })
    };
    assert_eq!(
        twin(&mut table, "/t/{name}/", &["POST", "PUT"]),
        taken(0, Some("PUT"))
    );
    assert_eq!(twin(&mut table, "/t/{x}", &[]), taken(1, None));
    check(&table, &[("POST /t/1", "/t/{id}")]);
    assert_eq!(twin(&mut table, "/t/{x}", &["POST"]), Ok(()));
    assert_eq!(twin(&mut table, "/t/{*x}", &["GET"]), Ok(()));
    assert_eq!(table.all().len(), 4);
}

/// Every way through twelve levels of `a` and `{x}` is there, and every one is a dead end.
#[test]
fn every_way_may_be_a_dead_end() {
    let depth = 12;
    let mut table = RouteTable::with_capacity(0);
    for ways in 0..1_u32 << depth {
        let path: String = (0..depth)
            .map(|place| if ways >> place & 1 == 0 { "/a" } else { "/{x}" })
            .collect();
        let pattern = Pattern::parse(&format!("{path}/end")).expect("it is a pattern");
        table
            .insert(&pattern, route(&path, &[]))
            .expect("it is no twin");
    }
    let dead_end = format!("GET {}/other", "/a".repeat(depth));
    let end = format!("GET {}/b/end", "/a".repeat(depth - 1));
    let found = format!("{}/{{x}}", "/a".repeat(depth - 1));
    check(&table, &[(&dead_end, "no path"), (&end, &found)]);
}

#[test]
fn what_another_router_takes_for_another_pattern_is_ambiguous() {
    let paths = [
        "/assets/{*rest}",
        "/assets/private/{*rest}",
        "/users/{id}",
        "/users/@me",
        "/gr\u{f6}\u{df}e/{x}",
        "/gr\u{f6}\u{df}e/\u{fc}",
        "/alone",
        "/Both",
        "/both",
        "/Case/new",
        "/case/{id}",
        "/kelvin/k",
        "/kelvin/{x}",
        "/folder/public/{*rest}",
        "/folder/{name}/admin",
    ];
    check(
        &table(paths.map(|path| route(path, &[]))),
        &[
            // A router that ignores case serves the private ones.
            ("GET /assets/Private/x", "ambiguous"),
            ("GET /ASSETS/private/x", "no path"),
            ("GET /assets/x/Private", "/assets/{*rest}"),
            ("GET /assets/PrivateX", "/assets/{*rest}"),
            ("GET /users/@ME", "ambiguous"),
            ("GET /users/Alice", "/users/{id}"),
            ("GET /case/new", "ambiguous"),
            ("GET /Case/new", "/Case/new"),
            ("GET /case/New", "ambiguous"),
            ("GET /case/7", "/case/{id}"),
            ("GET /Case/7", "no path"),
            // One that does not decode serves what stands beside them.
            ("GET /assets/%70rivate/x", "ambiguous"),
            ("GET /users/%40me", "ambiguous"),
            ("GET /users/%41lice", "/users/{id}"),
            ("GET /gr%C3%B6%C3%9Fe/%C3%BC", "/gr\u{f6}\u{df}e/\u{fc}"),
            ("GET /gr%C3%B6%C3%9Fe/%c3%BC", "ambiguous"),
            ("GET /gr%c3%b6%c3%9fe/x", "/gr\u{f6}\u{df}e/{x}"),
            // One that decodes first and looks for the query then cuts the path off.
            ("GET /users/@me%3F", "ambiguous"),
            ("GET /users/@me%3fx", "ambiguous"),
            ("GET /users/@me%23x", "ambiguous"),
            ("GET /users/%3f@me", "/users/{id}"),
            ("GET /users/what%3F", "/users/{id}"),
            ("GET /assets/x%3F/private", "/assets/{*rest}"),
            ("GET /assets/private/%3f/x", "/assets/private/{*rest}"),
            ("GET /assets/private%3F/x", "ambiguous"),
            // One that does several of these at once.
            ("GET /%75sers/%40me", "ambiguous"),
            ("GET /%75sers/@me", "/users/@me"),
            ("GET /assets/%70rivate%3f", "ambiguous"),
            ("GET /users/@ME%3F", "ambiguous"),
            ("GET /assets/%70RIVATE/x", "ambiguous"),
            ("GET /folder/%70ublic/ADMIN", "ambiguous"),
            ("GET /folder/%70ublic/admin", "ambiguous"),
            ("GET /folder/public/ADMIN", "/folder/public/{*rest}"),
            // Letters beyond ASCII have a case as well, and some of them become ASCII.
            ("GET /gr%C3%B6%C3%9Fe/%C3%9C", "ambiguous"),
            ("GET /kelvin/%E2%84%AA", "ambiguous"),
            ("GET /kelvin/%E2%84%A6", "/kelvin/{x}"),
            // Where no other pattern is near, nobody can be wrong.
            ("GET /%61lone", "/alone"),
            ("GET /Alone", "no path"),
            // Who writes both spellings knows a router that tells them apart.
            ("GET /Both", "/Both"),
            ("GET /both", "/both"),
            ("GET /BOTH", "no path"),
        ],
    );
}

//! The app's files and what a browser is told about them.

use std::fs;

use tempfile::TempDir;
use timesheets::api::{Api, Options};

use crate::client::{ALICE, ENTRY, JSON, send};

const CONFIG: &str = r#"{"issuer":"http://127.0.0.1:9101/","client_id":"x","apis":{"same-origin":"","two-origins":"http://127.0.0.1:8081"}}"#;

/// An API with an app; beside the app lies what is none of it.
fn start() -> (TempDir, Api) {
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("app");
    fs::create_dir_all(app.join("assets")).unwrap();
    for (name, text) in [
        ("index.html", "<!doctype html><title>Timesheets</title>"),
        ("config.json", CONFIG),
        ("favicon.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("assets/index-B2x.js", "export {}"),
        ("assets/index-B2x.css", "body {}"),
        ("../secret.txt", "secret"),
    ] {
        fs::write(app.join(name), text).unwrap();
    }
    let options = Options {
        database: None,
        app: Some(app),
    };
    let api = Api::start_with(0, &options).unwrap();
    (folder, api)
}

#[test]
fn each_file_has_its_type_and_its_time() {
    let (_folder, api) = start();
    let forever = "public, max-age=31536000, immutable";
    for (path, kind, caching) in [
        ("/", "text/html; charset=utf-8", "no-store"),
        ("/?code=x&state=y", "text/html; charset=utf-8", "no-store"),
        ("/app/index.html", "text/html; charset=utf-8", "no-store"),
        ("/app/config.json", "application/json", "no-store"),
        ("/app/favicon.svg", "image/svg+xml", "no-cache"),
        (
            "/app/assets/index-B2x.js",
            "text/javascript; charset=utf-8",
            forever,
        ),
        (
            "/app/assets/index-B2x.css",
            "text/css; charset=utf-8",
            forever,
        ),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = send(api.address(), &format!("{method} {path}"), "", "");
            assert_eq!(answer.status, 200, "{method} {path}");
            assert_eq!(answer.header("content-type"), kind, "{path}");
            assert_eq!(answer.header("cache-control"), caching, "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            assert_eq!(answer.text.is_empty(), method == "HEAD", "{method} {path}");
            let policy = answer.header("content-security-policy");
            for rule in [
                "default-src 'self'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'none'",
                "require-trusted-types-for 'script'",
                "connect-src 'self' http://127.0.0.1:8081 http://127.0.0.1:9101",
            ] {
                assert!(policy.split("; ").any(|found| found == rule), "{policy}");
            }
        }
    }
}

#[test]
fn the_app_is_not_in_the_way_of_the_api() {
    let (_folder, api) = start();
    let at = api.address();
    let headers = format!("{ALICE}{JSON}");
    assert_eq!(send(at, "POST /timesheets", &headers, ENTRY).status, 201);
    assert_eq!(send(at, "GET /timesheets", "", "").status, 401);
    assert_eq!(send(at, "GET /healthz", "", "").status, 200);
    assert_eq!(send(at, "GET /app", "", "").status, 404);
    let answer = send(at, "POST /", "", "");
    assert_eq!((answer.status, answer.header("allow")), (405, "GET,HEAD"));
    assert_eq!(send(at, "DELETE /app/config.json", "", "").status, 405);
}

#[test]
fn nothing_outside_the_folder_is_a_file_of_the_app() {
    let (_folder, api) = start();
    for path in [
        "/app/../secret.txt",
        "/app/assets/../../secret.txt",
        "/app/%2e%2e/secret.txt",
        "/app/%2E./secret.txt",
        "/app/..%2fsecret.txt",
        "/app/%2e%2e%2fsecret.txt",
        "/app/..%5csecret.txt",
        "/app//etc/passwd",
        "/app/%2fetc/passwd",
        "/app/secret.txt",
        "/app/config.json%00.html",
        "/app/config.json/",
        "/app/config.json/x",
        "/app/%ff",
        "/app/assets",
        "/app/assets/",
        "/app/",
        &format!("/app/{}", "x".repeat(300)),
    ] {
        let answer = send(api.address(), &format!("GET {path}"), "", "");
        assert_eq!(answer.status, 404, "{path} {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[test]
fn a_browser_that_has_a_file_is_told_to_keep_it() {
    let (_folder, api) = start();
    let line = "GET /app/favicon.svg";
    let first = send(api.address(), line, "", "");
    let when = format!("if-modified-since: {}\r\n", first.header("last-modified"));
    let again = send(api.address(), line, &when, "");
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert_eq!(again.header("cache-control"), "no-cache");
}

#[test]
fn the_settings_may_come_later_and_broken_ones_open_nothing() {
    let (folder, api) = start();
    let config = folder.path().join("app/config.json");
    let page = || send(api.address(), "GET /", "", "");
    fs::remove_file(&config).unwrap();
    let policy = page().header("content-security-policy").to_owned();
    assert!(policy.ends_with("; connect-src 'self'"), "{policy}");
    fs::write(&config, CONFIG.replace("9101", "9999")).unwrap();
    let policy = page().header("content-security-policy").to_owned();
    assert!(policy.ends_with(" http://127.0.0.1:9999"), "{policy}");
    for broken in ["", "{", r#"{"issuer":"https://a;script-src"}"#] {
        fs::write(&config, broken).unwrap();
        let answer = page();
        assert_eq!(answer.status, 500, "{broken}");
        assert_eq!(answer.json()["title"], "The app cannot be had");
    }
}

#[test]
fn a_folder_without_an_app_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        database: None,
        app: Some(folder.path().to_owned()),
    };
    let error = format!("{:#}", Api::start_with(0, &options).unwrap_err());
    assert!(error.starts_with("there is no app in "), "{error}");
}

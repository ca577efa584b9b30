//! Real OpenAPI documents, and the policies that are made of them. `SNAPSHOTS=overwrite cargo test -p scopegate --test real_openapi` writes the
//! expectations anew. Where they come from says `tests/openapi/README.md`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use scopegate_core::Policy;
use snapbox::{Assert, Data};

/// The document, what is said of it besides, and how many of its operations are left out.
const DOCUMENTS: [(&str, &[&str], usize); 11] = [
    ("authentiq.yaml", &["--undeclared", "public"], 0),
    ("azure-advisor.yaml", &[], 0),
    ("docker.yaml", &["--undeclared", "authenticated"], 0),
    ("galaxy.yaml", &[], 5),
    ("petstore.json", &[], 13),
    ("quay.yaml", &[], 14),
    ("readme-security-multiple.json", &[], 4),
    ("readme-security.yaml", &["--roles-are-scopes"], 7),
    (
        "readme-server-path-level.yaml",
        &["--undeclared", "public"],
        0,
    ),
    (
        "readme-server-variables.json",
        &["--undeclared", "public"],
        0,
    ),
    ("slack.json", &[], 0),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi")
}

fn scopegate(arguments: &[&str]) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_scopegate"))
        .current_dir(folder())
        .args(arguments)
        .output()
}

fn imported(document: &str, more: &[&str]) -> io::Result<Output> {
    let known = [
        "import",
        "openapi",
        document,
        "--issuer",
        "https://id.example.com/",
        "--audience",
        "https://api.example.com",
    ];
    scopegate(&[&known, more].concat())
}

#[test]
fn each_becomes_the_policy_that_was_read_and_found_right() {
    let assert = Assert::new().action_env("SNAPSHOTS");
    for (document, more, left_out) in DOCUMENTS {
        let Output { status, stdout, .. } = imported(document, more).expect("the command runs");
        let text = String::from_utf8(stdout).expect("a policy is UTF-8");
        let expected = i32::from(left_out > 0);
        assert_eq!(status.code(), Some(expected), "{document}");
        let reasons = text.matches(" is left out: ").count();
        assert_eq!(reasons, left_out, "{document}");
        assert!(Policy::parse(&text).is_ok(), "{document}");
        let name = Path::new(document).with_extension("yaml");
        let path = folder().join("policies").join(name);
        assert.eq(text, Data::read_from(&path, None).raw());
    }
}

#[test]
fn none_has_drifted_from_the_policy_that_was_made_of_it() {
    for (document, more, _) in DOCUMENTS {
        let name = Path::new("policies").join(Path::new(document).with_extension("yaml"));
        let name = name.to_str().expect("a path of this repository");
        let all = ["drift", document, name, "--unsupported", "skip"];
        let issuer = ["--issuer", "https://id.example.com/"];
        let drift = scopegate(&[&all[..], &issuer, more].concat());
        let Output { status, stdout, .. } = drift.expect("the command runs");
        let shown = String::from_utf8_lossy(&stdout);
        assert_eq!(status.code(), Some(0), "{document}\n{shown}");
    }
}

#[test]
fn every_document_here_is_put_to_the_test() {
    let entries = std::fs::read_dir(folder()).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    names.retain(|name| name != "README.md" && name != "policies");
    names.sort();
    let known = DOCUMENTS.map(|(document, ..)| document);
    assert_eq!(names, known);
}

#[test]
fn a_document_of_more_than_64_mib_is_refused() {
    let huge = tempfile::NamedTempFile::new().expect("a file");
    let limit = 64 * 1024 * 1024;
    huge.as_file().set_len(limit + 1).expect("a long file");
    let path = huge.path().to_str().expect("a path in UTF-8");
    let refused = scopegate(&["import", "openapi", path]).expect("the command runs");
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("is larger than 65536 KiB"), "{said}");
}

//! Every seed keeps its target's promise, on any toolchain.

use std::fs;
use std::path::Path;

use scopegate_fuzz::{
    authorization, decide, jwks, metadata, openapi, path, policy, record, rsa, token,
};

fn check(target: &str, promise: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut seeds = 0;
    for entry in fs::read_dir(folder).expect("a folder of seeds") {
        let file = entry.expect("a readable entry").path();
        eprintln!("{}", file.display());
        promise(&fs::read(file).expect("a readable seed"));
        seeds += 1;
    }
    assert!(seeds > 9, "{seeds} seeds of {target}");
}

#[test]
fn seeds_keep_the_promises() {
    check("token", token::check);
    check("jwks", jwks::check);
    check("metadata", metadata::check);
    check("record", record::check);
    check("policy", policy::check);
    check("openapi", openapi::check);
    check("authorization", authorization::check);
    check("path", path::check);
    check("decide", decide::check);
    check("rsa", rsa::check);
}

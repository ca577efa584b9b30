//! The table of documented faults agrees with the corpus, both ways.

use e2e::{corpus, cves};

#[test]
fn each_cve_of_a_case_has_its_row_and_each_row_its_cases() {
    let text = std::fs::read_to_string(cves::path()).unwrap();
    let filled = cves::filled(&text, &corpus::load().unwrap()).unwrap();
    for (written, expected) in text.lines().zip(filled.lines()) {
        assert_eq!(
            written, expected,
            "`cargo run -p e2e --bin cves` writes the cases that the corpus has"
        );
    }
    assert_eq!(text, filled);
}

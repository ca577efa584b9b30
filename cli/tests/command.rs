//! The command as a user runs it: what it prints and how it ends. `TRYCMD=overwrite cargo test -p scopegate` writes the expectations anew.

#[test]
fn sessions() {
    trycmd::TestCases::new().case("tests/sessions/*.trycmd");
}

//! `scopegate`: see `scopegate --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    scopegate::main()
}

//! `scopegate`: see `scopegate --help`.

use std::process::ExitCode;

/// Reading a large policy makes and drops a hundred thousand small texts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    scopegate::main()
}

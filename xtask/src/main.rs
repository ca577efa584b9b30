//! `cargo xtask <command>`: the project's only menu.
//!
//! It gets what a machine lacks (a Rust that compiles to WebAssembly, Envoy, servers to test with) into `target/tools`, changes nothing of the
//! system, and then builds, tests or demonstrates. Progress goes to standard error; standard output carries results.

mod apt;
mod arguments;
mod bench;
mod demo;
mod drill;
mod envoy;
mod example;
mod fuzz;
mod hosted;
mod layout;
mod mutants;
mod npm;
mod process;
mod spin;
mod test;
mod toolchain;
mod upstreams;
mod versus;
mod wasm;

use std::process::ExitCode;

use arguments::Task;
use layout::Layout;

fn main() -> ExitCode {
    let task = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(task) => task,
        Err(usage) => {
            eprintln!("error: {usage}");
            return ExitCode::from(2);
        }
    };
    match run(task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    if let Task::Help(text) = task {
        print!("{text}");
        return Ok(());
    }
    let layout = Layout::find()?;
    match task {
        Task::Help(_) => {}
        Task::Build => {
            for file in wasm::build(&layout)? {
                println!("{}", file.display());
            }
        }
        Task::Envoy => println!("{}", envoy::get(&layout)?.display()),
        Task::Test(part) => test::run(&layout, part)?,
        Task::Mutants(places) => mutants::run(&layout, &places)?,
        Task::Fuzz(fuzzing) => fuzz::run(&layout, &fuzzing)?,
        Task::Versus(wanted) => versus::run(&layout, &wanted)?,
        Task::Drill(arguments) => drill::run(&layout, &arguments)?,
        Task::Bench(arguments) => bench::run(&layout, &arguments)?,
        Task::Demo(arguments) => demo::run(&layout, &arguments)?,
        Task::Example(arguments) => example::run(&layout, &arguments)?,
    }
    Ok(())
}

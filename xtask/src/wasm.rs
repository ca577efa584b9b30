//! `cargo xtask build`: the packages that are shipped as WebAssembly.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::{process, toolchain};

/// A package that is shipped as one WebAssembly file.
struct Shipped {
    package: &'static str,
    target: &'static str,
    features: &'static [&'static str],
    /// What cargo calls the file, and what users do.
    artefact: &'static str,
    file: &'static str,
}

const FILTER: Shipped = Shipped {
    package: "scopegate-filter",
    target: "wasm32-wasip1",
    features: &[],
    artefact: "scopegate_filter.wasm",
    file: "scopegate-filter.wasm",
};

const SPIN_GATEWAY: Shipped = Shipped {
    package: "scopegate-spin",
    target: "wasm32-wasip2",
    features: &[],
    artefact: "scopegate_spin.wasm",
    file: "scopegate-spin.wasm",
};

const SPIN_MIDDLEWARE: Shipped = Shipped {
    features: &["middleware"],
    file: "scopegate-spin-middleware.wasm",
    ..SPIN_GATEWAY
};

/// The API of the worked example, which the demo on Spin puts behind the gate.
const TIMESHEETS: Shipped = Shipped {
    package: "timesheets-component",
    target: SPIN_GATEWAY.target,
    features: &[],
    artefact: "timesheets_component.wasm",
    file: "timesheets-component.wasm",
};

/// The components for Spin.
pub struct SpinFiles {
    pub gateway: PathBuf,
    pub middleware: PathBuf,
}

/// Builds everything that is shipped. Returns the files.
pub fn build(layout: &Layout) -> Result<Vec<PathBuf>> {
    let filter = build_filter(layout)?;
    let SpinFiles {
        gateway,
        middleware,
    } = build_spin(layout)?;
    let timesheets = build_timesheets(layout)?;
    Ok(vec![filter, gateway, middleware, timesheets])
}

/// Builds the proxy-wasm filter alone, and returns the file.
pub fn build_filter(layout: &Layout) -> Result<PathBuf> {
    build_one(layout, &FILTER)
}

/// Builds the components for Spin: the gateway, and the middleware, which is another build of the same package.
pub fn build_spin(layout: &Layout) -> Result<SpinFiles> {
    Ok(SpinFiles {
        gateway: build_one(layout, &SPIN_GATEWAY)?,
        middleware: build_one(layout, &SPIN_MIDDLEWARE)?,
    })
}

/// Builds the API of the worked example as a component for Spin, and returns the file.
pub fn build_timesheets(layout: &Layout) -> Result<PathBuf> {
    build_one(layout, &TIMESHEETS)
}

/// Builds the component that the test host of Spin is tested with, and its other build as middleware. They are not shipped.
pub fn build_spin_guest(layout: &Layout) -> Result<SpinFiles> {
    let build = |features: &[&str], name: &str| -> Result<PathBuf> {
        let folder = compile(layout, "spin-host-guest", SPIN_GATEWAY.target, features)?;
        // Both are called the same, and the next build takes the place of this one.
        let file = folder.join(name);
        fs::copy(folder.join("spin_host_guest.wasm"), &file)
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        Ok(file)
    };
    Ok(SpinFiles {
        middleware: build(&["middleware"], "spin_host_guest_middleware.wasm")?,
        gateway: build(&[], "spin_host_guest_service.wasm")?,
    })
}

/// Builds the probe that puts signature vectors to the filter's verifiers, and returns the file. It is not shipped.
pub fn build_vector_probe(layout: &Layout) -> Result<PathBuf> {
    let folder = compile(layout, "vector-probe", FILTER.target, &[])?;
    Ok(folder.join("vector_probe.wasm"))
}

/// Builds the filter whose VM a request can take down, and returns the file. It is not shipped.
pub fn build_fragile_filter(layout: &Layout) -> Result<PathBuf> {
    let folder = compile(layout, "fragile-filter", FILTER.target, &[])?;
    Ok(folder.join("fragile_filter.wasm"))
}

/// Builds the gateway that decides nothing, with which the benchmarks compare, and returns the file. It is not shipped.
pub fn build_bench_plain(layout: &Layout) -> Result<PathBuf> {
    let folder = compile(layout, "bench-plain", SPIN_GATEWAY.target, &[])?;
    Ok(folder.join("bench_plain.wasm"))
}

/// Builds the verifications that the benchmarks run in WebAssembly, and returns the file. It is not shipped.
pub fn build_verify_guest(layout: &Layout) -> Result<PathBuf> {
    let folder = compile(layout, "bench-verify-guest", FILTER.target, &[])?;
    Ok(folder.join("bench_verify_guest.wasm"))
}

/// The filters with which the benchmarks in Envoy compare.
pub struct BenchFilters {
    pub header: PathBuf,
    pub hostcalls: PathBuf,
    pub floor: PathBuf,
}

/// Builds them, and returns the files. They are not shipped.
pub fn build_bench_filters(layout: &Layout) -> Result<BenchFilters> {
    let header = compile(layout, "bench-header", FILTER.target, &[])?;
    let hostcalls = compile(layout, "bench-hostcalls", FILTER.target, &[])?;
    let floor = compile(layout, "bench-floor", FILTER.target, &[])?;
    Ok(BenchFilters {
        header: header.join("bench_header.wasm"),
        hostcalls: hostcalls.join("bench_hostcalls.wasm"),
        floor: floor.join("bench_floor.wasm"),
    })
}

fn build_one(layout: &Layout, shipped: &Shipped) -> Result<PathBuf> {
    let artefact = compile(layout, shipped.package, shipped.target, shipped.features)?;
    let artefact = artefact.join(shipped.artefact);
    let built = fs::read(&artefact)
        .with_context(|| format!("cargo did not leave `{}`", artefact.display()))?;
    let file = layout.dist.join(shipped.file);
    deliver(&built, &file)?;
    eprintln!("{}: {} kB", shipped.file, built.len() / 1000);
    Ok(file)
}

/// Returns the folder in which cargo leaves what it built.
fn compile(layout: &Layout, package: &str, target: &str, features: &[&str]) -> Result<PathBuf> {
    let toolchain = toolchain::get(layout, target)?;
    eprintln!("building {package} for {target}");
    let mut cargo = layout.cargo();
    cargo.args(["build", "--release", "--package", package]);
    cargo.args(["--target", target]);
    if !features.is_empty() {
        cargo.args(["--features", &features.join(",")]);
    }
    toolchain.choose_for(&mut cargo, target);
    process::run(&mut cargo)?;
    Ok(layout.built.join(target).join("release"))
}

/// Puts what was built where users look for it. An unchanged file is left alone, and a changed one appears at once:
/// a running Envoy may be reading it.
fn deliver(bytes: &[u8], file: &Path) -> Result<()> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    let partial = file.with_extension(format!("{}.partial", std::process::id()));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&partial, bytes))
        .and_then(|()| fs::rename(&partial, file))
        .with_context(|| format!("cannot write `{}`", file.display()))
}

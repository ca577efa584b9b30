//! The applications that are measured: the gate and the gateways that decide nothing, each twice, with instances that are kept and with
//! instances that answer one request.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::spin::{Launch, Program, Spin};
use tempfile::TempDir;

use crate::issuer::{Algorithm, Issuer};
use crate::upstream;

/// The algorithms of the tokens that are measured.
pub(crate) const SIGNED_WITH: [Algorithm; 2] = [Algorithm::Rs256, Algorithm::Es256];

/// How long instances live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instances {
    /// As Spin has it: 128 requests, 16 of them at once, and a second without any.
    Warm,
    /// For one request.
    Cold,
}

impl Instances {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Cold => "cold",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Warm => &[],
            Self::Cold => &["--max-instance-reuse-count", "1"],
        }
    }
}

/// What stands before the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Component {
    /// Hands on the very request that came.
    Handed,
    /// Makes a new request of its fields and its body.
    Refielded,
    /// The same with the SDK's own types.
    Rebuilt,
    /// Scopegate.
    Gate,
}

const COMPONENTS: [Component; 4] = [
    Component::Handed,
    Component::Refielded,
    Component::Rebuilt,
    Component::Gate,
];

/// All of them, and what they need. Dropping this ends them.
pub(crate) struct Applications {
    pub(crate) program: Program,
    pub(crate) issuer: Issuer,
    pub(crate) upstream: SocketAddr,
    running: Vec<(Component, Instances, Spin)>,
    // Dropped last: the manifests lie in it.
    _folder: TempDir,
}

impl Applications {
    pub(crate) fn start() -> Result<Self> {
        let program = Program::find()?;
        let issuer = Issuer::start(&SIGNED_WITH)?;
        let upstream = upstream::start()?;
        let folder = tempfile::Builder::new()
            .prefix("scopegate-bench-")
            .tempdir()?;
        let mut running = Vec::new();
        for component in COMPONENTS {
            let manifest = write(folder.path(), component, &issuer)?;
            for instances in [Instances::Warm, Instances::Cold] {
                let mut launch = Launch::new(&program, &manifest);
                launch.variables = vec![("upstream".to_owned(), upstream_for(component, upstream))];
                launch.arguments = instances.arguments().iter().map(Into::into).collect();
                running.push((component, instances, launch.start()?));
            }
        }
        Ok(Self {
            program,
            issuer,
            upstream,
            running,
            _folder: folder,
        })
    }

    /// Where that one serves.
    pub(crate) fn address(&self, component: Component, instances: Instances) -> Result<SocketAddr> {
        let found = self
            .running
            .iter()
            .find(|(c, i, _)| (*c, *i) == (component, instances));
        let (.., spin) = found.context("an application that was not started")?;
        Ok(spin.address())
    }
}

/// The gate's variable holds a URL, that of the others an authority.
fn upstream_for(component: Component, upstream: SocketAddr) -> String {
    match component {
        Component::Gate => format!("http://{upstream}"),
        Component::Handed | Component::Refielded | Component::Rebuilt => upstream.to_string(),
    }
}

/// The gate's policy: the issuer, and as many routes as a small API has.
fn policy(issuer: &Issuer) -> String {
    include_str!("policy.yaml").replace("${KEYS}", &issuer.jwks_uri())
}

/// Writes the application into a folder of its own, and returns its manifest.
fn write(folder: &Path, component: Component, issuer: &Issuer) -> Result<PathBuf> {
    let name = match component {
        Component::Handed => "handed",
        Component::Refielded => "refielded",
        Component::Rebuilt => "rebuilt",
        Component::Gate => "gate",
    };
    let (file, more, way) = match component {
        Component::Gate => (
            gateway(),
            "files = [\"policy.yaml\"]\nkey_value_stores = [\"default\"]\n",
            String::new(),
        ),
        _ => (plain(), "", format!("way = \"{name}\"\n")),
    };
    ensure!(
        file.is_file(),
        "there is no component at {}: `cargo xtask bench spin` builds all that is needed",
        file.display()
    );
    let folder = folder.join(name);
    fs::create_dir(&folder)?;
    fs::copy(&file, folder.join("component.wasm"))?;
    fs::write(folder.join("policy.yaml"), policy(issuer))?;
    let manifest = folder.join("spin.toml");
    let text = format!(
        "spin_manifest_version = 2\n\n\
         [application]\nname = \"bench-{name}\"\nversion = \"0.1.0\"\n\n\
         [variables]\nupstream = {{ required = true }}\n\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"{name}\"\n\n\
         [component.{name}]\nsource = \"component.wasm\"\nallowed_outbound_hosts = [\"http://127.0.0.1:*\"]\n{more}\n\
         [component.{name}.variables]\nupstream = \"{{{{ upstream }}}}\"\n{way}"
    );
    fs::write(&manifest, text)?;
    Ok(manifest)
}

fn gateway() -> PathBuf {
    named("SCOPEGATE_SPIN", "dist/scopegate-spin.wasm")
}

fn plain() -> PathBuf {
    named("SCOPEGATE_PLAIN", "wasm32-wasip2/release/bench_plain.wasm")
}

/// The file that a variable names, else where it is built.
fn named(variable: &str, built: &str) -> PathBuf {
    match env::var_os(variable).filter(|value| !value.is_empty()) {
        Some(path) => path.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../target")
            .join(built),
    }
}

#[cfg(test)]
mod tests {
    use scopegate_core::Policy;

    use super::*;

    #[test]
    fn the_policy_is_one() {
        let policy = policy(&Issuer::start(&SIGNED_WITH).unwrap());
        assert!(Policy::parse(&policy).is_ok(), "{policy}");
    }
}

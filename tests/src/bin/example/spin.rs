//! Spin with the gate as the only component, as `scopegate render spin` writes it, and the API on a port of loopback: Spin opens no sockets of
//! files.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use e2e::spin::{Launch, Program, Spin};
use scopegate::document::Document;
use scopegate::render::origin::Origin;
use scopegate::render::spin::{Application, manifest};
use scopegate_core::Policy;
use timesheets::api::{Api, Options};

use crate::addresses::Addresses;
use crate::gate::Gate;

/// A running Spin, and the API behind it.
pub(crate) struct SpinGate {
    spin: Spin,
    api: Api,
    manifest: PathBuf,
}

impl SpinGate {
    /// Starts both, with manifest and policy in that folder.
    pub(crate) fn start(
        root: &Path,
        folder: &Path,
        addresses: Addresses,
        policy: &str,
        options: &Options,
    ) -> Result<Self> {
        let program = Program::find()?;
        let component = root.join("target/dist/scopegate-spin.wasm");
        if !component.is_file() {
            bail!(
                "there is no {} (`cargo xtask example --host spin` builds it)",
                component.display()
            );
        }
        let api = Api::start_with(0, options)?;
        let policy_file = folder.join("policy.yaml");
        std::fs::write(&policy_file, policy)
            .with_context(|| format!("writing {}", policy_file.display()))?;
        let read = Policy::parse(policy)?;
        let document = Document {
            name: policy_file.display().to_string(),
            text: policy.to_owned(),
        };
        let application = Application {
            upstream: Some(Origin::of(&format!("http://{}", api.address()))?),
            component,
            name: "timesheets".to_owned(),
        };
        let text = manifest(&document, &read, &policy_file, &application)?;
        let manifest = folder.join("spin.toml");
        std::fs::write(&manifest, text)?;

        let mut launch = Launch::new(&program, &manifest);
        launch.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, addresses.gate));
        launch.logs = Some(folder.join("spin-logs"));
        Ok(Self {
            spin: launch.start()?,
            api,
            manifest,
        })
    }
}

impl Gate for SpinGate {
    fn facts(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "API",
                format!(
                    "http://{}/ (everybody on this machine can reach it past the gate)",
                    self.api.address()
                ),
            ),
            ("host", self.spin.program().to_string()),
            ("logs", self.spin.logs().join("*").display().to_string()),
            ("manifest", self.manifest.display().to_string()),
        ]
    }

    fn check_alive(&self) -> Result<()> {
        if !self.spin.is_running() {
            bail!("{}", self.spin.explain("Spin ended by itself"));
        }
        Ok(())
    }

    fn log(&self) -> String {
        self.spin.log()
    }
}

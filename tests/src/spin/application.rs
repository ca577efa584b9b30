//! One Spin application with the gate in it, made for a test and started.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::control::Control;
use super::{Launch, Program, Spin};
use crate::http1::{self, Answer};
use crate::http2;
use crate::judge::Prepared;
use crate::wire;

/// The component's name in the manifests of the tests.
pub const GATE: &str = "gate";
/// The guarded component's, where the gate is middleware.
pub const GUARDED: &str = "guarded";

/// Over what a client speaks to Spin, which takes both on one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
}

/// What an application is made of.
#[derive(Clone, Debug)]
pub struct Application {
    /// The gate, a wasm file.
    pub component: PathBuf,
    /// What it stands before as middleware, a wasm file. Nothing: it is a gateway.
    pub guards: Option<PathBuf>,
    /// What is mounted as `/policy.yaml`, if anything.
    pub policy: Option<String>,
    /// Further files that it can read, by their paths.
    pub files: Vec<(String, Vec<u8>)>,
    /// The component's variables.
    pub variables: Vec<(String, String)>,
    /// `allowed_outbound_hosts`.
    pub outbound: Vec<String>,
    /// More of the program's command line.
    pub arguments: Vec<OsString>,
}

impl Application {
    /// A gateway with this policy before this upstream, which says every decision in its log.
    pub fn gateway(component: &Path, policy: &str, upstream: SocketAddr) -> Self {
        let variables = [
            ("upstream", format!("http://{upstream}")),
            ("log", "all".to_owned()),
        ];
        Self {
            component: component.to_owned(),
            guards: None,
            policy: Some(policy.to_owned()),
            files: Vec::new(),
            variables: variables
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            outbound: vec!["http://127.0.0.1:*".to_owned()],
            arguments: Vec::new(),
        }
    }

    /// The same application with this value of a variable; an empty one is none.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.variables.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// The same application with more of the command line.
    #[must_use]
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(OsString::from));
        self
    }

    /// Starts it, with its control interface where the test host is what runs it.
    ///
    /// # Errors
    /// It does not start; its last words are in the error.
    pub fn start(&self, program: &Program) -> Result<Running> {
        let folder = tempfile::Builder::new()
            .prefix("scopegate-application-")
            .tempdir()?;
        let manifest = folder.path().join("spin.toml");
        std::fs::write(&manifest, self.manifest())?;
        if let Some(policy) = &self.policy {
            std::fs::write(folder.path().join("policy.yaml"), policy)?;
        }
        for (path, content) in &self.files {
            let path = folder.path().join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().context("a file without a folder")?)?;
            std::fs::write(path, content)?;
        }
        let mut launch = Launch::new(program, &manifest);
        launch.arguments.clone_from(&self.arguments);
        let has_control = program.has_control();
        if has_control {
            launch
                .arguments
                .extend(["--control".into(), "127.0.0.1:0".into()]);
            // Compiling a component takes seconds, and a test starts hundreds.
            let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/spin-host-cache");
            launch
                .arguments
                .extend(["--cache-dir".into(), cache.into_os_string()]);
        }
        let spin = launch.start()?;
        let control = match has_control {
            true => Some(Control::new(spin.wait_until_told("Control")?)),
            false => None,
        };
        Ok(Running {
            spin,
            control,
            _folder: folder,
        })
    }

    fn manifest(&self) -> String {
        let name = if self.guards.is_some() { GUARDED } else { GATE };
        let mut text = format!(
            "spin_manifest_version = 2\n\
             [application]\nname = \"scopegate-test\"\nversion = \"0.1.0\"\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"{name}\"\n"
        );
        if self.guards.is_some() {
            text.push_str(&format!(
                "dependencies.middleware = [{{ component = \"{GATE}\", \
                 inherit_configuration = [\"allowed_outbound_hosts\", \"files\", \"variables\"] }}]\n"
            ));
        }
        let source = self.guards.as_ref().unwrap_or(&self.component);
        text.push_str(&format!(
            "[component.{name}]\nsource = {}\n",
            quoted(&source.display().to_string())
        ));
        let policy = self.policy.iter().map(|_| "policy.yaml");
        let others = self
            .files
            .iter()
            .map(|(path, _)| path.trim_start_matches('/'));
        let files: Vec<String> = policy.chain(others).map(quoted).collect();
        if !files.is_empty() {
            text.push_str(&format!("files = [{}]\n", files.join(", ")));
        }
        let hosts: Vec<String> = self.outbound.iter().map(|host| quoted(host)).collect();
        text.push_str(&format!(
            "allowed_outbound_hosts = [{}]\nkey_value_stores = [\"default\"]\n",
            hosts.join(", ")
        ));
        text.push_str(&format!("[component.{name}.variables]\n"));
        for (name, value) in &self.variables {
            text.push_str(&format!("{name} = {}\n", quoted(value)));
        }
        if self.guards.is_some() {
            let component = quoted(&self.component.display().to_string());
            text.push_str(&format!("[component.{GATE}]\nsource = {component}\n"));
        }
        text
    }
}

/// A string of TOML. What JSON writes for one is that, too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A running application.
pub struct Running {
    /// Its process.
    pub spin: Spin,
    /// The test host's control interface; nothing where real Spin runs.
    pub control: Option<Control>,
    _folder: tempfile::TempDir,
}

impl Running {
    /// Sends the request with that id.
    ///
    /// # Errors
    /// No answer.
    pub fn send(&self, protocol: Protocol, sent: &Prepared, id: &str) -> Result<Answer> {
        let address = self.spin.address();
        match protocol {
            Protocol::Http1 => http1::exchange(address, &wire::http1_request(sent, id)),
            Protocol::Http2 => http2::exchange(address, &wire::http2_request(sent, id)),
        }
    }

    /// What the gate has written into its log.
    pub fn gate_log(&self) -> String {
        // Middleware is one with what it guards, and bears its name.
        self.spin.errors_of(GATE) + &self.spin.errors_of(GUARDED)
    }

    /// The control interface of the test host.
    ///
    /// # Errors
    /// Real Spin runs, which has none.
    pub fn control(&self) -> Result<&Control> {
        self.control
            .as_ref()
            .context("real Spin has no control interface")
    }
}

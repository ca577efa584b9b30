//! The application that a manifest describes, with its variables filled in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::allowed_hosts::AllowedHost;
use crate::files;
use crate::manifest::{ComponentEntry, HttpTrigger, Inherit, Manifest, RouteEntry};
use crate::route::Route;
use crate::template;

/// Every key that `inherit_configuration` may name.
pub(crate) const INHERITABLE: [&str; 7] = [
    "ai_models",
    "allowed_outbound_hosts",
    "environment",
    "files",
    "key_value_stores",
    "sqlite_databases",
    "variables",
];

/// The one store that Spin defines where no runtime configuration does.
const DEFAULT_STORE: &str = "default";

/// What is run.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The most exact first.
    pub(crate) routes: Vec<(Route, String)>,
    /// The component that the first route names.
    pub(crate) first: String,
    /// Those that a trigger names.
    pub(crate) components: BTreeMap<String, Component>,
}

/// A component with everything that it may use.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) source: PathBuf,
    pub(crate) description: String,
    pub(crate) files: Vec<files::Mount>,
    pub(crate) allowed_hosts: Vec<AllowedHost>,
    pub(crate) stores: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) variables: BTreeMap<String, String>,
    /// The outermost first.
    pub(crate) middleware: Vec<Middleware>,
}

/// What stands before a component.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Middleware {
    pub(crate) id: String,
    pub(crate) source: PathBuf,
    pub(crate) inherits: Vec<String>,
}

impl Application {
    /// Reads the manifest at `path`, which may be its folder. `given` are the values of variables from outside; `stores` the labels
    /// that are defined beside `default`.
    pub(crate) fn read(
        path: &Path,
        given: &BTreeMap<String, String>,
        stores: &[String],
    ) -> Result<Self> {
        let path = if path.is_dir() {
            path.join("spin.toml")
        } else {
            path.to_owned()
        };
        let manifest = Manifest::read(&path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let variables = fill_in(&manifest, given)?;
        let mut components = BTreeMap::new();
        for trigger in &manifest.trigger.http {
            let id = &trigger.component;
            let in_component = || format!("component `{id}`");
            let entry = entry_of(&manifest, id)?;
            let component = Component::read(entry, trigger, &manifest, folder, &variables, stores)
                .with_context(in_component)?;
            if let Some(other) = components.insert(id.clone(), component)
                && components.get(id).map(|now| &now.middleware) != Some(&other.middleware)
            {
                bail!("component `{id}` stands behind different middleware in two triggers");
            }
        }
        let first = manifest.trigger.http.first().context("no HTTP trigger")?;
        Ok(Self {
            routes: read_routes(&manifest.trigger.http)?,
            first: first.component.clone(),
            components,
            name: manifest.application.name,
            version: manifest.application.version,
        })
    }
}

impl Component {
    fn read(
        entry: &ComponentEntry,
        trigger: &HttpTrigger,
        manifest: &Manifest,
        folder: &Path,
        variables: &BTreeMap<String, String>,
        stores: &[String],
    ) -> Result<Self> {
        let value_of = |name: &str| {
            let value = variables.get(name);
            value
                .cloned()
                .with_context(|| format!("no variable `{name}` in [variables]"))
        };
        let mut own_variables = BTreeMap::new();
        for (name, text) in &entry.variables {
            template::check_name(name)?;
            own_variables.insert(name.clone(), template::expand(text, value_of)?);
        }
        let mut allowed_hosts = Vec::new();
        for text in &entry.allowed_outbound_hosts {
            allowed_hosts.push(AllowedHost::parse(&template::expand(text, value_of)?)?);
        }
        let unknown = |label: &&String| *label != DEFAULT_STORE && !stores.contains(label);
        if let Some(label) = entry.key_value_stores.iter().find(unknown) {
            bail!(
                "unknown key_value_stores label `{label}`: only `{DEFAULT_STORE}` needs no runtime configuration"
            );
        }
        let mut middleware = Vec::new();
        for stage in &trigger.dependencies.middleware {
            middleware.push(Middleware {
                id: stage.component.clone(),
                source: folder.join(&entry_of(manifest, &stage.component)?.source),
                inherits: inherited(&stage.inherit_configuration)
                    .with_context(|| format!("middleware `{}`", stage.component))?,
            });
        }
        Ok(Self {
            source: folder.join(&entry.source),
            description: entry.description.clone(),
            files: files::find(&entry.files, &entry.exclude_files, folder)?,
            allowed_hosts,
            stores: entry.key_value_stores.clone(),
            environment: entry.environment.clone().into_iter().collect(),
            variables: own_variables,
            middleware,
        })
    }
}

fn entry_of<'a>(manifest: &'a Manifest, id: &str) -> Result<&'a ComponentEntry> {
    let entry = manifest.component.get(id);
    entry.with_context(|| format!("no [component.{id}] in the manifest"))
}

/// The value of every variable: from outside, else its default.
fn fill_in(
    manifest: &Manifest,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for (name, entry) in &manifest.variables {
        template::check_name(name)?;
        if entry.required == entry.default.is_some() {
            bail!("variable `{name}` needs either `required = true` or a default");
        }
        let value = given.get(name).or(entry.default.as_ref());
        let value =
            value.with_context(|| format!("the required variable `{name}` has no value"))?;
        values.insert(name.clone(), value.clone());
    }
    Ok(values)
}

fn inherited(inherit: &Inherit) -> Result<Vec<String>> {
    match inherit {
        Inherit::Everything(true) => Ok(INHERITABLE.map(str::to_owned).to_vec()),
        Inherit::Everything(false) => Ok(Vec::new()),
        Inherit::Only(keys) => {
            if let Some(key) = keys.iter().find(|key| !INHERITABLE.contains(&key.as_str())) {
                bail!("`{key}` in inherit_configuration is none of {INHERITABLE:?}");
            }
            Ok(keys.clone())
        }
    }
}

fn read_routes(triggers: &[HttpTrigger]) -> Result<Vec<(Route, String)>> {
    let mut routes: Vec<(Route, String)> = Vec::new();
    for trigger in triggers {
        match &trigger.route {
            RouteEntry::Path(path) => {
                routes.push((Route::parse(path)?, trigger.component.clone()));
            }
            RouteEntry::Private(entry) if entry.private => {}
            RouteEntry::Private(_) => bail!("a route is a path or {{ private = true }}"),
        }
    }
    routes.sort_by(|(one, _), (other, _)| one.more_exact(other));
    Ok(routes)
}

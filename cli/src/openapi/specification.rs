//! A specification: its operations in the order of the text.

use super::InvalidSpecification;
use super::reference::{self, Unresolved};
use super::scheme::{self, Scheme};
use super::security::{self, Security};
use super::server::{self, NoBasePath};
use super::spot::Spot;
use super::tree::{Key, METHODS, Node};

/// The most operations: so many routes fit into a policy.
const MAX_OPERATIONS: usize = 20_000;

/// What a document says about who may do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Specification {
    /// The name of the API.
    pub(crate) title: Option<String>,
    /// The version of OpenAPI that it is written in.
    pub(crate) version: String,
    /// The security schemes by name.
    pub(crate) schemes: Vec<(String, Scheme)>,
    pub(crate) operations: Vec<Operation>,
    /// Path items that could not be followed to where they are.
    pub(crate) unresolved: Vec<UnresolvedItem>,
}

/// A method of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// The path as the document writes it, without what the servers put before it.
    pub(crate) template: String,
    /// What the servers put before it, each once.
    pub(crate) base_paths: Result<Vec<String>, NoBasePath>,
    pub(crate) security: Security,
    pub(crate) spot: Spot,
}

/// A path of which it is not known what stands under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnresolvedItem {
    pub(crate) template: String,
    /// As of an operation, as far as is known.
    pub(crate) base_paths: Result<Vec<String>, NoBasePath>,
    pub(crate) why: Unresolved,
    pub(crate) spot: Spot,
}

impl Specification {
    pub(crate) fn scheme(&self, name: &str) -> Option<&Scheme> {
        let (_, scheme) = self.schemes.iter().find(|(known, _)| known == name)?;
        Some(scheme)
    }
}

/// The specification of a tree.
pub(super) fn of(root: &Node) -> Result<Specification, InvalidSpecification> {
    let version = version(root)?;
    let mut specification = Specification {
        title: root
            .value("info")
            .and_then(|info| info.text_of("title"))
            .map(str::to_owned),
        version,
        schemes: scheme::schemes(root),
        operations: Vec::new(),
        unresolved: Vec::new(),
    };
    let paths = root.value("paths").map_or(&[][..], Node::entries);
    for (key, item) in paths {
        // Fields that begin so are extensions (OpenAPI 3.1.1 section 4.9).
        if key.text.starts_with("x-") {
            continue;
        }
        match reference::path_item(root, item) {
            Ok(layers) => add(root, key, &layers, &mut specification.operations),
            Err(why) => {
                let servers = [None, item.value("servers"), root.value("servers")];
                specification.unresolved.push(UnresolvedItem {
                    template: key.text.clone(),
                    base_paths: server::base_paths(servers),
                    why,
                    spot: key.spot,
                });
            }
        }
        if specification.operations.len() > MAX_OPERATIONS {
            return Err(InvalidSpecification {
                message: format!("this has more than {MAX_OPERATIONS} operations"),
                remedy: "split it, as its policy would not fit into a gate",
                place: None,
            });
        }
    }
    Ok(specification)
}

/// The operations of a path item: its own, then those of the ones that it refers to.
fn add(root: &Node, path: &Key, layers: &[&Node], operations: &mut Vec<Operation>) {
    let first = operations.len();
    for item in layers {
        for (key, operation) in item.entries() {
            let method = METHODS.iter().find(|(name, _)| *name == key.text);
            let Some((_, method)) = method else { continue };
            let mut own = operations.iter().skip(first);
            if own.any(|known| known.method == *method) {
                continue;
            }
            let servers = layers.iter().find_map(|item| item.value("servers"));
            operations.push(Operation {
                method,
                template: path.text.clone(),
                base_paths: server::base_paths([
                    operation.value("servers"),
                    servers,
                    root.value("servers"),
                ]),
                security: security::of(operation.value("security"), root.value("security")),
                spot: key.spot,
            });
        }
    }
}

fn version(root: &Node) -> Result<String, InvalidSpecification> {
    let refused = |message: String, remedy| {
        let place = None;
        Err(InvalidSpecification {
            message,
            remedy,
            place,
        })
    };
    let Some(version) = root.text_of("openapi") else {
        return match root.text_of("swagger") {
            Some(version) => refused(
                format!("this is Swagger {}, not OpenAPI 3", version.escape_debug()),
                "convert it, for instance with swagger2openapi, and read what becomes of its `security`",
            ),
            None => refused(
                "this is no OpenAPI document, as it has no field `openapi` at its top".into(),
                "give an OpenAPI 3.0 or 3.1 document as JSON or YAML",
            ),
        };
    };
    // `openapi: 3.0` without quotes is the number 3.
    let known = ["3.0", "3.1"].iter().any(|known| {
        let rest = version.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    match known || version == "3" {
        true => Ok(version.to_owned()),
        false => refused(
            format!("this is OpenAPI {}", version.escape_debug()),
            "give a document of version 3.0 or 3.1",
        ),
    }
}

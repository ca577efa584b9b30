//! A specification: its operations in the order of the text.

use crate::InvalidSpecification;
use crate::reference::{self, Unresolved};
use crate::scheme::{self, Scheme};
use crate::security::{self, Security};
use crate::server::{self, NoBasePath};
use crate::spot::Spot;
use crate::tree::{Key, METHODS, Node};

/// The most operations: so many routes fit into a policy.
const MAX_OPERATIONS: usize = 20_000;

/// What a document says about who may do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Specification {
    /// The name of the API.
    pub title: Option<String>,
    /// The version of OpenAPI that it is written in.
    pub version: String,
    /// The security schemes by name.
    pub schemes: Vec<(String, Scheme)>,
    /// In the order of the text.
    pub operations: Vec<Operation>,
    /// Path items that could not be followed to where they are.
    pub unresolved: Vec<UnresolvedItem>,
}

/// A method of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// In capitals.
    pub method: &'static str,
    /// The path as the document writes it, without what the servers put before it.
    pub template: String,
    /// What the servers put before it, each once.
    pub base_paths: Result<Vec<String>, NoBasePath>,
    /// What it demands, as the document writes it.
    pub security: Security,
    /// Where it stands.
    pub spot: Spot,
}

/// A path of which it is not known what stands under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnresolvedItem {
    /// The path as the document writes it.
    pub template: String,
    /// As of an operation, as far as is known.
    pub base_paths: Result<Vec<String>, NoBasePath>,
    /// Why it is not known.
    pub why: Unresolved,
    /// Where it stands.
    pub spot: Spot,
}

impl Specification {
    /// The security scheme of that name.
    pub fn scheme(&self, name: &str) -> Option<&Scheme> {
        let (_, scheme) = self.schemes.iter().find(|(known, _)| known == name)?;
        Some(scheme)
    }
}

/// The specification of a tree.
pub(crate) fn of(root: &Node) -> Result<Specification, InvalidSpecification> {
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

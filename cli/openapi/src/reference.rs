//! References within a document (`$ref: '#/…'`), followed a bounded number of steps.

use crate::tree::Node;

/// The most references that lead from one to the next. Two are rare; a cycle never ends.
const MAX_STEPS: usize = 16;

/// Why a reference leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// Into another document.
    Elsewhere {
        /// As the document writes it.
        reference: String,
    },
    /// There is nothing, or nothing that is read here.
    Missing {
        /// As the document writes it.
        reference: String,
    },
    /// It leads to itself, or on and on.
    Endless {
        /// As the document writes it.
        reference: String,
    },
}

impl Unresolved {
    /// What is wrong, as a part of a sentence.
    pub fn message(&self) -> String {
        match self {
            Self::Elsewhere { reference } => format!(
                "`{}` stands in another document, and none is fetched",
                reference.escape_debug()
            ),
            Self::Missing { reference } => {
                format!("`{}` leads to nothing", reference.escape_debug())
            }
            Self::Endless { reference } => {
                format!(
                    "`{}` leads on and on, never to an end",
                    reference.escape_debug()
                )
            }
        }
    }
}

/// A path item with all that it refers to, the nearest first. Siblings of a reference count: 3.1 allows them, and tools write them in 3.0.
pub(crate) fn path_item<'n>(root: &'n Node, item: &'n Node) -> Result<Vec<&'n Node>, Unresolved> {
    let mut layers = vec![item];
    let mut at = item;
    while let Some(reference) = at.text_of("$ref") {
        at = step(root, reference, layers.len())?;
        layers.push(at);
    }
    Ok(layers)
}

/// What a value is or refers to.
pub(crate) fn resolved<'n>(root: &'n Node, value: &'n Node) -> Result<&'n Node, Unresolved> {
    let mut at = value;
    let mut steps = 0_usize;
    while let Some(reference) = at.text_of("$ref") {
        steps = steps.saturating_add(1);
        at = step(root, reference, steps)?;
    }
    Ok(at)
}

fn step<'n>(root: &'n Node, reference: &str, steps: usize) -> Result<&'n Node, Unresolved> {
    let owned = || reference.to_owned();
    if steps > MAX_STEPS {
        let reference = owned();
        return Err(Unresolved::Endless { reference });
    }
    let Some(pointer) = reference.strip_prefix('#') else {
        let reference = owned();
        return Err(Unresolved::Elsewhere { reference });
    };
    let missing = || Unresolved::Missing { reference: owned() };
    pointed(root, pointer).ok_or_else(missing)
}

/// What a JSON pointer in a fragment means (RFC 6901 section 6).
fn pointed<'n>(root: &'n Node, pointer: &str) -> Option<&'n Node> {
    let mut at = root;
    for token in pointer.strip_prefix('/')?.split('/') {
        let token = percent_decoded(token)?;
        let token = token.replace("~1", "/").replace("~0", "~");
        at = at.value(&token)?;
    }
    Some(at)
}

/// A text without its percent escapes; nothing where they are none.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let mut digit = || {
            let digit = char::from(rest.next()?).to_digit(16)?;
            u8::try_from(digit).ok()
        };
        let (high, low) = (digit()?, digit()?);
        octets.push(high.checked_mul(16)?.checked_add(low)?);
    }
    String::from_utf8(octets).ok()
}

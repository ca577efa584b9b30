//! JSON, read strictly: what two parsers could read in two ways is refused.

mod object;
mod reader;

use std::{error, fmt};

pub(crate) use object::{Elements, Members, Object, Value};

/// Below this, every integer is a number of double precision and no two are the same one (RFC 8259 section 6). Beyond, two
/// callers with two numbers could be taken for one.
pub(crate) const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

/// How deep objects and arrays may nest, the outermost one counted.
///
/// Claims of real issuers nest three or four deep (Keycloak's `resource_access`); `serde_json` itself stops at 128.
pub(crate) const MAX_DEPTH: usize = 32;

/// Why a text is not an object that everybody reads alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidJson {
    /// RFC 8259 section 8.1 asks for UTF-8.
    NotUtf8,
    /// RFC 8259 section 8.1 forbids the byte order mark.
    ByteOrderMark,
    /// Not JSON: among others anything after the value, lone surrogates, and numbers that no `f64` can hold.
    Syntax,
    /// JSON, but not an object.
    NotAnObject,
    /// One object names a member twice (RFC 8259 section 4: what that means differs from parser to parser).
    DuplicateName,
    /// Nested deeper than 32 levels.
    TooDeep,
}

impl fmt::Display for InvalidJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("the text is not UTF-8"),
            Self::ByteOrderMark => f.write_str("the text begins with a byte order mark"),
            Self::Syntax => f.write_str("the text is not JSON"),
            Self::NotAnObject => f.write_str("the JSON value is not an object"),
            Self::DuplicateName => f.write_str("an object names the same member twice"),
            Self::TooDeep => write!(f, "the JSON value nests deeper than {MAX_DEPTH} levels"),
        }
    }
}

impl error::Error for InvalidJson {}

#[cfg(test)]
mod tests;

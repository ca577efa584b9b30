//! A request as Envoy gave it: read once, and kept for as long as it may have to be decided.

use scopegate_core::Request;

use crate::header_pairs::HeaderPairs;
use crate::host::{self, HeaderMap, HostError};

/// The octets of a request's header map. What the core reads points into them.
pub(crate) struct Asked {
    fields: HeaderPairs,
}

impl Asked {
    /// Reads the request of the effective context.
    pub(crate) fn read() -> Result<Self, HostError> {
        let fields = host::fields(HeaderMap::Request)?;
        match fields.value(METHOD) {
            Some(_) => Ok(Self { fields }),
            None => Err(HostError::malformed("get_header_map_pairs")),
        }
    }

    /// The request as the core reads it.
    pub(crate) fn request(&self) -> Request<'_> {
        let method = self.fields.value(METHOD).unwrap_or_default();
        Request::new(method, self.fields.value(b":path"), self.fields.iter())
    }

    /// One of these fields, as Envoy would give it.
    #[cfg(test)]
    pub(crate) fn sample(fields: &[(&str, &str)]) -> Self {
        let octets = crate::header_pairs::serialize(fields);
        let fields = octets.and_then(HeaderPairs::parse);
        Self {
            fields: fields.unwrap(),
        }
    }
}

const METHOD: &[u8] = b":method";

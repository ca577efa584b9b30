//! Values that all VMs of one `vm_id` share, in all workers. Whoever has that `vm_id` can write them.

use std::ptr::null_mut;

use super::{HostError, abi, done, take};

/// Which of a key's values was read: the host counts every change of any value, and never says 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32);

/// A value, and which one it is. Nothing where there is none.
pub(crate) fn shared(key: &str) -> Result<Option<(Vec<u8>, Version)>, HostError> {
    const NOT_FOUND: u32 = 1;
    let (mut data, mut size, mut version) = (null_mut(), 0, 0);
    // SAFETY: the host reads a live string, and writes a pointer, a size and a u32 to live variables.
    let status = unsafe {
        abi::proxy_get_shared_data(
            key.as_ptr(),
            key.len(),
            &raw mut data,
            &raw mut size,
            &raw mut version,
        )
    };
    let value = take(data, size);
    if status == NOT_FOUND {
        return Ok(None);
    }
    done("get_shared_data", status)?;
    match version {
        // Given back, it would mean "whatever is there now".
        0 => Err(HostError::malformed("get_shared_data")),
        version => Ok(Some((value, Version(version)))),
    }
}

/// Puts a value in the place of that one, or where there is none. Says whether that was so: else nothing is changed.
pub(crate) fn swap_shared(
    key: &str,
    value: &[u8],
    replaced: Option<Version>,
) -> Result<bool, HostError> {
    // Envoy looks at the number only where there is a value: one that no value has (it would take 2^32 changes) creates,
    // and replaces nothing.
    const ONLY_IF_ABSENT: u32 = u32::MAX;
    const CAS_MISMATCH: u32 = 8;
    let version = replaced.map_or(ONLY_IF_ABSENT, |Version(version)| version);
    // SAFETY: pointers and lengths are those of a live string and a live slice, which the host only reads.
    let status = unsafe {
        abi::proxy_set_shared_data(
            key.as_ptr(),
            key.len(),
            value.as_ptr(),
            value.len(),
            version,
        )
    };
    if status == CAS_MISMATCH {
        return Ok(false);
    }
    done("set_shared_data", status)?;
    Ok(true)
}

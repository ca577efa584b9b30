//! The exports of a WebAssembly module: which of its functions the host can call.

use anyhow::{Context, Result, ensure};

/// Callbacks of the proxy-wasm ABI that the SDK exports for every filter, and that ours leaves as they are: they do nothing.
///
/// Envoy enters the VM for each callback that a module exports, several times in the life of a request, and for one that it does not
/// export it does what the empty one would have told it: go on.
const UNUSED: [&str; 14] = [
    "proxy_on_downstream_connection_close",
    "proxy_on_downstream_data",
    "proxy_on_foreign_function",
    "proxy_on_grpc_close",
    "proxy_on_grpc_receive",
    "proxy_on_grpc_receive_initial_metadata",
    "proxy_on_grpc_receive_trailing_metadata",
    "proxy_on_log",
    "proxy_on_new_connection",
    "proxy_on_queue_ready",
    "proxy_on_response_body",
    "proxy_on_response_headers",
    "proxy_on_response_trailers",
    "proxy_on_upstream_connection_close",
];

/// `\0asm` and the version of the format (WebAssembly Core Specification 2.0, section 5.5.16).
const PREAMBLE: &[u8] = b"\0asm\x01\0\0\0";

const EXPORT_SECTION: u8 = 7;

/// The same module without the exports that only cost time.
pub fn without_unused(module: &[u8]) -> Result<Vec<u8>> {
    let mut rest = module
        .strip_prefix(PREAMBLE)
        .context("no WebAssembly module")?;
    let mut written = PREAMBLE.to_vec();
    while let Some((id, behind)) = rest.split_first() {
        let (section, behind) = sized(behind).context("a section that ends early")?;
        let section = match *id {
            EXPORT_SECTION => &keep_used(section)?,
            _ => section,
        };
        written.push(*id);
        write_number(&mut written, section.len());
        written.extend_from_slice(section);
        rest = behind;
    }
    Ok(written)
}

/// The content of an export section without what is unused: a count, then a name, a kind and a place for each.
fn keep_used(section: &[u8]) -> Result<Vec<u8>> {
    const BROKEN: &str = "an export section that cannot be read";
    let (count, mut rest) = number(section).context(BROKEN)?;
    let (mut kept, mut entries) = (0, Vec::new());
    for _ in 0..count {
        let (name, behind) = sized(rest).context(BROKEN)?;
        let (_kind, behind) = behind.split_first().context(BROKEN)?;
        let (_place, behind) = number(behind).context(BROKEN)?;
        let entry = rest.len().checked_sub(behind.len());
        let entry = entry
            .and_then(|length| rest.get(..length))
            .context(BROKEN)?;
        if !UNUSED.iter().any(|unused| unused.as_bytes() == name) {
            kept += 1;
            entries.extend_from_slice(entry);
        }
        rest = behind;
    }
    ensure!(rest.is_empty(), BROKEN);
    let mut written = Vec::new();
    write_number(&mut written, kept);
    written.extend(entries);
    Ok(written)
}

/// A length, so many octets, and what is behind them.
fn sized(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = number(octets)?;
    rest.split_at_checked(length)
}

/// An unsigned number of 32 bits in LEB128 (section 5.2.2), and what is behind it.
fn number(octets: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (place, octet) in octets.iter().take(5).enumerate() {
        value |= u64::from(octet & 0x7f) << (7 * place);
        if octet & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((usize::try_from(value).ok()?, octets.get(place + 1..)?));
        }
    }
    None
}

fn write_number(written: &mut Vec<u8>, mut value: usize) {
    while value > 0x7f {
        written.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    written.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with a section before and one behind, and these functions exported.
    fn module(names: &[&str]) -> Vec<u8> {
        let mut exports = Vec::new();
        write_number(&mut exports, names.len());
        for (place, name) in names.iter().enumerate() {
            write_number(&mut exports, name.len());
            exports.extend(name.bytes());
            exports.push(0);
            write_number(&mut exports, 200 + place);
        }
        let mut module = PREAMBLE.to_vec();
        for (id, content) in [(1, b"types".as_slice()), (7, &exports), (10, &[0; 300])] {
            module.push(id);
            write_number(&mut module, content.len());
            module.extend_from_slice(content);
        }
        module
    }

    #[test]
    fn what_is_unused_goes_and_all_else_stays() {
        let used = ["memory", "proxy_on_request_headers", "proxy_on_tick"];
        let all = [UNUSED.as_slice(), &used].concat();
        // The places of those that stay are those that they had.
        let mut expected = module(&used);
        for (place, (now, then)) in [(0xc8, 0xd6), (0xc9, 0xd7), (0xca, 0xd8)]
            .iter()
            .enumerate()
        {
            let at = expected.windows(2).position(|pair| pair == [*now, 1]);
            expected[at.unwrap_or_else(|| panic!("the place of export {place}"))] = *then;
        }
        assert_eq!(without_unused(&module(&all)).unwrap(), expected);
        assert_eq!(without_unused(&module(&used)).unwrap(), module(&used));
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(without_unused(b"").is_err());
        assert!(without_unused(b"#!/bin/sh").is_err());
        let whole = module(&["memory", "proxy_on_log"]);
        for length in PREAMBLE.len() + 1..whole.len() {
            // Between two sections a shorter module ends as it should.
            let is_whole = [PREAMBLE.len() + 7, whole.len() - 303].contains(&length);
            assert_eq!(
                without_unused(&whole[..length]).is_ok(),
                is_whole,
                "{length}"
            );
        }
    }
}

//! What a host of WebAssembly calls.
//!
//! A host asks for room, writes an order there as JSON, and has it prepared; the number it gets stands for the verification from then on.
//! The host's clock runs around [`run`]: there is none in here, and so nothing of WASI is asked for but octets to seed hash tables.

// An exported function counts as unsafe code.
#![allow(unsafe_code)]

use std::cell::RefCell;

use crate::prepared::{Order, Prepared, prepare};

thread_local! {
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static PREPARED: RefCell<Vec<Prepared>> = const { RefCell::new(Vec::new()) };
}

/// Makes room for a text of that length, and returns where it goes.
#[unsafe(no_mangle)]
extern "C" fn reserve(length: usize) -> *mut u8 {
    TEXT.with_borrow_mut(|text| {
        text.clear();
        text.resize(length, 0);
        text.as_mut_ptr()
    })
}

/// Prepares what was written there, and returns its number; or, below 0, the length of a complaint, which [`text`] leads to.
#[unsafe(no_mangle)]
extern "C" fn prepare_order() -> i32 {
    let order = TEXT.with_borrow(|text| serde_json::from_slice::<Order>(text));
    let prepared = order.map_err(|error| error.to_string());
    match prepared.and_then(|order| prepare(&order)) {
        Ok(prepared) => PREPARED.with_borrow_mut(|all| {
            all.push(prepared);
            i32::try_from(all.len() - 1).unwrap_or(i32::MAX)
        }),
        Err(complaint) => TEXT.with_borrow_mut(|text| {
            *text = complaint.into_bytes();
            i32::try_from(text.len()).map_or(i32::MIN, |length| -length)
        }),
    }
}

/// Where the text lies.
#[unsafe(no_mangle)]
extern "C" fn text() -> *const u8 {
    TEXT.with_borrow(Vec::as_ptr)
}

/// Verifies so many times, and returns how often the signature was good.
#[unsafe(no_mangle)]
extern "C" fn run(number: usize, times: u32) -> u32 {
    PREPARED.with_borrow(|all| all.get(number).map_or(0, |prepared| prepared.run(times)))
}

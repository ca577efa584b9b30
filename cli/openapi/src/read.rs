//! From text to tree: JSON by serde_json, YAML by serde-saphyr.
//!
//! Not by the tree of `scopegate-yaml`, which is for policies: it refuses anchors, and its budget is that of a policy. serde-saphyr stands on the
//! same parser, and brings what specifications use besides (anchors, merge keys), each with a budget.

use std::cell::Cell;
use std::io::{self, Read};
use std::thread;

use serde::de::DeserializeSeed as _;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::NonFiniteFloatPolicy;
use serde_saphyr::{Error, UserMessageFormatter};

use crate::InvalidSpecification;
use crate::spot::Place;
use crate::tree::{Node, Reading};

/// The largest specification. GitHub's has 13 MB in 2026, Microsoft Graph's some 40.
pub const MAX_SPECIFICATION_BYTES: usize = 64 * 1024 * 1024;

/// The deepest nesting, schemas among them: as deep as serde_json goes.
const MAX_DEPTH: usize = 128;

/// The most values of a YAML text, so many as fit into the largest one with usual lines.
const MAX_VALUES: usize = 8_000_000;

/// Lists and mappings are two events each.
const MAX_EVENTS: usize = 16_000_000;

/// The most values that aliases may repeat. Specifications that use them repeat some hundred.
const MAX_REPEATED: usize = 100_000;

/// The stack that reading may take. A level of YAML takes up to 60 KB of it where nothing is optimised, and stacks of main threads begin at 1 MB.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// The tree of a text; JSON if its first character is `{`.
pub(crate) fn tree(text: &str) -> Result<Node, InvalidSpecification> {
    let read = || match text.trim_start().starts_with('{') {
        true => json(text),
        false => yaml(text),
    };
    let read = thread::scope(|scope| {
        let reader = thread::Builder::new().stack_size(STACK_BYTES);
        let reader = reader.spawn_scoped(scope, read).ok()?;
        reader.join().ok()
    });
    read.unwrap_or_else(|| Err(unreadable("there is no memory to read it".into(), 0, 0)))
}

fn json(text: &str) -> Result<Node, InvalidSpecification> {
    let offset = Cell::new(0);
    let reader = Counted {
        rest: text.as_bytes(),
        offset: &offset,
    };
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let read = Reading::new(Some(&offset)).deserialize(&mut deserializer);
    let read = read.and_then(|tree| deserializer.end().map(|()| tree));
    read.map_err(|error| {
        let said = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let said = said.strip_suffix(&place).unwrap_or(&said);
        let message = match said {
            "recursion limit exceeded" => too_deep(),
            said => format!("this is not JSON: {said}"),
        };
        unreadable(message, error.line(), error.column())
    })
}

fn yaml(text: &str) -> Result<Node, InvalidSpecification> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_VALUES,
            max_events: MAX_EVENTS,
            max_total_scalar_bytes: MAX_SPECIFICATION_BYTES,
            max_documents: 1,
            max_recorded_anchor_events: MAX_REPEATED,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPEATED },
        // In examples of numbers, which are not kept.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
    };
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |from| {
        Reading::new(None).deserialize(from)
    });
    read.map_err(|error| {
        let place = error.location();
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let line = place.map_or(0, |place| number(place.line()));
        let column = place.map_or(0, |place| number(place.column()));
        let said = error.render_with_formatter(&UserMessageFormatter);
        let said = said.split(" at line ").next().unwrap_or_default();
        let message = match error.without_snippet() {
            Error::Budget {
                breach: BudgetBreach::Depth { .. },
                ..
            } => too_deep(),
            _ if said.contains("recursion limit") => too_deep(),
            // Budgets of aliases come in other errors too, which differ in words alone.
            _ if said.contains("limits breached") => {
                "this has more values, or more of them in aliases, than are read".into()
            }
            _ => format!("this is not YAML that can be read: {said}"),
        };
        unreadable(message, line, column)
    })
}

fn too_deep() -> String {
    format!("this is nested more than {MAX_DEPTH} deep")
}

fn unreadable(message: String, line: usize, column: usize) -> InvalidSpecification {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let place = (line > 0).then(|| Place {
        line: count(line),
        column: count(column).max(1),
        length: 0,
    });
    InvalidSpecification {
        message,
        remedy: "give an OpenAPI 3.0 or 3.1 document as JSON or YAML",
        place,
    }
}

/// A text that says how much of it was read.
struct Counted<'t, 'c> {
    rest: &'t [u8],
    offset: &'c Cell<usize>,
}

impl Read for Counted<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.rest.read(buffer)?;
        self.offset.set(self.offset.get().saturating_add(read));
        Ok(read)
    }
}

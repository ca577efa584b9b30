//! From the events of the YAML parser to a tree, within a budget.

use std::borrow::Cow;
use std::collections::BTreeSet;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, StrInput};

use crate::node::{Node, Place, Spanned, Value};
use crate::plain::{self, DisputedNumber};
use crate::step::{Part, Step};

/// The deepest nesting. The format itself needs seven levels.
const MAX_DEPTH: usize = 16;

/// The most values, lists and mappings among them: what some 20,000 routes have.
const MAX_VALUES: usize = 250_000;

/// Up to so many keys are compared with each other, which takes no memory.
const FEW_KEYS: usize = 12;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is nothing in it but comments.
    Empty,
    /// A key stands twice in one mapping.
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A key is a number, a truth value or nothing.
    NotText,
    /// A key is a list or a mapping.
    NotAKey,
    /// A number that not every reader takes for the same one, or that JSON cannot have.
    DisputedNumber,
    /// A second document begins.
    ManyDocuments,
    /// An anchor, an alias or a merge key.
    Reference,
    /// A tag.
    Tag,
    /// Too deep, or too many values.
    TooComplex,
    /// No YAML.
    Syntax {
        /// What the parser says.
        message: String,
    },
}

/// The tree of a text, unless `note` was told of a fault. Reading ends at the first error of YAML's own; after others it goes on.
pub fn tree(text: &str, note: &mut dyn FnMut(Place, Fault)) -> Option<Node> {
    let mut tree = Tree {
        events: Parser::new_from_str_with_options(text, options()),
        values: 0,
        note,
        is_sound: true,
    };
    match tree.document() {
        Ok(root) => tree.is_sound.then_some(root),
        Err(Stop { place, fault }) => {
            tree.note(place, fault);
            None
        }
    }
}

fn options() -> Options {
    let mut options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
    };
    options.set_emit_comments(false);
    options
}

struct Tree<'t, 'n> {
    events: Parser<'t, StrInput<'t>>,
    values: usize,
    note: &'n mut dyn FnMut(Place, Fault),
    /// Whether no problem was found. After one that is not YAML's own, the others are still looked for.
    is_sound: bool,
}

/// What ends the reading.
struct Stop {
    place: Place,
    fault: Fault,
}

impl<'t> Tree<'t, '_> {
    fn document(&mut self) -> Result<Node, Stop> {
        let root = loop {
            let step = self.next()?;
            match step.part {
                Part::Boundary | Part::DocumentStart => {}
                Part::StreamEnd => return Err(Stop::empty()),
                _ => break self.node(step, 0)?,
            }
        };
        loop {
            let step = self.next()?;
            match step.part {
                Part::StreamEnd => break,
                Part::DocumentStart => return Err(Stop::at(step.place, Fault::ManyDocuments)),
                _ => {}
            }
        }
        match root.value {
            Value::Blank => Err(Stop::empty()),
            _ => Ok(root),
        }
    }

    /// The next part that belongs to a value.
    fn next(&mut self) -> Result<Step<'t>, Stop> {
        loop {
            let (event, span) = match self.events.next_event() {
                Some(Ok(next)) => next,
                Some(Err(error)) => return Err(Stop::of(&error)),
                // The last event was the end of the stream, after which nobody asks.
                None => return Err(Stop::empty()),
            };
            if let Event::Anchor(..) = event {
                self.note(Place::of_scalar(&span), Fault::Reference);
                continue;
            }
            return Ok(Step::of(event, &span));
        }
    }

    /// The value that begins there, inside so many others.
    fn node(&mut self, step: Step<'t>, depth: usize) -> Result<Node, Stop> {
        let Step { part, place, tag } = step;
        self.values = self.values.saturating_add(1);
        if self.values > MAX_VALUES || depth > MAX_DEPTH {
            return Err(Stop::at(place, Fault::TooComplex));
        }
        let inside = depth.saturating_add(1);
        let value = match part {
            Part::Scalar(text, style) => self.scalar(text, style, place),
            Part::List => self.list(inside)?,
            Part::Mapping => self.mapping(inside)?,
            _ => {
                self.note(place, Fault::Reference);
                Value::Blank
            }
        };
        if let Some(tag) = tag {
            self.note(tag, Fault::Tag);
        }
        Ok(Spanned { value, place })
    }

    fn scalar(&mut self, text: Cow<'t, str>, style: ScalarStyle, place: Place) -> Value {
        if style != ScalarStyle::Plain {
            return Value::Text(text.into_owned());
        }
        plain::value(text).unwrap_or_else(|DisputedNumber| {
            self.note(place, Fault::DisputedNumber);
            Value::Blank
        })
    }

    fn list(&mut self, depth: usize) -> Result<Value, Stop> {
        let mut items = Vec::new();
        loop {
            let step = self.next()?;
            if let Part::End = step.part {
                return Ok(Value::List(items));
            }
            let item = self.node(step, depth)?;
            if items.is_empty() {
                // Most lists of a policy hold a single item. A vector that grows by itself begins with four.
                items.reserve_exact(1);
            }
            items.push(item);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Stop> {
        let mut entries: Vec<(Spanned<String>, Node)> = Vec::new();
        loop {
            let step = self.next()?;
            if let Part::End = step.part {
                break;
            }
            let merges =
                matches!(&step.part, Part::Scalar(text, ScalarStyle::Plain) if text == "<<");
            let key = self.node(step, depth)?;
            let key = if merges {
                self.note(key.place, Fault::Reference);
                None
            } else {
                self.key(key)
            };
            let step = self.next()?;
            let value = self.node(step, depth)?;
            if let Some(key) = key {
                entries.push((key, value));
            }
        }
        self.refuse_twins(&entries);
        Ok(Value::Mapping(entries))
    }

    fn key(&mut self, key: Node) -> Option<Spanned<String>> {
        let kind = match key.value {
            Value::Text(value) => {
                return Some(Spanned {
                    value,
                    place: key.place,
                });
            }
            Value::Blank | Value::Truth(_) | Value::Number(_) => Fault::NotText,
            Value::List(_) | Value::Mapping(_) => Fault::NotAKey,
        };
        self.note(key.place, kind);
        None
    }

    fn refuse_twins(&mut self, entries: &[(Spanned<String>, Node)]) {
        if entries.len() <= FEW_KEYS {
            for (place, (key, _)) in entries.iter().enumerate() {
                let mut before = entries.iter().take(place);
                if before.any(|(other, _)| other.value == key.value) {
                    self.refuse_twin(key);
                }
            }
            return;
        }
        let mut seen = BTreeSet::new();
        for (key, _) in entries {
            if !seen.insert(key.value.as_str()) {
                self.refuse_twin(key);
            }
        }
    }

    fn refuse_twin(&mut self, key: &Spanned<String>) {
        let fault = Fault::DuplicateKey {
            key: key.value.clone(),
        };
        self.note(key.place, fault);
    }

    fn note(&mut self, place: Place, fault: Fault) {
        self.is_sound = false;
        (self.note)(place, fault);
    }
}

impl Stop {
    fn at(place: Place, fault: Fault) -> Self {
        Self { place, fault }
    }

    fn empty() -> Self {
        Self::at(Place::NOWHERE, Fault::Empty)
    }

    fn of(error: &ScanError) -> Self {
        let kind = match error.kind() {
            ErrorKind::RecursionLimitExceeded => Fault::TooComplex,
            _ => Fault::Syntax {
                message: error.info(),
            },
        };
        Self::at(Place::of_position(error.marker()), kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is noted of a mapping with these keys.
    fn noted(keys: &[String]) -> Vec<Fault> {
        let text: String = keys.iter().map(|key| format!("{key}: 1\n")).collect();
        let mut faults = Vec::new();
        let read = tree(&text, &mut |_, fault| faults.push(fault));
        assert_eq!(read.is_some(), faults.is_empty(), "{text}");
        faults
    }

    #[test]
    fn a_twin_is_found_among_few_keys_and_among_many() {
        for count in [1, 2, FEW_KEYS - 1, FEW_KEYS, FEW_KEYS + 1, 3 * FEW_KEYS] {
            let keys: Vec<String> = (0..count).map(|number| format!("k{number}")).collect();
            assert_eq!(noted(&keys), [], "{count}");
            for twin in &keys {
                let key = twin.clone();
                let twice = [keys.as_slice(), std::slice::from_ref(twin)].concat();
                assert_eq!(noted(&twice), [Fault::DuplicateKey { key }], "{count}");
            }
        }
    }
}

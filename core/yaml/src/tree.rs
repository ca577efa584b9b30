//! From the events of the YAML parser to a tree, within a budget.

use std::collections::BTreeSet;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput};

use crate::node::{Node, Place, Spanned, Value};
use crate::plain::{self, DisputedNumber};

/// The deepest nesting. The format itself needs seven levels.
const MAX_DEPTH: usize = 16;

/// The most values, lists and mappings among them: what some 20,000 routes have.
const MAX_VALUES: usize = 250_000;

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
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::StreamEnd => return Err(Stop::empty()),
                event => break self.node(event, &span, 0)?,
            }
        };
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) => {
                    let place = Place::of_position(&span.start);
                    return Err(Stop::at(place, Fault::ManyDocuments));
                }
                _ => {}
            }
        }
        match root.value {
            Value::Blank => Err(Stop::empty()),
            _ => Ok(root),
        }
    }

    /// The next event that belongs to a value.
    fn next(&mut self) -> Result<(Event<'t>, Span), Stop> {
        loop {
            let (event, span) = match self.events.next_event() {
                Some(next) => next.map_err(|error| Stop::of(&error))?,
                // The last event was the end of the stream, after which nobody asks.
                None => return Err(Stop::empty()),
            };
            match event {
                Event::Anchor(..) => self.note(Place::of_scalar(&span), Fault::Reference),
                event => return Ok((event, span)),
            }
        }
    }

    /// The value that begins with that event, inside so many others.
    fn node(&mut self, event: Event<'t>, span: &Span, depth: usize) -> Result<Node, Stop> {
        self.values = self.values.saturating_add(1);
        let place = match event {
            Event::Scalar(..) | Event::Alias(_) | Event::UnresolvedAlias(_) => {
                Place::of_scalar(span)
            }
            _ => Place::of_position(&span.start),
        };
        if self.values > MAX_VALUES || depth > MAX_DEPTH {
            return Err(Stop::at(place, Fault::TooComplex));
        }
        let inside = depth.saturating_add(1);
        let (tag, value) = match event {
            Event::Scalar(text, style, _, tag) => (tag, self.scalar(&text, style, place)),
            Event::SequenceStart(_, _, tag) => (tag, self.list(inside)?),
            Event::MappingStart(_, _, tag) => (tag, self.mapping(inside)?),
            // An alias; what else there may be in a later version of the parser is no value either.
            _ => {
                self.note(place, Fault::Reference);
                (None, Value::Blank)
            }
        };
        if tag.is_some() {
            let place = span.tag_span().map_or(place, |tag| Place::of_scalar(&tag));
            self.note(place, Fault::Tag);
        }
        Ok(Spanned { value, place })
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, place: Place) -> Value {
        if style != ScalarStyle::Plain {
            return Value::Text(text.into());
        }
        plain::value(text).unwrap_or_else(|DisputedNumber| {
            self.note(place, Fault::DisputedNumber);
            Value::Blank
        })
    }

    fn list(&mut self, depth: usize) -> Result<Value, Stop> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, span) => items.push(self.node(event, &span, depth)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Stop> {
        let mut entries: Vec<(Spanned<String>, Node)> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let merges =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key = self.node(event, &span, depth)?;
            let key = if merges {
                self.note(key.place, Fault::Reference);
                None
            } else {
                self.key(key)
            };
            let (event, span) = self.next()?;
            let value = self.node(event, &span, depth)?;
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
        let mut seen = BTreeSet::new();
        for (key, _) in entries {
            if !seen.insert(key.value.as_str()) {
                let kind = Fault::DuplicateKey {
                    key: key.value.clone(),
                };
                self.note(key.place, kind);
            }
        }
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

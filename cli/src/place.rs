//! Where things stand in a policy text. A [`Policy`](scopegate_core::Policy) has no places any more, so they are looked up in the tree of
//! its YAML, by the same names.

use scopegate_yaml::{Node, Value};

/// A piece of one line of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, counted from 1.
    pub line: u32,
    /// The column, in characters, counted from 1.
    pub column: u32,
    /// How far it goes, in characters; 0 for a mere position.
    pub length: u32,
}

impl From<scopegate_openapi::Place> for Place {
    fn from(place: scopegate_openapi::Place) -> Self {
        let scopegate_openapi::Place {
            line,
            column,
            length,
        } = place;
        Self {
            line,
            column,
            length,
        }
    }
}

/// A step from a value to one inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The value of that key of a mapping.
    Value(&'a str),
    /// That key of a mapping, itself.
    Key(&'a str),
    /// The item at that place of a list, counted from 0.
    Item(usize),
}

/// The places of a text's values.
pub struct Places<'t> {
    text: &'t str,
    root: Node,
}

impl<'t> Places<'t> {
    /// Those of a text that was read as this tree.
    pub fn new(text: &'t str, root: Node) -> Self {
        Self { text, root }
    }

    /// Where the value stands that is reached by these steps, or where its way ends if it is not there.
    pub fn at(&self, steps: &[Step<'_>]) -> Place {
        let mut at = &self.root;
        let mut place = at.place;
        for step in steps {
            let entry = match (&at.value, step) {
                (Value::Mapping(entries), Step::Value(name) | Step::Key(name)) => {
                    entries.iter().find(|(key, _)| key.value == *name)
                }
                (Value::List(items), Step::Item(index)) => {
                    let Some(item) = items.get(*index) else { break };
                    at = item;
                    place = at.place;
                    continue;
                }
                _ => None,
            };
            let Some((key, value)) = entry else { break };
            at = value;
            place = match step {
                Step::Key(_) => key.place,
                _ => value.place,
            };
        }
        self.measured(place)
    }

    /// Where the item of that list stands which is this text; the list where none is.
    pub fn item(&self, list: &[Step<'_>], wanted: &str) -> Place {
        let position = match self.find(list).map(|node| &node.value) {
            Some(Value::List(items)) => items
                .iter()
                .position(|item| item.value == Value::Text(wanted.to_owned())),
            _ => None,
        };
        match position {
            Some(index) => self.at(&[list, &[Step::Item(index)]].concat()),
            None => self.at(list),
        }
    }

    /// Whether there is a value at the end of these steps.
    pub fn has(&self, steps: &[Step<'_>]) -> bool {
        self.find(steps).is_some()
    }

    fn find(&self, steps: &[Step<'_>]) -> Option<&Node> {
        let mut at = &self.root;
        for step in steps {
            at = match (&at.value, step) {
                (Value::Mapping(entries), Step::Value(name) | Step::Key(name)) => {
                    let entry = entries.iter().find(|(key, _)| key.value == *name);
                    &entry?.1
                }
                (Value::List(items), Step::Item(index)) => items.get(*index)?,
                _ => return None,
            };
        }
        Some(at)
    }

    fn measured(&self, place: scopegate_yaml::Place) -> Place {
        let scalar = place.scalar_of(self.text);
        let first = scalar.and_then(|text| text.lines().next());
        let length = first.map_or(1, |text| text.chars().count());
        Place {
            line: place.line.max(1),
            column: place.column.max(1),
            length: u32::try_from(length).unwrap_or(u32::MAX),
        }
    }
}

/// The place of a route's pattern, the first thing that one looks for in it.
pub fn of_route(places: &Places<'_>, route: usize) -> Place {
    places.at(&[
        Step::Value("routes"),
        Step::Item(route),
        Step::Value("path"),
    ])
}

/// The line of each route of a policy that was read as this tree.
pub fn route_lines(root: &Node) -> Vec<u32> {
    let field = |node: &Node, name: &str| match &node.value {
        Value::Mapping(entries) => {
            let entry = entries.iter().find(|(key, _)| key.value == name);
            entry.map(|(_, value)| value.place.line)
        }
        _ => None,
    };
    let Value::Mapping(entries) = &root.value else {
        return Vec::new();
    };
    let routes = entries.iter().find(|(key, _)| key.value == "routes");
    match routes.map(|(_, routes)| &routes.value) {
        Some(Value::List(routes)) => routes
            .iter()
            .map(|route| field(route, "path").unwrap_or(route.place.line))
            .collect(),
        _ => Vec::new(),
    }
}

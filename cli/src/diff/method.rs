//! The methods that two policies can tell apart.

use std::collections::BTreeSet;

use scopegate_core::Policy;

/// In changes: every method, or where others stand beside it, every one that no route of either policy names.
pub const ANY_METHOD: &str = "*";

/// The methods that the policies can tell apart.
pub(super) struct Methods {
    pub(super) all: Vec<String>,
    /// Named ones in another case: no route for any method takes them.
    pub(super) respelt: BTreeSet<String>,
    /// Stands for all others.
    other: String,
}

impl Methods {
    pub(super) fn of(old: &Policy, new: &Policy) -> Self {
        let routes = old.routes().iter().chain(new.routes());
        let mut named: BTreeSet<String> = routes.flat_map(|route| route.methods.clone()).collect();
        // What a policy calls `get`, clients call GET, and that is another method.
        let capitals: Vec<String> = named.iter().map(|name| name.to_ascii_uppercase()).collect();
        named.extend(capitals);
        named.insert("OPTIONS".into());
        // A route for GET takes HEAD too.
        if named.contains("GET") {
            named.insert("HEAD".into());
        }
        let respelt: BTreeSet<String> = named
            .iter()
            .filter_map(|method| in_another_case(method, &named))
            .collect();
        let mut other = String::from("OTHER");
        while named
            .iter()
            .any(|method| method.eq_ignore_ascii_case(&other))
        {
            other.push('-');
        }
        let all = named.iter().chain(&respelt).chain([&other]);
        Self {
            all: all.cloned().collect(),
            respelt,
            other,
        }
    }

    /// As changes show it.
    pub(super) fn shown<'m>(&self, method: &'m str) -> &'m str {
        match method == self.other {
            true => ANY_METHOD,
            false => method,
        }
    }

    /// Says every method in one word.
    pub(super) fn shorten(&self, named: &mut BTreeSet<String>) {
        let mut usual = self
            .all
            .iter()
            .filter(|method| !self.respelt.contains(*method));
        if usual.all(|method| *method == self.other || named.contains(method))
            && named.contains(ANY_METHOD)
        {
            *named = BTreeSet::from([ANY_METHOD.to_owned()]);
        }
    }
}

/// A spelling of a method that differs in case from all that are named.
fn in_another_case(method: &str, named: &BTreeSet<String>) -> Option<String> {
    let mut spelling = method.to_ascii_lowercase();
    // One letter after the other in capitals, until nobody names it: more spellings than a policy has names.
    for place in 0..method.len() {
        if !named.contains(&spelling) {
            return Some(spelling);
        }
        if let Some(letter) = spelling.get_mut(place..place.saturating_add(1)) {
            letter.make_ascii_uppercase();
        }
    }
    (!named.contains(&spelling)).then_some(spelling)
}

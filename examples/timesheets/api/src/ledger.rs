//! The entries of all timesheets, and what becomes of a wish.

use std::collections::BTreeMap;

use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answer::{self, Refusal};
use crate::wish::Wish;

/// All of it is held in memory, on Spin for the time of a request.
const MAX_ENTRIES: usize = 1_000;

/// One line of a timesheet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its number.
    pub id: u64,
    /// Whose timesheet it stands on.
    pub employee: String,
    /// What was done.
    #[serde(flatten)]
    pub work: Work,
}

/// What an employee sends.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    date: String,
    pub(crate) project: String,
    pub(crate) hours: f64,
}

/// All entries, by their numbers.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: BTreeMap<u64, Entry>,
    last_id: u64,
}

/// A wish that was fulfilled.
#[derive(Debug)]
pub struct Fulfilled {
    /// What the client gets.
    pub answer: Response<String>,
    /// What is another way now, for whoever keeps the entries elsewhere too.
    pub change: Option<Change>,
}

/// What fulfilling a wish changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// This entry is new.
    Added(Entry),
    /// The entry of that number is gone.
    Removed(u64),
}

impl Ledger {
    /// With these entries.
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut ledger = Self::default();
        for entry in entries {
            ledger.insert(entry);
        }
        ledger
    }

    /// A number that no entry of this ledger has or had.
    pub fn next_id(&self) -> u64 {
        self.last_id.saturating_add(1)
    }

    /// Does what is wished. A new entry gets the number `id`.
    ///
    /// # Errors
    /// There is no such entry, or no room for another.
    pub fn fulfil(&mut self, wish: Wish, id: u64) -> Result<Fulfilled, Refusal> {
        match wish {
            Wish::Health => Ok(seen(answer::json(
                StatusCode::OK,
                &json!({ "status": "ok" }),
            ))),
            Wish::List { employee } => Ok(seen(self.list(&employee))),
            Wish::Report { reader } => Ok(seen(self.report(&reader))),
            Wish::Add { employee, work } => self.add(Entry { id, employee, work }),
            Wish::Remove { id } => self.remove(id),
        }
    }

    fn list(&self, employee: &str) -> Response<String> {
        let entries: Vec<&Entry> = self
            .entries
            .values()
            .filter(|entry| entry.employee == employee)
            .collect();
        let body = json!({ "employee": employee, "entries": entries });
        answer::json(StatusCode::OK, &body)
    }

    /// Hours per project, of everybody.
    fn report(&self, reader: &str) -> Response<String> {
        let mut hours: BTreeMap<&str, f64> = BTreeMap::new();
        for entry in self.entries.values() {
            *hours.entry(&entry.work.project).or_default() += entry.work.hours;
        }
        let body = json!({ "employee": reader, "hours": hours });
        answer::json(StatusCode::OK, &body)
    }

    fn add(&mut self, entry: Entry) -> Result<Fulfilled, Refusal> {
        if self.entries.len() >= MAX_ENTRIES {
            return Err(Refusal::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "The ledger is full",
            ));
        }
        let mut answer = answer::json(StatusCode::CREATED, &json!(entry));
        if let Ok(location) = HeaderValue::try_from(format!("/timesheets/{}", entry.id)) {
            answer.headers_mut().insert(LOCATION, location);
        }
        self.insert(entry.clone());
        Ok(Fulfilled {
            answer,
            change: Some(Change::Added(entry)),
        })
    }

    /// Whoever the policy lets through may delete any entry: who may is a question of scopes, and the gate's to answer.
    fn remove(&mut self, id: Option<u64>) -> Result<Fulfilled, Refusal> {
        match id.and_then(|id| self.entries.remove(&id)) {
            Some(entry) => Ok(Fulfilled {
                answer: answer::empty(StatusCode::NO_CONTENT),
                change: Some(Change::Removed(entry.id)),
            }),
            None => Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "There is no such entry",
            )),
        }
    }

    fn insert(&mut self, entry: Entry) {
        self.last_id = self.last_id.max(entry.id);
        self.entries.insert(entry.id, entry);
    }
}

fn seen(answer: Response<String>) -> Fulfilled {
    Fulfilled {
        answer,
        change: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(ledger: &mut Ledger) -> Result<Fulfilled, Refusal> {
        let id = ledger.next_id();
        let employee = "alice".to_owned();
        let work = work();
        ledger.fulfil(Wish::Add { employee, work }, id)
    }

    fn work() -> Work {
        Work {
            date: "2026-03-02".to_owned(),
            project: "apollo".to_owned(),
            hours: 1.0,
        }
    }

    #[test]
    fn a_number_is_not_given_twice_and_a_ledger_of_the_same_entries_goes_on_with_the_next() {
        let mut ledger = Ledger::default();
        let added = add(&mut ledger).unwrap();
        assert!(matches!(
            added.change,
            Some(Change::Added(Entry { id: 1, .. }))
        ));
        let removed = ledger.fulfil(Wish::Remove { id: Some(1) }, 0).unwrap();
        assert_eq!(removed.change, Some(Change::Removed(1)));
        assert_eq!(ledger.next_id(), 2);
        let later = Entry {
            id: 7,
            employee: "alice".to_owned(),
            work: work(),
        };
        assert_eq!(Ledger::of([later]).next_id(), 8);
    }

    #[test]
    fn a_full_ledger_takes_no_more() {
        let mut ledger = Ledger::default();
        for _ in 0..MAX_ENTRIES {
            add(&mut ledger).unwrap();
        }
        let refused = Response::from(add(&mut ledger).unwrap_err());
        assert_eq!(refused.status(), StatusCode::INSUFFICIENT_STORAGE);
    }
}

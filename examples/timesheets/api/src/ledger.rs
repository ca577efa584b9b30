//! From a wish to an answer, whatever the entries are kept in.

use std::collections::BTreeMap;
use std::future::Future;

use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use crate::answer::{self, Refusal};
use crate::entry::{Entry, Work, hours_of};
use crate::wish::Wish;

/// An employee's timesheet is one answer: about 100 KB of JSON. Two lines on every working day of two years.
pub const MAX_ENTRIES_OF_EMPLOYEE: u32 = 1_000;

/// Of everybody. On Spin all of them are read for an answer, one by one.
pub const MAX_ENTRIES: u32 = 5_000;

/// Where the entries are kept: a database behind the server, Spin's key-value store in the component.
pub trait Ledger {
    /// Why it does not do what it is asked.
    type Failure;

    /// The entries of one employee, the oldest number first.
    fn entries_of(
        &mut self,
        employee: &str,
    ) -> impl Future<Output = Result<Vec<Entry>, Self::Failure>>;

    /// The quarters of an hour that everybody spent on each project.
    fn quarters_by_project(
        &mut self,
    ) -> impl Future<Output = Result<BTreeMap<String, u32>, Self::Failure>>;

    /// How many entries there are.
    fn count(&mut self, employee: &str) -> impl Future<Output = Result<Count, Self::Failure>>;

    /// Keeps a new entry, under a number that none has or had.
    fn add(
        &mut self,
        employee: String,
        work: Work,
    ) -> impl Future<Output = Result<Entry, Self::Failure>>;

    /// Removes the entry of that number if it is this employee's. Returns whether it was there.
    fn remove(
        &mut self,
        employee: &str,
        id: u64,
    ) -> impl Future<Output = Result<bool, Self::Failure>>;
}

/// How many entries a ledger holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Of the employee in question.
    pub own: u32,
    /// Of everybody.
    pub all: u32,
}

/// Why a wish is not fulfilled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfulfilled<Failure> {
    /// The API refuses it.
    Refused(Refusal),
    /// The ledger failed.
    Failed(Failure),
}

impl<Failure> From<Failure> for Unfulfilled<Failure> {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Does what is wished.
///
/// # Errors
/// There is no such entry, or no room for another; or the ledger failed.
pub async fn fulfil<L: Ledger>(
    ledger: &mut L,
    wish: Wish,
) -> Result<Response<String>, Unfulfilled<L::Failure>> {
    match wish {
        Wish::Health => Ok(answer::healthy()),
        Wish::List { employee } => {
            let entries = ledger.entries_of(&employee).await?;
            let body = json!({ "employee": employee, "entries": entries });
            Ok(answer::json(StatusCode::OK, &body))
        }
        Wish::Report { reader } => {
            let quarters = ledger.quarters_by_project().await?;
            let hours: BTreeMap<String, f64> = quarters
                .into_iter()
                .map(|(project, quarters)| (project, hours_of(quarters)))
                .collect();
            let body = json!({ "employee": reader, "hours": hours });
            Ok(answer::json(StatusCode::OK, &body))
        }
        Wish::Add { employee, work } => {
            room(ledger.count(&employee).await?).map_err(Unfulfilled::Refused)?;
            Ok(created(&ledger.add(employee, work).await?))
        }
        // Another's entry is answered as one that is not there: its number tells nothing.
        Wish::Remove { employee, id } => match id {
            Some(id) if ledger.remove(&employee, id).await? => {
                Ok(answer::empty(StatusCode::NO_CONTENT))
            }
            _ => Err(Unfulfilled::Refused(Refusal::new(
                StatusCode::NOT_FOUND,
                "There is no such entry",
            ))),
        },
    }
}

fn room(count: Count) -> Result<(), Refusal> {
    let full = |title| Err(Refusal::new(StatusCode::INSUFFICIENT_STORAGE, title));
    if count.own >= MAX_ENTRIES_OF_EMPLOYEE {
        full("Your timesheet is full: remove entries first")
    } else if count.all >= MAX_ENTRIES {
        full("The ledger is full")
    } else {
        Ok(())
    }
}

fn created(entry: &Entry) -> Response<String> {
    let mut answer = answer::json(StatusCode::CREATED, &json!(entry));
    if let Ok(location) = HeaderValue::try_from(format!("/timesheets/{}", entry.id)) {
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ledger_takes_no_more() {
        for (own, all, status) in [
            (0, 0, None),
            (999, 4_999, None),
            (1_000, 1_000, Some(507)),
            (0, 5_000, Some(507)),
        ] {
            let refused = room(Count { own, all }).err().map(Response::from);
            let found = refused.map(|answer| answer.status().as_u16());
            assert_eq!(found, status, "{own} {all}");
        }
    }
}

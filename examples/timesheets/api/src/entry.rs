//! A line of a timesheet: what an employee sends, what is wrong with it, and what is kept.

use serde::{Deserialize, Serialize, Serializer};
use unicode_general_category::{GeneralCategory, get_general_category};

/// Room for a name that a person reads, and little enough that a full ledger fits into memory.
const MAX_PROJECT_CHARS: usize = 100;

/// A year before or after is a slip of the finger.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2100;

/// A day has no more.
const MAX_HOURS: f64 = 24.0;

/// One line of a timesheet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its number, which no other entry has or had.
    pub id: u64,
    /// Whose timesheet it stands on.
    pub employee: String,
    /// What was done.
    #[serde(flatten)]
    pub work: Work,
}

/// What was done: a day that there is, a project with a name, and hours that a day has. It is made from a [`Draft`] alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Work {
    date: String,
    project: String,
    hours: Hours,
}

/// A time in quarters of an hour, which is what is counted: 1 to 96.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours(u8);

/// The shape of what an employee sends. Nothing about it is checked yet.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// As in `2026-03-02`.
    pub date: String,
    /// Its name.
    pub project: String,
    /// As in `7.5`.
    pub hours: f64,
}

/// What is wrong with one field of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    field: &'static str,
    message: &'static str,
}

impl Work {
    /// The day, as in `2026-03-02`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// What was worked on.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// For how long.
    pub fn hours(&self) -> Hours {
        self.hours
    }
}

impl Hours {
    /// How many quarters of an hour.
    pub fn quarters(self) -> u8 {
        self.0
    }
}

impl Serialize for Hours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(hours_of(self.0.into()))
    }
}

/// As many hours as these quarters are.
pub(crate) fn hours_of(quarters: u32) -> f64 {
    f64::from(quarters) / 4.0
}

impl TryFrom<Draft> for Work {
    /// All that is wrong, not only the first.
    type Error = Vec<Fault>;

    fn try_from(draft: Draft) -> Result<Self, Vec<Fault>> {
        let Draft {
            date,
            project,
            hours,
        } = draft;
        let (checked, quarters) = (check_date(&date), quarters_of(hours));
        let faults = [
            ("date", checked.err()),
            ("project", check_project(&project).err()),
            ("hours", quarters.err()),
        ];
        let faults: Vec<Fault> = faults
            .into_iter()
            .filter_map(|(field, message)| message.map(|message| Fault { field, message }))
            .collect();
        match quarters {
            Ok(quarters) if faults.is_empty() => Ok(Self {
                date,
                project,
                hours: Hours(quarters),
            }),
            _ => Err(faults),
        }
    }
}

fn check_date(text: &str) -> Result<(), &'static str> {
    match text.parse::<jiff::civil::Date>() {
        // One way to write a day: the parser knows more.
        Ok(date) if date.to_string() != text => Err("must be written as in 2026-03-02"),
        Ok(date) if !YEARS.contains(&date.year()) => Err("must lie in the years 2000 to 2100"),
        Ok(_) => Ok(()),
        Err(_) => Err("must be a day of the calendar, written as in 2026-03-02"),
    }
}

fn check_project(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        Err("must not be empty")
    } else if name.chars().count() > MAX_PROJECT_CHARS {
        Err("must not be longer than 100 characters")
    } else if name.chars().any(char::is_control) {
        Err("must not hold control characters")
    } else if name.chars().any(is_format) {
        Err("must not hold format characters")
    } else if name.trim() != name {
        Err("must not begin or end with white space")
    } else {
        Ok(())
    }
}

/// Characters that are not seen, or break the line: some turn text around (U+202E), and a reader would take one project for another.
fn is_format(character: char) -> bool {
    matches!(
        get_general_category(character),
        GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

fn quarters_of(hours: f64) -> Result<u8, &'static str> {
    let quarters = hours * 4.0;
    if !(hours > 0.0 && hours <= MAX_HOURS) {
        Err("must be more than 0 and at most 24")
    } else if quarters.fract() != 0.0 {
        Err("must be a multiple of 0.25")
    } else {
        // 1 to 96 after the checks above: nothing is cut off.
        Ok(quarters as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields that are wrong, with what is said of them.
    fn faults(date: &str, project: &str, hours: f64) -> Vec<(&'static str, &'static str)> {
        let draft = Draft {
            date: date.to_owned(),
            project: project.to_owned(),
            hours,
        };
        let faults = Work::try_from(draft).err().unwrap_or_default();
        faults
            .iter()
            .map(|fault| (fault.field, fault.message))
            .collect()
    }

    #[test]
    fn a_day_is_one_of_the_calendar_written_in_one_way() {
        for date in ["2026-03-02", "2024-02-29", "2000-01-01", "2100-12-31"] {
            assert_eq!(faults(date, "apollo", 1.0), [], "{date}");
        }
        for date in [
            "",
            "today",
            "2026-02-29",
            "2100-02-29",
            "2026-13-01",
            "2026-04-31",
            "2026-00-10",
            "2026-01-00",
            "2026-3-2",
            "20260302",
            "2026-W10-1",
            "2026-03-02T00:00",
            "2026-03-02T00:00:00Z",
            " 2026-03-02",
            "2026-03-02\n",
            "+002026-03-02",
            "1999-12-31",
            "2101-01-01",
            "-2026-03-02",
            "２０２６-03-02",
        ] {
            let found = faults(date, "apollo", 1.0);
            assert_eq!(found.len(), 1, "{date}");
            assert_eq!(found[0].0, "date", "{date}");
        }
    }

    #[test]
    fn a_project_has_a_name_that_can_be_shown_in_a_line() {
        let (long, longer) = ("ö".repeat(100), "ö".repeat(101));
        for name in ["a", "Apollo 11", "अपोलो", "مشروع", "e\u{301}", "🚀", &long] {
            assert_eq!(faults("2026-03-02", name, 1.0), [], "{name}");
        }
        for (name, message) in [
            ("", "must not be empty"),
            (longer.as_str(), "must not be longer than 100 characters"),
            ("a\nb", "must not hold control characters"),
            ("a\0", "must not hold control characters"),
            ("\u{85}", "must not hold control characters"),
            ("a\u{202e}b", "must not hold format characters"),
            ("a\u{2066}b\u{2069}", "must not hold format characters"),
            ("\u{200f}a", "must not hold format characters"),
            ("\u{61c}a", "must not hold format characters"),
            ("a\u{200b}b", "must not hold format characters"),
            ("a\u{ad}b", "must not hold format characters"),
            ("\u{feff}a", "must not hold format characters"),
            ("a\u{e0061}", "must not hold format characters"),
            ("a\u{2028}b", "must not hold format characters"),
            ("a\u{2029}", "must not hold format characters"),
            (" ", "must not begin or end with white space"),
            (" a", "must not begin or end with white space"),
            ("a\u{a0}", "must not begin or end with white space"),
        ] {
            let found = faults("2026-03-02", name, 1.0);
            assert_eq!(found, [("project", message)], "{name:?}");
        }
    }

    #[test]
    fn hours_are_quarters_of_a_day() {
        for hours in [0.25, 0.5, 7.75, 8.0, 24.0] {
            assert_eq!(faults("2026-03-02", "apollo", hours), [], "{hours}");
        }
        let (out, between) = (
            "must be more than 0 and at most 24",
            "must be a multiple of 0.25",
        );
        for (hours, message) in [
            (0.0, out),
            (-0.0, out),
            (-1.0, out),
            (24.25, out),
            (1e300, out),
            (f64::NAN, out),
            (f64::INFINITY, out),
            (0.1, between),
            (7.3, between),
            (f64::MIN_POSITIVE, between),
            (24.0 - 1e-9, between),
        ] {
            let found = faults("2026-03-02", "apollo", hours);
            assert_eq!(found, [("hours", message)], "{hours}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let fields: Vec<&str> = faults("2026-02-30", "", 25.0)
            .iter()
            .map(|fault| fault.0)
            .collect();
        assert_eq!(fields, ["date", "project", "hours"]);
    }

    #[test]
    fn what_is_shown_is_what_was_sent() {
        let draft: Draft =
            serde_json::from_str(r#"{"date":"2026-03-02","project":"apollo","hours":7.75}"#)
                .unwrap();
        let work = Work::try_from(draft).unwrap();
        assert_eq!(work.hours().quarters(), 31);
        assert_eq!(
            serde_json::to_string(&work).unwrap(),
            r#"{"date":"2026-03-02","project":"apollo","hours":7.75}"#
        );
    }
}

//! The table in `docs/cves.md`: documented faults of others, and the cases which show that they are not here.
//!
//! Its rows are written by hand but for the last column, which is what the corpus says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::corpus::Case;

/// Where the table is.
pub fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/cves.md")
}

/// The text with the last column of its tables as the corpus has it.
///
/// # Errors
/// A row that is not `| CVE | product | class | cases |`, or is there twice, or that no case shows; a case that names a CVE without a
/// row.
pub fn filled(text: &str, cases: &[Case]) -> Result<String> {
    let mut shown: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for case in cases {
        for cve in &case.cve {
            shown.entry(cve).or_default().push(case.full_name());
        }
    }
    let mut rows = BTreeSet::new();
    let mut filled = String::new();
    for line in text.lines() {
        match row(line)? {
            None => filled.push_str(line),
            Some((cve, product, class)) => {
                if !rows.insert(cve) {
                    bail!("two rows are about {cve}");
                }
                let Some(names) = shown.get(cve) else {
                    bail!("no case shows {cve}");
                };
                let names = names.join("; ");
                filled.push_str(&format!("| {cve} | {product} | {class} | {names} |"));
            }
        }
        filled.push('\n');
    }
    if let Some(cve) = shown.keys().find(|cve| !rows.contains(*cve)) {
        bail!("the corpus names {cve}, which has no row: say whose it is, and its class");
    }
    Ok(filled)
}

/// CVE, product and class of a row; `None` for a line that is none.
fn row(line: &str) -> Result<Option<(&str, &str, &str)>> {
    if !line.starts_with("| CVE-") {
        return Ok(None);
    }
    let columns: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    match columns.as_slice() {
        [cve, product, class, ..] if columns.len() <= 4 && is_cve(cve) && !class.is_empty() => {
            Ok(Some((cve, product, class)))
        }
        _ => bail!("not a row of the table: {line}"),
    }
}

/// `CVE-`, a year, and a number of four digits or more.
fn is_cve(text: &str) -> bool {
    let is_number = |digits: &str, least: usize| {
        digits.len() >= least && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    text.strip_prefix("CVE-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(year, number)| year.len() == 4 && is_number(year, 4) && is_number(number, 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;

    const CASES: &str = "{ about: x, policy: x, cases: [ { name: one, cve: [CVE-2015-9235], request: {}, expect: {} }, \
                         { name: two, cve: [CVE-2015-9235, CVE-2022-21449], request: {}, expect: {} } ] }";

    fn check(text: &str, expected: Result<&str, &str>) {
        let cases = corpus::parse("file", CASES).unwrap();
        let seen = filled(text, &cases).map_err(|error| error.to_string());
        match (seen, expected) {
            (Ok(seen), Ok(expected)) => assert_eq!(seen, expected),
            (Err(seen), Err(expected)) => assert!(seen.contains(expected), "{seen}"),
            (seen, expected) => panic!("expected {expected:?}, saw {seen:?}"),
        }
    }

    #[test]
    fn the_corpus_fills_the_last_column_and_every_disagreement_is_told() {
        check(
            "# CVEs\n| CVE-2015-9235 | a | b | old |\n| CVE-2022-21449 | c | d | |\n",
            Ok(
                "# CVEs\n| CVE-2015-9235 | a | b | file: one; file: two |\n| CVE-2022-21449 | c | d | file: two |\n",
            ),
        );
        check(
            "| CVE-2015-9235 | a | b | |\n",
            Err("the corpus names CVE-2022-21449"),
        );
        check(
            "| CVE-2020-0001 | a | b | |\n",
            Err("no case shows CVE-2020-0001"),
        );
        check(
            "| CVE-2015-9235 | a | b | |\n| CVE-2015-9235 | a | b | |\n",
            Err("two rows"),
        );
        check("| CVE-15-9235 | a | b | |\n", Err("not a row"));
        check("| CVE-2015-9235 | a |\n", Err("not a row"));
    }
}

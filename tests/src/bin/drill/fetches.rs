//! How often an issuer was asked for its keys, and how often it may be, whatever the number of workers.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};

/// The fetches through a cluster so far, by Envoy's own count: those that reached the issuer, and those that found nobody there.
///
/// The issuer cannot count the latter, and the filter's counters are what is to be checked.
pub(crate) fn counted(stats: &BTreeMap<String, u64>, cluster: &str) -> Result<u64> {
    let stat = |name: &str| {
        let name = format!("cluster.{cluster}.{name}");
        let found = stats.get(&name).copied();
        found.with_context(|| format!("Envoy has no counter {name}"))
    };
    Ok(stat("upstream_rq_total")? + stat("upstream_rq_pending_failure_eject")?)
}

/// How many fetches fit into that time when two of them are never closer than `pace`.
pub(crate) fn most(lasted: Duration, pace: Duration) -> u64 {
    let pace = pace.as_millis().max(1);
    u64::try_from(lasted.as_millis() / pace).map_or(u64::MAX, |whole| whole.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fetches_at_a_pace_are_counted_with_both_ends() {
        let ms = Duration::from_millis;
        for (lasted, pace, expected) in [
            (0, 2_000, 1),
            (1_999, 2_000, 1),
            (2_000, 2_000, 2),
            (7_000, 4_800, 2),
            (9_600, 4_800, 3),
        ] {
            assert_eq!(most(ms(lasted), ms(pace)), expected, "{lasted} at {pace}");
        }
    }

    #[test]
    fn a_fetch_that_found_nobody_counts_and_a_missing_counter_is_no_zero() {
        let mut stats = BTreeMap::from([
            ("cluster.tenant.upstream_rq_total".to_owned(), 3),
            (
                "cluster.tenant.upstream_rq_pending_failure_eject".to_owned(),
                2,
            ),
        ]);
        assert_eq!(counted(&stats, "tenant").unwrap(), 5);
        assert!(counted(&stats, "partner").is_err());
        stats.remove("cluster.tenant.upstream_rq_pending_failure_eject");
        assert!(counted(&stats, "tenant").is_err());
    }
}

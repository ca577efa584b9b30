//! What each host call takes: a filter makes it many times within one request, and answers with the time.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use e2e::http1;

use crate::envoy::workload::head;
use crate::statistics::Figure;

/// The requests whose answers are taken together.
const ANSWERS: usize = 50;

/// The calls, in the order in which the filter makes them, each with its nanoseconds.
pub(crate) fn measure(address: SocketAddr, token: &str) -> Result<Vec<(String, Figure)>> {
    let mut order = Vec::new();
    let mut times: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for _ in 0..ANSWERS {
        let answer = http1::exchange(address, &head(Some(token)))?;
        ensure!(answer.status == 200, "the filter answers {}", answer.status);
        let text = String::from_utf8(answer.body).context("times that are no text")?;
        for line in text.lines() {
            let (name, nanoseconds) = line.rsplit_once(' ').context("a line without a time")?;
            let all = times.entry(name.to_owned()).or_default();
            if all.is_empty() {
                order.push(name.to_owned());
            }
            all.push(nanoseconds.parse().context("a time")?);
        }
    }
    let figure = |name: String| {
        let all = times.get(&name).into_iter().flatten().copied();
        let figure = Figure::of(all).context("a call without a time")?;
        Ok((name, figure))
    };
    order.into_iter().map(figure).collect()
}

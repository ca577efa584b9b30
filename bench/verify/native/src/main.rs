//! The verifications that are measured, natively. It is compiled as what is shipped is, and is asked line by line, as the script for V8 is:
//! `{"prepare": order}` is answered with `{"number": n}`, and `{"run": {"number": n, "times": t}}` with
//! `{"good": g, "nanoseconds": d}`; what goes wrong with `{"error": text}`.

mod ring;

use std::io::{self, BufRead as _, Write as _};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use bench_verify_guest::{Order, Prepared, prepare};
use serde_json::{Value, json};

fn main() -> Result<()> {
    let mut all = Vec::new();
    let mut answers = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = answer(&line?, &mut all);
        let answer = answer.unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
        writeln!(answers, "{answer}")?;
        answers.flush()?;
    }
    Ok(())
}

fn answer(line: &str, all: &mut Vec<Prepared>) -> Result<Value> {
    let question: Value = serde_json::from_str(line)?;
    if let Some(order) = question.get("prepare") {
        let order: Order = serde_json::from_value(order.clone())?;
        let prepared = match order.way.as_str() {
            "ring" => ring::prepare(&order.case),
            _ => prepare(&order),
        };
        all.push(prepared.map_err(|complaint| anyhow!(complaint))?);
        return Ok(json!({ "number": all.len() - 1 }));
    }
    let number = |name| question.get("run").and_then(|run| run.get(name)?.as_u64());
    let prepared = number("number").and_then(|number| all.get(usize::try_from(number).ok()?));
    let prepared = prepared.context("nothing of that number is prepared")?;
    let times = u32::try_from(number("times").context("how often?")?)?;
    let started = Instant::now();
    let good = prepared.run(times);
    let nanoseconds = u64::try_from(started.elapsed().as_nanos())?;
    Ok(json!({ "good": good, "nanoseconds": nanoseconds }))
}

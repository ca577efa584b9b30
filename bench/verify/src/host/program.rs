//! A program that is asked line by line: the native one, and Node with its script.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bench_verify_guest::Order;
use serde_json::{Value, json};

use super::Host;

/// It ends when its questions do.
pub(crate) struct Program {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().display().to_string();
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("cannot start `{program}`"))?;
        let questions = child.stdin.take();
        let answers = child.stdout.take().context("a program without output")?;
        Ok(Self {
            child,
            questions,
            answers: BufReader::new(answers),
        })
    }

    fn ask(&mut self, question: &Value) -> Result<Value> {
        let questions = self.questions.as_mut().context("no questions any more")?;
        writeln!(questions, "{question}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the program has ended");
        let answer: Value = serde_json::from_str(&line)?;
        if let Some(error) = answer.get("error") {
            bail!("{}", error.as_str().unwrap_or_default());
        }
        Ok(answer)
    }
}

impl Host for Program {
    fn prepare(&mut self, order: &Order) -> Result<usize> {
        let answer = self.ask(&json!({ "prepare": order }))?;
        Ok(usize::try_from(number(&answer, "number")?)?)
    }

    fn run(&mut self, prepared: usize, times: u32) -> Result<(Duration, u32)> {
        let answer = self.ask(&json!({ "run": { "number": prepared, "times": times } }))?;
        let time = Duration::from_nanos(number(&answer, "nanoseconds")?);
        Ok((time, u32::try_from(number(&answer, "good")?)?))
    }
}

fn number(answer: &Value, name: &str) -> Result<u64> {
    let number = answer.get(name).and_then(Value::as_u64);
    number.with_context(|| format!("an answer without `{name}`"))
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.questions.take());
        // There is nobody left to tell.
        let _ = self.child.wait();
    }
}

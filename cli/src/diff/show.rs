//! A comparison in words, and as JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::allowance::Allowance;
use super::change::{Comparison, Direction, RegionChange};
use crate::streams::one_line;

/// The most paths that are shown of one change; JSON has all.
const MOST: usize = 12;

pub(super) fn text(comparison: &Comparison, allowed: &[Allowance]) -> String {
    let mut shown = String::new();
    for direction in [
        Direction::MorePermissive,
        Direction::Both,
        Direction::Stricter,
        Direction::Otherwise,
    ] {
        let regions = comparison
            .regions
            .iter()
            .filter(|change| change.direction == direction);
        let settings = comparison
            .settings
            .iter()
            .filter(|change| change.direction == direction);
        let mut section = String::new();
        for change in regions {
            let is_meant = direction.lets_more_in() && !change.is_unmeant(allowed);
            region(&mut section, change);
            was_and_now(&mut section, &change.was, &change.now, is_meant);
        }
        for change in settings {
            let is_meant = direction.lets_more_in() && !change.is_unmeant(allowed);
            let _ = writeln!(section, "  {}", one_line(&change.subject));
            was_and_now(&mut section, &change.was, &change.now, is_meant);
        }
        if !section.is_empty() {
            let style = style(direction);
            let _ = writeln!(shown, "{style}{}{style:#}", direction.name());
            shown.push_str(&section);
        }
    }
    shown
}

fn style(direction: Direction) -> Style {
    let color = match direction {
        Direction::MorePermissive | Direction::Both => AnsiColor::Red,
        Direction::Stricter => AnsiColor::Green,
        Direction::Otherwise => AnsiColor::Yellow,
    };
    color.on_default().bold()
}

fn region(shown: &mut String, change: &RegionChange) {
    for (path, methods) in change.regions.iter().take(MOST) {
        let _ = writeln!(shown, "  {} {}", joined(methods), one_line(path));
    }
    let hidden = change.regions.len().saturating_sub(MOST);
    if hidden > 0 {
        let _ = writeln!(shown, "  and {hidden} more");
    }
}

fn was_and_now(shown: &mut String, was: &str, now: &str, is_meant: bool) {
    let meant = if is_meant { "  (allowed)" } else { "" };
    let (was, now) = (one_line(was), one_line(now));
    let _ = writeln!(shown, "      was: {was}\n      now: {now}{meant}");
}

fn joined(methods: &BTreeSet<String>) -> String {
    let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
    methods.join(",")
}

pub(super) fn json(comparison: &Comparison, allowed: &[Allowance]) -> Value {
    let regions = comparison.regions.iter().map(|change| {
        json!({
            "direction": word(change.direction),
            "allowed": change.direction.lets_more_in() && !change.is_unmeant(allowed),
            "was": change.was,
            "now": change.now,
            "regions": change.regions,
        })
    });
    let settings = comparison.settings.iter().map(|change| {
        json!({
            "direction": word(change.direction),
            "allowed": change.direction.lets_more_in() && !change.is_unmeant(allowed),
            "setting": change.subject,
            "was": change.was,
            "now": change.now,
        })
    });
    json!({
        "more_permissive": comparison.is_unmeant(allowed),
        "regions": regions.collect::<Vec<_>>(),
        "settings": settings.collect::<Vec<_>>(),
    })
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::MorePermissive => "more-permissive",
        Direction::Both => "both",
        Direction::Stricter => "stricter",
        Direction::Otherwise => "otherwise",
    }
}

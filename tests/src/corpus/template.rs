//! The placeholders of the corpus: `${now}`, `${now+300}`, `${token}`, `${jwks:NAME}`, `${a*300}`.

use anyhow::{Context, Result, bail};

/// Replaces every `${…}` by what `value` says for the text inside; `None` is an error that names it.
///
/// # Errors
/// A placeholder that nothing is known for, or one without its end.
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let (inside, behind) = after
            .split_once('}')
            .with_context(|| format!("a `${{` without its end in {text:?}"))?;
        match value(inside) {
            Some(value) => filled.push_str(&value),
            None => bail!("nothing is known as ${{{inside}}}"),
        }
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The value of `now`, `now+300`, `now-0.5`, in seconds.
pub fn time(inside: &str, now_ms: u64) -> Option<String> {
    let offset = inside.strip_prefix("now")?;
    if offset.is_empty() {
        return Some(seconds(0.0, now_ms));
    }
    Some(seconds(offset.parse().ok()?, now_ms))
}

/// The value of `a*300`: the text before the `*`, that many times.
pub fn repeated(inside: &str) -> Option<String> {
    let (text, times) = inside.rsplit_once('*')?;
    Some(text.repeat(times.parse().ok()?))
}

/// That many seconds from now: a whole number where the offset is one, so that issuers' usual tokens are the usual case.
pub fn seconds(offset: f64, now_ms: u64) -> String {
    let now = now_ms as f64 / 1000.0;
    if offset.fract() == 0.0 {
        format!("{:.0}", now.floor() + offset)
    } else {
        format!("{:.3}", now + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_unless_the_offset_is_not() {
        let check = |text: &str, expected: &str| {
            assert_eq!(
                fill(text, |inside| time(inside, 1_000_500)).unwrap(),
                expected
            );
        };
        check("${now}", "1000");
        check("[${now+300},${now-1}]", "[1300,999]");
        check("${now+0.25}", "1000.750");
    }

    #[test]
    fn a_text_is_repeated() {
        assert_eq!(fill("/${ab*3}", repeated).unwrap(), "/ababab");
        assert!(fill("${ab*x}", repeated).is_err());
    }

    #[test]
    fn an_unknown_placeholder_is_an_error() {
        assert!(fill("${nothing}", |_| None).is_err());
        assert!(fill("${token", |_| Some(String::new())).is_err());
    }
}

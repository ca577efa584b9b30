//! The `{{ name }}` expressions that a manifest may use where Spin allows variables.

use anyhow::{Context as _, Result, bail};

/// Fills in every expression of `text` by asking `value_of` for the variable that it names.
pub(crate) fn expand(text: &str, value_of: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after
            .split_once("}}")
            .with_context(|| format!("`{text}`: `{{{{` without `}}}}`"))?;
        let name = name.trim();
        check_name(name)?;
        filled.push_str(before);
        filled.push_str(&value_of(name)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Whether Spin takes this as the name of a variable: lower-case words of letters and digits, joined by single `_`.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let well_formed = name.split('_').all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    }) && name.starts_with(|c: char| c.is_ascii_lowercase());
    if !well_formed {
        bail!("`{name}` is not the name of a variable (lower-case words joined by `_`)");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_filled_in() {
        let value_of = |name: &str| match name {
            "upstream" => Ok("http://a".to_owned()),
            "port" => Ok("80".to_owned()),
            _ => bail!("unknown"),
        };
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(expand(text, value_of).ok().as_deref(), expected, "{text}");
        };
        check("plain", Some("plain"));
        check("{{ upstream }}", Some("http://a"));
        check("{{upstream}}:{{ port }}/", Some("http://a:80/"));
        check("{{ missing }}", None);
        check("{{ upstream", None);
        check("{{ Upstream }}", None);
    }

    #[test]
    fn names_of_variables() {
        for good in ["a", "upstream_timeout", "a1_2"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "1a", "_a", "a_", "a__b", "a-b", "a b"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}

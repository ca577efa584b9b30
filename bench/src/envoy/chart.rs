//! The chart: a group of bars for each load, a bar for each configuration, as an SVG that needs nothing else.

use std::fmt::Write as _;

use crate::envoy::rounds::Row;
use crate::envoy::setup::Setup;
use crate::statistics::Figure;

/// In pixels: the bars' part of the picture, a bar, and what lies between groups.
const HEIGHT: f64 = 300.0;
const BAR: f64 = 15.0;
const GAP: f64 = 26.0;

/// What lies around the bars: numbers at the left, the title and the legend above, names below.
const LEFT: f64 = 56.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 40.0;

/// Told apart in every usual colour blindness, on light and on dark.
fn colour(setup: Setup) -> &'static str {
    match setup {
        Setup::None => "#bbbbbb",
        Setup::WasmHeader => "#88ccee",
        Setup::WasmHostcalls => "#4477aa",
        Setup::WasmFloor => "#332288",
        Setup::JwtAuthn => "#ddcc77",
        Setup::JwtAuthnCache => "#cc9933",
        Setup::JwtAuthnRbac => "#cc6677",
        Setup::Scopegate => "#117733",
        Setup::ScopegateUncached => "#44aa99",
    }
}

/// Requests per second: the medians as bars, the least and the most as a line on each.
pub(crate) fn svg(rows: &[Row]) -> String {
    let figures: Vec<(&Row, Figure)> = rows
        .iter()
        .filter_map(|row| Some((row, row.figure(|one| one.rps)?)))
        .collect();
    let most = figures.iter().map(|(_, rps)| rps.most).fold(1.0, f64::max);
    let step = step(most);
    let top = (most / step).ceil() * step;
    let y = |value: f64| TOP + HEIGHT * (1.0 - value / top);
    let mut bars = String::new();
    let mut x = LEFT + GAP / 2.0;
    for group in figures.chunk_by(|a, b| a.0.load == b.0.load) {
        let begin = x;
        for (row, rps) in group {
            let title = format!(
                "{}, {}: {:.0}",
                row.load.name(),
                row.setup.name(),
                rps.median
            );
            let middle = x + BAR / 2.0;
            let _ = writeln!(
                bars,
                r#"<rect x="{x:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="{}"><title>{title}</title></rect><line x1="{middle:.1}" x2="{middle:.1}" y1="{:.1}" y2="{:.1}" class="spread"/>"#,
                y(rps.median),
                BAR - 1.0,
                y(0.0) - y(rps.median),
                colour(row.setup),
                y(rps.least),
                y(rps.most),
            );
            x += BAR;
        }
        // A group of one bar has room for its name all the same.
        x = x.max(begin + 4.0 * BAR);
        if let Some((row, _)) = group.first() {
            let _ = writeln!(
                bars,
                r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                f64::midpoint(begin, x),
                y(0.0) + 18.0,
                row.load.name()
            );
        }
        x += GAP;
    }
    let width = x.max(LEFT + 760.0);
    let height = TOP + HEIGHT + BOTTOM;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <style>text {{ fill: #222 }} .spread {{ stroke: #222; stroke-width: 1 }} .grid {{ stroke: #ddd }}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"15\">Requests per second on one worker of Envoy (more is better)</text>\n\
         {}{}{bars}</svg>\n",
        legend(rows),
        grid(top, step, width, y),
    )
}

/// The configurations that there are, in their order.
fn legend(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut x = LEFT;
    let shown = |setup: &Setup| rows.iter().any(|row| row.setup == *setup);
    for setup in Setup::ALL.into_iter().filter(shown) {
        let _ = writeln!(
            text,
            r#"<rect x="{x:.0}" y="32" width="12" height="12" fill="{}"/><text x="{:.0}" y="42">{}</text>"#,
            colour(setup),
            x + 16.0,
            setup.name()
        );
        #[expect(clippy::cast_precision_loss, reason = "a name is short")]
        let length = setup.name().len() as f64;
        x += 34.0 + 6.6 * length;
    }
    text
}

fn grid(top: f64, step: f64, width: f64, y: impl Fn(f64) -> f64) -> String {
    let mut text = String::new();
    let mut value = 0.0;
    while value <= top {
        let _ = writeln!(
            text,
            r#"<line x1="{LEFT}" x2="{width:.0}" y1="{:.1}" y2="{:.1}" class="grid"/><text x="{:.0}" y="{:.1}" text-anchor="end">{value:.0}</text>"#,
            y(value),
            y(value),
            LEFT - 6.0,
            y(value) + 4.0
        );
        value += step;
    }
    text
}

/// A round number, of which from three to seven make the height.
fn step(most: f64) -> f64 {
    let power = 10_f64.powf((most / 3.0).log10().floor());
    let times = [5.0, 2.0, 1.0].into_iter();
    let mut fitting = times.filter(|times| most / (times * power) >= 3.0);
    fitting.next().unwrap_or(1.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envoy::targets::tests::row;
    use crate::envoy::workload::Load;

    #[test]
    fn every_row_is_a_bar_with_its_figure() {
        let rows = [
            row(Load::Rs256One, Setup::None, &[60_000.0]),
            row(Load::Rs256One, Setup::Scopegate, &[45_000.0, 40_000.0]),
            row(Load::Refused, Setup::Scopegate, &[50_000.0]),
        ];
        let svg = svg(&rows);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("<title>").count(), rows.len());
        assert!(svg.contains("<title>rs256-one, scopegate: 42500</title>"));
        for text in [
            ">rs256-one</text>",
            ">refused</text>",
            ">none</text>",
            ">60000</text>",
        ] {
            assert!(svg.contains(text), "{text}\n{svg}");
        }
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn steps_are_round_and_few() {
        for (most, expected) in [
            (61_000.0, 20_000.0),
            (9.0, 2.0),
            (30_000.0, 10_000.0),
            (1.0, 0.2),
        ] {
            assert!(
                (step(most) - expected).abs() < 1e-9,
                "{most}: {}",
                step(most)
            );
        }
    }
}

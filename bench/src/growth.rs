//! How fast something grows: the exponent k of t ~ n^k.

/// The slope of the straight line that lies closest to the points on two logarithmic scales (least squares). Constant costs have 0, and what
/// doubles with the size 1. `None` where there are not two sizes.
pub(crate) fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logarithms = || points.iter().map(|(size, time)| (size.ln(), time.ln()));
    let count = points.len() as f64;
    let mean = |sum: f64| sum / count;
    let x_mean = mean(logarithms().map(|(x, _)| x).sum());
    let y_mean = mean(logarithms().map(|(_, y)| y).sum());
    let spread: f64 = logarithms().map(|(x, _)| (x - x_mean).powi(2)).sum();
    let together: f64 = logarithms().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    (spread > 0.0).then(|| together / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponent_is_found() {
        let sizes = [1.0, 10.0, 100.0, 1000.0];
        for k in [0.0, 0.5, 1.0, 2.0] {
            let points = sizes.map(|size: f64| (size, 7.0 * size.powf(k)));
            let found = exponent(&points).unwrap();
            assert!((found - k).abs() < 1e-9, "{k}: {found}");
        }
    }

    #[test]
    fn it_is_that_of_the_line_between_points_that_lie_on_none() {
        // Doubling twice: once without any effect, once with twice the time.
        let found = exponent(&[(1.0, 1.0), (2.0, 1.0), (4.0, 2.0)]).unwrap();
        assert!((found - 0.5).abs() < 1e-9, "{found}");
    }

    #[test]
    fn one_size_says_nothing() {
        assert_eq!(exponent(&[]), None);
        assert_eq!(exponent(&[(3.0, 1.0)]), None);
        assert_eq!(exponent(&[(3.0, 1.0), (3.0, 2.0)]), None);
    }
}

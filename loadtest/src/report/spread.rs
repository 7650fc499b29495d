//! A distribution: its percentiles, and how many fell into each bucket of one fixed grid, so that two runs lie over each other.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Buckets per power of ten: each reaches a quarter further than the one before.
pub const PER_DECADE: i32 = 10;
/// What is quicker than this, in microseconds, falls into the first bucket.
const FIRST_US: f64 = 10.0;

/// A distribution of times, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub count: u64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    #[serde(default)]
    pub p999: f64,
    pub max: f64,
    /// From the first that holds something to the last.
    #[serde(default)]
    pub buckets: Vec<Bucket>,
}

/// One bucket: whatever took longer than the bucket before, and at most this long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "(f64, u64)", into = "(f64, u64)")]
pub struct Bucket {
    /// Its place on the grid, counted from the first.
    pub step: i32,
    /// How many fell into it.
    pub count: u64,
}

impl Spread {
    /// The distribution of samples in microseconds.
    ///
    /// # Panics
    /// Never: the histogram grows with its values.
    pub fn of_us(samples: impl IntoIterator<Item = u64>) -> Self {
        let mut histogram = Histogram::<u64>::new(3).expect("three digits are a valid precision");
        for sample in samples {
            histogram.record(sample).expect("the histogram grows with its values");
        }
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        Self {
            count: histogram.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max() as f64 / 1_000.0,
            buckets: buckets(&histogram),
        }
    }
}

fn buckets(histogram: &Histogram<u64>) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    for recorded in histogram.iter_recorded() {
        let (step, count) = (step_of(recorded.value_iterated_to() as f64), recorded.count_at_value());
        let first_missing = buckets.last().map_or(step, |last| last.step + 1);
        // Empty ones in between stay: the distance between two humps is part of the picture.
        buckets.extend((first_missing..=step).map(|step| Bucket { step, count: 0 }));
        if let Some(last) = buckets.last_mut() {
            last.count += count;
        }
    }
    buckets
}

#[expect(clippy::cast_possible_truncation, reason = "a logarithm of a time is a small number")]
fn step_of(us: f64) -> i32 {
    // What lies on a border, but for rounding, belongs below it.
    (((us.max(1.0) / FIRST_US).log10() * f64::from(PER_DECADE)) - 1e-9).ceil().max(0.0) as i32
}

impl Bucket {
    /// The longest time that falls into it, in milliseconds.
    pub fn to_ms(self) -> f64 {
        to_ms(self.step)
    }
}

/// Where on the grid a time lies, in steps; between two of them, mostly.
pub fn step_of_ms(ms: f64) -> f64 {
    (ms.max(1e-3) * 1_000.0 / FIRST_US).log10() * f64::from(PER_DECADE)
}

/// The longest time that falls into the bucket at this step, in milliseconds.
pub fn to_ms(step: i32) -> f64 {
    10_f64.powf(f64::from(step) / f64::from(PER_DECADE)) * FIRST_US / 1_000.0
}

impl From<(f64, u64)> for Bucket {
    #[expect(clippy::cast_possible_truncation, reason = "a logarithm of a time is a small number")]
    fn from((to_ms, count): (f64, u64)) -> Self {
        Self { step: step_of_ms(to_ms).round() as i32, count }
    }
}

impl From<Bucket> for (f64, u64) {
    fn from(bucket: Bucket) -> Self {
        ((bucket.to_ms() * 1e5).round() / 1e5, bucket.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_tells_milliseconds() {
        let spread = Spread::of_us((1..=1000).map(|ms| ms * 1_000));
        assert_eq!(spread.count, 1000);
        let told = [(spread.p50, 500.0), (spread.p90, 900.0), (spread.p99, 990.0), (spread.p999, 999.0), (spread.max, 1000.0)];
        for (told, true_value) in told {
            assert!((told / true_value - 1.0_f64).abs() < 0.002, "{told} for {true_value}");
        }
        assert_eq!(Spread::of_us([]), Spread::default());
    }

    #[test]
    fn every_sample_falls_into_one_bucket_that_reaches_far_enough() {
        let samples = [0, 9, 10, 11, 100, 126, 5_000, 100_000, 100_100, 7_000_000];
        let spread = Spread::of_us(samples);
        assert_eq!(spread.buckets.iter().map(|bucket| bucket.count).sum::<u64>(), samples.len() as u64);
        let (first, last) = (spread.buckets[0], spread.buckets[spread.buckets.len() - 1]);
        assert_eq!((first.step, first.count, last.count), (0, 3, 1));
        assert!(last.to_ms() >= 7_000.0 && last.to_ms() < 7_000.0 * 1.26, "{}", last.to_ms());
        // Without holes, so that it can be drawn as it stands.
        assert!(spread.buckets.windows(2).all(|pair| pair[1].step == pair[0].step + 1));
    }

    #[test]
    fn buckets_come_back_from_json_as_they_were() {
        let spread = Spread::of_us([12, 13, 700, 31_000, 31_100, 1_999_000]);
        let json = serde_json::to_string(&spread).expect("plain");
        assert_eq!(serde_json::from_str::<Spread>(&json).expect("its own"), spread, "{json}");
    }
}

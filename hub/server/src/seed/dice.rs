//! Dice that fall the same way each time: the demo looks alike on every machine.

/// SplitMix64.
pub struct Dice(u64);

impl Dice {
    /// Dice for one thing, named by text and number.
    pub fn of(name: &str, number: u64) -> Self {
        let seed =
            name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut dice = Self(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// From `from` to `to`, both included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = usize::try_from(self.below(of.len() as u64)).expect("below a length");
        &of[at]
    }

    /// One of these words.
    ///
    /// # Panics
    /// When there are none.
    pub fn words(&mut self, of: &[&'static str]) -> &'static str {
        self.pick::<&str>(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_fall_the_same_way_each_time_and_differently_for_each_thing() {
        let roll = |name, number| {
            let mut dice = Dice::of(name, number);
            (0..8).map(|_| dice.between(1, 6)).collect::<Vec<_>>()
        };
        assert_eq!(roll("acme", 1), roll("acme", 1));
        assert_ne!(roll("acme", 1), roll("acme", 2));
        assert_ne!(roll("acme", 1), roll("globex", 1));
        assert!(roll("acme", 1).iter().all(|eyes| (1..=6).contains(eyes)));
    }
}

//! Changing inputs at random, from a seed: bits, bytes, runs, pieces of other inputs, and words that mean something.

/// Words and bytes that readers look for.
const WORDS: [&[u8]; 40] = [
    b"{}",
    b"[]",
    b"[[[[[[[[[[[[[[[[[[",
    b"null",
    b"true",
    b"1e999",
    b"-0.0",
    b"9007199254740992",
    b"18446744073709551616",
    b"0.1",
    b"\"\\ud800\"",
    b"\\u0000",
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"\"type\":",
    b"\"id\":",
    b"\"custom\":{",
    b"\xc0",
    b"\xc1",
    b"\xc4\x01\x00",
    b"\xca\x7f\xc0\x00\x00",
    b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
    b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xdb\xff\xff\xff\xff",
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\x81\xa1a",
    b"\x91",
    b"\xd9\x01a",
    b"\x89\x80",
    b"\x88\x82",
    b"\x00\x80",
    b"\xfe\xff\xff",
    b"%00",
    b"%f0%9f",
    b"&&=",
    b"+",
];

/// Longest input that mutations make.
const LONGEST: usize = 140_000;

/// A source of changed inputs: the same for the same seed.
pub struct Mutator {
    state: u64,
}

impl Mutator {
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A changed copy of one of the inputs, or now and then something entirely new.
    pub fn mutate(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        if self.below(50) == 0 {
            let length = self.below(64);
            return (0..length).map(|_| self.byte()).collect();
        }
        let mut input = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(6) {
            self.change(&mut input, corpus);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        match self.below(9) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.byte(),
            2 => input.insert(at, self.byte()),
            3 if at < input.len() => {
                let end = (at + 1 + self.below(8)).min(input.len());
                input.drain(at..end);
            }
            4 => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..at, word.iter().copied());
            }
            5 => {
                let end = (at + self.below(32)).min(input.len());
                let run = input[at..end].to_vec();
                input.splice(at..at, run);
            }
            6 => {
                let other = &corpus[self.below(corpus.len())];
                let from = self.below(other.len() + 1);
                let to = (from + self.below(64)).min(other.len());
                input.splice(at..at, other[from..to].iter().copied());
            }
            7 if at < input.len() => {
                let word = WORDS[self.below(WORDS.len())];
                let end = (at + word.len()).min(input.len());
                input.splice(at..end, word.iter().copied());
            }
            8 => input.truncate(at),
            _ => {}
        }
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { usize::try_from(self.next() % bound as u64).expect("below a usize") }
    }

    /// SplitMix64.
    const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

//! A fuzzer that needs nothing but a stable compiler: seeded, so that every run is the same; it keeps an input of each kind it
//! meets and goes on from those. `make test` runs some ten thousand inputs per target, `make fuzz FUZZ_INPUTS=10000000` as many
//! as it is told, over all targets together; FUZZ_SEED begins elsewhere.

mod corpus;
mod mutate;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use gateway::fuzzing::{Kind, TARGETS, Target};

use self::mutate::Mutator;

/// Inputs of one target in `make test`.
const SOME: u64 = 20_000;
/// Inputs that are kept because they were of a new kind.
const MAX_KEPT: usize = 4_096;

#[test]
fn strangers_bytes_break_no_property() {
    let total = std::env::var("FUZZ_INPUTS").ok().map(|text| text.parse::<u64>().expect("FUZZ_INPUTS is a number"));
    let seed = std::env::var("FUZZ_SEED").ok().map_or(1, |text| text.parse().expect("FUZZ_SEED is a number"));
    let each = total.map_or(SOME, |total| total.div_ceil(TARGETS.len() as u64));
    let began = Instant::now();
    let runs: Vec<_> = TARGETS
        .map(|(name, target)| (name, std::thread::spawn(move || run(name, target, each, seed))))
        .into_iter()
        .map(|(name, run)| (name, run.join().expect("the runner itself does not panic")))
        .collect();
    println!("{:24} {:>12} {:>8} {:>8}", "target", "inputs", "kinds", "panics");
    for (name, Run { kinds, panics }) in &runs {
        println!("{name:24} {each:>12} {kinds:>8} {panics:>8}");
    }
    let inputs = each * TARGETS.len() as u64;
    println!("{inputs} inputs in {:.1?}, seed {seed}, peak memory {}", began.elapsed(), peak_memory());
    assert!(runs.iter().all(|(_, run)| run.panics == 0), "the inputs are above, in hex");
    assert!(runs.iter().all(|(_, run)| run.kinds > 3), "a target that tells nothing apart tries nothing");
}

struct Run {
    kinds: usize,
    panics: u64,
}

fn run(name: &str, target: Target, inputs: u64, seed: u64) -> Run {
    let mut corpus = corpus::of(name);
    let mut mutator = Mutator::new(seed);
    let mut kinds: HashSet<Kind> = HashSet::new();
    let mut panics = 0;
    for n in 0..inputs {
        // The corpus itself comes first.
        let input = usize::try_from(n).ok().and_then(|n| corpus.get(n).cloned()).filter(|_| n < 1_000);
        let input = input.unwrap_or_else(|| mutator.mutate(&corpus));
        match catch_unwind(AssertUnwindSafe(|| target(&input))) {
            Ok(kind) => {
                if kinds.insert(kind) && corpus.len() < MAX_KEPT {
                    corpus.push(input);
                }
            }
            Err(_) => {
                panics += 1;
                if panics <= 5 {
                    println!("{name} panicked, input {n}: {}", hex(&input));
                }
            }
        }
    }
    Run { kinds: kinds.len(), panics }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// From `VmHWM:  1234 kB`.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".into(), |line| line.trim().to_owned())
}

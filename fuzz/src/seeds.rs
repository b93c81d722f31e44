//! The corpus of a target, for the plain test that runs it.

use std::{fs, path::Path};

/// Name and content of every file, in the order of their names.
pub(crate) fn of(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds: Vec<_> = files
        .map(|file| {
            let path = file.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap())
        })
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} is empty", folder.display());
    seeds
}

/// What becomes of the seeds by chance, the same in every run: so many of each.
pub(crate) fn mutants(seeds: &[(String, Vec<u8>)], each: u32) -> impl Iterator<Item = Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = move |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n.max(1) as u64) as usize
    };
    let all: Vec<Vec<u8>> = seeds.iter().map(|(_, bytes)| bytes.clone()).collect();
    (0..all.len() * each as usize).map(move |i| {
        let mut bytes = all[i % all.len()].clone();
        for _ in 0..=below(3) {
            let (from, to) = (below(bytes.len() + 1), below(bytes.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            match below(4) {
                0 if from < bytes.len() => bytes[from] = *b"\"{}[]:,\\-0e9tn\xff\x00".get(below(16)).unwrap_or(&b' '),
                1 => drop(bytes.drain(from..to)),
                2 => {
                    let part = bytes[from..to].to_vec();
                    bytes.splice(to..to, part);
                }
                _ => {
                    let other = &all[below(all.len())];
                    let at = below(other.len());
                    bytes.splice(from..to, other[at..(at + 40).min(other.len())].iter().copied());
                }
            }
        }
        bytes
    })
}

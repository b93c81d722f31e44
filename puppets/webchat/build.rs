//! Embeds what is in `assets/`: a file put there is served without being named twice.

fn main() {
    wechaty_embed::folder("FILES", "assets");
}

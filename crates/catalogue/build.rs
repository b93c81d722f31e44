//! Embeds every `locales/<language>/*.ftl`: a new file needs no line of code.

fn main() {
    wechaty_embed::folder("EN", "locales/en");
    wechaty_embed::folder("ZH", "locales/zh");
}

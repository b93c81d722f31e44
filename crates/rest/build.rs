//! Embeds what browsers and generators of clients ask for.

fn main() {
    wechaty_embed::file("openapi.json");
    wechaty_embed::file("src/page.html");
}

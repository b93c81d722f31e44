//! The command from outside: what it says to people who read Chinese, and what the READMEs say of it.

mod chinese;
mod english_words;
mod readmes;
mod store;
mod streams;

//! The command from outside: what it says to people who read Chinese.

mod chinese;
mod english_words;

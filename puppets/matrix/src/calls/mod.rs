//! CALLS: the capabilities, one file for each subject.

mod contact;
mod levels;
mod load;
mod marks;
mod message;
mod room;
mod standing;

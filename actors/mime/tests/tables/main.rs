//! What comes out for what goes in, one line for each case.

mod answers;
mod conversations;
mod html;
mod parts;
mod subjects;

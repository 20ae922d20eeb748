//! The whole index over a folder of files and a scripted model: current, exact, and the same after every end.

mod finding;
mod keeping;
mod world;

use world::World;

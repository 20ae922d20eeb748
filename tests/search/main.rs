//! The index of files, broken: killed anywhere, its disk full, its parts damaged, its files renamed by the thousand, too
//! large, or never at rest. What is asserted is that a search agrees with the files and that nothing is made twice.

mod kept;

mod damaged;
mod full;
mod killed;
mod many;
mod restless;

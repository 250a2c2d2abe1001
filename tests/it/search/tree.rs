//! Ad groups and ads in what they are in.

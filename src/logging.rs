//! simplelog to the terminal and a dated file.

//! Colours, if they are wanted: few, from the terminal's own palette, and never the only sign of something.

use std::io::IsTerminal;

/// When there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    /// Returns the style that this choice gives standard output.
    #[must_use]
    pub fn style(self) -> Style {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let on = match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => std::io::stdout().is_terminal() && !set("NO_COLOR") && !is_dumb(),
        };
        Style { on }
    }
}

/// Returns whether the terminal can do nothing but print.
#[must_use]
pub fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// Adds colours to a text, or leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    on: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if !self.on || text.is_empty() {
            return text.to_owned();
        }
        // Each line separately, so that a line that is cut or repeated keeps its colour.
        let lines: Vec<String> = text.split('\n').map(|line| format!("\x1b[{code}m{line}\x1b[0m")).collect();
        lines.join("\n")
    }

    /// Paints something that may be overlooked.
    #[must_use]
    pub fn quiet(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Paints a name or a heading.
    #[must_use]
    pub fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Paints another person's name.
    #[must_use]
    pub fn name(self, text: &str) -> String {
        self.paint("1;36", text)
    }

    /// Paints the user's own name, or a success.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Paints something that should be noticed.
    #[must_use]
    pub fn warning(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// Paints an error.
    #[must_use]
    pub fn error(self, text: &str) -> String {
        self.paint("31", text)
    }
}

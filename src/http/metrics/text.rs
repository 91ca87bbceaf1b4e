//! The text format of Prometheus.

use std::fmt::{Display, Write};

/// Before the name of each figure.
const PREFIX: &str = "ip2tor_";

/// Figures, written one after the other.
#[derive(Default)]
pub struct Text(String);

/// What tells the figures of one name apart: names and values.
pub type Labels<'a> = Vec<(&'a str, &'a str)>;

impl Text {
    /// All figures of one name; nothing where there are none.
    pub fn family<'a, V: Display>(
        &mut self,
        name: &str,
        kind: &str,
        about: &str,
        figures: impl IntoIterator<Item = (Labels<'a>, V)>,
    ) {
        let mut figures = figures.into_iter().peekable();
        if figures.peek().is_none() {
            return;
        }
        let _ = writeln!(self.0, "# HELP {PREFIX}{name} {about}\n# TYPE {PREFIX}{name} {kind}");
        for (labels, value) in figures {
            let labels: Vec<_> =
                labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(self.0, "{PREFIX}{name}{labels} {value}");
        }
    }

    /// A figure with labels.
    pub fn one(&mut self, name: &str, kind: &str, about: &str, labels: &[(&str, &str)], value: impl Display) {
        self.family(name, kind, about, [(labels.to_vec(), value)]);
    }

    /// A figure that has no other beside it.
    pub fn plain(&mut self, name: &str, kind: &str, about: &str, value: impl Display) {
        self.one(name, kind, about, &[], value);
    }

    /// All that was written.
    pub fn into_string(self) -> String {
        self.0
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_prometheus_reads_them() {
        let mut text = Text::default();
        text.plain("up", "gauge", "Whether.", 1);
        text.family("odd", "counter", "Odd.", [(vec![("a", "x\"y\\z\n"), ("b", "")], 0.5)]);
        text.family("none", "gauge", "Nothing.", Vec::<(Labels<'_>, u8)>::new());
        let lines = [
            "# HELP ip2tor_up Whether.",
            "# TYPE ip2tor_up gauge",
            "ip2tor_up 1",
            "# HELP ip2tor_odd Odd.",
            "# TYPE ip2tor_odd counter",
            r#"ip2tor_odd{a="x\"y\\z\n",b=""} 0.5"#,
        ];
        assert_eq!(text.into_string(), lines.map(|line| format!("{line}\n")).concat());
    }
}

//! The table that is printed at the end.

use std::fmt;

/// Rows of measured work.
#[derive(Default)]
pub struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// Adds a row and shows it at once, since the whole takes a while.
    pub fn row(&mut self, work: &str, measured: String, cpu: String, goal: &str) {
        eprintln!("{work}: {measured}, {cpu}");
        self.rows.push([work.to_owned(), measured, cpu, goal.to_owned()]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["work", "measured", "CPU of the shop", "goal"].map(str::to_owned);
        let all: Vec<&[String; 4]> = std::iter::once(&head).chain(&self.rows).collect();
        let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..4).map(width).collect();
        for (i, row) in all.iter().enumerate() {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(f, "| {} |", cells.collect::<Vec<_>>().join(" | "))?;
            if i == 0 {
                let lines: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                writeln!(f, "|-{}-|", lines.join("-|-"))?;
            }
        }
        Ok(())
    }
}
